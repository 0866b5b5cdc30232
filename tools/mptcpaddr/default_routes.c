// SPDX-License-Identifier: MIT
/*
 * default_routes.c - which interfaces lead to the Internet
 */
#include "default_routes.h"
#include "shim/netlink/request.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <unistd.h>

#define RTNL_SLOT 611 /* see netlink_open() */

struct default_routes {
	void (*fn)(void *ctx, int if_idx, uint32_t metric);
	void *ctx;
};

static int on_default_route(void *ctx, struct nlmsghdr *hdr)
{
	const struct default_routes *routes = ctx;
	const struct rtmsg *route = nlmsg_data(hdr);
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtnexthop *hop;
	uint32_t metric;
	int left;

	if (nlmsg_parse(hdr, sizeof(*route), tb, RTA_MAX, NULL) < 0 ||
	    route->rtm_dst_len || route->rtm_type != RTN_UNICAST)
		return 0;
	metric = netlink_number(tb[RTA_PRIORITY]);
	if (tb[RTA_OIF])
		routes->fn(routes->ctx, netlink_number(tb[RTA_OIF]), metric);
	if (!tb[RTA_MULTIPATH])
		return 0;
	hop = nla_data(tb[RTA_MULTIPATH]);
	for (left = nla_len(tb[RTA_MULTIPATH]); RTNH_OK(hop, left);
	     left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		routes->fn(routes->ctx, hop->rtnh_ifindex, metric);
	return 0;
}

int default_routes_read(void (*fn)(void *ctx, int if_idx, uint32_t metric), void *ctx)
{
	struct {
		struct nlmsghdr nlh;
		struct rtmsg route;
	} request = { .nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(request.route)),
			       .nlmsg_type = RTM_GETROUTE,
			       .nlmsg_flags = NLM_F_DUMP } };
	struct default_routes routes = { .fn = fn, .ctx = ctx };
	const int fd = netlink_open(NETLINK_ROUTE, RTNL_SLOT, 0);
	int r;

	if (fd < 0)
		return fd;
	r = netlink_ask(fd, &request.nlh, on_default_route, &routes);
	close(fd);
	return r;
}
