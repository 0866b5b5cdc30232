// SPDX-License-Identifier: MIT
/*
 * select.c - which endpoint goes to which address
 *
 * The rules are those of DESIGN.md section 4, which are the kernel's own for its
 * endpoints (net/mptcp/pm_kernel.c, 6.18). An announced address is served by every
 * `fullmesh` endpoint, else by the first free `laminar` one, else by the address that
 * routing picks. `subflow` endpoints join the server's first address.
 */
#include "select.h"
#include "retry.h"

#include <errno.h>

static bool limit_leaves_subflow(const struct engine *engine, const struct conn *conn)
{
	return conn_extra_subflows(conn) < engine->pool->subflows;
}

/*
 * The peer forbids joins to its first address, and the limits are such that its
 * announcements would be for nothing: the kernel serves those with `subflow` endpoints
 * (mptcp_pm_add_addr_c_flag_case()).
 */
static bool join_c_flag_case(const struct engine *engine, const struct conn *conn)
{
	uint64_t used = conn->spent;

	if (conn->mpc)
		used &= ~endpoint_bit(conn->mpc - 1);
	return conn->deny_join_id0 && !(used & conn_section(engine, conn)->subflow) &&
	       !engine->pool->add_addr_accepted && limit_leaves_subflow(engine, conn);
}

/* The kernel gives the address that routing picks an ID of its own, from 1 upwards, and
 * wants one for the address of all zeros beside it: one from the other end.
 */
static uint8_t join_any_id(const struct mpaddr *any)
{
	return any->family == AF_INET ? UINT8_MAX : UINT8_MAX - 1;
}

struct want {
	int index; /* of the endpoint, or PM_CMD_NO_ENDPOINT */
	const struct mpaddr *remote;
	uint8_t remote_id;
	bool fixed;
	bool routed;	      /* by routing, not from the list */
	uint8_t tries;	      /* of the announcement */
	struct mpaddr source; /* what routing takes; AF_UNSPEC: not known */
};

/* Fill @cmd. Without an endpoint, the address of all zeros leaves it to routing. */
static int join_prepare(struct engine *engine, struct conn *conn, const struct want *want,
			struct pm_cmd *cmd)
{
	const struct mpaddr any = { .family = want->remote->family };
	const struct used_id *id = conn_id_of(conn, &want->source);
	const struct endpoint *ep = NULL;

	if (want->index >= 0)
		ep = &engine->pool->endpoints[want->index];
	*cmd = (struct pm_cmd){
		.type = PM_CMD_SUBFLOW_CREATE,
		.token = conn->token,
		.local = ep ? ep->addr : any,
		.remote = *want->remote,
		.flags = ep ? ep->flags & MPTCP_PM_ADDR_FLAG_BACKUP : 0,
		.endpoint = want->index,
		.if_idx = ep && !want->routed ? ep->if_idx : 0,
	};
	cmd->local.port = 0;
	/*
	 * The address that routing takes is named, if it is not the first one's and the
	 * kernel has not given it an ID already: it finds none for it once ID 0 is in its
	 * list (mptcp_userspace_pm_append_new_local_addr()).
	 */
	if (!ep && want->source.family != AF_UNSPEC && (!id || id->ours) &&
	    !mpaddr_same_ip(&want->source, &conn->first)) {
		cmd->local = want->source;
		cmd->local_id = conn_id_from_top(&engine->table, conn, &want->source);
		return cmd->local_id ? 0 : -ENOSPC;
	}
	/* As the kernel has it, `laminar` endpoints are never the address with ID 0. */
	if ((want->fixed || want->routed) && ep && conn->mpc == want->index + 1)
		return 0;
	cmd->local_id = conn_id_for(&engine->table, conn, &cmd->local,
				    ep ? ep->local_id : join_any_id(&any));
	return cmd->local_id ? 0 : -ENOSPC;
}

