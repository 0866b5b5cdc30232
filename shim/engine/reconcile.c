// SPDX-License-Identifier: MIT
/*
 * reconcile.c - replace the pool; then close, withdraw and MP_PRIO
 */
#include "reconcile.h"
#include "flap.h"
#include "policy.h"
#include "retry.h"

#include <string.h>
#include <sys/param.h>

void subflow_release_endpoint(struct conn *conn, const struct subflow *s)
{
	struct announcement *ann =
		s->initial ? announce_first_address(conn) : subflow_announcement(conn, s);

	/* It counts as new when it is back. */
	conn->spent &= ~index_bit(s->endpoint);
	conn->refill |= index_bit(s->endpoint);
	if (!ann || s->removed || !subflow_frees_announcement(conn, s))
		return;
	ann->reason = PM_REASON_ENDPOINT_DOWN;
	/* Routing might pick the removed address again. */
	if (s->endpoint == SUBFLOW_ENDPOINT_REMOVED && !s->initial &&
	    !(conn_section(conn)->kinds & KIND_LAMINAR))
		ann->state = PM_ANNOUNCED_CLOSED;
	else
		ann->state = PM_ANNOUNCED_WAITING;
	conn->again = true; /* no event may follow */
}

struct pm_cmd *push_command(struct pm_cmds *out, enum pm_cmd_type type,
			    const struct conn *conn, const struct subflow *s)
{
	struct pm_cmd *cmd = &out->v[out->n++];

	*cmd = (struct pm_cmd){
		.type = type,
		.token = conn->token,
		.local = *conn_addr(conn, s->local),
		.remote = *conn_addr(conn, s->remote),
		.local_id = s->local_id,
		.flags = s->backup ? MPTCP_PM_ADDR_FLAG_BACKUP : 0,
		.endpoint = -1,
	};
	return cmd;
}

bool conn_keeps_path(const struct conn *conn, const struct subflow *closing)
{
	const struct subflow *s, *first = NULL;

	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		if (subflow_has_endpoint(conn, s) && s->local_id != closing->local_id)
			return true;
		/* Rather the first that carries data */
		if (s->endpoint == SUBFLOW_ENDPOINT_REMOVED &&
		    (!first || (first->lost && !s->lost)))
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
	const struct subflow *s = subflow_with_id(conn, SUBFLOW_LIVE, id->local_id);

	return s && !conn_keeps_path(conn, s);
}

/* Whether @s has lost its endpoint and ends: a path outlives a link. */
static bool subflow_must_close(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);
	const enum endpoint_state most = s->state == SUBFLOW_LIVE      ? ENDPOINT_DOWN
					 : s->state == SUBFLOW_PENDING ? ENDPOINT_WAITING
								       : ENDPOINT_UNSEEN;

	return !subflow_has_endpoint(conn, s) && (!ep || ep->state > most);
}

/* Whether a subflow with @local_id keeps its endpoint: REMOVE_ADDR would end it, too. */
static bool id_is_wanted(const struct conn *conn, uint8_t local_id)
{
	const struct subflow *s;

	for_each_subflow (conn, s)
		if (1U << s->state & SUBFLOW_OPEN && s->local_id == local_id &&
		    !subflow_must_close(conn, s))
			return true;
	return false;
}

bool subflow_doom(struct conn *conn, struct subflow *s, int error, struct pm_cmds *out)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);
	struct pm_cmd *cmd;

	if (out->n == PM_CMDS_MAX)
		return false;
	subflow_release_endpoint(conn, s);
	/* The path may be slow: the next join waits longer, see join_request(). */
	if (error && !(conn_section(conn)->kinds & KIND_FULLMESH))
		conn->refill &= ~index_bit(s->endpoint);
	cmd = push_command(out, PM_CMD_SUBFLOW_DESTROY, conn, s);
	cmd->again = error;
	cmd->link = ep ? MAX(ep->if_idx, 0) ?: ep->link : 0;
	s->state = SUBFLOW_DOOMED;
	s->lost = false;
	NOTE_SUBFLOW(conn, s, .what = PM_NOTE_JOIN_FAILED, .error = error,
		     .reason = error ? PM_REASON_ERROR : PM_REASON_ENDPOINT_DOWN);
	return true;
}

