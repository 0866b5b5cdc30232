// SPDX-License-Identifier: MIT
/*
 * reconcile.c - what a lost address, changed flags and the time call for
 *
 * A join that failed is tried again after a delay that doubles (DESIGN.md, 4, rule 7).
 * Only what waits for its time is in the list that engine_wait() looks at.
 */
#include "engine_priv.h"

#include <errno.h>

#define ESTABLISHED_FOR_GOOD(retry) ((retry)->max_ms)

/* The delay before try number @tries + 1, spread by an eighth so that not all come at
 * once.
 */
static uint32_t retry_delay(const struct engine *engine, const struct conn *conn,
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

void announcement_delay(struct engine *engine, struct conn *conn,
			struct announcement *ann)
{
	if (ann->timed || !(ann->tried || ann->any_tried) ||
	    ann->tries >= engine->pool->retry.tries)
		return;
	ann->when = engine->now + retry_delay(engine, conn, ann->tries++);
	ann->timed = true;
}

/* What was established for long has earned quick tries again. */
static uint8_t tries_of(const struct engine *engine, const struct subflow *s)
{
	if (s->state == SUBFLOW_LIVE &&
	    (uint32_t)engine->now - s->when >= ESTABLISHED_FOR_GOOD(&engine->pool->retry))
		return 0;
	return s->tries;
}

static void fixed_failed(struct engine *engine, struct conn *conn, struct subflow *s,
			 bool for_good)
{
	unsigned int tries = tries_of(engine, s);

	if (for_good || s->removed || tries >= engine->pool->retry.tries ||
	    s->endpoint == SUBFLOW_ENDPOINT_LOST) {
		conn_subflow_del(conn, s);
		return;
	}
	s->state = SUBFLOW_RETRY;
	s->local.port = 0;
	s->tries = tries + 1;
	s->when = engine->now + retry_delay(engine, conn, tries);
}

/*
 * The first path is lost, and nobody announces its address: endpoints that are there to
 * be used for announcements go there as if somebody had.
 */
static struct announcement *first_announced(struct engine *engine, struct conn *conn)
{
	struct announcement *ann = conn_announced_to(conn, &conn->peer);

	if (ann || conn->deny_join_id0 || conn->server_side ||
	    !(section_of(engine, conn)->kinds &
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

	ann = s->initial && engine->pool->retry.tries ? first_announced(engine, conn)
						      : announcement_of(conn, s);
	conn->last_error = error;
	if (ann && !s->removed) {
		ann->error = error;
		if (for_good) {
			ann->state = ANNOUNCE_REFUSED;
			ann->reason = PM_REASON_PROHIBITED;
		} else if (live && !engine->pool->retry.tries) {
			ann->state = ANNOUNCE_CLOSED;
		} else if (!s->fixed) {
			ann->state = ANNOUNCE_WAITING;
			ann->reason = PM_REASON_ERROR;
			ann->tries = live ? tries_of(engine, s) : ann->tries;
			ann->any_tried = true;
			if (s->endpoint && s->endpoint != SUBFLOW_ENDPOINT_LOST)
				ann->tried |= endpoint_bit(s->endpoint - 1);
		}
	}
	if (s->fixed)
		fixed_failed(engine, conn, s, for_good);
	else
		conn_subflow_del(conn, s);
}

static bool endpoint_is_there(const struct engine *engine, const struct subflow *s)
{
	if (s->endpoint == SUBFLOW_NO_ENDPOINT)
		return true;
	return s->endpoint != SUBFLOW_ENDPOINT_LOST &&
	       !(engine->gone & endpoint_bit(s->endpoint - 1));
}

/* What @s reached is to be reached from elsewhere, now or when there is something. */
static void endpoint_lost(struct engine *engine, struct conn *conn, struct subflow *s)
{
	struct announcement *ann =
		s->initial ? first_announced(engine, conn) : announcement_of(conn, s);

	if (s->endpoint != SUBFLOW_ENDPOINT_LOST) {
		/* To be used as if it were new, once it is back. */
		conn->spent &= ~endpoint_bit(s->endpoint - 1);
		conn->refill |= endpoint_bit(s->endpoint - 1);
	}
	if (!ann || s->removed || s->fixed)
		return;
	ann->reason = PM_REASON_ENDPOINT_GONE;
	/* Routing would go from the same address again, which is not wanted any more. */
	if (s->endpoint == SUBFLOW_ENDPOINT_LOST && !s->initial &&
	    !(section_of(engine, conn)->kinds & MPTCP_PM_ADDR_FLAG_LAMINAR))
		ann->state = ANNOUNCE_CLOSED;
	else
		ann->state = ANNOUNCE_WAITING;
}

static void push(struct pm_cmds *out, enum pm_cmd_type type, const struct conn *conn,
		 const struct subflow *s)
{
	out->v[out->n++] = (struct pm_cmd){
		.type = type,
		.token = conn->token,
		.local = s->local,
		.remote = s->remote,
		.local_id = s->local_id,
		.flags = s->backup ? MPTCP_PM_ADDR_FLAG_BACKUP : 0,
		.endpoint = PM_CMD_NO_ENDPOINT,
	};
}

/*
 * Whether the connection has a path that the end of those with @closing's ID leaves
 * alone. Of those whose endpoints were all taken out of the pool that is the first one.
 */
static bool path_left(const struct engine *engine, const struct conn *conn,
		      const struct subflow *closing)
{
	const struct subflow *s, *lost = NULL;

	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		if (endpoint_is_there(engine, s) && s->local_id != closing->local_id)
			return true;
		if (s->endpoint == SUBFLOW_ENDPOINT_LOST && !lost)
			lost = s;
	}
	return closing->endpoint == SUBFLOW_ENDPOINT_LOST &&
	       lost->local_id != closing->local_id;
}

/* Whether the withdrawal of @id, which ends all subflows with it, ends the connection. */
static bool is_last_path(const struct engine *engine, const struct conn *conn,
			 const struct used_id *id)
{
	const struct subflow *s;

	for_each_subflow (conn, s)
		if (s->state == SUBFLOW_LIVE && s->local_id == id->key.local_id)
			return !path_left(engine, conn, s);
	return false;
}

/* The peer closes every subflow with that ID: it is to be told once. */
static bool peer_told(const struct conn *conn, const struct subflow *closing)
{
	const struct subflow *s;

	for_each_subflow (conn, s)
		if (s->state == SUBFLOW_CLOSING && s->local_id == closing->local_id)
			return true;
	return false;
}

/*
 * Its local address has gone. The peer is told, so that it does not wait for
 * acknowledgements from there; the last path is left alone: the address may come back.
 * Return: false if @out was too short.
 */
static bool subflow_close(struct engine *engine, struct conn *conn, struct subflow *s,
			  struct pm_cmds *out)
{
	/* One that was taken out of the pool has its address still: a FIN gets through.
	 */
	const struct endpoint *gone = s->endpoint == SUBFLOW_ENDPOINT_LOST
					      ? NULL
					      : &engine->pool->endpoints[s->endpoint - 1];

	switch (s->state) {
	case SUBFLOW_PENDING:
		endpoint_lost(engine, conn, s);
		s->state = SUBFLOW_DOOMED;
		COUNT(engine, conn, subflows_failed);
		return true;
	case SUBFLOW_LIVE:
		if (!path_left(engine, conn, s))
			return true;
		if (out->n + 2 > PM_CMDS_MAX)
			return false;
		endpoint_lost(engine, conn, s);
		if (!peer_told(conn, s))
			push(out, PM_CMD_REMOVE, conn, s);
		push(out, PM_CMD_SUBFLOW_DESTROY, conn, s);
		if (gone) {
			out->v[out->n - 1].reset = true;
			out->v[out->n - 1].if_idx = gone->if_idx > 0 ? gone->if_idx : 0;
		}
		s->state = SUBFLOW_CLOSING;
		return true;
	case SUBFLOW_RETRY:
		endpoint_lost(engine, conn, s);
		return true; /* deleted by the caller */
	case SUBFLOW_CLOSING:
	case SUBFLOW_DOOMED:
		return true;
	}
	return true;
}

/*
 * Announced addresses that are in the pool no more, or not on this machine. That of the
 * last path stays announced, as the path stays: until there is another one.
 */
static bool withdraw(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	uint64_t gone = conn->signalled & engine->gone;
	struct used_id *id;
	unsigned int i;

	for (i = 0; gone && i < engine->pool->n_endpoints; i++) {
		if (!(gone & endpoint_bit(i)))
			continue;
		id = conn_id_of(conn, &engine->pool->endpoints[i].addr);
		if (id && is_last_path(engine, conn, id))
			continue;
		if (id)
			id->withdraw = true;
		conn->signalled &= ~endpoint_bit(i);
	}
	for (id = conn->ids; id; id = id->next) {
		if (!id->withdraw || is_last_path(engine, conn, id))
			continue;
		if (out->n == PM_CMDS_MAX)
			return false;
		id->withdraw = false;
		out->v[out->n++] = (struct pm_cmd){ .type = PM_CMD_REMOVE,
						    .token = conn->token,
						    .local = id->addr,
						    .local_id = id->key.local_id,
						    .endpoint = PM_CMD_NO_ENDPOINT };
		COUNT(engine, conn, withdrawn);
		NOTE(engine, .token = conn->token, .what = PM_NOTE_WITHDRAWN,
		     .local = &id->addr, .local_id = id->key.local_id);
	}
	return true;
}

/* MP_PRIO (RFC 8684, 3.3.8) where the endpoint's flag is another than was asked for. */
static bool flags_follow(struct engine *engine, struct conn *conn, struct subflow *s,
			 struct pm_cmds *out)
{
	bool backup;

	if (s->state != SUBFLOW_LIVE || s->endpoint == SUBFLOW_NO_ENDPOINT ||
	    s->endpoint == SUBFLOW_ENDPOINT_LOST)
		return true;
	backup = engine->pool->endpoints[s->endpoint - 1].flags &
		 MPTCP_PM_ADDR_FLAG_BACKUP;
	if (backup == s->backup)
		return true;
	if (out->n == PM_CMDS_MAX)
		return false;
	s->backup = backup;
	push(out, PM_CMD_SET_FLAGS, conn, s);
	NOTE(engine, .token = conn->token, .what = PM_NOTE_BACKUP, .local = &s->local,
	     .local_id = s->local_id, .remote = &s->remote, .remote_id = s->remote_id,
	     .flags = backup ? PM_NOTE_FLAG_BACKUP : 0);
	return true;
}

bool conn_reconcile(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	unsigned int i = 0;

	if (!conn_is_ours(engine, conn) || !conn->established)
		return true;
	while (i < conn->n_subflows) {
		struct subflow *s = &conn->subflows[i];

		if (!endpoint_is_there(engine, s)) {
			if (!subflow_close(engine, conn, s, out))
				return false;
			/* first_announced() does not move subflows. */
			if (s->state == SUBFLOW_RETRY) {
				conn_subflow_del(conn, s);
				continue;
			}
		} else if (!flags_follow(engine, conn, s, out)) {
			return false;
		}
		i++;
	}
	return withdraw(engine, conn, out);
}

static void due_earlier(struct conn *conn, bool *any, uint32_t when)
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
			due_earlier(conn, &any, engine->now);
		if (conn->work)
			due_earlier(conn, &any, conn->work_when);
		for_each_announcement(conn, ann) if (ann->timed &&
						     ann->state == ANNOUNCE_WAITING)
			due_earlier(conn, &any, ann->when);
		for_each_subflow (conn, s)
			if (s->state == SUBFLOW_RETRY)
				due_earlier(conn, &any, s->when);
	}
	conn_time(&engine->table, conn, any);
}

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

