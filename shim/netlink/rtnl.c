// SPDX-License-Identifier: MIT
/*
 * rtnl.c - the network namespace's links and addresses (rtnetlink(7))
 *
 * Notifications only trigger a read of both tables: lost ones do no harm.
 */
#include "rtnl.h"
#include "request.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOT 601 /* see netlink_open() */

/* IFF_LOWER_UP and IFF_DORMANT of <linux/if.h>, which conflicts with <net/if.h> */
#define LOWER_UP (1 << 16)
#define DORMANT	 (1 << 17)

int rtnl_watch(void)
{
	return netlink_open(NETLINK_ROUTE, SLOT,
			    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
}

bool rtnl_drain(int fd)
{
	char data[8192];
	bool any = false;
	ssize_t n;

	do {
		n = recv(fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);
		any |= n > 0 || (n < 0 && errno == ENOBUFS);
	} while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
	return any;
}

static void on_link(struct rtnl_table *table, struct nlmsghdr *hdr)
{
	const struct ifinfomsg *info = nlmsg_data(hdr);
	struct nlattr *tb[IFLA_MAX + 1];
	struct rtnl_iface *link;

	if (nlmsg_parse(hdr, sizeof(*info), tb, IFLA_MAX, NULL) < 0 || !tb[IFLA_IFNAME])
		return;
	link = netlink_grow(&table->links, &table->n_links, sizeof(*link));
	if (!link)
		return;
	link->if_idx = info->ifi_index;
	/* Not IFF_RUNNING: it follows up to a second later. */
	link->up = info->ifi_flags & IFF_UP && info->ifi_flags & LOWER_UP &&
		   !(info->ifi_flags & DORMANT);
	nla_strlcpy(link->dev, tb[IFLA_IFNAME], sizeof(link->dev));
}

static void on_addr(struct rtnl_table *table, struct nlmsghdr *hdr)
{
	const struct ifaddrmsg *info = nlmsg_data(hdr);
	struct nlattr *tb[IFA_MAX + 1], *ip;
	const struct mpaddr_range *range;
	struct rtnl_address *entry;
	uint32_t flags;

	if (nlmsg_parse(hdr, sizeof(*info), tb, IFA_MAX, NULL) < 0)
		return;
	/* On point-to-point links IFA_ADDRESS is the peer's. */
	ip = tb[IFA_LOCAL] ?: tb[IFA_ADDRESS];
	if (!ip || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    nla_len(ip) < (info->ifa_family == AF_INET ? 4 : 16))
		return;
	entry = netlink_grow(&table->addrs, &table->n_addrs, sizeof(*entry));
	if (!entry)
		return;
	mpaddr_set(&entry->addr, info->ifa_family, nla_data(ip));
	flags = tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : info->ifa_flags;
	entry->if_idx = info->ifa_index;
	range = mpaddr_range(&entry->addr);
	entry->ready =
		!(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) &&
		!(range && range->kind == MPADDR_LINK_LOCAL);
}

static int on_rtnl_message(void *ctx, struct nlmsghdr *hdr)
{
	if (hdr->nlmsg_type == RTM_NEWLINK)
		on_link(ctx, hdr);
	else if (hdr->nlmsg_type == RTM_NEWADDR)
		on_addr(ctx, hdr);
	return 0;
}

static int dump_table(int fd, int type, struct rtnl_table *table)
{
	struct {
		struct nlmsghdr nlh;
		struct rtgenmsg gen;
	} request = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(request.gen)),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_DUMP },
		.gen = { .rtgen_family = AF_UNSPEC },
	};

	return netlink_ask(fd, &request.nlh, on_rtnl_message, table);
}

int rtnl_read_table(struct rtnl_table *table)
{
	struct rtnl_table now = { .known = true };
	int fd = netlink_open(NETLINK_ROUTE, SLOT, 0), r;

	if (fd < 0)
		return fd;
	r = dump_table(fd, RTM_GETLINK, &now);
	if (r == 0)
		r = dump_table(fd, RTM_GETADDR, &now);
	close(fd);
	rtnl_free_table(r < 0 ? &now : table);
	if (r == 0)
		*table = now;
	return r;
}

void rtnl_free_table(struct rtnl_table *table)
{
	free(table->links);
	free(table->addrs);
	*table = (struct rtnl_table){ 0 };
}