/*
 * Whether to close @s because the quota is used up, even if it is the last path. A fresh
 * last path stays until another one replaces it: Linux 6.18 closes a connection that
 * loses all paths before the peer's accept().
 */
static bool subflow_is_spent(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);

	return ep && ep->state == ENDPOINT_SPENT &&
	       (!conn_endpoints(conn, KIND_LAMINAR | KIND_FULLMESH | KIND_SUBFLOW) ||
		(uint32_t)engine_of(conn)->now - s->when >= FRESH_MS);
}

/*
 * Close a subflow that has lost its endpoint. One REMOVE_ADDR makes the peer close
 * every subflow with that ID, and not wait for acknowledgements. The last path stays: its
 * address may come back. Return: false if @out is full.
 */
static bool subflow_close(struct conn *conn, struct subflow *s, struct pm_cmds *out)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);
	struct pm_cmd *cmd;

	if (s->state == SUBFLOW_PENDING)
		return subflow_doom(conn, s, 0, out);
	if (s->state == SUBFLOW_RETRY)
		subflow_release_endpoint(conn, s); /* the caller deletes it */
	if (s->state != SUBFLOW_LIVE ||
	    (!conn_keeps_path(conn, s) && !subflow_is_spent(conn, s)))
		return true;
	if (out->n + 2 > PM_CMDS_MAX)
		return false;
	subflow_release_endpoint(conn, s);
	if (!subflow_with_id(conn, SUBFLOW_CLOSING, s->local_id) &&
	    !id_is_wanted(conn, s->local_id))
		push_command(out, PM_CMD_REMOVE, conn, s);
	cmd = push_command(out, PM_CMD_SUBFLOW_DESTROY, conn, s);
	/* A removed endpoint's address still works: the peer gets the FIN. */
	cmd->reset = ep;
	cmd->if_idx = ep && ep->if_idx > 0 ? ep->if_idx : 0;
	s->state = SUBFLOW_CLOSING;
	s->lost = s->silent = false;
	return true;
}

/* Withdraw removed addresses; that of the last path once there is another path. */
static bool withdraw_addresses(struct conn *conn, struct pm_cmds *out)
{
	const struct endpoint *endpoints = engine_of(conn)->pool->endpoints;
	struct subflow path;
	struct used_id *id;
	int i;

	for_each_bit (i, conn->signalled) {
		if (endpoints[i].state < ENDPOINT_REMOVED)
			continue;
		id = conn_id_of(conn, &endpoints[i].addr);
		if (id && id_has_last_path(conn, id))
			continue;
		if (id)
			id->withdraw = true;
		conn->signalled &= ~endpoint_bit(i);
	}
	for_each_used_id (conn, id) {
		if (!id->withdraw || id_has_last_path(conn, id) ||
		    id_is_wanted(conn, id->local_id))
			continue;
		if (out->n == PM_CMDS_MAX)
			return false;
		id->withdraw = false;
		path = (struct subflow){ .local = id->addr, .local_id = id->local_id };
		push_command(out, PM_CMD_REMOVE, conn, &path);
		NOTE_SUBFLOW(conn, &path, .what = PM_NOTE_WITHDRAWN);
	}
	return true;
}

/* MP_PRIO (RFC 8684, 3.3.8), if the endpoint's `backup` flag has changed, or [policy]. */
static bool subflow_set_backup(struct conn *conn, struct subflow *s, struct pm_cmds *out)
{
	bool changes;

	if (s->state != SUBFLOW_LIVE || !subflow_endpoint(conn, s))
		return true;
	changes = s->backup != policy_wants_backup(conn, s);
	if (!changes && (!s->repeat || conn->refused))
		return true;
	if (out->n == PM_CMDS_MAX)
		return false;
	s->backup ^= changes;
	s->repeat = false;
	push_command(out, PM_CMD_SET_FLAGS, conn, s);
	if (!changes)
		return true;
	policy_sent(conn);
	NOTE_SUBFLOW(conn, s, .what = PM_NOTE_BACKUP,
		     .reason = policy_rules(conn) ? PM_REASON_PREFERRED + conn->why
						  : PM_REASON_NONE);
	return true;
}

