// SPDX-License-Identifier: MIT
/*
 * sendto.c - sendto(): with MSG_FASTOPEN it connects (RFC 7413); else one test of a flag
 */
#include "fastopen.h"
#include "real.h"
#include "register.h"

#include <sys/socket.h>

HOOK ssize_t sendto(int fd, const void *data, size_t size, int flags,
		    __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct handover *handover;
	ssize_t r;

	if (__builtin_expect(!(flags & MSG_FASTOPEN), 1))
		return REAL(sendto)(fd, data, size, flags, addr, len);
	handover = register_begin(fd);
	r = REAL(sendto)(fd, data, size, flags, addr, len);
	if (r < 0 && fastopen_connect(fd, addr.__sockaddr__, len))
		r = REAL(sendto)(fd, data, size, flags & ~MSG_FASTOPEN, addr, len);
	register_end(handover, fd, r);
	return r;
}
