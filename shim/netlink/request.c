// SPDX-License-Identifier: MIT
/*
 * request.c - netlink sockets, requests, the namespace's links and addresses
 *
 * libnl's sockets are not used: they map errno to numbers of their own, and would cost
 * the broker more than the 4 us of one request.
 */
#include "request.h"
#include "shim/common/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS_TRIED 16
#define ENTRIES_MAX (1 << 20)
/* The kernel fills messages of a dump up to the size of the reader's buffer. */
#define BUFFER_SIZE (32 * 1024)
/*
 * The kernel queues an answer, or the next part of one, before it returns: what is not
 * there by then is lost. A dump without an end must not hold up the caller for ever.
 */
#define PART_MS	  200
#define ANSWER_MS 5000

int netlink_open(int protocol, unsigned int slot, uint32_t groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd, error;
	unsigned int i;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	for (i = 0; i <= SLOTS_TRIED; i++) {
		addr.nl_pid =
			i < SLOTS_TRIED ? ((slot + i) << 22) + (getpid() & 0x3fffff) : 0;
		if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
	}
	error = -errno;
	close(fd);
	return error;
}

uint32_t netlink_number(const struct nlattr *attr)
{
	const void *data = attr ? attr + 1 : NULL;

	switch (attr ? attr->nla_len - NLA_HDRLEN : 0) {
	case 1:
		return *(const uint8_t *)data;
	case 2:
		return *(const uint16_t *)data;
	case 4:
		return *(const uint32_t *)data;
	}
	return 0;
}

/* The array has room for the next power of two. */
void *netlink_grow(void *v, unsigned int *n, size_t size)
{
	void *entries, **where = v;

	if (!(*n & (*n - 1))) {
		entries = *n < ENTRIES_MAX ? realloc(*where, (*n * 2 ?: 1) * size) : NULL;
		if (!entries)
			return NULL;
		*where = entries;
	}
	return memset((char *)*where + size * (*n)++, 0, size);
}

struct answer {
	uint32_t seq;
	bool dump, interrupted, progress;
	netlink_fn fn;
	void *ctx;
};

/* Return: 1: that was the last message; 0; -errno. */
static int handle_message(struct answer *answer, struct nlmsghdr *msg)
{
	const int *error = nlmsg_data(msg); /* also the first field of an NLMSG_ERROR */
	int r;

	if (msg->nlmsg_seq != answer->seq)
		return 0; /* the late answer to an earlier request */
	answer->progress = true;
	answer->interrupted |= msg->nlmsg_flags & NLM_F_DUMP_INTR;
	if (msg->nlmsg_type == NLMSG_ERROR || msg->nlmsg_type == NLMSG_DONE) {
		if (nlmsg_datalen(msg) >= (int)sizeof(*error) && *error < 0)
			return *error;
		return answer->interrupted ? -EAGAIN : 1;
	}
	r = answer->fn ? answer->fn(answer->ctx, msg) : 0;
	return r < 0 ? r : !answer->dump;
}

static int read_answer(int fd, struct answer *answer)
{
	_Alignas(struct nlmsghdr) char data[BUFFER_SIZE];
	struct pollfd fds = { .fd = fd, .events = POLLIN };
	int64_t now = clock_ms(), part_ms = now + PART_MS;
	const int64_t end_ms = now + ANSWER_MS;
	struct nlmsghdr *msg;
	int left, r = 0;
	ssize_t n;

	while (r == 0) {
		n = recv(fd, data, BUFFER_SIZE, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR && answer->dump)
			return -errno; /* a part is missing */
		left = n;
		for (msg = (void *)data; r == 0 && nlmsg_ok(msg, left);
		     msg = nlmsg_next(msg, &left))
			r = handle_message(answer, msg);
		if (r)
			break;
		now = clock_ms();
		if (answer->progress)
			part_ms = now + PART_MS;
		answer->progress = false;
		/* After recv(): on a busy machine, we may read late what came in time. */
		if (now >= part_ms || now >= end_ms)
			return -ETIMEDOUT;
		if (n < 0)
			poll(&fds, 1, part_ms - now);
	}
	return r < 0 ? r : 0;
}