bool conn_reconcile(struct conn *conn, struct pm_cmds *out)
{
	struct subflow *s;
	bool room = true;

	conn->judge = false;
	if (!conn_is_ours(conn) || !conn->established)
		return true;
	conn->refused &= !engine_time_reached(engine_of(conn), conn->prio_when);
	policy_decide(conn);
	for_each_subflow (conn, s) {
		const bool usable = subflow_has_endpoint(conn, s);

		if (!usable && subflow_must_close(conn, s))
			room = subflow_close(conn, s, out);
		if (room && (usable || policy_rules(conn)))
			room = subflow_set_backup(conn, s, out);
		if (!room)
			break;
		if (!usable && s->state == SUBFLOW_RETRY)
			conn_subflow_del(conn, s--);
	}
	if (room && withdraw_addresses(conn, out))
		return true;
	conn_set_work(conn);
	return false;
}

/* Connections refer to endpoints by index + 1: @map has the new ones. */
static uint64_t map_mask(uint64_t mask, const uint8_t *map)
{
	uint64_t mapped = 0;
	int i;

	for_each_bit (i, mask)
		mapped |= index_bit(map[i]);
	return mapped;
}

/* Apply the new filter and the new endpoints to an address that is not joined. */
static void announcement_renew(const struct conn *conn, struct announcement *ann)
{
	const enum pm_reason why =
		conn_refusal(conn, ann->remote_id, conn_addr(conn, ann->addr));
	const uint32_t kinds = conn_section(conn)->kinds;

	announcement_forget_tries(ann);
	ann->tries = 0;
	/* Left to `fullmesh` endpoints, which may not be there any more */
	if (ann->state == PM_ANNOUNCED_JOINED && kinds & KIND_LAMINAR &&
	    !conn_count(conn, SUBFLOW_OPEN | SUBFLOW_BIT(RETRY), NULL, &ann->addr))
		ann->state = PM_ANNOUNCED_WAITING;
	/* Closed for want of endpoints, not left to routing: retry with new ones. */
	if ((ann->state == PM_ANNOUNCED_REFUSED && !why &&
	     ann->reason != PM_REASON_PROHIBITED) ||
	    (ann->state == PM_ANNOUNCED_CLOSED &&
	     ann->reason == PM_REASON_ENDPOINT_DOWN && kinds & KIND_LAMINAR)) {
		ann->state = PM_ANNOUNCED_WAITING;
	} else if (ann->state == PM_ANNOUNCED_WAITING && why) {
		ann->state = PM_ANNOUNCED_REFUSED;
		ann->reason = why;
	}
}

/* Perhaps for a moment only */
static bool link_went_down(const struct endpoint *before, const struct endpoint *now)
{
	return now->state == ENDPOINT_DOWN ||
	       (now->link && now->link == before->link && now->downs != before->downs);
}

/* A pair is its endpoint's own as long as that is of the kind; then retry its address. */
static void subflow_check_fixed(const struct conn *conn, struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);

	if (!ep || ep->flags & KIND_FULLMESH ||
	    (ep->flags & KIND_SUBFLOW && ref_equal(s->remote, conn->peer)))
		return;
	s->fixed = false;
	if (s->state == SUBFLOW_RETRY)
		s->endpoint = SUBFLOW_ENDPOINT_REMOVED;
}

/* An endpoint that is no longer `fullmesh` keeps one path as `laminar`, else the first.
 */
static bool subflow_leaves_mesh(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);
	const struct subflow *other;

	/* One whose link is down stays, too: it is not a path that could be the last. */
	if (!s->fixed || ref_equal(s->remote, conn->peer) || !endpoint_is_usable(ep))
		return false;
	if (!(ep->flags & KIND_LAMINAR))
		return true;
	for (other = conn->subflows; other != s; other++)
		if (other->endpoint == s->endpoint && 1U << other->state & SUBFLOW_OPEN)
			return true;
	return false;
}

