// SPDX-License-Identifier: MIT
/*
 * port_listeners.c - listening sockets for `signal` endpoints that have a port
 *
 * Joins to them are the kernel's business (it goes by the token); nobody else has
 * anything to look for there. The sockets are in the manager thread's own table.
 */
#include "port_listeners.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/uapi.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BACKLOG 1024 /* as the kernel's own */
#define HANGUPS 64   /* at a time */

static socklen_t name_of(const struct mpaddr *addr, struct sockaddr_storage *ret_name)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_name;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_name;

	memset(ret_name, 0, sizeof(*ret_name));
	ret_name->ss_family = addr->family;
	if (addr->family == AF_INET) {
		v4->sin_port = htons(addr->port);
		v4->sin_addr = addr->v4;
		return sizeof(*v4);
	}
	v6->sin6_port = htons(addr->port);
	v6->sin6_addr = addr->v6;
	return sizeof(*v6);
}

/* Raw system calls: our own hooks are for the application. */
static int open_door(const struct mpaddr *addr)
{
	struct sockaddr_storage name;
	socklen_t len = name_of(addr, &name);
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

static bool has_door(const struct pool *pool, const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < pool->n_endpoints; i++)
		if (pool->endpoints[i].addr.port &&
		    pool->endpoints[i].state != ENDPOINT_GONE &&
		    mpaddr_equal(&pool->endpoints[i].addr, addr))
			return true;
	return false;
}

static bool is_open(const struct doors *doors, const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < doors->n; i++)
		if (mpaddr_equal(&doors->at[i].addr, addr))
			return true;
	return false;
}

void doors_follow(struct doors *doors, const struct pool *pool)
{
	char text[MPADDR_TEXT_MAX];
	unsigned int i = 0;
	int fd;

	while (i < doors->n) {
		if (has_door(pool, &doors->at[i].addr)) {
			i++;
			continue;
		}
		close(doors->at[i].fd);
		doors->at[i] = doors->at[--doors->n];
	}
	for (i = 0; i < pool->n_endpoints; i++) {
		const struct endpoint *ep = &pool->endpoints[i];

		if (!ep->addr.port || ep->state == ENDPOINT_GONE ||
		    is_open(doors, &ep->addr))
			continue;
		if (doors->n == DOORS_MAX) {
			log_warning("%s is announced, but %d such ports are the most",
				    mpaddr_text(&ep->addr, text), DOORS_MAX);
			continue;
		}
		fd = open_door(&ep->addr);
		if (fd >= 0) {
			doors->at[doors->n].full = false;
			doors->at[doors->n].addr = ep->addr;
			doors->at[doors->n++].fd = fd;
		} else if (fd != -EADDRINUSE) {
			log_warning("cannot listen at %s, which is announced: %s",
				    mpaddr_text(&ep->addr, text), strerror(-fd));
		}
	}
}

void doors_close(struct doors *doors)
{
	while (doors->n)
		close(doors->at[--doors->n].fd);
}

unsigned int doors_poll_fill(const struct doors *doors, struct pollfd *fds)
{
	unsigned int i;

	for (i = 0; i < doors->n; i++)
		fds[i] = (struct pollfd){ doors->at[i].full ? -1 : doors->at[i].fd,
					  POLLIN, 0 };
	return doors->n;
}

void doors_serve(struct doors *doors, const struct pollfd *fds)
{
	unsigned int i;
	int fd, n;

	for (i = 0; i < doors->n; i++) {
		if (!fds[i].revents && !doors->at[i].full)
			continue;
		doors->at[i].full = false;
		for (n = 0; n < HANGUPS; n++) {
			fd = accept4(doors->at[i].fd, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0)
				break;
			close(fd);
		}
		/* Who waits there stays, and poll() would never wait again. */
		doors->at[i].full = fd < 0 && (errno == EMFILE || errno == ENFILE ||
					       errno == ENOMEM || errno == ENOBUFS);
	}
}
