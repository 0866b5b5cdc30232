// SPDX-License-Identifier: MIT
/*
 * accept.c - accept(), accept4(): find listening sockets that came from another process
 *
 * The first call looks at all descriptors; the connection itself needs nothing, since the
 * kernel's event has its local address. That may be too late for a manager of this
 * process: a server accepts connections after it has dropped its rights. So a program
 * that is told about its sockets looks at once.
 */
#include "env.h"
#include "real.h"
#include "register.h"

#include <sys/socket.h>

HOOK int accept(int fd, SOCKADDR_ARG addr, socklen_t *__restrict len)
{
	register_inherited();
	return REAL(accept)(fd, addr, len);
}

HOOK int accept4(int fd, SOCKADDR_ARG addr, socklen_t *__restrict len, int flags)
{
	register_inherited();
	return REAL(accept4)(fd, addr, len, flags);
}

void env_on_sockets(void)
{
	register_at_load();
}
