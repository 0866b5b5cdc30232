// SPDX-License-Identifier: MIT
/*
 * own.c - MPTCP sockets that the program made itself: it expects MPTCP's options
 *
 * Few programs make any, and only those pay: one cookie for each descriptor number, the
 * latest. A cookie is never used again, so nobody need remove it. No locks.
 */
#include "own.h"
#include "syscall.h"

#include <netinet/in.h>

#define OWN_MAX 65536 /* descriptor numbers */

static _Atomic(uint64_t) *_Atomic own; /* cookies; NULL: the program has made none */
static _Atomic int own_end;	       /* above the highest number */

uint64_t own_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	return cookie;
}

void own_add(int fd)
{
	_Atomic(uint64_t) *made, *expected = NULL;
	const int saved = errno, at = fd % OWN_MAX;
	int end = atomic_load(&own_end);

	if (!atomic_load(&own)) {
		made = sys_map(OWN_MAX * sizeof(*made));
		if (made && !atomic_compare_exchange_strong(&own, &expected, made))
			syscall(SYS_munmap, made, OWN_MAX * sizeof(*made));
	}
	if (atomic_load(&own)) {
		atomic_store(&atomic_load(&own)[at], own_cookie(fd));
		while (end <= at && !atomic_compare_exchange_weak(&own_end, &end, at + 1))
			;
	}
	errno = saved;
}

static int local_port(int fd)
{
	struct sockaddr_in6 name = { 0 }; /* the port is where sockaddr_in has it */
	socklen_t len = sizeof(name);

	syscall(SYS_getsockname, fd, &name, &len);
	return name.sin6_port;
}

/* An accepted socket has the port of the socket that listens. */
static bool accepted_from(int listener, uint64_t cookie, int port)
{
	return cookie && local_port(listener) == port &&
	       sys_int_option(listener, SOL_SOCKET, SO_ACCEPTCONN) &&
	       own_cookie(listener) == cookie;
}

bool own_has(int fd)
{
	_Atomic(uint64_t) *cookies = atomic_load(&own);
	uint64_t cookie;
	int i, port;

	if (!cookies)
		return false;
	cookie = own_cookie(fd);
	port = local_port(fd);
	for (i = 0; i < atomic_load(&own_end); i++)
		if (cookies[i] == cookie || accepted_from(i, cookies[i], port))
			return true;
	return false;
}
