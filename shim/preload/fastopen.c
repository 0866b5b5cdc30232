// SPDX-License-Identifier: MIT
/*
 * fastopen.c - MSG_FASTOPEN where the kernel has it for TCP, but not for MPTCP
 *
 * TCP without a cookie sends a plain SYN and the data after the handshake (RFC 7413,
 * 3): a program that asked for more cannot tell.
 */
#include "fastopen.h"
#include "real.h"
#include "register.h"
#include "syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CLIENT_BIT 1 /* of net.ipv4.tcp_fastopen */

/* Where TCP refuses, too, its error is the one to be seen. */
static bool tcp_has_it(void)
{
	char digit = '0';
	unsigned int value = 0;
	int fd = sys_call(SYS_openat, AT_FDCWD, (long)"/proc/sys/net/ipv4/tcp_fastopen",
			  O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while (sys_call(SYS_read, fd, (long)&digit, 1) == 1 && digit >= '0' &&
	       digit <= '9')
		value = value * 10 + digit - '0';
	sys_close(fd);
	return value & CLIENT_BIT;
}

bool fastopen_connect(int fd, const void *addr, socklen_t len)
{
	if (errno != EOPNOTSUPP || !addr)
		return false;
	if (!register_is_mptcp(fd) || !tcp_has_it()) {
		errno = EOPNOTSUPP;
		return false;
	}
	return REAL(connect)(fd, addr, len) == 0;
}
