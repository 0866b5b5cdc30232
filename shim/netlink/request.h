/* SPDX-License-Identifier: MIT */
/*
 * request.h - netlink sockets, requests, the namespace's links and addresses
 */
#pragma once

#include "mptcpaddr/addr.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>

struct nlattr;

/*
 * netlink_open() - a socket of NETLINK_* @protocol that listens to @groups
 *
 * Its port number is @slot << 22 | pid, or of one of the next slots: the kernel would
 * choose the pid, which the program may want. Return: the descriptor; -errno.
 */
int netlink_open(int protocol, unsigned int slot, uint32_t groups);

/* netlink_number() - an attribute of 1, 2 or 4 bytes; NULL, other lengths: 0. */
uint32_t netlink_number(const struct nlattr *attr);

/*
 * netlink_grow() - append a zeroed element of @size bytes to the array *@v of *@n
 *
 * Return: the element; NULL: no memory, or too many. The caller frees *@v.
 */
void *netlink_grow(void *v, unsigned int *n, size_t size);

/* One message of an answer. Return: 0; -errno to stop. */
typedef int (*netlink_fn)(void *ctx, struct nlmsghdr *msg);

/*
 * netlink_ask() - send @request and read its answer
 *
 * @fn is called with each message of a dump (NLM_F_DUMP), or with the only one of another
 * request, but not with an acknowledgement. Return: 0; the kernel's or @fn's -errno;
 * -EAGAIN: something changed during the dump; -ETIMEDOUT: the answer, or its end, is
 * lost.
 */
int netlink_ask(int fd, struct nlmsghdr *request, netlink_fn fn, void *ctx);

struct rtnl_iface {
	int if_idx;
	bool up;	/* administratively, and with a carrier */
	uint32_t downs; /* how often it went down */
	bool inner;	/* lo, dummy and the like: leads to no other host */
	char dev[IFNAMSIZ];
};

struct rtnl_address {
	struct mpaddr addr;
	int if_idx;
	bool ready; /* not tentative */
	bool deprecated;
	uint8_t prefix_len;
	uint32_t since; /* rtnl_table.removals when it came */
};

struct rtnl_table {
	bool known; /* false: never read */
	bool lost;  /* notifications; rtnl_follow() reads the table anew */
	/* FAMILY_BIT() of those that perhaps have new routes; whoever has handled them
	 * resets this */
	uint8_t rerouted;
	uint32_t removals; /* of addresses */
	unsigned int n_links, n_addrs;
	struct rtnl_iface *links;
	struct rtnl_address *addrs;
};

/*
 * rtnl_watch() - a socket that becomes readable when links or addresses change, or a
 * route is added
 *
 * Return: a descriptor for the caller to close; -errno.
 */
int rtnl_watch(void);

/*
 * rtnl_follow() - apply all notifications to @table
 *
 * Return: whether it has changed; -errno: some were lost, and it cannot be read now.
 */
int rtnl_follow(int fd, struct rtnl_table *table);

/* rtnl_read_table() - read both tables. Return: 0; -errno: @table is unchanged and lost.
 */
int rtnl_read_table(struct rtnl_table *table);
/* rtnl_has_route() - whether a route leads from @local over @link (0: any) to @remote */
bool rtnl_has_route(const struct mpaddr *local, const struct mpaddr *remote, int link);
/* rtnl_find_source() - the local address that routing picks for @remote; false: none */
bool rtnl_find_source(const struct mpaddr *remote, struct mpaddr *ret_local);
/*
 * rtnl_find_link() - the interface by which packets from @local, of a socket bound to
 * @link (0: not bound), leave for @remote; 0: there is no route
 */
int rtnl_find_link(const struct mpaddr *local, const struct mpaddr *remote, int link);
/* rtnl_ask_next_hop() - resolve its link-layer address anew, with the next packet */
void rtnl_ask_next_hop(const struct mpaddr *local, const struct mpaddr *remote, int link);
/* rtnl_has_address() - whether an interface of the struct rtnl_table @table has @addr */
bool rtnl_has_address(void *table, const struct mpaddr *addr);
void rtnl_free_table(struct rtnl_table *table);
