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
#include "sockets.h"

#include <inttypes.h>
#include <stdio.h>

#define WAITING_MAX 128 /* children that wait at a time */

static void format_name(char name[TAKEOVER_NAME_MAX], pid_t pid, uint64_t nonce)
{
	snprintf(name, TAKEOVER_NAME_MAX, "mptcpaddr-takeover/%d.%016" PRIx64, pid,
		 nonce);
}

void takeover_open(struct takeover *takeover, pid_t pid, uint64_t nonce)
{
	char own[TAKEOVER_NAME_MAX];

	format_name(own, pid, nonce);
	*takeover = (struct takeover){ .watch = -1, .claimed = -1 };
	takeover->listener = local_socket_listen(own, WAITING_MAX);
}

/* Wait for the process that has the name, or claim the name where none has it. */
static bool takeover_follow(struct takeover *takeover)
{
	takeover->watch = local_socket(takeover->name, false);
	if (takeover->watch != -ECONNREFUSED)
		return false;
	takeover->claimed = local_socket_listen(takeover->name, WAITING_MAX);
	return takeover->claimed >= 0;
}

bool takeover_wait(struct takeover *takeover, pid_t pid, uint64_t nonce)
{
	format_name(takeover->name, pid, nonce);
	return takeover_follow(takeover);
}

bool takeover_must_retry(const struct takeover *takeover)
{
	/* Too many wait, or the winner of the name is about to listen on it. */
	return takeover->watch == -EAGAIN ||
	       (takeover->watch == -ECONNREFUSED && takeover->claimed == -EADDRINUSE);
}

bool takeover_retry(struct takeover *takeover)
{
	if (takeover->watch >= 0)
		close(takeover->watch);
	return takeover_follow(takeover);
}

void takeover_close(struct takeover *takeover)
{
	const int fds[] = { takeover->listener, takeover->watch, takeover->claimed };
	unsigned int i;

	for (i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
