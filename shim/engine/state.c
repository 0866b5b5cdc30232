// SPDX-License-Identifier: MIT
/*
 * state.c - struct engine, look-ups, notes and counters
 */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct engine *engine_new(const struct pool *pool)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->pool = pool;
	engine->policed = pool_has_policy(pool);
	return engine;
}

void engine_free(struct engine *engine)
{
	if (engine)
		conn_table_free(&engine->table);
	free(engine);
}

void engine_set_clock(struct engine *engine, int64_t now_ms)
{
	engine->now = now_ms;
}

void engine_set_callbacks(struct engine *engine, engine_route_fn route, engine_log_fn log,
			  void *ctx)
{
	engine->route = route;
	engine->log = log;
	engine->ctx = ctx;
}

void engine_set_own(struct engine *engine, engine_own_fn own, void *ctx)
{
	engine->own = own;
	engine->own_ctx = ctx;
}

void engine_set_old_kernel(struct engine *engine)
{
	engine->flags_ignored = true;
}

void engine_watch(struct engine *engine)
{
	engine->watching = true;
}

uint64_t engine_metered(struct engine *engine)
{
	const uint64_t bytes = engine->metered;

	engine->metered = 0;
	return bytes;
}

int engine_register(struct engine *engine, const struct pm_registration *reg)
{
	const bool known = conn_find(&engine->table, reg->token);

	return known || conn_add(&engine->table, reg) ? 0 : -ENOSPC;
}

unsigned int engine_expire(struct engine *engine, int64_t since, unsigned int keep)
{
	struct conn *conn, *tmp;
	unsigned int n = 0;

	DL_FOREACH_SAFE (engine->table.unconfirmed, conn, tmp) {
		if (conn->registered >= since || engine->table.n_unconfirmed <= keep)
			break;
		conn_free(conn);
		n++;
	}
	return n;
}

bool engine_has_unconfirmed(const struct engine *engine)
{
	return engine->table.n_unconfirmed;
}

uint64_t conn_endpoints(const struct conn *conn, uint32_t kind)
{
	const struct pool *pool = engine_of(conn)->pool;
	const struct endpoint *ep = pool->endpoints;
	uint64_t mask = 0;
	unsigned int i;

	for (i = 0; i < pool->n_endpoints; i++, ep++)
		if (ep->section == conn->section && endpoint_is_usable(ep) &&
		    ep->flags & kind)
			mask |= endpoint_bit(i);
	return mask & ~engine_of(conn)->held;
}

const struct section *conn_section(const struct conn *conn)
{
	return &engine_of(conn)->pool->sections[conn->section];
}

bool conn_is_elsewhere(const struct conn *conn)
{
	return engine_of(conn)->waiting && conn->inherited;
}

bool conn_is_ours(const struct conn *conn)
{
	return !conn_section(conn)->excluded && !conn_is_elsewhere(conn);
}

/* mptcp_pm_addr_families_match(), for mapped addresses held as IPv4. */
bool conn_family_matches(const struct conn *conn, uint16_t local, uint16_t remote)
{
	if (conn->family == AF_INET ? local != AF_INET
				    : conn->v6only && local != AF_INET6)
		return false;
	return local == remote;
}

static bool engine_owns(const struct engine *engine, const struct mpaddr *addr)
{
	const struct endpoint *ep;

	for_each_endpoint (engine->pool, ep)
		if (mpaddr_same_ip(&ep->addr, addr))
			return true;
	return engine->own && engine->own(engine->own_ctx, addr);
}

/* A connection to this machine itself may have more of its addresses. */
static bool conn_is_local(const struct conn *conn)
{
	const struct mpaddr *peer = conn_addr(conn, conn->peer);
	const struct mpaddr_range *range = mpaddr_range(peer);

	return (range && range->kind == MPADDR_LOOPBACK) ||
	       engine_owns(engine_of(conn), peer);
}

