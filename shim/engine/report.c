// SPDX-License-Identifier: MIT
/*
 * report.c - what an engine tells of itself: counters, connections, what happened
 */
#include "state.h"

#include <string.h>

uint64_t engine_notes_last(const struct engine *engine)
{
	return engine->last_note;
}

unsigned int engine_notes(const struct engine *engine, uint64_t after, unsigned int max,
			  struct pm_note *ret_notes)
{
	unsigned int n = 0;

	if (engine->last_note > PM_NOTES_MAX && after < engine->last_note - PM_NOTES_MAX)
		after = engine->last_note - PM_NOTES_MAX;
	while (after < engine->last_note && n < max)
		ret_notes[n++] = engine->notes[after++ % PM_NOTES_MAX];
	return n;
}

unsigned int engine_tokens(const struct engine *engine, uint32_t *ret_tokens,
			   unsigned int max)
{
	const struct conn *tables[] = { engine->table.confirmed,
					engine->table.unconfirmed };
	unsigned int n = engine_conns(engine), i, k = 0;
	const struct conn *conn;

	for (i = 0; n <= max && i < 2; i++)
		for (conn = tables[i]; conn; conn = conn->hh.next)
			ret_tokens[k++] = conn->token;
	return n;
}

const struct pm_counters *engine_counters(const struct engine *engine)
{
	return &engine->counters;
}

unsigned int engine_conns(const struct engine *engine)
{
	return HASH_COUNT(engine->table.confirmed) +
	       HASH_COUNT(engine->table.unconfirmed);
}

unsigned int engine_used_ids(const struct engine *engine)
{
	return HASH_COUNT(engine->table.ids);
}

/* The parent process shows what is its business. */
static bool conn_is_shown(const struct engine *engine, const struct conn *conn)
{
	return !(engine->waiting && conn->inherited);
}

static const struct conn *walk_next(const struct engine *engine, const struct conn *conn)
{
	if (conn->hh.next)
		return conn->hh.next;
	return conn->confirmed ? engine->table.unconfirmed : NULL;
}

/*
 * A walk in pages: the cursor has the token of the last one, and its place for when that
 * connection is gone by then.
 */
static const struct conn *walk_begin(const struct engine *engine, uint64_t after)
{
	const struct conn *conn = engine->table.confirmed ?: engine->table.unconfirmed;
	const struct conn *last;
	uint32_t place;

	if (!after)
		return conn;
	last = conn_find(&engine->table, after);
	if (last)
		return walk_next(engine, last);
	for (place = after >> 32; place && conn; place--)
		conn = walk_next(engine, conn);
	return conn;
}

static uint64_t walk_cursor(uint64_t after, const struct conn *last, uint32_t passed)
{
	return ((after >> 32) + passed) << 32 | last->token;
}

static void report_endpoints(const struct engine *engine, const struct conn *conn,
			     struct pm_conn_report *view)
{
	const struct endpoint *ep = engine->pool->endpoints;
	const struct subflow *s;
	unsigned int i;

	for_each_subflow (conn, s) {
		if (s->endpoint == SUBFLOW_NO_ENDPOINT ||
		    s->endpoint == SUBFLOW_ENDPOINT_REMOVED)
			continue;
		if (s->state == SUBFLOW_LIVE)
			view->endpoints_used |= endpoint_bit(s->endpoint - 1);
		else if (s->state == SUBFLOW_PENDING)
			view->endpoints_pending |= endpoint_bit(s->endpoint - 1);
	}
	if (!conn->established || conn->excluded)
		return;
	for (i = 0; i < engine->pool->n_endpoints; i++, ep++)
		if (ep->section == conn->section &&
		    (conn->family == AF_INET6 || ep->addr.family == conn->family) &&
		    !(conn->v6only && ep->addr.family != AF_INET6))
			view->endpoints_mine |= endpoint_bit(i);
}

static void report_conn(const struct engine *engine, const struct conn *conn,
			struct pm_conn_report *view)
{
	unsigned int i;

