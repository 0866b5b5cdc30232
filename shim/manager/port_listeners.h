/* SPDX-License-Identifier: MIT */
/*
 * port_listeners.h - listening sockets for `signal` endpoints that have a port
 */
#pragma once

#include "mptcpaddr/pool.h"

#include <poll.h>

#define DOORS_MAX 16

struct doors {
	unsigned int n;
	struct {
		struct mpaddr addr;
		int fd;
		bool full; /* no descriptor for whom waits there */
	} at[DOORS_MAX];
};

/*
 * doors_follow() - listen where @pool announces a port, and nowhere else
 *
 * The kernel's path manager opens such a socket by itself, the userspace one leaves it
 * to us (net/mptcp/pm_kernel.c, mptcp_pm_nl_create_listen_socket()). An address where
 * somebody listens already is left alone: joins find that socket.
 */
void doors_follow(struct doors *doors, const struct pool *pool);
void doors_close(struct doors *doors);

/* Return: how many of @fds, with room for DOORS_MAX, were filled. */
unsigned int doors_poll_fill(const struct doors *doors, struct pollfd *fds);

/* doors_serve() - whoever connects there, and does not join, is hung up on. */
void doors_serve(struct doors *doors, const struct pollfd *fds);
