// SPDX-License-Identifier: MIT
/*
 * tick.c - what is due at a time, and what found no room before
 */
#include "reconcile.h"
#include "retry.h"
#include "select.h"

/* Another pool, or another subflow, has taken the place of a pair to be tried again. */
static bool retry_is_void(const struct engine *engine, const struct conn *conn,
			  const struct subflow *retry)
{
	const struct endpoint *ep = &engine->pool->endpoints[retry->endpoint - 1];
	const struct subflow *s;

	if (ep->section != conn->section)
		return true;
	for_each_subflow (conn, s)
		if (s != retry && s->state != SUBFLOW_CLOSING &&
		    mpaddr_same_ip(&s->local, &retry->local) &&
		    mpaddr_equal(&s->remote, &retry->remote))
			return true;
	return false;
}

/* A `laminar` endpoint is used once. */
static bool retry_must_wait(const struct engine *engine, const struct conn *conn,
			    const struct subflow *retry)
{
	const uint32_t flags = engine->pool->endpoints[retry->endpoint - 1].flags;

	return flags & MPTCP_PM_ADDR_FLAG_LAMINAR &&
	       !(flags & MPTCP_PM_ADDR_FLAG_FULLMESH) && conn_uses(conn, &retry->local);
}

static bool tick_retries(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	const bool ours = conn_is_ours(engine, conn);
	unsigned int i = 0;

	while (i < conn->n_subflows) {
		struct subflow *s = &conn->subflows[i++];

		if (s->state != SUBFLOW_RETRY || !engine_time_reached(engine, s->when))
			continue;
		if (ours && retry_is_void(engine, conn, s)) {
			conn_subflow_del(conn, s);
			i--;
			continue;
		}
		switch (ours && retry_must_wait(engine, conn, s)
				? JOIN_LIMIT
				: join_retry(engine, conn, s, out)) {
		case JOIN_REQUESTED:
			break;
		case JOIN_NO_ROOM:
			return false;
		case JOIN_LIMIT:
		case JOIN_NO_ENDPOINT:
		case JOIN_NOT_OURS:
			s->when = engine->now + retry_delay(engine, conn, s->tries);
			break;
		}
	}
	return true;
}

static void tick_announcements(struct engine *engine, struct conn *conn)
{
	struct announcement *ann;

	for_each_announcement(conn, ann)
	{
		if (!ann->timed || ann->state != PM_ANNOUNCED_WAITING ||
		    !engine_time_reached(engine, ann->when))
			continue;
		ann->timed = false;
		ann->tried = 0;
		ann->any_tried = false;
		COUNT(engine, conn, retries);
	}
}

/* Return: whether all was done that is due on @conn. */
static bool tick_conn(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	bool done;

	done = conn_reconcile(engine, conn, out);
	if (done) {
		tick_announcements(engine, conn);
		conn->again = false;
		join_waiting(engine, conn, out);
		if (conn->work && engine_time_reached(engine, conn->work_when))
			conn_use_endpoints(engine, conn, out);
		done = tick_retries(engine, conn, out);
	}
	if (!done) {
		conn->work = true;
		conn->work_when = engine->now;
	}
	conn_schedule(engine, conn);
	return done && out->n < PM_CMDS_MAX;
}

static bool tick_rescan(struct engine *engine, struct pm_cmds *out)
{
	struct conn_table *table = &engine->table;

	while (engine->rescan && table->cursor) {
		table->cursor->work = true;
		table->cursor->work_when = engine->now;
		if (!tick_conn(engine, table->cursor, out))
			return false;
		table->cursor = table->cursor->hh.next;
	}
	engine->rescan = false;
	return true;
}

bool engine_tick(struct engine *engine, struct pm_cmds *out)
{
	struct conn *conn, *next;

	if (!tick_rescan(engine, out))
		return true;
	for (conn = engine->table.timed; conn; conn = next) {
		next = conn->next;
		if (!engine_time_reached(engine, conn->due))
			continue;
		if (!tick_conn(engine, conn, out))
			return true;
	}
	return false;
}

int engine_wait(const struct engine *engine)
{
	const struct conn *conn;
	int32_t left, first = INT32_MAX;

	if (engine->rescan)
		return 0;
	for (conn = engine->table.timed; conn; conn = conn->next) {
		left = conn->due - (uint32_t)engine->now;
		if (left < first)
			first = left > 0 ? left : 0;
	}
	return engine->table.timed ? first : -1;
}