	*view = (struct pm_conn_report){
		.token = conn->token,
		.established = conn->confirmed,
		.server_side = conn->server_side,
		.section = conn->section,
		.deny_join_id0 = conn->deny_join_id0,
		.extra_subflows = conn_extra_subflows(conn),
		.announced = conn->n_announced,
		.accepted = conn->accepted,
		.last_error = conn->last_error,
	};
	for (i = 0; i < conn->n_subflows; i++)
		view->subflows += subflow_counts(&conn->subflows[i]);
	for (i = 0; i < conn->n_announced; i++)
		view->waiting += conn->announced[i].state == PM_ANNOUNCED_WAITING;
	report_endpoints(engine, conn, view);
	for (i = 0; i < N_COUNTERS; i++)
		((uint64_t *)&view->counters)[i] = conn->counters[i];
}

unsigned int engine_report_conns(const struct engine *engine, uint64_t after,
				 unsigned int max, struct pm_conn_report *ret_views,
				 uint64_t *ret_next)
{
	const struct conn *conn, *last = NULL;
	uint32_t passed = 0;
	unsigned int n = 0;

	for (conn = walk_begin(engine, after); conn && n < max;
	     conn = walk_next(engine, conn)) {
		if (conn_is_shown(engine, conn))
			report_conn(engine, conn, &ret_views[n++]);
		last = conn;
		passed++;
	}
	*ret_next = conn && last ? walk_cursor(after, last, passed) : 0;
	return n;
}

static void report_announced(const struct engine *engine, const struct conn *conn,
			     const struct announcement *ann,
			     struct pm_announced_report *view)
{
	*view = (struct pm_announced_report){
		.token = conn->token,
		.remote_id = ann->remote_id,
		.state = ann->state,
		.reason = ann->reason,
		.error = ann->error,
		.addr = ann->addr,
	};
	if (ann->state == PM_ANNOUNCED_JOINED && conn_joins(conn, &ann->addr))
		view->state = PM_ANNOUNCED_PENDING;
	if (ann->timed && ann->state == PM_ANNOUNCED_WAITING &&
	    !engine_time_reached(engine, ann->when))
		view->retry_ms = ann->when - (uint32_t)engine->now;
}

/* Whole connections only: a page has room for all that one can have. */
unsigned int engine_report_announced(const struct engine *engine, uint64_t after,
				     unsigned int max,
				     struct pm_announced_report *ret_views,
				     uint64_t *ret_next)
{
	const struct conn *conn, *last = NULL;
	const struct announcement *ann;
	uint32_t passed = 0;
	unsigned int n = 0;

	for (conn = walk_begin(engine, after); conn && n + conn->n_announced <= max;
	     conn = walk_next(engine, conn)) {
		if (conn_is_shown(engine, conn))
			for_each_announcement(conn, ann)
				report_announced(engine, conn, ann, &ret_views[n++]);
		last = conn;
		passed++;
	}
	*ret_next = conn && last ? walk_cursor(after, last, passed) : 0;
	return n;
}

unsigned int engine_count_shown(const struct engine *engine)
{
	const struct conn *conn;
	unsigned int n = 0;

	for (conn = walk_begin(engine, 0); conn; conn = walk_next(engine, conn))
		n += conn_is_shown(engine, conn);
	return n;
}

void engine_count_used(const struct engine *engine, uint32_t *ret_used)
{
	const struct conn *conn;
	const struct subflow *s;

	memset(ret_used, 0, POOL_ENDPOINTS_MAX * sizeof(*ret_used));
	for (conn = engine->table.confirmed; conn; conn = conn->hh.next) {
		if (!conn_is_shown(engine, conn))
			continue;
		for_each_subflow (conn, s)
			if (s->state == SUBFLOW_LIVE && s->endpoint &&
			    s->endpoint != SUBFLOW_ENDPOINT_REMOVED)
				ret_used[s->endpoint - 1]++;
	}
}
