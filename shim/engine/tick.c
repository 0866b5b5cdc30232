// SPDX-License-Identifier: MIT
/*
 * tick.c - timers, and commands that did not fit into @out
 */
#include "flap.h"
#include "probe.h"
#include "reconcile.h"
#include "retry.h"
#include "revive.h"
#include "select.h"

#include <errno.h>
#include <sys/param.h>

/* Whether another pool, or another subflow, has replaced the pair @retry. */
static bool retry_is_void(const struct conn *conn, const struct subflow *retry)
{
	return subflow_endpoint(conn, retry)->section != conn->section ||
	       conn_count(conn, SUBFLOW_NOT_CLOSING, &retry->local, &retry->remote) > 1;
}

static bool tick_retries(struct conn *conn, struct pm_cmds *out)
{
	struct engine *engine = engine_of(conn);
	struct subflow *s;
	enum join r;

	if (!conn_is_ours(conn))
		return true; /* the timers run once it is */
	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_RETRY || !engine_time_reached(engine, s->when))
			continue;
		if (retry_is_void(conn, s)) {
			conn_subflow_del(conn, s--);
			continue;
		}
		r = endpoint_must_wait(conn, subflow_endpoint(conn, s))
			    ? JOIN_LIMIT
			    : join_retry(conn, s, out);
		if (r == JOIN_NO_ROOM)
			return false;
		if (r != JOIN_REQUESTED)
			s->when = engine->now + retry_delay(conn, s->tries);
	}
	return true;
}

static void tick_announcements(struct conn *conn)
{
	struct announcement *ann;

	for_each_announcement (conn, ann) {
		if (!ann->timed || ann->state != PM_ANNOUNCED_WAITING ||
		    !engine_time_reached(engine_of(conn), ann->when))
			continue;
		announcement_forget_tries(ann);
		COUNT(conn, retries);
	}
}

/* Joins without an answer leave their endpoints to others. */
static bool tick_joins(struct conn *conn, struct pm_cmds *out)
{
	const struct engine *engine = engine_of(conn);
	struct announcement *ann;
	struct subflow *s;

	for_each_subflow (conn, s) {
		if (!subflow_must_yield(conn, s) ||
		    !engine_time_reached(engine, s->when + YIELD_MS))
			continue;
		if (!subflow_doom(conn, s, ETIMEDOUT, out))
			return false;
		ann = subflow_announcement(conn, s);
		if (!ann)
			continue;
		ann->any_tried = true;
		ann->tried |= index_bit(s->endpoint);
		ann->error = ETIMEDOUT;
	}
	return true;
}

/* Return: whether everything due on @conn is done. */
static bool tick_conn(struct conn *conn, struct pm_cmds *out)
{
	bool done = conn_reconcile(conn, out) && conn_probe(conn, out) &&
		    conn_revive(conn, out);

	if (done) {
		tick_announcements(conn);
		conn->again = false;
		join_waiting(conn, out);
		if (conn->work && engine_time_reached(engine_of(conn), conn->work_when))
			conn_use_endpoints(conn, out);
		done = tick_retries(conn, out) && tick_joins(conn, out);
	}
	if (!done)
		conn_set_work(conn);
	conn_schedule(conn);
	return done && out->n < PM_CMDS_MAX;
}

bool engine_tick(struct engine *engine, struct pm_cmds *out)
{
	struct conn_table *table = &engine->table;
	const struct conn_timer *first;
	unsigned int left;

	if (engine->held && engine_time_reached(engine, engine->held_until)) {
		flap_release(engine);
		table->cursor = table->conns;
	}
	for (; table->cursor; table->cursor = table->cursor->hh.next) {
		if (!table->cursor->confirmed)
			continue;
		conn_set_work(table->cursor);
		if (!tick_conn(table->cursor, out))
			return true;
	}
	left = table->n_timed; /* each once */
	while (left-- && (first = conn_first_due(table)) &&
	       engine_time_reached(engine, first->due))
		if (!tick_conn(first->conn, out))
			return true;
	return false;
}

int engine_wait(const struct engine *engine)
{
	const struct conn_timer *first = conn_first_due(&engine->table);
	int32_t left = INT32_MAX;

	if (engine->table.cursor)
		return 0;
	if (first)
		left = first->due - (uint32_t)engine->now;
	if (engine->held && engine->table.conns)
		left = MIN(left, (int32_t)(engine->held_until - (uint32_t)engine->now));
	return left == INT32_MAX ? -1 : MAX(left, 0);
}
