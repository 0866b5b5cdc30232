// SPDX-License-Identifier: MIT
/*
 * select.c - which endpoint joins which address
 *
 * The kernel's rules for its own endpoints (net/mptcp/pm_kernel.c, 6.18). Every
 * `fullmesh` endpoint joins an announced address, else the first free `laminar` one, else
 * the address that routing picks. `subflow` endpoints join the server's first address.
 */
#include "select.h"
#include "policy.h"
#include "retry.h"

static bool limit_leaves_subflow(const struct conn *conn)
{
	return conn_extra_subflows(conn) < engine_of(conn)->pool->subflows;
}

bool endpoint_must_wait(const struct conn *conn, const struct endpoint *ep)
{
	const struct engine *engine = engine_of(conn);

	/* Until a doomed join has ended, its pair is not free, nor spent. */
	if (engine->held & endpoint_bit(ep - engine->pool->endpoints) ||
	    conn_count(conn, SUBFLOW_BIT(DOOMED), conn_find_ref(conn, &ep->addr), NULL))
		return true;
	return ep->flags & KIND_LAMINAR && !(ep->flags & KIND_FULLMESH) &&
	       conn_uses(conn, conn_find_ref(conn, &ep->addr));
}

static void endpoint_spend(struct conn *conn, unsigned int index)
{
	conn->spent |= conn_endpoints(conn, KIND_SUBFLOW) & endpoint_bit(index);
}

/* Whether an endpoint at @local can join @remote and has not done so. */
static bool pair_is_free(const struct conn *conn, const struct mpaddr *local,
			 const struct addr_ref *remote)
{
	return conn_family_matches(conn, local->family, remote->family) &&
	       !conn_count(conn, SUBFLOW_NOT_CLOSING, conn_find_ref(conn, local), remote);
}

/*
 * The peer forbids joins to its first address, and the limits admit no announcement: the
 * kernel then serves announcements with `subflow` endpoints
 * (mptcp_pm_add_addr_c_flag_case()).
 */
static bool join_c_flag_case(const struct conn *conn)
{
	const uint64_t used = conn->spent & ~conn_first_bit(conn);

	return conn->deny_join_id0 && !(used & conn_endpoints(conn, KIND_SUBFLOW)) &&
	       !engine_of(conn)->pool->add_addr_accepted && limit_leaves_subflow(conn);
}

/*
 * Fill @cmd, with an ID if one is free. @want->local is the address that routing picks,
 * or AF_UNSPEC: unknown, or not asked. Without an endpoint either, the command leaves the
 * choice to the kernel.
 */
static bool join_prepare(struct conn *conn, const struct subflow *want,
			 struct pm_cmd *cmd)
{
	const struct endpoint *ep = subflow_endpoint(conn, want);
	const bool routed = want->local.family != AF_UNSPEC;
	const struct mpaddr *local = conn_addr(conn, want->local);
	const struct used_id *id = conn_id_of(conn, local);
	/*
	 * The kernel gives routing's address an ID of its own, from 1 upwards, and needs
	 * one for the unspecified address, too: take that from the other end.
	 */
	uint8_t wanted = want->remote.family == AF_INET ? UINT8_MAX : UINT8_MAX - 1;

	*cmd = (struct pm_cmd){
		.type = PM_CMD_SUBFLOW_CREATE,
		.token = conn->token,
		.local = { .family = want->remote.family },
		.remote = *conn_addr(conn, want->remote),
		.remote_id = want->remote_id,
		.endpoint = (int)want->endpoint - 1,
		.again = conn->refill & index_bit(want->endpoint),
	};
	if (ep) {
		cmd->local = ep->addr;
		cmd->local.port = 0;
		cmd->flags =
			policy_joins_as_backup(conn, ep) ? MPTCP_PM_ADDR_FLAG_BACKUP : 0;
		cmd->if_idx = routed ? 0 : ep->if_idx;
		wanted = ep->local_id;
	} else if (routed && (!id || id->ours) &&
		   !ref_same_ip(want->local, conn->first)) {
		/*
		 * Name routing's address, unless it is the first subflow's or has an ID
		 * from the kernel, which finds none for it once ID 0 is in its list
		 * (mptcp_userspace_pm_append_new_local_addr()).
		 */
		cmd->local = *local;
		cmd->local_id = conn_id_from_top(conn, local);
		return cmd->local_id;
	}
	/*
	 * As in the kernel, `laminar` endpoints never are the address with ID 0, which
	 * then has another ID for the life of the connection.
	 */
	if ((want->fixed || routed) && index_bit(want->endpoint) & conn_first_bit(conn) &&
	    !conn_id_of(conn, &cmd->local))
		return true;
	cmd->local_id = conn_id_for(conn, &cmd->local, wanted);
	return cmd->local_id;
}