/* @s is a record to use again, or NULL for a new one. */
static enum join join_request(struct engine *engine, struct conn *conn,
			      const struct want *want, struct subflow *s,
			      struct pm_cmds *out)
{
	const struct subflow fresh = { 0 };
	bool again = s;
	struct pm_cmd *cmd;

	if (!limit_leaves_subflow(engine, conn))
		return JOIN_LIMIT;
	if (out->n == PM_CMDS_MAX)
		return JOIN_NO_ROOM;
	cmd = &out->v[out->n];
	/* No ID, no memory: nothing that would be better in a moment. */
	if (join_prepare(engine, conn, want, cmd) < 0)
		return JOIN_LIMIT;
	if (!s)
		s = conn_subflow_add(conn, &fresh);
	if (!s)
		return JOIN_LIMIT;
	if (!again)
		s->tries = want->tries;
	s->local = cmd->local;
	s->remote = cmd->remote;
	s->endpoint = want->index + 1;
	s->local_id = cmd->local_id;
	s->remote_id = want->remote_id;
	s->state = SUBFLOW_PENDING;
	s->fixed = want->fixed;
	s->backup = cmd->flags & MPTCP_PM_ADDR_FLAG_BACKUP && !engine->flags_ignored;
	out->n++;
	NOTE(engine, conn, .what = PM_NOTE_JOINING, .subflow = s,
	     .flags = again ? PM_NOTE_FLAG_RETRY : 0);
	return JOIN_REQUESTED;
}

enum join join_retry(struct engine *engine, struct conn *conn, struct subflow *s,
		     struct pm_cmds *out)
{
	const struct mpaddr remote = s->remote;
	const struct want want = { .index = s->endpoint - 1,
				   .remote = &remote,
				   .remote_id = s->remote_id,
				   .fixed = true };

	if (!conn_is_ours(engine, conn))
		return JOIN_NOT_OURS;
	return join_request(engine, conn, &want, s, out);
}

/* The endpoints of @mask, one after the other, to @ann, and not twice. */
static enum join join_from_each(struct engine *engine, struct conn *conn, uint64_t mask,
				const struct announcement *ann, struct pm_cmds *out)
{
	const struct mpaddr remote = ann->addr;
	struct want want = { .remote = &remote,
			     .remote_id = ann->remote_id,
			     .fixed = true };
	const bool c_flag = join_c_flag_case(engine, conn);
	enum join all = JOIN_NO_ENDPOINT, one;
	unsigned int i;

	for (i = 0; i < engine->pool->n_endpoints; i++) {
		const struct mpaddr *local = &engine->pool->endpoints[i].addr;

		if (!(mask & endpoint_bit(i)) ||
		    !conn_family_matches(conn, local, &remote) ||
		    conn_has_pair(conn, local, &remote))
			continue;
		want.index = i;
		one = join_request(engine, conn, &want, NULL, out);
		if (one != JOIN_REQUESTED)
			return all == JOIN_REQUESTED && one == JOIN_LIMIT ? all : one;
		all = one;
		if (c_flag)
			conn->spent |=
				conn_section(engine, conn)->subflow & endpoint_bit(i);
	}
	return all;
}

/* The first laminar endpoint that fits, is not in use and did not fail for @ann. */
static int select_laminar(const struct engine *engine, const struct conn *conn,
			  struct announcement *ann)
{
	const struct endpoint *ep = engine->pool->endpoints;
	uint64_t mask = conn_section(engine, conn)->laminar;
	unsigned int i;

	ann->reason = PM_REASON_FAMILY;
	for (i = 0; i < engine->pool->n_endpoints; i++, ep++) {
		if (!(mask & endpoint_bit(i)) ||
		    !conn_family_matches(conn, &ep->addr, &ann->addr))
			continue;
		if (ann->tried & endpoint_bit(i)) {
			ann->reason = PM_REASON_ERROR;
		} else if (conn_uses(conn, &ep->addr)) {
			if (ann->reason != PM_REASON_ERROR)
				ann->reason = PM_REASON_EXHAUSTED;
		} else {
			return i;
		}
	}
	/* What there would be is not on this machine. */
	if (!mask)
		ann->reason = PM_REASON_UNAVAILABLE;
	return -1;
}

