// SPDX-License-Identifier: MIT
/*
 * takeover.c - the connections that a manager leaves behind, and who gets them
 *
 * A manager listens on an abstract socket named after its process. Managers of forked
 * children connect to it and are never accepted: the kernel hangs up on all of them
 * when the process ends, however it ends. Then whoever binds the name first is the
 * heir, and the others connect to it in turn. So at every moment one process at most
 * manages a connection, with no message sent and no clock looked at.
 */
#include "takeover.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_FORMAT "mptcpaddr-estate/%d.%016" PRIx64
#define HEIRS_MAX   128 /* children that wait at a time */

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static socklen_t fill_name(struct sockaddr_un *addr, const struct estate_name *name)
{
	int n;

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1, NAME_FORMAT,
		     name->pid, name->nonce);
	return offsetof(struct sockaddr_un, sun_path) + 1 + n;
}

/* Return: a listening socket of that name; -EADDRINUSE if somebody has it; -errno. */
static int name_claim(const struct estate_name *name)
{
	struct sockaddr_un addr;
	socklen_t len = fill_name(&addr, name);
	int fd = open_socket(), error;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&addr, len) && !listen(fd, HEIRS_MAX))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* Return: a socket that hangs up with the holder of that name; -ECONNREFUSED: none. */
static int name_follow(const struct estate_name *name)
{
	struct sockaddr_un addr;
	socklen_t len = fill_name(&addr, name);
	int fd = open_socket(), error;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&addr, len))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

void estate_open(struct estate *estate, const struct estate_name *own)
{
	*estate = (struct estate){ .watch = -1, .claimed = -1 };
	estate->listener = name_claim(own);
}

bool estate_wait(struct estate *estate, const struct estate_name *of)
{
	estate->of = *of;
	estate->watch = name_follow(of);
	if (estate->watch != -ECONNREFUSED)
		return false;
	estate->claimed = name_claim(of);
	return estate->claimed >= 0;
}

bool estate_again(const struct estate *estate)
{
	/* Too many wait, or the winner of the name is about to listen on it. */
	return estate->watch == -EAGAIN ||
	       (estate->watch == -ECONNREFUSED && estate->claimed == -EADDRINUSE);
}

bool estate_hung_up(struct estate *estate)
{
	const struct estate_name of = estate->of;

	if (estate->watch >= 0)
		close(estate->watch);
	return estate_wait(estate, &of);
}

void estate_close(struct estate *estate)
{
	if (estate->listener >= 0)
		close(estate->listener);
	if (estate->watch >= 0)
		close(estate->watch);
	if (estate->claimed >= 0)
		close(estate->claimed);
}
