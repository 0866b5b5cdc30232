// SPDX-License-Identifier: MIT
/*
 * pool_change.c - replace the pool, or its addresses
 *
 * Connections refer to endpoints by their index: map the old indices to the new ones.
 * engine_tick() sends the resulting commands.
 */
#include "state.h"

/* The index in @pool of the same address in the same section, or -1. */
static int endpoint_find_same(const struct pool *pool, const struct pool *old_pool,
			      const struct endpoint *old)
{
	const struct mpprefix *a, *b = &old_pool->sections[old->section].prefix;
	unsigned int i;

	for (i = 0; i < pool->n_endpoints; i++) {
		a = &pool->sections[pool->endpoints[i].section].prefix;
		if (mpaddr_equal(&pool->endpoints[i].addr, &old->addr) &&
		    a->len == b->len && mpaddr_equal(&a->addr, &b->addr))
			return i;
	}
	return -1;
}

static uint64_t map_mask(uint64_t mask, const int *map)
{
	uint64_t mapped = 0;
	int i;

	for_each_bit (i, mask)
		mapped |= map[i] >= 0 ? endpoint_bit(map[i]) : 0;
	return mapped;
}

static uint8_t map_index(uint8_t endpoint, const int *map)
{
	if (endpoint == SUBFLOW_NO_ENDPOINT || endpoint == SUBFLOW_ENDPOINT_REMOVED)
		return endpoint;
	return map[endpoint - 1] >= 0 ? map[endpoint - 1] + 1 : SUBFLOW_ENDPOINT_REMOVED;
}

/* Apply the new [accept] filter to an address that is not joined. */
static void announcement_refilter(const struct conn *conn, struct announcement *ann)
{
	bool filtered =
		ann->state == PM_ANNOUNCED_REFUSED && ann->reason == PM_REASON_FILTER;
	bool accepted = mpaddr_same_ip(&ann->addr, &conn->peer) ||
			(ann->remote_id &&
			 pool_accepts(engine_of(conn)->pool, &conn->peer, &ann->addr));

	if (filtered && accepted) {
		ann->state = PM_ANNOUNCED_WAITING;
	} else if (ann->state == PM_ANNOUNCED_WAITING && !accepted) {
		ann->state = PM_ANNOUNCED_REFUSED;
		ann->reason = PM_REASON_FILTER;
	}
}

static void conn_map_endpoints(struct conn *conn, const struct pool *old, const int *map)
{
	const struct pool *pool = engine_of(conn)->pool;
	struct announcement *ann;
	struct used_id *id;
	struct subflow *s;
	unsigned int i;

	for_each_bit (i, conn->signalled) {
		if (map[i] >= 0 && pool->endpoints[map[i]].flags & KIND_SIGNAL)
			continue;
		conn->signalled &= ~endpoint_bit(i);
		id = conn_id_of(conn, &old->endpoints[i].addr);
		if (id)
			id->withdraw = true;
	}
	conn->spent = map_mask(conn->spent, map);
	conn->signalled = map_mask(conn->signalled, map);
	conn->refill = map_mask(conn->refill, map);
	conn->section = pool_section(pool, &conn->peer);
	for_each_announcement (conn, ann) {
		announcement_forget_tries(ann);
		ann->tries = 0;
		announcement_refilter(conn, ann);
		/* Closed for want of endpoints, not left to routing: retry with new ones.
		 */
		if (ann->state == PM_ANNOUNCED_CLOSED &&
		    ann->reason == PM_REASON_ENDPOINT_DOWN &&
		    conn_kinds(conn) & KIND_LAMINAR)
			ann->state = PM_ANNOUNCED_WAITING;
	}
	for_each_subflow (conn, s)
		s->endpoint = map_index(s->endpoint, map);
	if (conn->established)
		conn_find_endpoints(conn);
}

static void note_endpoint(struct engine *engine, enum pm_note_what what,
			  const struct endpoint *ep)
{
	note_add(engine, NULL,
		 &(const struct pm_note){
			 .what = what, .local = ep->addr, .local_id = ep->local_id });
}

/* Note the endpoints that went down and those that came up. */
static void note_endpoint_changes(struct engine *engine, const struct pool *old,
				  const int *map)
{
	const struct pool *pool = engine->pool;
	uint64_t known = 0; /* up before and now */
	unsigned int i;

	for (i = 0; i < old->n_endpoints; i++) {
		if (old->endpoints[i].state == ENDPOINT_DOWN)
			continue;
		if (map[i] < 0 || pool->endpoints[map[i]].state == ENDPOINT_DOWN)
			note_endpoint(engine, PM_NOTE_ENDPOINT_DOWN, &old->endpoints[i]);
		else
			known |= endpoint_bit(map[i]);
	}
	for (i = 0; i < pool->n_endpoints; i++)
		if (pool->endpoints[i].state != ENDPOINT_DOWN &&
		    !(known & endpoint_bit(i)))
			note_endpoint(engine, PM_NOTE_ENDPOINT_UP, &pool->endpoints[i]);
}

void engine_set_pool(struct engine *engine, const struct pool *pool)
{
	const struct pool *old = engine->pool;
	int map[POOL_ENDPOINTS_MAX];
	struct conn *conn;
	unsigned int i;

	for (i = 0; i < old->n_endpoints; i++)
		map[i] = endpoint_find_same(pool, old, &old->endpoints[i]);
	engine->pool = pool;
	note_endpoint_changes(engine, old, map);
	for (conn = engine->table.conns; conn; conn = conn->hh.next)
		conn_map_endpoints(conn, old, map);
	engine->table.cursor = engine->table.conns;
}
