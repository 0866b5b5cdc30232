// SPDX-License-Identifier: MIT
/*
 * blackhole.c - whether the kernel has switched MPTCP off
 */
#include "blackhole.h"
#include "mptcpaddr/uapi.h"
#include "str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel decides before it looks for a route, and has none for a multicast address.
 * System calls, since socket() and connect() may be the preload library's.
 */
bool blackhole_is_on(void)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	const struct sockaddr_in nowhere = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_ALLHOSTS_GROUP),
	};
	struct mptcpaddr_info info;
	socklen_t len = offsetof(struct mptcpaddr_info, write_seq);
	const int fd = syscall(SYS_socket, AF_INET, type, IPPROTO_MPTCP);
	bool on;

	if (fd < 0)
		return false;
	syscall(SYS_connect, fd, &nowhere, sizeof(nowhere));
	on = syscall(SYS_getsockopt, fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0 &&
	     errno == EOPNOTSUPP;
	syscall(SYS_close, fd);
	return on;
}

const char *blackhole_log_text(char text[static BLACKHOLE_LOG_MAX])
{
	const int fd =
		syscall(SYS_openat, AT_FDCWD, BLACKHOLE_SYSCTL, O_RDONLY | O_CLOEXEC);
	const size_t size = BLACKHOLE_LOG_MAX;
	char seconds[16];
	const long n = fd < 0 ? 0 : syscall(SYS_read, fd, seconds, sizeof(seconds) - 1);
	size_t len;

	if (fd >= 0)
		syscall(SYS_close, fd);
	seconds[n > 0 ? n - 1 : 0] = '\0'; /* without the newline */
	len = str_append(text, 0, size,
			 "the kernel has switched MPTCP off for at least ");
	len = str_append(text, len, size, seconds);
	len = str_append(
		text, len, size,
		" s: an uplink drops its SYNs; connections are plain TCP; to end "
		"that, root: sysctl -w net.mptcp.blackhole_timeout=");
	str_append(text, len, size, seconds);
	return text;
}
