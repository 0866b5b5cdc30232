// SPDX-License-Identifier: MIT
/*
 * takeover.c - decide which child takes over the connections of a process that ends
 *
 * A manager listens on an abstract socket named after its process. The managers of forked
 * children connect to it and are never accepted: the kernel hangs up on all of them when
 * the process ends, however that happens. Then the first to bind the name takes over, and
 * the others connect to that one. So at most one process manages a connection at any
 * time, without messages and without a clock.
 */
#include "sockets.h"
#include "state.h"

#include <inttypes.h>
#include <stdio.h>

#define WAITING_MAX 128 /* children */

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

/* Wait for the process that has the name, or claim a free name. */
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
	/* The backlog is full, or the new owner of the name is about to listen. */
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
