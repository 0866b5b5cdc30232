// SPDX-License-Identifier: MIT
/*
 * socket.c - socket(): TCP becomes MPTCP
 */
#include "log_request.h"
#include "mode.h"
#include "mptcpaddr/uapi.h"
#include "own.h"
#include "real.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

static bool is_tcp(int domain, int type, int protocol)
{
	return (domain == AF_INET || domain == AF_INET6) &&
	       (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM &&
	       (protocol == 0 || protocol == IPPROTO_TCP);
}

/* TCP would fail, too: a second attempt could only hide it. */
static bool is_exhaustion(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

HOOK int socket(int domain, int type, int protocol)
{
	enum mode mode;
	int fd, saved;

	if (!is_tcp(domain, type, protocol)) {
		fd = REAL(socket)(domain, type, protocol);
		if (protocol == IPPROTO_MPTCP && fd >= 0)
			own_add(fd);
		return fd;
	}
	mode = mode_get();
	if (mode == MODE_OFF || mode == MODE_UNKNOWN)
		return REAL(socket)(domain, type, protocol);
	saved = errno;
	fd = REAL(socket)(domain, type, IPPROTO_MPTCP);
	if (fd >= 0 || is_exhaustion(errno))
		return fd;
	/* MPTCP is off, missing or refused by a sandbox: make the original call. */
	errno = saved;
	LOG_REQUEST_ONCE(LOG_LEVEL_WARNING, "no pool: the kernel refuses MPTCP sockets",
			 "");
	return REAL(socket)(domain, type, protocol);
}