static void subflow_follow_link(struct subflow *s, const struct endpoint *before,
				const struct endpoint *now)
{
	if (!(1U << s->state & SUBFLOW_OPEN))
		return;
	s->lost |= link_went_down(before, now);
	if (before->state != now->state || before->downs != now->downs)
		s->checks = 0;
}

struct pool_change {
	const struct pool *old;
	uint8_t map[POOL_ENDPOINTS_MAX];
	uint64_t meshed, unmeshed; /* new indices: `fullmesh` was added, removed */
};

static void conn_map_endpoints(struct conn *conn, const struct pool_change *change)
{
	const struct pool *old = change->old;
	const uint8_t *map = change->map;
	const struct pool *pool = engine_of(conn)->pool;
	struct announcement *ann;
	struct used_id *id;
	struct subflow *s;
	unsigned int i;

	for_each_bit (i, conn->signalled) {
		if (index_bit(map[i]) && pool->endpoints[map[i] - 1].flags & KIND_SIGNAL)
			continue;
		conn->signalled &= ~endpoint_bit(i);
		id = conn_id_of(conn, &old->endpoints[i].addr);
		if (id)
			id->withdraw = true;
	}
	conn->spent = map_mask(conn->spent, map) & ~change->meshed;
	conn->signalled = map_mask(conn->signalled, map);
	conn->refill = map_mask(conn->refill, map) | change->meshed;
	conn->section = pool_section(pool, conn_addr(conn, conn->peer));
	for_each_announcement (conn, ann)
		announcement_renew(conn, ann);
	for_each_subflow (conn, s) {
		if (!index_bit(s->endpoint))
			continue;
		i = s->endpoint - 1;
		s->endpoint = map[i];
		if (index_bit(map[i]))
			subflow_follow_link(s, &old->endpoints[i],
					    &pool->endpoints[map[i] - 1]);
	}
	if (conn->established)
		conn_find_endpoints(conn);
	for_each_subflow (conn, s) {
		if (index_bit(s->endpoint) & change->unmeshed &&
		    subflow_leaves_mesh(conn, s))
			s->endpoint = SUBFLOW_ENDPOINT_REMOVED;
		subflow_check_fixed(conn, s);
	}
}

void engine_set_pool(struct engine *engine, const struct pool *pool)
{
	const struct pool *old = engine->pool;
	struct pool_change change = { .old = old };
	const struct endpoint *ep, *same;
	uint64_t known = 0; /* up before and now */
	struct conn *conn;
	bool policed;

	for_each_endpoint (old, ep) {
		same = pool_find_same(pool, old, ep);
		change.map[ep - old->endpoints] =
			same ? same - pool->endpoints + 1 : SUBFLOW_ENDPOINT_REMOVED;
		if (same && same->flags & ~ep->flags & KIND_FULLMESH)
			change.meshed |= endpoint_bit(same - pool->endpoints);
		if (same && ep->flags & ~same->flags & KIND_FULLMESH)
			change.unmeshed |= endpoint_bit(same - pool->endpoints);
		if (!endpoint_is_usable(ep))
			continue;
		if (same && endpoint_is_usable(same))
			known |= endpoint_bit(same - pool->endpoints);
		else
			endpoint_note(engine, ep, same ? same->state : ENDPOINT_REMOVED);
		/* Removing it from the pool, and adding it, is its owner's wish. */
		if (same && (same->state == ENDPOINT_REMOVED || link_went_down(ep, same)))
			flap_went(engine, &ep->addr);
	}
	engine->pool = pool;
	policed = engine->policed;
	policy_set_pool(engine, old, change.map);
	for_each_endpoint (pool, ep) {
		if (!endpoint_is_usable(ep))
			continue;
		flap_came(engine, &ep->addr);
		if (!(known & endpoint_bit(ep - pool->endpoints)))
			endpoint_note(engine, ep, ep->state);
	}
	flap_hold(engine);
	memset(engine->probed, 0, sizeof(engine->probed));
	memset(engine->answered, 0, sizeof(engine->answered));
	for (conn = engine->table.conns; conn; conn = conn->hh.next) {
		conn_map_endpoints(conn, &change);
		conn->watched &= policed == engine->policed;
	}
	engine->table.cursor = engine->table.conns;
}
