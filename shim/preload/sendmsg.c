// SPDX-License-Identifier: MIT
/*
 * sendmsg.c - sendmsg(): with MSG_FASTOPEN it connects (RFC 7413); else one test of a
 * flag
 */
#include "fastopen.h"
#include "real.h"
#include "register.h"

#include <errno.h>
#include <sys/socket.h>

HOOK ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct handover *handover;
	ssize_t r;

	if (__builtin_expect(!(flags & MSG_FASTOPEN), 1))
		return REAL(sendmsg)(fd, msg, flags);
	handover = register_begin(fd);
	r = REAL(sendmsg)(fd, msg, flags);
	if (r < 0 && errno == EOPNOTSUPP &&
	    fastopen_connect(fd, msg->msg_name, msg->msg_namelen))
		r = REAL(sendmsg)(fd, msg, flags & ~MSG_FASTOPEN);
	register_end(handover, fd, r);
	return r;
}