/* @s: the record of a retry, or NULL */
static enum join join_request(struct conn *conn, const struct subflow *want,
			      struct subflow *s, struct pm_cmds *out)
{
	const uint8_t flags = s ? PM_NOTE_FLAG_RETRY : 0;
	struct pm_cmd *cmd = &out->v[out->n];
	struct addr_ref local;

	if (!limit_leaves_subflow(conn) || conn->incomplete)
		return JOIN_LIMIT;
	if (out->n == PM_CMDS_MAX)
		return JOIN_NO_ROOM;
	/* No ID or no memory: trying again soon would not help. */
	if (!join_prepare(conn, want, cmd) || !conn_ref(conn, &cmd->local, &local))
		return JOIN_LIMIT;
	s = s ?: conn_subflow_add(conn, want);
	if (!s)
		return JOIN_LIMIT;
	s->local = local;
	s->local_id = cmd->local_id;
	s->state = SUBFLOW_PENDING;
	s->when = engine_of(conn)->now;
	s->backup = cmd->flags && !engine_of(conn)->flags_ignored;
	/* A link that is just up may lose the first SYN: see conn_revive(). */
	s->lost = cmd->again && !(conn_section(conn)->kinds & KIND_FULLMESH);
	out->n++;
	NOTE_SUBFLOW(conn, s, .what = PM_NOTE_JOINING, .flags = flags);
	return JOIN_REQUESTED;
}

enum join join_retry(struct conn *conn, struct subflow *s, struct pm_cmds *out)
{
	struct subflow want = *s;

	want.local.family = AF_UNSPEC; /* that of the endpoint, not routing's */
	return join_request(conn, &want, s, out);
}

bool join_probe(struct conn *conn, const struct subflow *path, struct pm_cmds *out)
{
	/* The first path has ID 0 only as the kernel's `subflow` endpoints have it. */
	const bool fixed =
		path->fixed || (path->initial && !(conn_section(conn)->kinds &
						   (KIND_LAMINAR | KIND_FULLMESH)));
	struct subflow want = { .endpoint = path->endpoint,
				.remote = path->remote,
				.remote_id = path->remote_id,
				.fixed = fixed,
				.state = SUBFLOW_PROBE,
				.when = engine_of(conn)->now };
	struct pm_cmd *cmd = &out->v[out->n];

	if (out->n == PM_CMDS_MAX || conn->incomplete ||
	    !join_prepare(conn, &want, cmd) || !conn_ref(conn, &cmd->local, &want.local))
		return false;
	want.local_id = cmd->local_id;
	want.backup = cmd->flags && !engine_of(conn)->flags_ignored;
	if (!conn_subflow_add(conn, &want))
		return false;
	out->n++;
	return true;
}

/* Join @ann from each endpoint of @mask. */
static enum join join_from_each(struct conn *conn, uint64_t mask,
				const struct announcement *ann, struct pm_cmds *out)
{
	const struct endpoint *endpoints = engine_of(conn)->pool->endpoints;
	struct subflow want = { .remote = ann->addr,
				.remote_id = ann->remote_id,
				.fixed = true };
	const bool c_flag = join_c_flag_case(conn);
	enum join all = JOIN_NO_ENDPOINT, one;
	int i;

	for_each_bit (i, mask) {
		if (!pair_is_free(conn, &endpoints[i].addr, &want.remote))
			continue;
		want.endpoint = i + 1;
		one = join_request(conn, &want, NULL, out);
		if (one != JOIN_REQUESTED)
			return all == JOIN_REQUESTED && one == JOIN_LIMIT ? all : one;
		all = one;
		if (c_flag)
			endpoint_spend(conn, i);
	}
	return all;
}

/* Index + 1 of the first `laminar` endpoint that matches, is free and has not failed. */
static uint8_t select_laminar(const struct conn *conn, struct announcement *ann)
{
	const uint64_t mask = conn_endpoints(conn, KIND_LAMINAR);
	const struct mpaddr *local;
	int i;

	ann->reason = mask		      ? PM_REASON_FAMILY
		      : engine_of(conn)->held ? PM_REASON_FLAPPING
					      : PM_REASON_UNAVAILABLE;
	for_each_bit (i, mask) {
		local = &engine_of(conn)->pool->endpoints[i].addr;
		if (!conn_family_matches(conn, local->family, ann->addr.family))
			continue;
		if (ann->tried & endpoint_bit(i))
			ann->reason = PM_REASON_ERROR;
		else if (!conn_uses(conn, conn_find_ref(conn, local)))
			return i + 1;
		else if (ann->reason != PM_REASON_ERROR)
			ann->reason = PM_REASON_EXHAUSTED;
	}
	return SUBFLOW_NO_ENDPOINT;
}

