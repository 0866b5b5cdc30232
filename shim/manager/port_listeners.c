// SPDX-License-Identifier: MIT
/*
 * port_listeners.c - listening sockets for `signal` endpoints that have a port
 *
 * The kernel accepts the joins itself, by their token; all other connections are closed.
 * The sockets are in the manager thread's own descriptor table.
 */
#include "mptcpaddr/log.h"
#include "mptcpaddr/uapi.h"
#include "sockets.h"
#include "state.h"

#include <sys/syscall.h>

#define BACKLOG	  1024 /* as the kernel path manager's */
#define CLOSE_MAX 64   /* connections at a time */

/* Raw system calls, since the preload library hooks the functions for the program. */
static int port_listener_open(const struct mpaddr *addr)
{
	union socket_address name;
	socklen_t len = socket_address_set(&name, addr);
	int fd, one = 1, r;

	fd = syscall(SYS_socket, addr->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		     IPPROTO_MPTCP);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (!syscall(SYS_bind, fd, &name, len) && !syscall(SYS_listen, fd, BACKLOG))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static bool pool_has_port(const struct pool *pool, const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < pool->n_endpoints; i++)
		if (pool->endpoints[i].addr.port &&
		    pool->endpoints[i].state < ENDPOINT_REMOVED &&
		    mpaddr_equal(&pool->endpoints[i].addr, addr))
			return true;
	return false;
}

static bool port_is_open(const struct port_listeners *ports, const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < ports->n; i++)
		if (mpaddr_equal(&ports->at[i].addr, addr))
			return true;
	return false;
}

void port_listeners_update(struct port_listeners *ports, const struct pool *pool)
{
	char text[MPADDR_TEXT_MAX];
	unsigned int i = 0;
	int fd;

	while (i < ports->n) {
		if (pool_has_port(pool, &ports->at[i].addr)) {
			i++;
			continue;
		}
		close(ports->at[i].fd);
		ports->at[i] = ports->at[--ports->n];
	}
	for (i = 0; i < pool->n_endpoints; i++) {
		const struct endpoint *ep = &pool->endpoints[i];

		if (!ep->addr.port || !endpoint_is_usable(ep) ||
		    port_is_open(ports, &ep->addr))
			continue;
		if (ports->n == PORT_LISTENERS_MAX) {
			log_warning("not listening at %s, which is announced: the limit "
				    "is %d ports",
				    mpaddr_text(&ep->addr, text), PORT_LISTENERS_MAX);
			continue;
		}
		fd = port_listener_open(&ep->addr);
		if (fd >= 0) {
			ports->at[ports->n].full = false;
			ports->at[ports->n].addr = ep->addr;
			ports->at[ports->n++].fd = fd;
		} else if (fd != -EADDRINUSE) {
			log_warning("cannot listen at %s, which is announced: %s",
				    mpaddr_text(&ep->addr, text), strerror(-fd));
		}
	}
}

void port_listeners_close(struct port_listeners *ports)
{
	while (ports->n)
		close(ports->at[--ports->n].fd);
}

unsigned int port_listeners_poll_fill(const struct port_listeners *ports,
				      struct pollfd *fds)
{
	unsigned int i;

	for (i = 0; i < ports->n; i++)
		fds[i] = (struct pollfd){ ports->at[i].full ? -1 : ports->at[i].fd,
					  POLLIN, 0 };
	return ports->n;
}

void port_listeners_serve(struct port_listeners *ports, const struct pollfd *fds)
{
	unsigned int i;
	int fd, n;

	for (i = 0; i < ports->n; i++) {
		if (!fds[i].revents && !ports->at[i].full)
			continue;
		ports->at[i].full = false;
		for (n = 0; n < CLOSE_MAX; n++) {
			fd = accept4(ports->at[i].fd, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0)
				break;
			close(fd);
		}
		ports->at[i].full = fd < 0 && socket_accept_starved(errno);
	}
}
