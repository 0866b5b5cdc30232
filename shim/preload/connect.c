// SPDX-License-Identifier: MIT
/*
 * connect.c - connect(): the manager runs before the SYN, the token is registered after
 */
#include "real.h"
#include "register.h"

#include <sys/socket.h>

HOOK int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct handover *handover = register_begin(fd);
	int r = REAL(connect)(fd, addr, len);

	register_end(handover, fd, r);
	return r;
}
