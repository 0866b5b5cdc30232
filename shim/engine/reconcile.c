// SPDX-License-Identifier: MIT
/*
 * reconcile.c - close, withdraw and MP_PRIO after a change of endpoints
 */
#include "reconcile.h"
#include "retry.h"

/* @s loses its endpoint: another one, or later the same, joins its remote address. */
static void subflow_release_endpoint(struct conn *conn, const struct subflow *s)
{
	struct announcement *ann =
		s->initial ? announce_first_address(conn) : subflow_announcement(conn, s);

	/* It counts as new when it is back. */
	conn->spent &= ~subflow_endpoint_bit(s);
	conn->refill |= subflow_endpoint_bit(s);
	if (!ann || s->removed || s->fixed)
		return;
	ann->reason = PM_REASON_ENDPOINT_DOWN;
	/* Routing might pick the removed address again. */
	if (s->endpoint == SUBFLOW_ENDPOINT_REMOVED && !s->initial &&
	    !(conn_kinds(conn) & KIND_LAMINAR))
		ann->state = PM_ANNOUNCED_CLOSED;
	else
		ann->state = PM_ANNOUNCED_WAITING;
}

static struct pm_cmd *push_command(struct pm_cmds *out, enum pm_cmd_type type,
				   const struct conn *conn, const struct subflow *s)
{
	struct pm_cmd *cmd = &out->v[out->n++];

	*cmd = (struct pm_cmd){
		.type = type,
		.token = conn->token,
		.local = s->local,
		.remote = s->remote,
		.local_id = s->local_id,
		.flags = s->backup ? MPTCP_PM_ADDR_FLAG_BACKUP : 0,
		.endpoint = -1,
	};
	return cmd;
}

/*
 * Whether a path remains once those with @closing's ID are closed. If all endpoints were
 * removed from the pool, the first path remains.
 */
static bool conn_keeps_path(const struct conn *conn, const struct subflow *closing)
{
	const struct subflow *s, *first = NULL;

	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		if (subflow_has_endpoint(conn, s) && s->local_id != closing->local_id)
			return true;
		if (s->endpoint == SUBFLOW_ENDPOINT_REMOVED && !first)
			first = s;
	}
	return closing->endpoint == SUBFLOW_ENDPOINT_REMOVED &&
	       first->local_id != closing->local_id;
}

/* The first subflow in @state with @local_id, or NULL. */
static const struct subflow *subflow_with_id(const struct conn *conn,
					     enum subflow_state state, uint8_t local_id)
{
	const struct subflow *s;

	for_each_subflow (conn, s)
		if (s->state == state && s->local_id == local_id)
			return s;
	return NULL;
}

/* Whether withdrawing @id, which closes its subflows, ends the connection. */
static bool id_has_last_path(const struct conn *conn, const struct used_id *id)
{
	const struct subflow *s = subflow_with_id(conn, SUBFLOW_LIVE, id->key.local_id);

	return s && !conn_keeps_path(conn, s);
}

/*
 * Close a subflow whose endpoint is removed or down. One REMOVE_ADDR makes the peer close
 * every subflow with that ID, and not wait for acknowledgements. The last path stays: its
 * address may come back. Return: false if @out is full.
 */
static bool subflow_close(struct conn *conn, struct subflow *s, struct pm_cmds *out)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);
	struct pm_cmd *cmd;

	switch (s->state) {
	case SUBFLOW_PENDING:
		subflow_release_endpoint(conn, s);
		s->state = SUBFLOW_DOOMED;
		COUNT(conn, subflows_failed);
		return true;
	case SUBFLOW_LIVE:
		if (!conn_keeps_path(conn, s))
			return true;
		if (out->n + 2 > PM_CMDS_MAX)
			return false;
		subflow_release_endpoint(conn, s);
		if (!subflow_with_id(conn, SUBFLOW_CLOSING, s->local_id))
			push_command(out, PM_CMD_REMOVE, conn, s);
		cmd = push_command(out, PM_CMD_SUBFLOW_DESTROY, conn, s);
		/* A removed endpoint's address still works: the peer gets the FIN. */
		cmd->reset = ep;
		cmd->if_idx = ep && ep->if_idx > 0 ? ep->if_idx : 0;
		s->state = SUBFLOW_CLOSING;
		return true;
	case SUBFLOW_RETRY: /* the caller deletes it */
		subflow_release_endpoint(conn, s);
		return true;
	case SUBFLOW_CLOSING:
	case SUBFLOW_DOOMED:
		break;
	}
	return true;
}

/*
 * Withdraw announced addresses whose endpoint is removed or down; that of the last path
 * once there is another path.
 */
static bool withdraw_addresses(struct conn *conn, struct pm_cmds *out)
{
	const struct endpoint *endpoints = engine_of(conn)->pool->endpoints;
	struct subflow path;
	struct used_id *id;
	int i;

	for_each_bit (i, conn->signalled) {
		if (endpoints[i].state != ENDPOINT_DOWN)
			continue;
		id = conn_id_of(conn, &endpoints[i].addr);
		if (id && id_has_last_path(conn, id))
			continue;
		if (id)
			id->withdraw = true;
		conn->signalled &= ~endpoint_bit(i);
	}
	for (id = conn->ids; id; id = id->next) {
		if (!id->withdraw || id_has_last_path(conn, id))
			continue;
		if (out->n == PM_CMDS_MAX)
			return false;
		id->withdraw = false;
		path = (struct subflow){ .local = id->addr,
					 .local_id = id->key.local_id };
		push_command(out, PM_CMD_REMOVE, conn, &path);
		NOTE_SUBFLOW(conn, &path, .what = PM_NOTE_WITHDRAWN);
	}
	return true;
}

/* MP_PRIO (RFC 8684, 3.3.8), if the endpoint's `backup` flag has changed. */
static bool subflow_set_backup(struct conn *conn, struct subflow *s, struct pm_cmds *out)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);

	if (s->state != SUBFLOW_LIVE || !ep ||
	    s->backup == !!(ep->flags & MPTCP_PM_ADDR_FLAG_BACKUP))
		return true;
	if (out->n == PM_CMDS_MAX)
		return false;
	s->backup = !s->backup;
	push_command(out, PM_CMD_SET_FLAGS, conn, s);
	NOTE_SUBFLOW(conn, s, .what = PM_NOTE_BACKUP);
	return true;
}

static bool reconcile_subflows(struct conn *conn, struct pm_cmds *out)
{
	unsigned int i = 0;

	while (i < conn->n_subflows) {
		struct subflow *s = &conn->subflows[i++];
		const bool usable = subflow_has_endpoint(conn, s);

		if (usable ? !subflow_set_backup(conn, s, out)
			   : !subflow_close(conn, s, out))
			return false;
		if (!usable && s->state == SUBFLOW_RETRY)
			conn_subflow_del(conn, &conn->subflows[--i]);
	}
	return true;
}

bool conn_reconcile(struct conn *conn, struct pm_cmds *out)
{
	if (!conn_is_ours(conn) || !conn->established)
		return true;
	if (reconcile_subflows(conn, out) && withdraw_addresses(conn, out))
		return true;
	conn_set_work(conn);
	return false;
}
