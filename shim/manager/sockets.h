/* SPDX-License-Identifier: MIT */
/*
 * sockets.h - local sockets with a name, and addresses for other sockets
 *
 * An abstract name ends with the last process that has its socket, however that ends.
 */
#pragma once

#include "mptcpaddr/addr.h"
#include "shim/common/unix_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

/* local_socket() - bound or connected to @name, which must fit. Return: a descriptor;
 * -errno. */
static inline int local_socket(const char *name, bool bound)
{
	struct sockaddr_un addr;
	const socklen_t len = unix_name_address(name, &addr);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (fd < 0)
		return -errno;
	if (bound ? !bind(fd, (struct sockaddr *)&addr, len)
		  : !connect(fd, (struct sockaddr *)&addr, len))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* local_socket_listen() - Return: a descriptor; -EADDRINUSE; other -errno. */
static inline int local_socket_listen(const char *name, int backlog)
{
	int fd = local_socket(name, true), error;

	if (fd < 0 || !listen(fd, backlog))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/*
 * socket_accept_starved() - whether accept() failed for want of a descriptor or memory
 *
 * The peer stays in the queue then, so poll() would return at once for ever.
 */
static inline bool socket_accept_starved(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* socket_address_set() - Return: its length. */
static inline socklen_t socket_address_set(union socket_address *address,
					   const struct mpaddr *addr)
{
	*address = (union socket_address){ .any.sa_family = addr->family };
	address->v4.sin_port = htons(addr->port); /* at the same place for both */
	if (addr->family == AF_INET)
		address->v4.sin_addr = addr->v4;
	else
		address->v6.sin6_addr = addr->v6;
	return addr->family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}
