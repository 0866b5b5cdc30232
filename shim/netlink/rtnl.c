// SPDX-License-Identifier: MIT
/*
 * rtnl.c - the addresses that this network namespace has (rtnetlink(7))
 *
 * A notification only says that something changed: the tables are then read as a whole,
 * so nothing that got lost can leave them wrong. libnl-3's core is enough for that.
 */
#include "rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENTRIES_MAX 65536 /* of either table */

/* IFF_LOWER_UP and IFF_DORMANT of <linux/if.h>, which <net/if.h> does not go with */
#define LOWER_UP (1 << 16)
#define DORMANT	 (1 << 17)

int netif_watch(void)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	/* A number of its own choice would be the one that the application may want. */
	addr.nl_pid = (601U << 22) + (getpid() & 0x3fffff);
	r = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	if (r < 0) {
		addr.nl_pid = 0;
		r = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	}
	if (r < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

bool netif_drain(int fd)
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

/* Room for one more of @size bytes in *@v. Return: it, zeroed; NULL. */
static void *grow(void **v, unsigned int *n, unsigned int *room, size_t size)
{
	void *grown;

	if (*n == *room) {
		if (*n >= ENTRIES_MAX)
			return NULL;
		grown = realloc(*v, (*room * 2 + 16) * size);
		if (!grown)
			return NULL;
		*v = grown;
		*room = *room * 2 + 16;
	}
	return memset((char *)*v + size * (*n)++, 0, size);
}

static void on_link(struct netif_table *table, struct nlmsghdr *hdr)
{
	const struct ifinfomsg *info = nlmsg_data(hdr);
	struct nlattr *tb[IFLA_MAX + 1];
	struct netif_link *link;

	if (nlmsg_parse(hdr, sizeof(*info), tb, IFLA_MAX, NULL) < 0 || !tb[IFLA_IFNAME])
		return;
	link = grow((void **)&table->links, &table->n_links, &table->links_size,
		    sizeof(*link));
	if (!link)
		return;
	link->if_idx = info->ifi_index;
	/* Not IFF_RUNNING: it follows up to a second later. */
	link->up = info->ifi_flags & IFF_UP && info->ifi_flags & LOWER_UP &&
		   !(info->ifi_flags & DORMANT);
	nla_strlcpy(link->dev, tb[IFLA_IFNAME], sizeof(link->dev));
}

static bool link_local(const struct mpaddr *addr)
{
	static const struct mpprefix local[] = {
		{ { .family = AF_INET, .v6.s6_addr = { 169, 254 } }, 16 },
		{ { .family = AF_INET6, .v6.s6_addr = { 0xfe, 0x80 } }, 10 },
	};

	return mpprefix_covers(&local[0], addr) || mpprefix_covers(&local[1], addr);
}

static void on_addr(struct netif_table *table, struct nlmsghdr *hdr)
{
	const struct ifaddrmsg *info = nlmsg_data(hdr);
	struct nlattr *tb[IFA_MAX + 1], *ip;
	struct netif_addr *entry;
	uint32_t flags;

	if (nlmsg_parse(hdr, sizeof(*info), tb, IFA_MAX, NULL) < 0)
		return;
	/* On point-to-point links IFA_ADDRESS is the peer's. */
	ip = tb[IFA_LOCAL] ?: tb[IFA_ADDRESS];
	if (!ip || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    nla_len(ip) < (info->ifa_family == AF_INET ? 4 : 16))
		return;
	entry = grow((void **)&table->addrs, &table->n_addrs, &table->addrs_size,
		     sizeof(*entry));
	if (!entry)
		return;
	if (info->ifa_family == AF_INET)
		mpaddr_set_v4(&entry->addr, nla_data(ip));
	else
		mpaddr_set_v6(&entry->addr, nla_data(ip));
	flags = tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : info->ifa_flags;
	entry->if_idx = info->ifa_index;
	entry->ready =
		!(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) &&
		!link_local(&entry->addr);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);

	if (hdr->nlmsg_type == RTM_NEWLINK &&
	    nlmsg_valid_hdr(hdr, sizeof(struct ifinfomsg)))
		on_link(arg, hdr);
	else if (hdr->nlmsg_type == RTM_NEWADDR &&
		 nlmsg_valid_hdr(hdr, sizeof(struct ifaddrmsg)))
		on_addr(arg, hdr);
	return NL_OK;
}

/* libnl prints errors and folds them by itself. */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	return NL_STOP;
}

static int dump(struct nl_sock *sock, int type)
{
	struct rtgenmsg gen = { .rtgen_family = AF_UNSPEC };
	int r;

	if (nl_send_simple(sock, type, NLM_F_DUMP, &gen, sizeof(gen)) < 0)
		return -EIO;
	r = nl_recvmsgs_default(sock);
	if (r == -NLE_DUMP_INTR)
		return -EAGAIN; /* something changed meanwhile */
	return r < 0 ? -EIO : 0;
}

static int read_both(struct netif_table *table)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r = -ENOMEM;

	if (!sock)
		return r;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, table);
	nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, on_error, NULL);
	r = nl_connect(sock, NETLINK_ROUTE) < 0 ? -EPROTONOSUPPORT : 0;
	if (r == 0)
		r = dump(sock, RTM_GETLINK);
	if (r == 0)
		r = dump(sock, RTM_GETADDR);
	nl_socket_free(sock);
	table->known = r == 0;
	return r;
}

/* A dump that changes interrupt is worth nothing: what was known before stays. */
int netif_read(struct netif_table *table)
{
	struct netif_table now = { 0 };
	int r = read_both(&now);

	if (r < 0) {
		netif_free(&now);
		return r;
	}
	netif_free(table);
	*table = now;
	return 0;
}

void netif_free(struct netif_table *table)
{
	free(table->links);
	free(table->addrs);
	*table = (struct netif_table){ 0 };
}
