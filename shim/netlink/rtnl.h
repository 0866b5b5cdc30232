/* SPDX-License-Identifier: MIT */
/*
 * rtnl.h - the network namespace's links and addresses (rtnetlink(7))
 */
#pragma once

#include "mptcpaddr/addr.h"

#include <net/if.h>

struct rtnl_iface {
	int if_idx;
	bool up; /* administratively, and with a carrier */
	char dev[IFNAMSIZ];
};

struct rtnl_address {
	struct mpaddr addr;
	int if_idx;
	bool ready; /* neither tentative nor deprecated nor link-local */
};

struct rtnl_table {
	bool known; /* false: never read */
	unsigned int n_links, n_addrs;
	struct rtnl_iface *links;
	struct rtnl_address *addrs;
};

/*
 * rtnl_watch() - a socket that becomes readable when links or addresses change
 *
 * Return: a descriptor for the caller to close; -errno.
 */
int rtnl_watch(void);

/* rtnl_drain() - read and drop all notifications. Return: whether any came. */
bool rtnl_drain(int fd);

/* rtnl_read_table() - read both tables. Return: 0; -errno with @table unchanged. */
int rtnl_read_table(struct rtnl_table *table);
void rtnl_free_table(struct rtnl_table *table);
