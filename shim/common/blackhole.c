// SPDX-License-Identifier: MIT
/*
 * blackhole.c - whether the kernel has switched MPTCP off
 */
#include "blackhole.h"
#include "mptcpaddr/uapi.h"

#include <arpa/inet.h>
#include <errno.h>
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
