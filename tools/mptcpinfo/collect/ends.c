// SPDX-License-Identifier: MIT
/*
 * ends.c - the two ends of a socket, as a sock_diag answer has them
 */
#include "ends.h"

#include "tools/mptcpinfo/snapshot.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void set_addr(struct inet_addr *addr, uint8_t family, const uint32_t ip[4],
		     uint16_t port, uint32_t ifindex)
{
	memset(addr, 0, sizeof(*addr));
	addr->port = ntohs(port);
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ip)) {
		addr->family = AF_INET;
		memcpy(addr->ip, &ip[3], 4);
		return;
	}
	addr->family = family;
	memcpy(addr->ip, ip, family == AF_INET6 ? 16 : 4);
	if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)ip))
		addr->ifindex = ifindex;
}

void end_local(const struct inet_diag_msg *msg, struct inet_addr *ret_addr)
{
	set_addr(ret_addr, msg->idiag_family, msg->id.idiag_src, msg->id.idiag_sport,
		 msg->id.idiag_if);
}

void end_remote(const struct inet_diag_msg *msg, struct inet_addr *ret_addr)
{
	set_addr(ret_addr, msg->idiag_family, msg->id.idiag_dst, msg->id.idiag_dport,
		 msg->id.idiag_if);
}
