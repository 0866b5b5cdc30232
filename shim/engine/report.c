// SPDX-License-Identifier: MIT
/*
 * report.c - counters, connections and notes for control sockets
 */
#include "state.h"

#include <string.h>
#include <sys/param.h>

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
	unsigned int n = engine_conns(engine), i = 0;
	const struct conn *conn;

	for (conn = engine->table.conns; conn && n <= max; conn = conn->hh.next)
		ret_tokens[i++] = conn->token;
	return n;
}

const struct pm_counters *engine_counters(const struct engine *engine)
{
	return &engine->counters;
}

unsigned int engine_conns(const struct engine *engine)
{
	return HASH_COUNT(engine->table.conns);
}

bool engine_has_conn(const struct engine *engine, uint32_t token)
{
	return conn_find(&engine->table, token);
}

unsigned int engine_joins(const struct engine *engine, uint32_t token)
{
	const struct conn *conn = conn_find(&engine->table, token);

	return conn ? conn_extra_subflows(conn) : 0;
}

bool engine_has_join(const struct engine *engine, const struct pm_event *ev)
{
	struct conn *conn = conn_find(&engine->table, ev->token);
	const struct subflow *s =
		conn ? conn_subflow_find(conn, conn_find_ref(conn, &ev->local),
					 conn_find_ref(conn, &ev->remote))
		     : NULL;

	return s && !s->initial && 1U << s->state & SUBFLOW_HOLDING;
}

unsigned int engine_used_ids(const struct engine *engine)
{
	return engine->table.n_ids;
}

static void report_failed(struct pm_conn_report *view, const struct subflow *s)
{
	if (!index_bit(s->endpoint))
		return;
	view->endpoints_failed |= index_bit(s->endpoint);
	view->errors[s->endpoint - 1] = s->error;
}

static void report_conn(const struct conn *conn, struct pm_conn_report *view)
{
	const struct pool *pool = engine_of(conn)->pool;
	const struct announcement *ann;
	const struct endpoint *ep;
	const struct subflow *s;
	uint32_t silence;
	unsigned int i;

	*view = (struct pm_conn_report){
		.token = conn->token,
		.established = conn->confirmed,
		.server_side = conn->server_side,
		.section = conn->section,
		.deny_join_id0 = conn->deny_join_id0,
		.subflows = conn_count(conn, SUBFLOW_OPEN, NULL, NULL),
		.extra_subflows = conn_extra_subflows(conn),
		.announced = conn->n_announced,
		.accepted = conn_count_accepted(conn),
		.last_error = conn->last_error,
		.last_reset = conn->last_reset,
		.first = conn_first_reason(conn),
	};
	for_each_announcement (conn, ann)
		view->waiting += ann->state == PM_ANNOUNCED_WAITING;
	for_each_subflow (conn, s) {
		if (s->state == SUBFLOW_LIVE && s->silent && s->unanswered) {
			silence = (uint32_t)engine_of(conn)->now - s->heard;
			view->endpoints_silent |= index_bit(s->endpoint);
			view->silent_s = MAX(view->silent_s, silence / 1000);
		}
		if (s->state == SUBFLOW_LIVE)
			view->endpoints_used |= index_bit(s->endpoint);
		else if (s->state == SUBFLOW_PENDING)
			view->endpoints_pending |= index_bit(s->endpoint);
		else if (s->state == SUBFLOW_RETRY)
			report_failed(view, s);
	}
	for_each_endpoint (pool, ep)
		if (conn->established && !conn_section(conn)->excluded &&
		    ep->section == conn->section &&
		    conn_family_matches(conn, ep->addr.family, ep->addr.family))
			view->endpoints_mine |= endpoint_bit(ep - pool->endpoints);
	for (i = 0; i < N_COUNTERS; i++)
		((uint64_t *)&view->counters)[i] = conn->counters[i];
}

static void report_announced(const struct conn *conn, const struct announcement *ann,
			     struct pm_announced_report *view)
{
	struct engine *engine = engine_of(conn);

	*view = (struct pm_announced_report){
		.token = conn->token,
		.remote_id = ann->remote_id,
		.state = ann->state,
		.reason = ann->reason,
		.error = ann->error,
		.addr = *conn_addr(conn, ann->addr),
	};
	if (ann->state == PM_ANNOUNCED_JOINED &&
	    conn_count(conn, SUBFLOW_BIT(PENDING), NULL, &ann->addr))
		view->state = PM_ANNOUNCED_PENDING;
	if (ann->timed && ann->state == PM_ANNOUNCED_WAITING &&
	    !engine_time_reached(engine, ann->when))
		view->retry_ms = ann->when - (uint32_t)engine->now;
}

/*
 * The cursor is the token of the last connection and, in case that was closed since, its
 * place.
 */
unsigned int engine_report(const struct engine *engine, uint64_t after, unsigned int max,
			   struct pm_conn_report *ret_conns,
			   struct pm_announced_report *ret_announced, uint64_t *ret_next)
{
	const struct conn *last = after ? conn_find(&engine->table, after) : NULL, *conn;
	const struct announcement *ann;
	uint64_t place = after >> 32, skip = last ? 0 : place;
	unsigned int n = 0;

	conn = last ? last->hh.next : engine->table.conns;
	for (; skip && conn; skip--)
		conn = conn->hh.next;
	for (last = NULL; conn && n + (ret_conns ? 1 : conn->n_announced) <= max;
	     conn = conn->hh.next) {
		last = conn;
		place++;
		if (conn_is_elsewhere(conn))
			continue;
		if (ret_conns)
			report_conn(conn, &ret_conns[n++]);
		else
			for_each_announcement (conn, ann)
				report_announced(conn, ann, &ret_announced[n++]);
	}
	*ret_next = conn && last ? place << 32 | last->token : 0;
	return n;
}

unsigned int engine_count_shown(const struct engine *engine, uint32_t *ret_used)
{
	const struct conn *conn;
	const struct subflow *s;
	unsigned int n = 0;

	if (ret_used)
		memset(ret_used, 0, POOL_ENDPOINTS_MAX * sizeof(*ret_used));
	for (conn = engine->table.conns; conn; conn = conn->hh.next) {
		if (conn_is_elsewhere(conn))
			continue;
		n++;
		for_each_subflow (conn, s)
			if (ret_used && s->state == SUBFLOW_LIVE &&
			    index_bit(s->endpoint))
				ret_used[s->endpoint - 1]++;
	}
	return n;
}