static enum join join_laminar(struct engine *engine, struct conn *conn,
			      struct announcement *ann, struct pm_cmds *out)
{
	const struct mpaddr remote = ann->addr;
	struct want want = { .remote = &remote,
			     .remote_id = ann->remote_id,
			     .tries = ann->tries };
	enum join r;

	want.index = select_laminar(engine, conn, ann);
	if (want.index < 0)
		return JOIN_NO_ENDPOINT; /* never a fallback to routing */
	r = join_request(engine, conn, &want, NULL, out);
	if (r == JOIN_REQUESTED)
		conn->spent |=
			conn_section(engine, conn)->subflow & endpoint_bit(want.index);
	return r;
}

/* The address that routing takes, and which endpoint that is. */
static void select_by_route(const struct engine *engine, const struct conn *conn,
			    struct want *want)
{
	want->index = PM_CMD_NO_ENDPOINT;
	if (!engine->route ||
	    !engine->route(engine->route_ctx, want->remote, &want->source))
		return;
	want->source.port = 0;
	want->index = (int)conn_endpoint(engine, conn, &want->source) - 1;
	/* One whose link is down would be closed as soon as it is there. */
	if (want->index >= 0 && engine->down & endpoint_bit(want->index))
		want->index = PM_CMD_NO_ENDPOINT;
}

static enum join join_routed(struct engine *engine, struct conn *conn,
			     struct announcement *ann, struct pm_cmds *out)
{
	const struct mpaddr remote = ann->addr;
	struct want want = { .remote = &remote,
			     .remote_id = ann->remote_id,
			     .routed = true,
			     .tries = ann->tries };

	select_by_route(engine, conn, &want);
	ann->reason = ann->any_tried ? PM_REASON_ERROR : PM_REASON_FAMILY;
	if (ann->any_tried || !conn_family_matches(conn, &remote, &remote))
		return JOIN_NO_ENDPOINT;
	return join_request(engine, conn, &want, NULL, out);
}

/* As the kernel's fill_local_addresses_vec() does. */
static enum join join_by_kind(struct engine *engine, struct conn *conn,
			      struct announcement *ann, struct pm_cmds *out)
{
	const struct section_index *section = conn_section(engine, conn);
	enum join r = JOIN_NO_ENDPOINT;

	if (section->kinds & MPTCP_PM_ADDR_FLAG_FULLMESH)
		r = join_from_each(engine, conn, section->fullmesh, ann, out);
	if (r == JOIN_NO_ROOM && conn_reaches(conn, &ann->addr)) {
		conn->refill |=
			section->fullmesh; /* join_fullmesh_again() has the rest */
		conn->work = true;
		conn->work_when = engine->now;
		return JOIN_REQUESTED;
	}
	if (r != JOIN_NO_ENDPOINT)
		return r;
	if (section->kinds & MPTCP_PM_ADDR_FLAG_LAMINAR)
		return join_laminar(engine, conn, ann, out);
	if (ann->remote_id && join_c_flag_case(engine, conn)) {
		uint64_t mask = section->subflow & ~conn->spent;

		if (conn->mpc)
			mask &= ~endpoint_bit(conn->mpc - 1);
		return join_from_each(engine, conn, mask, ann, out);
	}
	if (section->kinds & MPTCP_PM_ADDR_FLAG_FULLMESH)
		ann->reason = PM_REASON_FAMILY;
	return join_routed(engine, conn, ann, out);
}

