// SPDX-License-Identifier: MIT
/*
 * retry.c - when a failed join is tried again
 *
 * A delay doubles with each try (DESIGN.md, 4, rule 7). Only connections that wait for
 * their time are in the list that engine_wait() looks at.
 */
#include "retry.h"

#define ESTABLISHED_FOR_GOOD(retry) ((retry)->max_ms)

/* The delay before try number @tries + 1, spread by an eighth so that not all come at
 * once.
 */
uint32_t retry_delay(const struct engine *engine, const struct conn *conn,
		     unsigned int tries)
{
	const struct pool_retry *retry = &engine->pool->retry;
	uint64_t delay = retry->first_ms;

	while (tries-- && delay < retry->max_ms)
		delay *= 2;
	if (delay > retry->max_ms)
		delay = retry->max_ms;
	return delay + delay * (conn->token * UINT32_C(2654435761) >> 24) / 2048;
}

void announcement_set_retry(struct engine *engine, struct conn *conn,
			    struct announcement *ann)
{
	if (ann->timed || !(ann->tried || ann->any_tried) ||
	    ann->tries >= engine->pool->retry.tries)
		return;
	ann->when = engine->now + retry_delay(engine, conn, ann->tries++);
	ann->timed = true;
}

/* What was established for long has earned quick tries again. */
static uint8_t subflow_tries(const struct engine *engine, const struct subflow *s)
{
	if (s->state == SUBFLOW_LIVE &&
	    (uint32_t)engine->now - s->when >= ESTABLISHED_FOR_GOOD(&engine->pool->retry))
		return 0;
	return s->tries;
}

static void retry_schedule_pair(struct engine *engine, struct conn *conn,
				struct subflow *s, bool for_good)
{
	unsigned int tries = subflow_tries(engine, s);

	if (for_good || s->removed || tries >= engine->pool->retry.tries ||
	    s->endpoint == SUBFLOW_ENDPOINT_REMOVED) {
		conn_subflow_del(conn, s);
		return;
	}
	s->state = SUBFLOW_RETRY;
	s->local.port = 0;
	s->tries = tries + 1;
	s->when = engine->now + retry_delay(engine, conn, tries);
}

struct announcement *announce_first_address(struct engine *engine, struct conn *conn)
{
	struct announcement *ann = conn_announced_to(conn, &conn->peer);

	if (ann || conn->deny_join_id0 || conn->server_side ||
	    !(conn_section(engine, conn)->kinds &
	      (MPTCP_PM_ADDR_FLAG_LAMINAR | MPTCP_PM_ADDR_FLAG_FULLMESH)))
		return ann;
	return conn_announced_add(conn, 0, &conn->peer);
}

void subflow_failed(struct engine *engine, struct conn *conn, struct subflow *s,
		    uint8_t error, uint8_t reset_reason)
{
	bool for_good = reset_reason == PM_RESET_PROHIBITED;
	struct announcement *ann;
	bool live = s->state == SUBFLOW_LIVE;

	ann = s->initial && engine->pool->retry.tries
		      ? announce_first_address(engine, conn)
		      : subflow_announcement(conn, s);
	conn->last_error = error;
	if (ann && !s->removed) {
		ann->error = error;
		if (for_good) {
			ann->state = PM_ANNOUNCED_REFUSED;
			ann->reason = PM_REASON_PROHIBITED;
		} else if (live && !engine->pool->retry.tries) {
			ann->state = PM_ANNOUNCED_CLOSED;
		} else if (!s->fixed) {
			ann->state = PM_ANNOUNCED_WAITING;
			ann->reason = PM_REASON_ERROR;
			ann->tries = live ? subflow_tries(engine, s) : ann->tries;
			ann->any_tried = true;
			if (s->endpoint && s->endpoint != SUBFLOW_ENDPOINT_REMOVED)
				ann->tried |= endpoint_bit(s->endpoint - 1);
		}
	}
	if (s->fixed)
		retry_schedule_pair(engine, conn, s, for_good);
	else
		conn_subflow_del(conn, s);
}

static void conn_set_due(struct conn *conn, bool *any, uint32_t when)
{
	if (!*any || (int32_t)(when - conn->due) < 0)
		conn->due = when;
	*any = true;
}

void conn_schedule(struct engine *engine, struct conn *conn)
{
	struct announcement *ann;
	struct subflow *s;
	bool any = false;

	if (conn_is_ours(engine, conn)) {
		if (conn->again)
			conn_set_due(conn, &any, engine->now);
		if (conn->work)
			conn_set_due(conn, &any, conn->work_when);
		for_each_announcement(conn, ann) if (ann->timed &&
						     ann->state == PM_ANNOUNCED_WAITING)
			conn_set_due(conn, &any, ann->when);
		for_each_subflow (conn, s)
			if (s->state == SUBFLOW_RETRY)
				conn_set_due(conn, &any, s->when);
	}
	conn_set_timed(&engine->table, conn, any);
}
