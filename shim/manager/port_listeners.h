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
		bool full; /* no descriptor left to accept() with */
	} at[PORT_LISTENERS_MAX];
};

/*
 * port_listeners_update() - listen where @pool announces a port, and nowhere else
 *
 * The in-kernel path manager opens such sockets itself (net/mptcp/pm_kernel.c,
 * mptcp_pm_nl_create_listen_socket()), the userspace one must. An address in use is left
 * alone: joins find the socket that listens there.
 */
void port_listeners_update(struct port_listeners *ports, const struct pool *pool);
void port_listeners_close(struct port_listeners *ports);

/* Return: how many of @fds, with room for PORT_LISTENERS_MAX, were filled. */
unsigned int port_listeners_poll_fill(const struct port_listeners *ports,
				      struct pollfd *fds);

/* port_listeners_serve() - close connections that are not joins. */
void port_listeners_serve(struct port_listeners *ports, const struct pollfd *fds);