/* Whether add_addr_accepted lets @ann in; otherwise it gets the reason. */
static bool limit_accepts(const struct engine *engine, const struct conn *conn,
			  struct announcement *ann)
{
	if (ann->accepted || !ann->remote_id ||
	    conn->accepted < engine->pool->add_addr_accepted ||
	    join_c_flag_case(engine, conn))
		return true;
	ann->reason = PM_REASON_LIMIT_ACCEPTED;
	return false;
}

enum join join_announced(struct engine *engine, struct conn *conn,
			 struct announcement *ann, struct pm_cmds *out)
{
	const uint8_t before = ann->reason;
	enum join r;

	if (!conn_is_ours(engine, conn)) {
		ann->reason = conn->excluded ? PM_REASON_EXCLUDED : PM_REASON_INHERITED;
		return JOIN_NOT_OURS;
	}
	if (!limit_accepts(engine, conn, ann))
		return JOIN_LIMIT;
	if (!limit_leaves_subflow(engine, conn)) {
		ann->reason = PM_REASON_LIMIT_SUBFLOWS;
		return JOIN_LIMIT;
	}
	r = join_by_kind(engine, conn, ann, out);
	switch (r) {
	case JOIN_REQUESTED:
		ann->state = PM_ANNOUNCED_JOINED;
		ann->reason = PM_REASON_NONE;
		ann->timed = false;
		announcement_count_accepted(conn, ann, true);
		break;
	case JOIN_NO_ENDPOINT:
		if (ann->reason == PM_REASON_EXHAUSTED && before != ann->reason)
			COUNT(engine, conn, exhausted);
		announcement_set_retry(engine, conn, ann);
		break;
	case JOIN_NO_ROOM:
		conn->again = true;
		ann->reason = PM_REASON_TOO_MANY;
		break;
	case JOIN_LIMIT:
		ann->reason = limit_leaves_subflow(engine, conn)
				      ? PM_REASON_TOO_MANY
				      : PM_REASON_LIMIT_SUBFLOWS;
		break;
	case JOIN_NOT_OURS:
		break;
	}
	return r;
}

void join_waiting(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	unsigned int i;

	for (i = 0; i < conn->n_announced; i++) {
		struct announcement *ann = &conn->announced[i];

		if (ann->state == PM_ANNOUNCED_WAITING && !conn_reaches(conn, &ann->addr))
			join_announced(engine, conn, ann, out);
	}
}

void conn_use_first_endpoint(struct engine *engine, struct conn *conn)
{
	struct subflow *s;
	bool there = false;

	/* The address has ID 0 for good, whatever becomes of the first subflow. */
	conn->mpc = conn_endpoint(engine, conn, &conn->first);
	for_each_subflow (conn, s) {
		there |= s->initial;
		if (s->initial && s->endpoint != SUBFLOW_ENDPOINT_REMOVED)
			s->endpoint = conn->mpc;
	}
	if (conn->mpc && there)
		conn->spent |= endpoint_bit(conn->mpc - 1);
}

/* As the kernel's fill_remote_addresses_fullmesh(): each address that is reached. */
static bool join_known_addresses(struct engine *engine, struct conn *conn, int index,
				 struct pm_cmds *out)
{
	const struct mpaddr *local = &engine->pool->endpoints[index].addr;
	struct want want = { .index = index, .fixed = true };
	struct mpaddr remote;
	unsigned int i;

	for (i = 0; i < conn->n_subflows; i++) {
		const struct subflow *s = &conn->subflows[i];

		remote = s->remote;
		want.remote = &remote;
		want.remote_id = s->remote_id;
		if (!subflow_counts(s) || (conn->deny_join_id0 && !s->remote_id) ||
		    !conn_family_matches(conn, local, &remote) ||
		    conn_has_pair(conn, local, &remote))
			continue;
		if (join_request(engine, conn, &want, NULL, out) == JOIN_NO_ROOM)
			return false;
	}
	return true;
}

