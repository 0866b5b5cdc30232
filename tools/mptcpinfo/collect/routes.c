// SPDX-License-Identifier: MIT
/*
 * routes.c - the interface by which packets from each endpoint leave
 *
 * This tool looks it up in the kernel's routing tables: a manager notices a missing route
 * when a join fails, and a lost one only when a path carries nothing.
 */
#include "collect.h"
#include "shim/netlink/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTES_MAX 4096 /* looked up; many connections share one */

struct route {
	struct mpaddr local, remote; /* without ports */
	char dev[IF_NAMESIZE];	     /* that the socket is bound to, or "" */
};

struct found {
	int link;    /* 0: no route; -1: unknown */
	bool detour; /* the address is another interface's */
};

struct routes {
	struct index seen;
	struct found found[ROUTES_MAX];
	size_t n;
};

static struct found look_up(const struct route *route)
{
	const int bound = if_nametoindex(route->dev);
	struct found found = { .link = -1 };
	char has[IF_NAMESIZE] = "";

	if (*route->dev && !bound)
		return found;
	found.link = rtnl_find_link(&route->local, &route->remote, bound);
	if (found.link > 0 && !bound)
		device_of(&route->local, has);
	found.detour = *has && found.link != (int)if_nametoindex(has);
	return found;
}

static struct found routes_find(struct routes *routes, const struct ctl_endpoint *ep,
				const struct mpaddr *remote)
{
	struct route key;
	ssize_t i;

	memset(&key, 0, sizeof(key));
	mpaddr_set(&key.local, ep->addr.family, ep->addr.ip);
	mpaddr_set(&key.remote, remote->family, remote->ip);
	snprintf(key.dev, sizeof(key.dev), "%.15s", ep->dev);
	i = index_find(&routes->seen, &key);
	if (i >= 0)
		return routes->found[i];
	if (routes->n == ROUTES_MAX)
		return (struct found){ .link = -1 };
	index_add(&routes->seen, &key, routes->n);
	return routes->found[routes->n++] = look_up(&key);
}

/* The peer's address of a path from endpoint @i, open or not; NULL: none yet */
static const struct mpaddr *find_remote(const struct connection *conn,
					const struct ctl_endpoint *ep, size_t i)
{
	const struct pm_announced_report *announced;
	const struct subflow *sf;

	if (conn->record.endpoints_used >> i & 1) {
		for_each_in (sf, conn, subflows)
			if (mpaddr_same_ip(&sf->path.local, &ep->addr))
				return &sf->path.remote;
		return NULL;
	}
	if (ep->flags & MPTCP_PM_ADDR_FLAG_SUBFLOW)
		return conn->record.server_side ? NULL : &conn->path.remote;
	if (ep->flags & (MPTCP_PM_ADDR_FLAG_LAMINAR | MPTCP_PM_ADDR_FLAG_FULLMESH))
		for_each_in (announced, conn, announced)
			if (announced->state != PM_ANNOUNCED_JOINED &&
			    announced->state != PM_ANNOUNCED_REFUSED &&
			    announced->addr.family == ep->addr.family)
				return &announced->addr;
	return NULL;
}

/* Routing tables do not decide for link-local and loopback addresses. */
static bool is_routable(const struct mpaddr *addr)
{
	const struct mpaddr_range *range = mpaddr_range(addr);

	return !range || range->kind == MPADDR_PRIVATE;
}

static void read_connection(struct routes *routes, const struct manager *manager,
			    struct connection *conn)
{
	const struct ctl_endpoint *ep;
	const struct mpaddr *remote;
	struct found found;
	size_t i;

	for (i = 0; i < manager->n_endpoints && i < 64; i++) {
		ep = &manager->endpoints[i];
		remote = conn->record.endpoints_mine >> i & 1 && !ep->state
				 ? find_remote(conn, ep, i)
				 : NULL;
		if (!remote || remote->family != ep->addr.family ||
		    !is_routable(remote) || !is_routable(&ep->addr))
			continue;
		found = routes_find(routes, ep, remote);
		if (found.link == 0)
			conn->unrouted |= UINT64_C(1) << i;
		if (found.detour)
			conn->detoured |= UINT64_C(1) << i;
	}
}

void collect_routes(struct snapshot *snap)
{
	const struct manager *manager;
	struct connection *conn;
	struct routes *routes = array_alloc(1, sizeof(*routes));

	routes->seen.key_size = sizeof(struct route);
	for_each_in (conn, snap, connections) {
		manager = connection_manager(snap, conn);
		if (manager && !conn->fallback)
			read_connection(routes, manager, conn);
	}
	index_free(&routes->seen);
	free(routes);
}