static enum join join_laminar(struct conn *conn, struct announcement *ann,
			      struct pm_cmds *out)
{
	const struct subflow want = { .endpoint = select_laminar(conn, ann),
				      .remote = ann->addr,
				      .remote_id = ann->remote_id,
				      .tries = ann->tries };
	enum join r;

	if (!want.endpoint)
		return JOIN_NO_ENDPOINT; /* never a fallback to routing */
	r = join_request(conn, &want, NULL, out);
	if (r == JOIN_REQUESTED)
		endpoint_spend(conn, want.endpoint - 1);
	return r;
}

/* Join from the address that routing picks, which may be an endpoint's. */
static enum join join_routed(struct conn *conn, struct announcement *ann,
			     struct pm_cmds *out)
{
	const struct engine *engine = engine_of(conn);
	struct subflow want = { .remote = ann->addr,
				.remote_id = ann->remote_id,
				.tries = ann->tries };
	struct mpaddr local;

	ann->reason = ann->any_tried ? PM_REASON_ERROR : PM_REASON_FAMILY;
	if (ann->any_tried ||
	    !conn_family_matches(conn, ann->addr.family, ann->addr.family))
		return JOIN_NO_ENDPOINT;
	if (engine->route &&
	    engine->route(engine->ctx, conn_addr(conn, want.remote), &local) &&
	    conn_ref(conn, &local, &want.local)) {
		want.local.port = 0;
		want.endpoint = conn_endpoint(conn, &local);
		/* conn_reconcile() would close a subflow of an endpoint that is down. */
		if (!subflow_has_endpoint(conn, &want))
			want.endpoint = SUBFLOW_NO_ENDPOINT;
	} else if (conn_count(conn, SUBFLOW_BIT(DOOMED), NULL, &ann->addr)) {
		return JOIN_NO_ENDPOINT; /* until it ends: perhaps the same pair */
	}
	return join_request(conn, &want, NULL, out);
}

/* As the kernel's fill_local_addresses_vec() does. */
static enum join join_by_kind(struct conn *conn, struct announcement *ann,
			      struct pm_cmds *out)
{
	const uint32_t kinds = conn_section(conn)->kinds;
	uint64_t mask;
	enum join r;

	if (kinds & KIND_FULLMESH) {
		mask = conn_endpoints(conn, KIND_FULLMESH);
		r = join_from_each(conn, mask, ann, out);
		if (r == JOIN_NO_ROOM && conn_reaches(conn, &ann->addr)) {
			conn->refill |= mask; /* for join_fullmesh_again() */
			conn_set_work(conn);
			return JOIN_REQUESTED;
		}
		if (r != JOIN_NO_ENDPOINT)
			return r;
	}
	if (kinds & KIND_LAMINAR)
		return join_laminar(conn, ann, out);
	if (!ann->remote_id || !join_c_flag_case(conn))
		return join_routed(conn, ann, out);
	mask = conn_endpoints(conn, KIND_SUBFLOW) & ~conn->spent;
	return join_from_each(conn, mask & ~conn_first_bit(conn), ann, out);
}

/* PM_REASON_NONE, or the limit that @ann meets. */
static enum pm_reason limit_reason(const struct conn *conn,
				   const struct announcement *ann)
{
	if (!ann->accepted && ann->remote_id &&
	    conn_count_accepted(conn) >= engine_of(conn)->pool->add_addr_accepted &&
	    !join_c_flag_case(conn))
		return PM_REASON_LIMIT_ACCEPTED;
	return limit_leaves_subflow(conn) ? PM_REASON_NONE : PM_REASON_LIMIT_SUBFLOWS;
}

void join_announced(struct conn *conn, struct announcement *ann, struct pm_cmds *out)
{
	const uint8_t before = ann->reason;

	if (!conn_is_ours(conn)) {
		ann->reason = conn_section(conn)->excluded ? PM_REASON_EXCLUDED
							   : PM_REASON_INHERITED;
		return;
	}
	ann->reason = limit_reason(conn, ann);
	if (ann->reason)
		return;
	switch (join_by_kind(conn, ann, out)) {
	case JOIN_REQUESTED:
		ann->state = PM_ANNOUNCED_JOINED;
		ann->reason = PM_REASON_NONE;
		ann->timed = false;
		ann->accepted = true;
		break;
	case JOIN_NO_ENDPOINT:
		if (ann->reason == PM_REASON_EXHAUSTED && before != ann->reason)
			COUNT(conn, exhausted);
		announcement_set_retry(conn, ann);
		break;
	case JOIN_NO_ROOM:
		conn->again = true;
		ann->reason = PM_REASON_TOO_MANY;
		break;
	case JOIN_LIMIT:
		ann->reason = limit_reason(conn, ann) ?: PM_REASON_TOO_MANY;
		break;
	}
}

