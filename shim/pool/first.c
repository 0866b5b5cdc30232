// SPDX-License-Identifier: MIT
/*
 * first.c - the table of endpoints for first paths (mptcpaddr/first.h)
 */
#include "mptcpaddr/first.h"
#include "mptcpaddr/pool.h"
#include "mptcpaddr/uapi.h"
#include "shim/netlink/request.h"

#include <string.h>

#define JOINING                                                     \
	(MPTCP_PM_ADDR_FLAG_SUBFLOW | MPTCP_PM_ADDR_FLAG_FULLMESH | \
	 MPTCP_PM_ADDR_FLAG_LAMINAR)

_Static_assert(POOL_ENDPOINTS_MAX <= FIRST_ENDPOINTS_MAX, "no check below");
_Static_assert(POOL_SECTIONS_MAX <= FIRST_SECTIONS_MAX, "no check below");

static bool is_candidate(const struct endpoint *ep)
{
	return ep->flags & JOINING &&
	       !(ep->flags & (ENDPOINT_NOFIRST | ENDPOINT_METERED)) &&
	       endpoint_is_usable(ep) && ep->if_idx >= 0;
}

/* Routing may know what to do with the address of an inner interface. */
static bool is_inner(const struct rtnl_table *machine, int if_idx)
{
	unsigned int i = 0;

	while (i < machine->n_links && machine->links[i].if_idx != if_idx)
		i++;
	return i == machine->n_links || machine->links[i].inner;
}

static uint32_t avoid_of(const struct first_table *table, const struct first_endpoint *ep)
{
	unsigned int i;

	for (i = 0; i < table->n_endpoints; i++)
		if (mpaddr_same_ip(&table->endpoints[i].addr, &ep->addr) &&
		    table->endpoints[i].if_idx == ep->if_idx)
			return atomic_load(&table->endpoints[i].avoid);
	return 0;
}

static void add_endpoint(struct first_table *new, const struct first_table *old,
			 const struct endpoint *ep, const struct rtnl_table *machine)
{
	struct first_endpoint *to = &new->endpoints[new->n_endpoints++];

	to->addr = ep->addr;
	to->addr.port = 0;
	to->if_idx = ep->if_idx ?: is_inner(machine, ep->link) ? 0 : ep->link;
	to->section = ep->section;
	to->from_dev = ep->from_dev;
	to->avoid = avoid_of(old, to);
}

void first_publish(struct first_table *table, const struct pool *pool,
		   const struct rtnl_table *machine)
{
	struct first_table new = { .mode = pool->first, .n_sections = pool->n_sections };
	const size_t head = offsetof(struct first_table, n_endpoints);
	const struct endpoint *ep;
	uint32_t version;
	unsigned int i;

	for (i = 0; i < pool->n_sections; i++) {
		new.sections[i].prefix = pool->sections[i].prefix;
		new.sections[i].excluded = pool->sections[i].excluded;
	}
	for_each_endpoint (pool, ep)
		if (new.mode != FIRST_ROUTING && is_candidate(ep))
			add_endpoint(&new, table, ep, machine);
	version = atomic_load(&table->version) | 1; /* it is, in a child of fork() */
	atomic_store(&table->version, version);
	atomic_store(&table->mode, new.mode);
	memcpy((char *)table + head, (char *)&new + head, sizeof(new) - head);
	atomic_store(&table->version, version + 1);
}

void first_avoid(struct first_table *table, const struct mpaddr *local, uint32_t now)
{
	unsigned int i;

	for (i = 0; i < table->n_endpoints; i++)
		if (mpaddr_same_ip(&table->endpoints[i].addr, local))
			first_failed(table, i, now);
}

void first_worked(struct first_table *table, const struct mpaddr *local)
{
	unsigned int i;

	for (i = 0; i < table->n_endpoints; i++)
		if (mpaddr_same_ip(&table->endpoints[i].addr, local))
			atomic_store(&table->endpoints[i].avoid, 0);
}

void first_inherit(struct first_table *table, const struct first_table *from)
{
	struct first_endpoint *ep = table->endpoints;

	for (; ep < table->endpoints + table->n_endpoints; ep++)
		if (!ep->avoid)
			ep->avoid = avoid_of(from, ep);
}