static bool join_first_address(struct engine *engine, struct conn *conn, int index,
			       struct pm_cmds *out)
{
	const struct want want = { .index = index, .remote = &conn->peer, .fixed = true };
	const struct mpaddr *local = &engine->pool->endpoints[index].addr;

	if (conn->deny_join_id0 || !conn_family_matches(conn, local, &conn->peer) ||
	    conn_has_pair(conn, local, &conn->peer))
		return true;
	return join_request(engine, conn, &want, NULL, out) != JOIN_NO_ROOM;
}

/* `fullmesh` endpoints that came back: to what other endpoints have joined meanwhile. */
static bool join_fullmesh_again(struct engine *engine, struct conn *conn,
				struct pm_cmds *out)
{
	uint64_t mask = conn->refill & conn_section(engine, conn)->fullmesh;
	struct announcement *ann;

	for_each_announcement(conn,
			      ann) if (mask && ann->state == PM_ANNOUNCED_JOINED &&
				       join_from_each(engine, conn, mask, ann, out) ==
					       JOIN_NO_ROOM) return false;
	conn->refill &= ~mask;
	return true;
}

static bool announce_endpoints(struct engine *engine, struct conn *conn,
			       struct pm_cmds *out)
{
	uint64_t mask = conn_section(engine, conn)->signal & ~conn->signalled;
	const struct endpoint *ep = engine->pool->endpoints;
	unsigned int i;
	uint8_t id;

	/* The peer has that of MP_CAPABLE, and what joined it already. */
	mask &= ~conn->spent;
	for (i = 0; mask && i < engine->pool->n_endpoints; i++, ep++) {
		if (!(mask & endpoint_bit(i)))
			continue;
		if (out->n == PM_CMDS_MAX)
			return false;
		id = conn_id_for(&engine->table, conn, &ep->addr, ep->local_id);
		if (!id)
			continue;
		conn_id_of(conn, &ep->addr)->withdraw = false;
		conn->signalled |= endpoint_bit(i);
		out->v[out->n++] =
			(struct pm_cmd){ .type = PM_CMD_ANNOUNCE,
					 .token = conn->token,
					 .local = ep->addr,
					 .local_id = id,
					 .flags = ep->flags & MPTCP_PM_ADDR_FLAG_BACKUP,
					 .endpoint = i };
		/* As in the kernel: this ends what join_c_flag_case() is about. */
		if (conn->deny_join_id0)
			conn->spent |=
				conn_section(engine, conn)->subflow & endpoint_bit(i);
		NOTE(engine, conn, .what = PM_NOTE_SIGNALLED, .local = &ep->addr,
		     .local_id = id);
	}
	return true;
}

static bool join_subflow_endpoints(struct engine *engine, struct conn *conn,
				   struct pm_cmds *out)
{
	uint64_t mask = conn_section(engine, conn)->subflow & ~conn->spent;
	unsigned int i;
	bool done;

	/* Nobody listens at a client's first address. */
	if (!mask || conn->server_side || join_c_flag_case(engine, conn))
		return true;
	for (i = 0; i < engine->pool->n_endpoints && limit_leaves_subflow(engine, conn);
	     i++) {
		if (!(mask & endpoint_bit(i)))
			continue;
		if (engine->pool->endpoints[i].flags & MPTCP_PM_ADDR_FLAG_FULLMESH)
			done = join_known_addresses(engine, conn, i, out);
		else
			done = join_first_address(engine, conn, i, out);
		if (!done)
			return false;
		conn->spent |= endpoint_bit(i);
	}
	return true;
}

bool conn_use_endpoints(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	conn->work = false;
	if (!conn->established || !conn_is_ours(engine, conn))
		return true;
	conn->work_when = engine->now;
	conn->work = !announce_endpoints(engine, conn, out) ||
		     !join_subflow_endpoints(engine, conn, out) ||
		     !join_fullmesh_again(engine, conn, out);
	return !conn->work;
}