void join_waiting(struct conn *conn, struct pm_cmds *out)
{
	struct announcement *ann;

	for_each_announcement (conn, ann)
		if (ann->state == PM_ANNOUNCED_WAITING && !conn_reaches(conn, &ann->addr))
			join_announced(conn, ann, out);
}

/*
 * A `subflow` endpoint joins the peer's first address; one that is `fullmesh`, too, each
 * address that is reached, as in the kernel's fill_remote_addresses_fullmesh().
 */
static bool join_from_endpoint(struct conn *conn, int index, struct pm_cmds *out)
{
	const struct endpoint *ep = &engine_of(conn)->pool->endpoints[index];
	const bool mesh = ep->flags & KIND_FULLMESH;
	struct subflow want = { .endpoint = index + 1,
				.remote = conn->peer,
				.fixed = true };
	unsigned int i, n = mesh ? conn->n_subflows : 1;

	for (i = 0; i < n; i++) {
		if (mesh) {
			if (!(1U << conn->subflows[i].state & SUBFLOW_OPEN))
				continue;
			want.remote = conn->subflows[i].remote;
			want.remote_id = conn->subflows[i].remote_id;
		}
		if ((conn->deny_join_id0 && !want.remote_id) ||
		    !pair_is_free(conn, &ep->addr, &want.remote))
			continue;
		if (join_request(conn, &want, NULL, out) == JOIN_NO_ROOM)
			return false;
	}
	return true;
}

static bool join_from_subflow_endpoints(struct conn *conn, struct pm_cmds *out)
{
	const uint64_t mask = conn_endpoints(conn, KIND_SUBFLOW) & ~conn->spent;
	int i;

	/* Nobody listens at a client's first address. */
	if (!mask || conn->server_side || join_c_flag_case(conn))
		return true;
	for_each_bit (i, mask) {
		if (!limit_leaves_subflow(conn))
			break;
		if (endpoint_must_wait(conn, &engine_of(conn)->pool->endpoints[i]))
			continue;
		if (!join_from_endpoint(conn, i, out))
			return false;
		conn->spent |= endpoint_bit(i);
	}
	return true;
}

/* `fullmesh` endpoints that came back join what others have joined meanwhile. */
static bool join_fullmesh_again(struct conn *conn, struct pm_cmds *out)
{
	const uint64_t mask = conn->refill & conn_endpoints(conn, KIND_FULLMESH);
	struct announcement *ann;

	for_each_announcement (conn, ann)
		if (mask && ann->state == PM_ANNOUNCED_JOINED &&
		    join_from_each(conn, mask, ann, out) == JOIN_NO_ROOM)
			return false;
	conn->refill &= ~mask;
	return true;
}

static bool announce_endpoints(struct conn *conn, struct pm_cmds *out)
{
	/* The peer knows the address of MP_CAPABLE, and those that have joined. */
	const uint64_t mask =
		conn_endpoints(conn, KIND_SIGNAL) & ~conn->signalled & ~conn->spent;
	const struct endpoint *ep;
	uint8_t id;
	int i;

	for_each_bit (i, mask) {
		if (out->n == PM_CMDS_MAX)
			return false;
		ep = &engine_of(conn)->pool->endpoints[i];
		id = conn_id_for(conn, &ep->addr, ep->local_id);
		if (!id)
			continue;
		conn_id_of(conn, &ep->addr)->withdraw = false;
		conn->signalled |= endpoint_bit(i);
		out->v[out->n++] =
			(struct pm_cmd){ .type = PM_CMD_ANNOUNCE,
					 .token = conn->token,
					 .local = ep->addr,
					 .local_id = id,
					 .flags = policy_joins_as_backup(conn, ep)
							  ? MPTCP_PM_ADDR_FLAG_BACKUP
							  : 0,
					 .endpoint = i };
		/* As in the kernel, this ends the case of join_c_flag_case(). */
		if (conn->deny_join_id0)
			endpoint_spend(conn, i);
		NOTE(conn, .what = PM_NOTE_SIGNALLED, .local = ep->addr, .local_id = id);
	}
	return true;
}

bool conn_use_endpoints(struct conn *conn, struct pm_cmds *out)
{
	conn->work = false;
	if (!conn->established || !conn_is_ours(conn))
		return true;
	conn->work_when = engine_of(conn)->now;
	conn->work = !announce_endpoints(conn, out) ||
		     !join_from_subflow_endpoints(conn, out) ||
		     !join_fullmesh_again(conn, out);
	return !conn->work;
}