int netlink_ask(int fd, struct nlmsghdr *request, netlink_fn fn, void *ctx)
{
	static atomic_uint seq;
	struct answer answer = {
		.seq = atomic_fetch_add(&seq, 1),
		.dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP,
		.fn = fn,
		.ctx = ctx,
	};

	request->nlmsg_seq = answer.seq;
	request->nlmsg_flags |= NLM_F_REQUEST;
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	return read_answer(fd, &answer);
}

#define RTNL_SLOT 601 /* see netlink_open() */

/* IFF_LOWER_UP and IFF_DORMANT of <linux/if.h>, which conflicts with <net/if.h> */
#define LOWER_UP (1 << 16)
#define DORMANT	 (1 << 17)

/*
 * Of routes, a socket filter passes new unicast ones. A router's daemons change
 * thousands: of their protocols, those above RTPROT_RA apart from DHCP, only default
 * routes pass.
 */
static void route_filter_attach(int fd)
{
#define RTM(field)	   (NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_##field))
#define LOAD(size, at)	   BPF_STMT(BPF_LD | (size) | BPF_ABS, (at))
#define IF(op, k, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, (k), (yes), (no))
#define RETURN(value)	   BPF_STMT(BPF_RET | BPF_K, (value))
	struct sock_filter code[] = {
		LOAD(BPF_H, offsetof(struct nlmsghdr, nlmsg_type)),
		IF(BPF_JEQ, htons(RTM_DELROUTE), 9, 0),
		IF(BPF_JEQ, htons(RTM_NEWROUTE), 0, 7),
		LOAD(BPF_B, RTM(type)),
		IF(BPF_JEQ, RTN_UNICAST, 0, 6),
		LOAD(BPF_B, RTM(dst_len)),
		IF(BPF_JEQ, 0, 3, 0),
		LOAD(BPF_B, RTM(protocol)),
		IF(BPF_JEQ, RTPROT_DHCP, 1, 0),
		IF(BPF_JGT, RTPROT_RA, 1, 0),
		RETURN(UINT32_MAX),
		RETURN(0),
	};
	const struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

int rtnl_watch(void)
{
	int fd = netlink_open(NETLINK_ROUTE, RTNL_SLOT,
			      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
				      RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);

	if (fd >= 0)
		route_filter_attach(fd);
	return fd;
}

/* Delete @entry of *@n at @v, each of @size bytes. */
static void entry_del(void *v, unsigned int *n, void *entry, size_t size)
{
	const char *end = (char *)v + size * (*n)--;

	memmove(entry, (char *)entry + size, end - ((char *)entry + size));
}

/* Parts of a dump are new. Of notifications, the bridge's are no links. */
static int on_link(void *ctx, struct nlmsghdr *hdr)
{
	const struct ifinfomsg *info = nlmsg_data(hdr);
	struct rtnl_table *table = ctx;
	struct nlattr *tb[IFLA_MAX + 1];
	struct rtnl_iface now = { 0 }, *link = NULL;
	unsigned int i;

	if (nlmsg_parse(hdr, sizeof(*info), tb, IFLA_MAX, NULL) < 0 || !tb[IFLA_IFNAME] ||
	    info->ifi_family != AF_UNSPEC)
		return 0;
	for (i = 0; !(hdr->nlmsg_flags & NLM_F_MULTI) && i < table->n_links; i++)
		if (table->links[i].if_idx == info->ifi_index)
			link = &table->links[i];
	if (hdr->nlmsg_type == RTM_DELLINK) {
		if (link)
			entry_del(table->links, &table->n_links, link, sizeof(*link));
		return link != NULL;
	}
	now.if_idx = info->ifi_index;
	/* Not IFF_RUNNING: it follows up to a second later. */
	now.up = info->ifi_flags & IFF_UP && info->ifi_flags & LOWER_UP &&
		 !(info->ifi_flags & DORMANT);
	now.downs = MAX(netlink_number(tb[IFLA_CARRIER_DOWN_COUNT]),
			link ? link->downs + (link->up && !now.up) : 0);
	now.inner = info->ifi_flags & IFF_LOOPBACK ||
		    (info->ifi_flags & (IFF_NOARP | IFF_POINTOPOINT)) == IFF_NOARP;
	nla_strlcpy(now.dev, tb[IFLA_IFNAME], sizeof(now.dev));
	if (link && link->up == now.up && link->downs == now.downs &&
	    !strcmp(link->dev, now.dev))
		return 0;
	/* One that goes down may leave other routes. */
	if (link && link->up != now.up)
		table->rerouted = FAMILY_ALL;
	link = link ?: netlink_grow(&table->links, &table->n_links, sizeof(*link));
	if (!link)
		return -ENOMEM;
	*link = now;
	return 1;
}

static int on_addr(void *ctx, struct nlmsghdr *hdr)
{
	const struct ifaddrmsg *info = nlmsg_data(hdr);
	struct rtnl_address now = { 0 }, *entry = NULL, *a;
	struct nlattr *tb[IFA_MAX + 1], *ip;
	struct rtnl_table *table = ctx;
	uint32_t flags;

	if (nlmsg_parse(hdr, sizeof(*info), tb, IFA_MAX, NULL) < 0)
		return 0;
	/* On point-to-point links IFA_ADDRESS is the peer's. */
	ip = tb[IFA_LOCAL] ?: tb[IFA_ADDRESS];
	if (!ip || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    nla_len(ip) < (info->ifa_family == AF_INET ? 4 : 16))
		return 0;
	mpaddr_set(&now.addr, info->ifa_family, nla_data(ip));
	flags = tb[IFA_FLAGS] ? netlink_number(tb[IFA_FLAGS]) : info->ifa_flags;
	now.if_idx = info->ifa_index;
	now.prefix_len = info->ifa_prefixlen;
	now.ready = !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
	now.deprecated = flags & IFA_F_DEPRECATED;
	for (a = table->addrs;
	     !(hdr->nlmsg_flags & NLM_F_MULTI) && a < table->addrs + table->n_addrs; a++)
		if (a->if_idx == now.if_idx && a->prefix_len == now.prefix_len &&
		    mpaddr_same_ip(&a->addr, &now.addr))
			entry = a;
	if (hdr->nlmsg_type == RTM_DELADDR) {
		table->removals += entry != NULL;
		if (entry)
			entry_del(table->addrs, &table->n_addrs, entry, sizeof(*entry));
		return entry != NULL;
	}
	now.since = entry ? entry->since : table->removals;
	if (entry && entry->ready == now.ready && entry->deprecated == now.deprecated)
		return 0;
	entry = entry ?: netlink_grow(&table->addrs, &table->n_addrs, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = now;
	return 1;
}

static int on_notification(struct rtnl_table *table, struct nlmsghdr *hdr)
{
	switch (hdr->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return on_link(table, hdr);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return on_addr(table, hdr);
	case RTM_NEWROUTE:
		table->rerouted |=
			FAMILY_BIT(((struct rtmsg *)nlmsg_data(hdr))->rtm_family);
		break;
	}
	return 0;
}

int rtnl_follow(int fd, struct rtnl_table *table)
{
	_Alignas(struct nlmsghdr) char data[8192];
	struct nlmsghdr *msg;
	bool changed = false;
	int left, r;
	ssize_t n;

	do {
		n = recv(fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);
		if (n > (ssize_t)sizeof(data) || (n < 0 && errno == ENOBUFS))
			table->lost = true;
		/* After a loss, the order of the others means nothing. */
		left = table->lost ? 0 : n;
		for (msg = (void *)data; nlmsg_ok(msg, left);
		     msg = nlmsg_next(msg, &left)) {
			r = on_notification(table, msg);
			changed |= r > 0;
			table->lost |= r < 0;
		}
	} while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
	if (!table->lost)
		return changed;
	r = rtnl_read_table(table);
	return r < 0 ? r : true;
}

static int dump_table(int fd, int type, netlink_fn fn, struct rtnl_table *table)
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

	return netlink_ask(fd, &request.nlh, fn, table);
}

int rtnl_read_table(struct rtnl_table *table)
{
	/* At the first time, no join has failed yet. */
	struct rtnl_table now = { .known = true,
				  .rerouted = table->known ? FAMILY_ALL : 0 };
	int fd = netlink_open(NETLINK_ROUTE, RTNL_SLOT, 0), r;

	table->lost = true;
	if (fd < 0)
		return fd;
	r = dump_table(fd, RTM_GETLINK, on_link, &now);
	if (r == 0)
		r = dump_table(fd, RTM_GETADDR, on_addr, &now);
	close(fd);
	rtnl_free_table(r < 0 ? &now : table);
	if (r == 0)
		*table = now;
	return r;
}

struct next_hop {
	struct mpaddr addr;
	struct mpaddr source; /* AF_UNSPEC: unknown */
	int link;
};

static void set_gateway(struct next_hop *hop, struct nlattr *gateway)
{
	const int len =
		hop->addr.family == AF_INET ? sizeof(hop->addr.v4) : sizeof(hop->addr.v6);

	if (gateway && nla_len(gateway) == len)
		mpaddr_set(&hop->addr, hop->addr.family, nla_data(gateway));
}

/* From a multipath route, take the hop over the link of @hop, or else the first one. */
static void select_hop(struct next_hop *hop, const struct nlattr *hops)
{
	const struct rtnexthop *at = nla_data(hops), *taken = NULL;
	struct nlattr *tb[RTA_MAX + 1];
	int left;

	for (left = nla_len(hops); RTNH_OK(at, left);
	     left -= RTNH_ALIGN(at->rtnh_len), at = RTNH_NEXT(at))
		if (!taken || at->rtnh_ifindex == hop->link)
			taken = at;
	if (!taken || nla_parse(tb, RTA_MAX, (struct nlattr *)RTNH_DATA(taken),
				taken->rtnh_len - sizeof(*taken), NULL) < 0)
		return;
	hop->link = taken->rtnh_ifindex;
	set_gateway(hop, tb[RTA_GATEWAY]);
}

static int on_route(void *ctx, struct nlmsghdr *hdr)
{
	const struct rtmsg *route = nlmsg_data(hdr);
	struct next_hop *hop = ctx;
	struct nlattr *tb[RTA_MAX + 1];
	const int len =
		hop->addr.family == AF_INET ? sizeof(hop->addr.v4) : sizeof(hop->addr.v6);

	if (nlmsg_parse(hdr, sizeof(*route), tb, RTA_MAX, NULL) < 0)
		return -EBADMSG;
	if (tb[RTA_PREFSRC] && nla_len(tb[RTA_PREFSRC]) == len &&
	    (route->rtm_type == RTN_UNICAST || route->rtm_type == RTN_LOCAL))
		mpaddr_set(&hop->source, hop->addr.family, nla_data(tb[RTA_PREFSRC]));
	if (tb[RTA_MULTIPATH]) {
		select_hop(hop, tb[RTA_MULTIPATH]);
		return 0;
	}
	hop->link = netlink_number(tb[RTA_OIF]);
	set_gateway(hop, tb[RTA_GATEWAY]);
	return 0;
}

/* @local: NULL: any. Return: 0; -errno: no route. */
static int ask_route(const struct mpaddr *local, const struct mpaddr *remote, int link,
		     struct next_hop *ret)
{
	const int len =
		remote->family == AF_INET ? sizeof(remote->v4) : sizeof(remote->v6);
	const struct rtmsg route = { .rtm_family = remote->family,
				     .rtm_dst_len = 8 * len,
				     .rtm_src_len = local ? 8 * len : 0,
				     /* Over a given link, IPv4 finds any address. */
				     .rtm_flags = local ? RTM_F_FIB_MATCH : 0 };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	int fd = netlink_open(NETLINK_ROUTE, RTNL_SLOT, 0), r = -ENOMEM;

	*ret = (struct next_hop){ .addr = *remote, .link = link };
	if (msg && fd >= 0 && !nlmsg_append(msg, (void *)&route, sizeof(route), 0) &&
	    (!local || !nla_put(msg, RTA_SRC, len, local->ip)) &&
	    !nla_put(msg, RTA_DST, len, remote->ip) &&
	    (!link || !nla_put_u32(msg, RTA_OIF, link)))
		r = netlink_ask(fd, nlmsg_hdr(msg), on_route, ret);
	nlmsg_free(msg);
	if (fd >= 0)
		close(fd);
	return r;
}

/*
 * Given a source address, the kernel ignores @link for IPv6, unlike for a bound socket:
 * ask again without the address. Only the first answer follows rules for that address.
 */
static int find_next_hop(const struct mpaddr *local, const struct mpaddr *remote,
			 int link, struct next_hop *ret)
{
	int r = ask_route(local, remote, link, ret);

	if (r == 0 && local && link && ret->link != link)
		r = ask_route(NULL, remote, link, ret);
	return r < 0 || !link || ret->link == link ? r : -ENETUNREACH;
}

bool rtnl_has_route(const struct mpaddr *local, const struct mpaddr *remote, int link)
{
	struct next_hop hop;

	return find_next_hop(local, remote, link, &hop) == 0;
}

int rtnl_find_link(const struct mpaddr *local, const struct mpaddr *remote, int link)
{
	struct next_hop hop;

	return find_next_hop(local, remote, link, &hop) < 0 ? 0 : hop.link;
}

bool rtnl_find_source(const struct mpaddr *remote, struct mpaddr *ret_local)
{
	struct next_hop hop;

	if (find_next_hop(NULL, remote, 0, &hop) < 0 || !hop.source.family)
		return false;
	*ret_local = hop.source;
	return true;
}

/*
 * The kernel repeats an ARP request, or a neighbour solicitation, after a second. Without
 * a state the neighbour is asked with the next packet.
 */
void rtnl_ask_next_hop(const struct mpaddr *local, const struct mpaddr *remote, int link)
{
	const int len = local->family == AF_INET ? sizeof(local->v4) : sizeof(local->v6);
	struct next_hop hop;
	struct ndmsg neighbour;
	struct nl_msg *msg;
	int fd;

	if (find_next_hop(local, remote, link, &hop) < 0)
		return;
	neighbour = (struct ndmsg){ .ndm_family = local->family,
				    .ndm_ifindex = hop.link,
				    .ndm_state = NUD_NONE };
	fd = netlink_open(NETLINK_ROUTE, RTNL_SLOT, 0);
	msg = nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_REPLACE);
	if (msg && fd >= 0 && !nlmsg_append(msg, &neighbour, sizeof(neighbour), 0) &&
	    !nla_put(msg, NDA_DST, len, hop.addr.ip))
		netlink_ask(fd, nlmsg_hdr(msg), NULL, NULL);
	nlmsg_free(msg);
	if (fd >= 0)
		close(fd);
}

bool rtnl_has_address(void *table, const struct mpaddr *addr)
{
	const struct rtnl_table *known = table;
	unsigned int i;

	for (i = 0; i < known->n_addrs; i++)
		if (mpaddr_same_ip(&known->addrs[i].addr, addr))
			return true;
	return false;
}

void rtnl_free_table(struct rtnl_table *table)
{
	free(table->links);
	free(table->addrs);
	*table = (struct rtnl_table){ 0 };
}
