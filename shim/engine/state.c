// SPDX-License-Identifier: MIT
/*
 * state.c - the engine itself: its clock and pool, look-ups, what it notes
 */
#include "state.h"

#include <errno.h>
#include <stdlib.h>

struct engine *engine_new(const struct pool *pool)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->pool = pool;
	sections_view(engine);
	return engine;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	conn_table_free(&engine->table);
	free(engine);
}

void engine_clock(struct engine *engine, int64_t now_ms)
{
	engine->now = now_ms;
}

void engine_router(struct engine *engine, engine_route_fn route, void *ctx)
{
	engine->route = route;
	engine->route_ctx = ctx;
}

void engine_old_kernel(struct engine *engine)
{
	engine->flags_ignored = true;
}

int engine_register(struct engine *engine, const struct pm_registration *reg)
{
	if (conn_find(&engine->table, reg->token))
		return 0;
	return conn_add(&engine->table, reg) ? 0 : -ENOSPC;
}

unsigned int engine_expire(struct engine *engine, int64_t since, unsigned int keep)
{
	struct conn *conn, *tmp;
	unsigned int n = 0;

	HASH_ITER (hh, engine->table.unconfirmed, conn, tmp) {
		if (conn->registered >= since ||
		    HASH_COUNT(engine->table.unconfirmed) <= keep)
			break; /* the table is in the order of registration */
		conn_free(&engine->table, conn);
		n++;
	}
	return n;
}

void sections_view(struct engine *engine)
{
	const struct pool *pool = engine->pool;
	const struct endpoint *ep = pool->endpoints;
	unsigned int i;

	engine->gone = 0;
	for (i = 0; i < POOL_SECTIONS_MAX; i++) {
		engine->sections[i] = (struct section_view){ 0 };
		if (i < pool->n_sections)
			engine->sections[i].kinds = pool->sections[i].kinds;
	}
	for (i = 0; i < pool->n_endpoints; i++, ep++) {
		struct section_view *view = &engine->sections[ep->section];
		uint64_t bit = endpoint_bit(i);

		if (ep->state == ENDPOINT_GONE) {
			engine->gone |= bit;
			continue;
		}
		view->laminar |= ep->flags & MPTCP_PM_ADDR_FLAG_LAMINAR ? bit : 0;
		view->fullmesh |= ep->flags & MPTCP_PM_ADDR_FLAG_FULLMESH ? bit : 0;
		view->subflow |= ep->flags & MPTCP_PM_ADDR_FLAG_SUBFLOW ? bit : 0;
		view->signal |= ep->flags & MPTCP_PM_ADDR_FLAG_SIGNAL ? bit : 0;
	}
}

const struct section_view *section_of(const struct engine *engine,
				      const struct conn *conn)
{
	return &engine->sections[conn->section];
}

bool conn_is_ours(const struct engine *engine, const struct conn *conn)
{
	return !conn->excluded && !(engine->waiting && conn->inherited);
}

/* As mptcp_pm_addr_families_match() has it, with mapped addresses held as IPv4. */
bool families_match(const struct conn *conn, const struct mpaddr *local,
		    const struct mpaddr *remote)
{
	if (conn->family == AF_INET)
		return local->family == AF_INET && remote->family == AF_INET;
	if (conn->v6only)
		return local->family == AF_INET6 && remote->family == AF_INET6;
	return local->family == remote->family;
}

uint8_t endpoint_of(const struct engine *engine, const struct conn *conn,
		    const struct mpaddr *local)
{
	const struct endpoint *ep = engine->pool->endpoints;
	unsigned int i;

	for (i = 0; i < engine->pool->n_endpoints; i++, ep++)
		if (ep->section == conn->section &&
		    (!ep->addr.port || ep->addr.port == local->port) &&
		    mpaddr_same_ip(&ep->addr, local))
			return i + 1;
	return SUBFLOW_NO_ENDPOINT;
}

struct announcement *announcement_of(struct conn *conn, const struct subflow *subflow)
{
	struct announcement *ann;

	ann = conn_announced(conn, subflow->remote_id, &subflow->remote);
	return ann ?: conn_announced_to(conn, &subflow->remote);
}

void accept_count(struct conn *conn, struct announcement *ann, bool accepted)
{
	/* ID 0 is the address of MP_CAPABLE come back: it does not count. */
	if (!ann->remote_id || ann->accepted == accepted)
		return;
	ann->accepted = accepted;
	conn->accepted += accepted ? 1 : -1;
}

void note(struct engine *engine, const struct note *from)
{
	struct pm_note *n = &engine->notes[engine->last_note++ % PM_NOTES_MAX];

	*n = (struct pm_note){
		.seq = engine->last_note,
		.time_ns = engine->now * 1000000,
		.token = from->token,
		.what = from->what,
		.reason = from->reason,
		.error = from->error,
		.local_id = from->local_id,
		.remote_id = from->remote_id,
		.flags = from->flags,
	};
	if (from->local)
		n->local = *from->local;
	if (from->remote)
		n->remote = *from->remote;
}

void engine_overrun(struct engine *engine)
{
	NOTE(engine, .what = PM_NOTE_OVERRUN);
}

void engine_note_pool(struct engine *engine, int error)
{
	NOTE(engine, .what = PM_NOTE_POOL, .error = error);
}
