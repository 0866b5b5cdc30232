/* SPDX-License-Identifier: MIT */
/*
 * port_listeners.h - listening sockets for `signal` endpoints that have a port
 */
#pragma once

#include "mptcpaddr/pool.h"

#include <poll.h>

#define PORT_LISTENERS_MAX 16

struct port_listeners {
	unsigned int n;
	struct {
		struct mpaddr addr;
		int fd;
		bool full; /* no descriptor for whom waits there */
	} at[PORT_LISTENERS_MAX];
};

/*
 * port_listeners_update() - listen where @pool announces a port, and nowhere else
 *
 * The kernel's path manager opens such a socket by itself, the userspace one leaves it
 * to us (net/mptcp/pm_kernel.c, mptcp_pm_nl_create_listen_socket()). An address where
 * somebody listens already is left alone: joins find that socket.
 */
void port_listeners_update(struct port_listeners *ports, const struct pool *pool);
void port_listeners_close(struct port_listeners *ports);

/* Return: how many of @fds, with room for PORT_LISTENERS_MAX, were filled. */
unsigned int port_listeners_poll_fill(const struct port_listeners *ports,
				      struct pollfd *fds);

/* port_listeners_serve() - whoever connects there, and does not join, is hung up on. */
void port_listeners_serve(struct port_listeners *ports, const struct pollfd *fds);