static bool subflows_again(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	const bool ours = conn_is_ours(engine, conn);
	unsigned int i = 0;

	while (i < conn->n_subflows) {
		struct subflow *s = &conn->subflows[i++];

		if (s->state != SUBFLOW_RETRY || !time_reached(engine, s->when))
			continue;
		if (ours && retry_is_void(engine, conn, s)) {
			conn_subflow_del(conn, s);
			i--;
			continue;
		}
		switch (ours && retry_must_wait(engine, conn, s)
				? JOIN_LIMIT
				: subflow_again(engine, conn, s, out)) {
		case JOIN_REQUESTED:
			COUNT(engine, conn, retries);
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

static void announcements_due(struct engine *engine, struct conn *conn)
{
	struct announcement *ann;

	for_each_announcement(conn, ann)
	{
		if (!ann->timed || ann->state != ANNOUNCE_WAITING ||
		    !time_reached(engine, ann->when))
			continue;
		ann->timed = false;
		ann->tried = 0;
		ann->any_tried = false;
		COUNT(engine, conn, retries);
	}
}

/* Return: whether all was done that is due on @conn. */
static bool conn_tick(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	bool done;

	done = conn_reconcile(engine, conn, out);
	if (done) {
		announcements_due(engine, conn);
		conn->again = false;
		waiting_retry(engine, conn, out);
		if (conn->work && time_reached(engine, conn->work_when))
			conn_work(engine, conn, out);
		done = subflows_again(engine, conn, out);
	}
	if (!done) {
		conn->work = true;
		conn->work_when = engine->now;
	}
	conn_schedule(engine, conn);
	return done && out->n < PM_CMDS_MAX;
}

static bool rescan(struct engine *engine, struct pm_cmds *out)
{
	struct conn_table *table = &engine->table;

	while (engine->rescan && table->cursor) {
		table->cursor->work = true;
		table->cursor->work_when = engine->now;
		if (!conn_tick(engine, table->cursor, out))
			return false;
		table->cursor = table->cursor->hh.next;
	}
	engine->rescan = false;
	return true;
}

bool engine_tick(struct engine *engine, struct pm_cmds *out)
{
	struct conn *conn, *next;

	if (!rescan(engine, out))
		return true;
	for (conn = engine->table.timed; conn; conn = next) {
		next = conn->next;
		if (!time_reached(engine, conn->due))
			continue;
		if (!conn_tick(engine, conn, out))
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
