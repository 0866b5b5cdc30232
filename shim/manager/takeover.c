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

#define NAME_FORMAT "mptcpaddr-takeover/%d.%016" PRIx64
#define WAITING_MAX 128 /* children that wait at a time */

static int takeover_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static socklen_t fill_name(struct sockaddr_un *addr, const struct takeover_name *name)
{
	int n;

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1, NAME_FORMAT,
		     name->pid, name->nonce);
	return offsetof(struct sockaddr_un, sun_path) + 1 + n;
}

/* Return: a listening socket of that name; -EADDRINUSE if somebody has it; -errno. */
static int takeover_claim_name(const struct takeover_name *name)
{
	struct sockaddr_un addr;
	socklen_t len = fill_name(&addr, name);
	int fd = takeover_socket(), error;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&addr, len) && !listen(fd, WAITING_MAX))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* Return: a socket that hangs up with the holder of that name; -ECONNREFUSED: none. */
static int takeover_watch_name(const struct takeover_name *name)
{
	struct sockaddr_un addr;
	socklen_t len = fill_name(&addr, name);
	int fd = takeover_socket(), error;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&addr, len))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

void takeover_open(struct takeover *takeover, const struct takeover_name *own)
{
	*takeover = (struct takeover){ .watch = -1, .claimed = -1 };
	takeover->listener = takeover_claim_name(own);
}

bool takeover_wait(struct takeover *takeover, const struct takeover_name *of)
{
	takeover->of = *of;
	takeover->watch = takeover_watch_name(of);
	if (takeover->watch != -ECONNREFUSED)
		return false;
	takeover->claimed = takeover_claim_name(of);
	return takeover->claimed >= 0;
}

bool takeover_must_retry(const struct takeover *takeover)
{
	/* Too many wait, or the winner of the name is about to listen on it. */
	return takeover->watch == -EAGAIN ||
	       (takeover->watch == -ECONNREFUSED && takeover->claimed == -EADDRINUSE);
}

bool takeover_retry(struct takeover *takeover)
{
	const struct takeover_name of = takeover->of;

	if (takeover->watch >= 0)
		close(takeover->watch);
	return takeover_wait(takeover, &of);
}

void takeover_close(struct takeover *takeover)
{
	if (takeover->listener >= 0)
		close(takeover->listener);
	if (takeover->watch >= 0)
		close(takeover->watch);
	if (takeover->claimed >= 0)
		close(takeover->claimed);
}
