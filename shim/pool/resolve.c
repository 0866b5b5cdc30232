// SPDX-License-Identifier: MIT
/*
 * resolve.c - a pool file's endpoints with the machine's present addresses
 *
 * Pure: a file's pool and the table of links and addresses in, a pool with addresses out.
 */
#include "endpoint.h"
#include "shim/netlink/request.h"

#include <string.h>

/* By name, or by index if @dev is NULL. */
static const struct rtnl_iface *find_link(const struct rtnl_table *table, const char *dev,
					  int if_idx)
{
	const struct rtnl_iface *link;

	for (link = table->links; link < table->links + table->n_links; link++)
		if (dev ? !strcmp(link->dev, dev) : link->if_idx == if_idx)
			return link;
	return NULL;
}

/* On any interface: routing may use one that does not have the address. */
static bool find_address(const struct rtnl_table *table, const struct mpaddr *addr,
			 bool *ret_up)
{
	const struct rtnl_iface *link;
	bool there = false;
	unsigned int i;

	*ret_up = false;
	for (i = 0; i < table->n_addrs; i++) {
		if (!mpaddr_same_ip(&table->addrs[i].addr, addr))
			continue;
		there = true;
		link = find_link(table, NULL, table->addrs[i].if_idx);
		*ret_up |= link && link->up;
	}
	return there;
}

/*
 * An address that was never on an interface may still be local (a local route, or
 * ip_nonlocal_bind): then the kernel decides. One that was, and is not now, is down.
 */
static void set_state(const struct rtnl_table *table, const struct pool *spec,
		      const struct pool *before, struct endpoint *ep)
{
	const struct endpoint *was = before ? pool_find_same(before, spec, ep) : NULL;
	const struct rtnl_iface *link = NULL;
	bool up = true, there = true;

	if (!table->known) {
		ep->if_idx = ep->dev[0] ? (int)if_nametoindex(ep->dev) ?: -1 : 0;
		return;
	}
	there = find_address(table, &ep->addr, &up);
	if (ep->dev[0]) {
		link = find_link(table, ep->dev, 0);
		ep->if_idx = link ? link->if_idx : -1;
		there &= link != NULL;
		up = link && link->up;
	}
	if (there && up)
		ep->state = ENDPOINT_USABLE;
	else if (there || (was && was->state != ENDPOINT_UNSEEN))
		ep->state = ENDPOINT_DOWN;
	else
		ep->state = ENDPOINT_UNSEEN;
}

static void add_device_addresses(const struct pool *spec, const struct endpoint *dev,
				 const struct rtnl_table *table,
				 const struct pool *before, struct pool *pool)
{
	const struct rtnl_iface *link = find_link(table, dev->dev, 0);
	const struct endpoint *was;
	struct endpoint ep = *dev;
	unsigned int i;

	if (!link || !link->up)
		return;
	ep.from_dev = true;
	ep.if_idx = link->if_idx;
	for (i = 0; i < table->n_addrs; i++) {
		if (table->addrs[i].if_idx != link->if_idx || !table->addrs[i].ready)
			continue;
		ep.addr = table->addrs[i].addr;
		/* The file may list it alone, too, before or after the device. */
		if (pool->n_endpoints == POOL_ENDPOINTS_MAX ||
		    endpoint_find(spec, &ep) >= 0 || endpoint_find(pool, &ep) >= 0)
			continue;
		was = before ? pool_find_same(before, spec, &ep) : NULL;
		ep.local_id = was && was->from_dev ? was->local_id : 0;
		pool->endpoints[pool->n_endpoints++] = ep;
	}
}

/* The file may give another endpoint the ID that an address had before. */
static void drop_taken_ids(struct pool *pool)
{
	struct endpoint *a, *b;

	for_each_endpoint (pool, a)
		for_each_endpoint (pool, b)
			if (a->from_dev && a != b && a->section == b->section &&
			    a->local_id == b->local_id)
				a->local_id = 0;
}

void pool_resolve(const struct pool *spec, const struct rtnl_table *table,
		  const struct pool *before, struct pool *ret_pool)
{
	const struct endpoint *ep;

	*ret_pool = *spec;
	ret_pool->n_endpoints = 0;
	for_each_endpoint (spec, ep) {
		if (ep->addr.family == AF_UNSPEC) {
			add_device_addresses(spec, ep, table, before, ret_pool);
			continue;
		}
		if (ret_pool->n_endpoints == POOL_ENDPOINTS_MAX)
			continue; /* devices with very many addresses come first */
		ret_pool->endpoints[ret_pool->n_endpoints] = *ep;
		set_state(table, spec, before,
			  &ret_pool->endpoints[ret_pool->n_endpoints++]);
	}
	drop_taken_ids(ret_pool);
	endpoint_assign_ids(ret_pool);
}
