// SPDX-License-Identifier: MIT
/*
 * sendmmsg.c - sendmmsg(): with MSG_FASTOPEN it connects (RFC 7413); else one test of a
 * flag
 */
#include "fastopen.h"
#include "real.h"
#include "register.h"

#include <errno.h>
#include <sys/socket.h>

HOOK int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
	struct handover *handover;
	int r;

	if (__builtin_expect(!(flags & MSG_FASTOPEN), 1))
		return REAL(sendmmsg)(fd, msgs, n, flags);
	handover = register_begin(fd);
	r = REAL(sendmmsg)(fd, msgs, n, flags);
	if (r < 0 && errno == EOPNOTSUPP && n &&
	    fastopen_connect(fd, msgs->msg_hdr.msg_name, msgs->msg_hdr.msg_namelen))
		r = REAL(sendmmsg)(fd, msgs, n, flags & ~MSG_FASTOPEN);
	register_end(handover, fd, r);
	return r;
}
