// SPDX-License-Identifier: MIT
/*
 * reconcile.c - close, withdraw and MP_PRIO after a change of endpoints
 */
#include "reconcile.h"
#include "retry.h"

static bool subflow_has_endpoint(const struct engine *engine, const struct subflow *s)
{
	if (s->endpoint == SUBFLOW_NO_ENDPOINT)
		return true;
	return s->endpoint != SUBFLOW_ENDPOINT_REMOVED &&
	       !(engine->down & endpoint_bit(s->endpoint - 1));
}

/* What @s reached is to be reached from elsewhere, now or when there is something. */
static void subflow_release_endpoint(struct engine *engine, struct conn *conn,
				     struct subflow *s)
{
	struct announcement *ann = s->initial ? announce_first_address(engine, conn)
					      : subflow_announcement(conn, s);

	if (s->endpoint != SUBFLOW_ENDPOINT_REMOVED) {
		/* To be used as if it were new, once it is back. */
		conn->spent &= ~endpoint_bit(s->endpoint - 1);
		conn->refill |= endpoint_bit(s->endpoint - 1);
	}
	if (!ann || s->removed || s->fixed)
		return;
	ann->reason = PM_REASON_ENDPOINT_DOWN;
	/* Routing would go from the same address again, which is not wanted any more. */
	if (s->endpoint == SUBFLOW_ENDPOINT_REMOVED && !s->initial &&
	    !(conn_section(engine, conn)->kinds & MPTCP_PM_ADDR_FLAG_LAMINAR))
		ann->state = PM_ANNOUNCED_CLOSED;
	else
		ann->state = PM_ANNOUNCED_WAITING;
}

static void push_command(struct pm_cmds *out, enum pm_cmd_type type,
			 const struct conn *conn, const struct subflow *s)
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
static bool conn_keeps_path(const struct engine *engine, const struct conn *conn,
			    const struct subflow *closing)
{
	const struct subflow *s, *lost = NULL;

	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		if (subflow_has_endpoint(engine, s) && s->local_id != closing->local_id)
			return true;
		if (s->endpoint == SUBFLOW_ENDPOINT_REMOVED && !lost)
			lost = s;
	}
	return closing->endpoint == SUBFLOW_ENDPOINT_REMOVED &&
	       lost->local_id != closing->local_id;
}

/* Whether the withdrawal of @id, which ends all subflows with it, ends the connection. */
static bool id_has_last_path(const struct engine *engine, const struct conn *conn,
			     const struct used_id *id)
{
	const struct subflow *s;

	for_each_subflow (conn, s)
		if (s->state == SUBFLOW_LIVE && s->local_id == id->key.local_id)
			return !conn_keeps_path(engine, conn, s);
	return false;
}

/* The peer closes every subflow with that ID: it is to be told once. */
static bool removal_sent(const struct conn *conn, const struct subflow *closing)
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
	const struct endpoint *gone = s->endpoint == SUBFLOW_ENDPOINT_REMOVED
					      ? NULL
					      : &engine->pool->endpoints[s->endpoint - 1];

	switch (s->state) {
	case SUBFLOW_PENDING:
		subflow_release_endpoint(engine, conn, s);
		s->state = SUBFLOW_DOOMED;
		COUNT(engine, conn, subflows_failed);
		return true;
	case SUBFLOW_LIVE:
		if (!conn_keeps_path(engine, conn, s))
			return true;
		if (out->n + 2 > PM_CMDS_MAX)
			return false;
		subflow_release_endpoint(engine, conn, s);
		if (!removal_sent(conn, s))
			push_command(out, PM_CMD_REMOVE, conn, s);
		push_command(out, PM_CMD_SUBFLOW_DESTROY, conn, s);
		if (gone) {
			out->v[out->n - 1].reset = true;
			out->v[out->n - 1].if_idx = gone->if_idx > 0 ? gone->if_idx : 0;
		}
		s->state = SUBFLOW_CLOSING;
		return true;
	case SUBFLOW_RETRY:
		subflow_release_endpoint(engine, conn, s);
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
static bool withdraw_addresses(struct engine *engine, struct conn *conn,
			       struct pm_cmds *out)
{
	uint64_t gone = conn->signalled & engine->down;
	struct used_id *id;
	unsigned int i;

	for (i = 0; gone && i < engine->pool->n_endpoints; i++) {
		if (!(gone & endpoint_bit(i)))
			continue;
		id = conn_id_of(conn, &engine->pool->endpoints[i].addr);
		if (id && id_has_last_path(engine, conn, id))
			continue;
		if (id)
			id->withdraw = true;
		conn->signalled &= ~endpoint_bit(i);
	}
	for (id = conn->ids; id; id = id->next) {
		if (!id->withdraw || id_has_last_path(engine, conn, id))
			continue;
		if (out->n == PM_CMDS_MAX)
			return false;
		id->withdraw = false;
		out->v[out->n++] = (struct pm_cmd){ .type = PM_CMD_REMOVE,
						    .token = conn->token,
						    .local = id->addr,
						    .local_id = id->key.local_id,
						    .endpoint = PM_CMD_NO_ENDPOINT };
		NOTE(engine, conn, .what = PM_NOTE_WITHDRAWN, .local = &id->addr,
		     .local_id = id->key.local_id);
	}
	return true;
}

/* MP_PRIO (RFC 8684, 3.3.8) where the endpoint's flag is another than was asked for. */
static bool subflow_set_backup(struct engine *engine, struct conn *conn,
			       struct subflow *s, struct pm_cmds *out)
{
	bool backup;

	if (s->state != SUBFLOW_LIVE || s->endpoint == SUBFLOW_NO_ENDPOINT ||
	    s->endpoint == SUBFLOW_ENDPOINT_REMOVED)
		return true;
	backup = engine->pool->endpoints[s->endpoint - 1].flags &
		 MPTCP_PM_ADDR_FLAG_BACKUP;
	if (backup == s->backup)
		return true;
	if (out->n == PM_CMDS_MAX)
		return false;
	s->backup = backup;
	push_command(out, PM_CMD_SET_FLAGS, conn, s);
	NOTE(engine, conn, .what = PM_NOTE_BACKUP, .subflow = s);
	return true;
}

bool conn_reconcile(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	unsigned int i = 0;

	if (!conn_is_ours(engine, conn) || !conn->established)
		return true;
	while (i < conn->n_subflows) {
		struct subflow *s = &conn->subflows[i];

		if (!subflow_has_endpoint(engine, s)) {
			if (!subflow_close(engine, conn, s, out))
				return false;
			/* announce_first_address() does not move subflows. */
			if (s->state == SUBFLOW_RETRY) {
				conn_subflow_del(conn, s);
				continue;
			}
		} else if (!subflow_set_backup(engine, conn, s, out)) {
			return false;
		}
		i++;
	}
	return withdraw_addresses(engine, conn, out);
}
