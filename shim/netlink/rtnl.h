/* SPDX-License-Identifier: MIT */
/*
 * rtnl.h - the addresses that this network namespace has, and when they change
 */
#pragma once

#include "mptcpaddr/pool.h"

struct rtnl_iface {
	int if_idx;
	bool up; /* switched on, and with a carrier */
	char dev[IFNAMSIZ];
};

struct rtnl_address {
	struct mpaddr addr;
	int if_idx;
	bool ready; /* neither tentative nor deprecated nor link-local */
};

struct rtnl_table {
	bool known; /* false: the kernel did not tell */
	unsigned int n_links, n_addrs, links_size, addrs_size;
	struct rtnl_iface *links;
	struct rtnl_address *addrs;
};

/*
 * rtnl_watch() - a socket that becomes readable when links or addresses change
 *
 * Return: the descriptor, the caller's; -errno.
 */
int rtnl_watch(void);

/* rtnl_drain() - read all that is there. Return: whether there was anything. */
bool rtnl_drain(int fd);

/* rtnl_read_table() - ask the kernel. Return: 0; -errno, and @table is as it was before.
 */
int rtnl_read_table(struct rtnl_table *table);
void rtnl_free_table(struct rtnl_table *table);

/*
 * pool_resolve() - what @spec, a pool file's, means with the addresses of @table
 *
 * Devices give way to the addresses that they have. What @before had (NULL: nothing)
 * keeps its ID, and is ENDPOINT_DOWN if it is not there any more.
 */
void pool_resolve(const struct pool *spec, const struct rtnl_table *table,
		  const struct pool *before, struct pool *ret_pool);
