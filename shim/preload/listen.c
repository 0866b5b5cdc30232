// SPDX-License-Identifier: MIT
/*
 * listen.c - listen(): register the address; this program's pool serves its connections
 *
 * accept() needs no hook: the kernel's event has the local address of the connection.
 */
#include "real.h"
#include "register.h"

#include <sys/socket.h>

HOOK int listen(int fd, int backlog)
{
	struct handover *handover = register_begin_listen(fd);
	int r = REAL(listen)(fd, backlog);

	register_listener(handover, fd, r);
	return r;
}