enum pm_reason conn_refusal(const struct conn *conn, uint8_t remote_id,
			    const struct mpaddr *addr)
{
	const struct mpaddr *peer = conn_addr(conn, conn->peer);
	const struct engine *engine = engine_of(conn);
	const struct mpprefix exactly = { *addr, addr->family == AF_INET ? 32 : 128 };
	enum pm_reason reason;

	if (mpaddr_equal(addr, peer))
		return PM_REASON_NONE; /* the program's choice, announced or not */
	if (!remote_id && !mpaddr_same_ip(addr, peer))
		return PM_REASON_FILTER;
	reason = pool_refusal(engine->pool, peer, addr);
	if (reason == PM_REASON_NONE && engine_owns(engine, addr) &&
	    !conn_is_local(conn) &&
	    !prefix_list_covers(&engine->pool->allow, &exactly, addr))
		return PM_REASON_OWN;
	return reason;
}

uint8_t conn_endpoint(const struct conn *conn, const struct mpaddr *local)
{
	struct engine *engine = engine_of(conn);
	const struct endpoint *ep = engine->pool->endpoints;
	unsigned int i;

	for (i = 0; i < engine->pool->n_endpoints; i++, ep++)
		if (ep->section == conn->section &&
		    (!ep->addr.port || ep->addr.port == local->port) &&
		    mpaddr_same_ip(&ep->addr, local))
			return i + 1;
	return SUBFLOW_NO_ENDPOINT;
}

struct announcement *subflow_announcement(struct conn *conn,
					  const struct subflow *subflow)
{
	return conn_announced(conn, subflow->remote_id, &subflow->remote)
		       ?: conn_announced(conn, -1, &subflow->remote);
}

uint64_t conn_first_bit(const struct conn *conn)
{
	return index_bit(conn_endpoint(conn, conn_addr(conn, conn->first)));
}

void conn_find_endpoints(struct conn *conn)
{
	struct subflow *s;

	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		if (!index_bit(s->endpoint))
			s->endpoint = conn_endpoint(conn, conn_addr(conn, s->local))
					      ?: s->endpoint;
		if (s->initial)
			conn->spent |= index_bit(s->endpoint);
	}
}

bool conn_set_first(struct conn *conn, const struct pm_event *ev)
{
	if (!conn_ref(conn, &ev->local, &conn->first) ||
	    !conn_ref(conn, &ev->remote, &conn->peer)) {
		conn->incomplete = true;
		return false;
	}
	conn->family = ev->family;
	conn->section = pool_section(engine_of(conn)->pool, &ev->remote);
	return true;
}

struct subflow *subflow_add(struct conn *conn, const struct pm_event *ev,
			    enum subflow_state state, bool initial)
{
	struct subflow subflow = { .local_id = ev->local_id,
				   .remote_id = ev->remote_id,
				   .state = state,
				   .when = engine_of(conn)->now,
				   .heard = engine_of(conn)->now,
				   .initial = initial };
	struct subflow *added = NULL;

	if (conn_ref(conn, &ev->local, &subflow.local) &&
	    conn_ref(conn, &ev->remote, &subflow.remote))
		added = conn_subflow_add(conn, &subflow);
	conn->incomplete |= !added;
	return added;
}

const struct endpoint *subflow_endpoint(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *endpoints = engine_of(conn)->pool->endpoints;

	return index_bit(s->endpoint) ? &endpoints[s->endpoint - 1] : NULL;
}

bool subflow_has_endpoint(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);

	return ep ? endpoint_is_usable(ep) : s->endpoint == SUBFLOW_NO_ENDPOINT;
}

unsigned int conn_count_accepted(const struct conn *conn)
{
	const struct announcement *ann;
	unsigned int n = 0;

	for_each_announcement (conn, ann)
		n += ann->accepted && ann->remote_id;
	return n;
}

void counter_bump(struct conn *conn, unsigned int index)
{
	((uint64_t *)&engine_of(conn)->counters)[index]++;
	if (conn->counters[index] != UINT16_MAX)
		conn->counters[index]++;
}

