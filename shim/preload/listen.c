// SPDX-License-Identifier: MIT
/*
 * listen.c - listen(): connections that are accepted there belong to this program's pool
 *
 * accept() needs no hook: the kernel's event tells at which address a connection came in.
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
