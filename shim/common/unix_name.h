/* SPDX-License-Identifier: MIT */
/*
 * unix_name.h - names of local sockets, and who holds them
 *
 * Anybody can bind an abstract name. So whoever holds one is asked who he is before he is
 * believed, and before he is waited for.
 */
#pragma once

#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define UNIX_NAME_MAX	  96
#define UNIX_NAME_LISTEN  "mptcpaddr-listen/" /* ADDRESS/PORT */
#define UNIX_NAME_UNKNOWN ((uid_t)-1)

/* unix_name_address() - of an abstract @name, or of a path. Return: its length. */
static inline socklen_t unix_name_address(const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return offsetof(struct sockaddr_un, sun_path) +
	       str_append(ret->sun_path, *name != '/', sizeof(ret->sun_path), name);
}

/* unix_name_peer() - the user at the other end of @fd. Changes errno. */
uid_t unix_name_peer(int fd);

/*
 * unix_name_owner() - the user who holds the abstract @name
 *
 * Never waits: if its queue is full or it does not listen, sock_diag knows. Changes
 * errno. Return: UNIX_NAME_UNKNOWN if nobody holds it, or that cannot be found out.
 */
uid_t unix_name_owner(const char *name);

/*
 * unix_name_broker() - the path of the broker's socket in the network namespace of the
 * socket @fd, in a directory of root's
 *
 * Return: false if the kernel has no name for the namespace. Changes errno.
 */
bool unix_name_broker(int fd, char ret_path[static UNIX_NAME_MAX]);