/* A note's kind and reason imply its counters. */
static void note_count(struct conn *conn, const struct pm_note *note)
{
#define R(reason) (1 << PM_REASON_##reason)
	enum {
		ANY = -1,
		NO_ENDPOINT = R(EXHAUSTED) | R(FAMILY) | R(ERROR) | R(UNAVAILABLE) |
			      R(FLAPPING),
		LIMIT = R(LIMIT_SUBFLOWS) | R(LIMIT_ACCEPTED) | R(TOO_MANY),
	};
	static const struct {
		int reasons; /* 0: no more */
		uint8_t counter;
	} rules[][4] = {
		[PM_NOTE_ANNOUNCED] = { { ANY, COUNTER(add_addr_rx) },
					{ NO_ENDPOINT, COUNTER(add_addr_waiting) },
					{ LIMIT, COUNTER(add_addr_limited) },
					{ R(FILTER) | R(OWN) | R(PRIVATE),
					  COUNTER(add_addr_filtered) } },
		[PM_NOTE_REPEATED] = { { ANY, COUNTER(add_addr_rx) } },
		[PM_NOTE_REMOVED] = { { ANY, COUNTER(rm_addr_rx) } },
		[PM_NOTE_JOINING] = { { ANY, COUNTER(subflows_requested) } },
		[PM_NOTE_JOINED] = { { ANY, COUNTER(subflows_established) } },
		[PM_NOTE_SUBFLOW_FOREIGN] = { { ANY, COUNTER(subflows_foreign) } },
		[PM_NOTE_SUBFLOW_CLOSED] = { { R(NONE), COUNTER(closed_other) },
					     { R(ERROR) | R(PROHIBITED),
					       COUNTER(closed_error) },
					     { R(REMOVED), COUNTER(closed_removed) },
					     { R(ENDPOINT_DOWN) | R(STALLED) | R(SILENT) |
						       R(QUOTA),
					       COUNTER(closed_local) } },
		[PM_NOTE_SIGNALLED] = { { ANY, COUNTER(add_addr_tx) } },
		[PM_NOTE_WITHDRAWN] = { { ANY, COUNTER(rm_addr_tx) } },
		[PM_NOTE_SILENT] = { { ANY, COUNTER(paths_silent) } },
		[PM_NOTE_RENEWED] = { { ANY, COUNTER(paths_renewed) } },
	};
	const bool known = note->what < sizeof(rules) / sizeof(rules[0]);
	unsigned int i;

	for (i = 0; known && i < 4 && rules[note->what][i].reasons; i++)
		if (rules[note->what][i].reasons & 1 << note->reason)
			counter_bump(conn, rules[note->what][i].counter);
	if (note->what == PM_NOTE_JOIN_FAILED)
		counter_bump(conn, note->flags & PM_NOTE_FLAG_REFUSED
					   ? COUNTER(subflows_refused)
					   : COUNTER(subflows_failed));
	if (note->flags & PM_NOTE_FLAG_RETRY)
		COUNT(conn, retries);
}

void note_add(struct engine *engine, struct conn *conn, const struct pm_note *note)
{
	const struct pm_note *heard = engine->heard;
	struct pm_note *kept;

	engine->heard = NULL;
	if (heard && heard != note)
		note_add(engine, conn, heard);
	kept = &engine->notes[engine->last_note++ % PM_NOTES_MAX];
	*kept = *note;
	kept->seq = engine->last_note;
	kept->time_ns = engine->now * 1000000;
	if (conn) {
		kept->token = conn->token;
		note_count(conn, note);
	}
	if (engine->log && !engine->log_held)
		engine->log(engine->ctx, kept);
}

void engine_hold_log(struct engine *engine)
{
	engine->log_held = true;
	engine->logged = engine->last_note;
}

void engine_release_log(struct engine *engine)
{
	engine->log_held = false;
	if (engine->last_note - engine->logged > PM_NOTES_MAX)
		engine->logged = engine->last_note - PM_NOTES_MAX;
	for (; engine->log && engine->logged < engine->last_note; engine->logged++)
		engine->log(engine->ctx, &engine->notes[engine->logged % PM_NOTES_MAX]);
}

void note_subflow(struct conn *conn, const struct subflow *s, struct pm_note note)
{
	note.local = *conn_addr(conn, s->local);
	note.remote = *conn_addr(conn, s->remote);
	note.local_id = s->local_id;
	note.remote_id = s->remote_id;
	note.flags |= s->backup ? PM_NOTE_FLAG_BACKUP : 0;
	note_add(engine_of(conn), conn, &note);
}

void engine_note(struct engine *engine, enum pm_note_what what, int error)
{
	note_add(engine, NULL, &(const struct pm_note){ .what = what, .error = error });
}

void engine_note_unanswered(struct engine *engine, const struct pm_event *first)
{
	const struct pm_note note = { .what = PM_NOTE_UNANSWERED,
				      .local = first->local,
				      .remote = first->remote };

	note_add(engine, conn_find(&engine->table, first->token), &note);
}
