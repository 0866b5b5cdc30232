// SPDX-License-Identifier: MIT
/*
 * connect.c - connect(): the manager runs before the SYN, the token is registered after
 */
#include "connect.h"
#include "first.h"
#include "race.h"
#include "real.h"
#include "register.h"

int connect_registered(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct handover *handover = register_begin(fd);
	int r;

	if (__builtin_expect(handover && first_is_chosen(handover), 0))
		return race_connect(handover, fd, addr, len);
	r = REAL(connect)(fd, addr, len);
	register_end(handover, fd, len, r);
	return r;
}

HOOK int connect(int fd, CONST_SOCKADDR_ARG addr, socklen_t len)
{
	return connect_registered(fd, SOCKADDR_OF(addr), len);
}
