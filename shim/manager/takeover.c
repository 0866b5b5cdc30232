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
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>

#define WAITING_MAX 128 /* children */

void takeover_open(struct takeover *takeover, struct handover *h)
{
	snprintf(h->takeover_name, sizeof(h->takeover_name),
		 "mptcpaddr-takeover/%d.%016" PRIx64, h->pid, h->nonce);
	*takeover = (struct takeover){ .watch = -1, .claimed = -1 };
	takeover->name = h->takeover_parent;
	takeover->listener = local_socket_listen(h->takeover_name, WAITING_MAX);
}

/* Whether the kernel takes commands from us; a worker may have dropped that right. */
static bool takeover_is_able(void)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) < 0 ||
	       data[0].effective & 1u << CAP_NET_ADMIN;
}

bool takeover_follow(struct takeover *takeover)
{
	if (takeover->watch >= 0)
		close(takeover->watch);
	takeover->watch = local_socket(takeover->name, false);
	if (takeover->watch != -ECONNREFUSED)
		return false;
	takeover->claimed = -EADDRINUSE;
	if (takeover_is_able())
		takeover->claimed = local_socket_listen(takeover->name, WAITING_MAX);
	else
		takeover->unable = true;
	return takeover->claimed >= 0;
}

bool takeover_must_retry(const struct takeover *takeover)
{
	/* The backlog is full, or the new owner of the name is about to listen. */
	return takeover->watch == -EAGAIN ||
	       (takeover->watch == -ECONNREFUSED && takeover->claimed == -EADDRINUSE);
}

bool takeover_confirm(struct takeover *takeover)
{
	if (takeover_is_able())
		return true;
	close(takeover->claimed); /* hangs up on the others, who retry */
	takeover->watch = -ECONNREFUSED;
	takeover->claimed = -EADDRINUSE;
	takeover->unable = true;
	return false;
}

void takeover_close(struct takeover *takeover)
{
	const int fds[] = { takeover->listener, takeover->watch, takeover->claimed };
	unsigned int i;

	for (i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
