// SPDX-License-Identifier: MIT
/*
 * resolve.c - a pool file's endpoints with the machine's present addresses
 *
 * Pure: a file's pool and the table of links and addresses in, a pool with addresses out.
 */
#include "endpoint.h"
#include "shim/netlink/request.h"

#include <string.h>

#define for_each_address(table, entry)                                              \
	for ((entry) = (table)->addrs; (entry) < (table)->addrs + (table)->n_addrs; \
	     (entry)++)

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

static bool is_link_local(const struct mpaddr *addr)
{
	const struct mpaddr_range *range = mpaddr_range(addr);

	return range && range->kind == MPADDR_LINK_LOCAL;
}

/* Whether the link of @old, which is deprecated, has a better address of its family. */
static bool has_preferred(const struct rtnl_table *table, const struct rtnl_address *old)
{
	const struct rtnl_address *a;

	for_each_address (table, a)
		if (a->if_idx == old->if_idx && a->addr.family == old->addr.family &&
		    a->ready && !a->deprecated && !is_link_local(&a->addr))
			return true;
	return false;
}

static enum endpoint_state address_state(const struct rtnl_table *table,
					 const struct rtnl_address *entry,
					 const struct rtnl_iface *link)
{
	if (!link || !link->up)
		return ENDPOINT_DOWN;
	if (!entry->ready || (entry->deprecated && has_preferred(table, entry)))
		return ENDPOINT_WAITING;
	return ENDPOINT_USABLE;
}

/* A link that is set down loses its IPv6 addresses: they count as down until it is up. */
static enum endpoint_state missing_state(const struct rtnl_iface *link,
					 const struct endpoint *was)
{
	return link && !link->up && was->state != ENDPOINT_REMOVED ? ENDPOINT_DOWN
								   : ENDPOINT_REMOVED;
}

/* @entry: the address, or NULL. An address that came back has lost its routes. */
static void set_link(struct endpoint *ep, const struct rtnl_iface *link,
		     const struct rtnl_address *entry)
{
	ep->link = link ? link->if_idx : 0;
	ep->downs = (link ? link->downs : 0) + (entry ? entry->since : 0);
}

/*
 * An address that was never on an interface may still be local (a local route, or
 * ip_nonlocal_bind): then the kernel decides. Without a device, it may be on any
 * interface: routing may use one that does not have the address.
 */
static void set_state(const struct rtnl_table *table, const struct pool *spec,
		      const struct pool *before, struct endpoint *ep)
{
	const struct endpoint *was = before ? pool_find_same(before, spec, ep) : NULL;
	const struct rtnl_iface *dev = find_link(table, ep->dev, 0), *link;
	const struct rtnl_address *entry;
	enum endpoint_state state;

	if (ep->dev[0])
		ep->if_idx = dev ? dev->if_idx : -1;
	if (!table->known) {
		ep->if_idx = ep->dev[0] ? (int)if_nametoindex(ep->dev) ?: -1 : 0;
		return;
	}
	ep->state = ENDPOINT_UNSEEN;
	if (was && was->state != ENDPOINT_UNSEEN) {
		link = dev ?: find_link(table, NULL, was->link);
		set_link(ep, link, NULL);
		ep->state = missing_state(link, was);
	}
	for_each_address (table, entry) {
		if (!mpaddr_same_ip(&entry->addr, &ep->addr) || (ep->dev[0] && !dev))
			continue;
		link = dev ?: find_link(table, NULL, entry->if_idx);
		state = address_state(table, entry, link);
		if (ep->state == ENDPOINT_USABLE && state != ENDPOINT_USABLE)
			continue;
		ep->state = state;
		set_link(ep, link, entry);
	}
}

static void add_device_address(const struct pool *spec, const struct pool *before,
			       const struct endpoint *ep, struct pool *pool)
{
	const struct endpoint *was = before ? pool_find_same(before, spec, ep) : NULL;

	/* The file may list it alone, too, before or after the device. */
	if (pool->n_endpoints == POOL_ENDPOINTS_MAX || endpoint_find(spec, ep) >= 0 ||
	    endpoint_find(pool, ep) >= 0)
		return;
	/* The engine needs what it has: a removed address is in one pool more. */
	if (ep->state != ENDPOINT_USABLE &&
	    (!was || (ep->state == ENDPOINT_REMOVED && was->state == ENDPOINT_REMOVED)))
		return;
	pool->endpoints[pool->n_endpoints] = *ep;
	pool->endpoints[pool->n_endpoints++].local_id =
		was && was->from_dev ? was->local_id : 0;
}

static void add_device_addresses(const struct pool *spec, const struct endpoint *dev,
				 const struct rtnl_table *table,
				 const struct pool *before, struct pool *pool)
{
	const struct rtnl_iface *link = find_link(table, dev->dev, 0);
	const struct rtnl_address *entry;
	const struct endpoint *was;
	struct endpoint ep = *dev;

	ep.from_dev = true;
	ep.if_idx = link ? link->if_idx : -1;
	for_each_address (table, entry) {
		if (!link || entry->if_idx != link->if_idx || is_link_local(&entry->addr))
			continue;
		set_link(&ep, link, entry);
		ep.addr = entry->addr;
		ep.state = address_state(table, entry, link);
		add_device_address(spec, before, &ep, pool);
	}
	if (!before)
		return;
	set_link(&ep, link, NULL);
	for_each_endpoint (before, was) {
		if (!was->from_dev || strcmp(was->dev, dev->dev) != 0)
			continue;
		ep.addr = was->addr;
		ep.state = missing_state(link, was);
		add_device_address(spec, before, &ep, pool);
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
