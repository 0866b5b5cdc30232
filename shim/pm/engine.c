// SPDX-License-Identifier: MIT
/*
 * engine.c - choose subflows from path-manager events
 *
 * Pure: no I/O, clock or globals. One event in, a bounded list of commands out,
 * so that a test can replay any history. The rules are those of DESIGN.md section 4,
 * which are the kernel's own for laminar endpoints (net/mptcp/pm_kernel.c, 6.18).
 */
#include "conn.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <stdlib.h>

struct engine {
	const struct pool *pool;
	struct conn_table table;
	struct engine_counters counters;
	bool has_laminar;
	bool waiting; /* for the process that has the inherited connections */
};

/* What came of trying to join an announcement. */
enum join {
	JOIN_REQUESTED,
	JOIN_NO_ENDPOINT,
	JOIN_LIMIT,
	JOIN_NOT_OURS, /* the parent process does it */
	JOIN_NO_ROOM,  /* in the list of commands, or in memory */
};

static uint64_t endpoint_bit(unsigned int index)
{
	_Static_assert(POOL_ENDPOINTS_MAX <= 64, "struct announcement.tried has 64 bits");
	return UINT64_C(1) << index;
}

struct engine *engine_new(const struct pool *pool)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	unsigned int i;

	if (!engine)
		return NULL;
	engine->pool = pool;
	for (i = 0; i < pool->n_endpoints; i++)
		if (pool->endpoints[i].flags & MPTCP_PM_ADDR_FLAG_LAMINAR)
			engine->has_laminar = true;
	return engine;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	conn_table_free(&engine->table);
	free(engine);
}

int engine_register(struct engine *engine, const struct pm_registration *reg)
{
	if (conn_find(&engine->table, reg->token))
		return 0;
	return conn_add(&engine->table, reg) ? 0 : -ENOSPC;
}

unsigned int engine_expire(struct engine *engine, int64_t since, unsigned int keep)
{
	struct conn *conn, *tmp;
	unsigned int n = 0;

	HASH_ITER (hh, engine->table.unconfirmed, conn, tmp) {
		if (conn->registered >= since ||
		    HASH_COUNT(engine->table.unconfirmed) <= keep)
			break; /* the table is in the order of registration */
		conn_free(&engine->table, conn);
		n++;
	}
	return n;
}

/* As mptcp_pm_addr_families_match() has it, with mapped addresses held as IPv4. */
static bool families_match(const struct conn *conn, const struct mpaddr *local,
			   const struct mpaddr *remote)
{
	if (conn->family == AF_INET)
		return local->family == AF_INET && remote->family == AF_INET;
	if (conn->v6only)
		return local->family == AF_INET6 && remote->family == AF_INET6;
	return local->family == remote->family;
}

/* The first laminar endpoint that fits, is not in use and did not fail for @ann. */
static int endpoint_pick(const struct engine *engine, const struct conn *conn,
			 const struct announcement *ann)
{
	const struct endpoint *ep = engine->pool->endpoints;
	unsigned int i;

	for (i = 0; i < engine->pool->n_endpoints; i++, ep++) {
		if (!(ep->flags & MPTCP_PM_ADDR_FLAG_LAMINAR))
			continue;
		if (!families_match(conn, &ep->addr, &ann->addr))
			continue;
		if (ann->tried & endpoint_bit(i) || conn_uses(conn, &ep->addr))
			continue;
		return i;
	}
	return -1;
}

static bool below_limits(const struct engine *engine, const struct conn *conn,
			 const struct announcement *ann)
{
	if (conn_extra_subflows(conn) >= engine->pool->subflows)
		return false;
	/* ID 0 is the address of MP_CAPABLE come back: it does not count. */
	return ann->accepted || !ann->remote_id ||
	       conn->accepted < engine->pool->add_addr_accepted;
}

static void accept_count(struct conn *conn, struct announcement *ann, bool accepted)
{
	if (!ann->remote_id || ann->accepted == accepted)
		return;
	ann->accepted = accepted;
	conn->accepted += accepted ? 1 : -1;
}

/*
 * The kernel gives the address that routing picks an ID of its own, from 1 upwards, and
 * wants one for the address of all zeros beside it: one from the other end.
 */
static uint8_t any_id(const struct mpaddr *any)
{
	return any->family == AF_INET ? UINT8_MAX : UINT8_MAX - 1;
}

/* Fill @cmd. Without an endpoint, the address of all zeros leaves it to routing. */
static int join_prepare(struct engine *engine, struct conn *conn,
			const struct announcement *ann, int index, struct pm_cmd *cmd)
{
	const struct mpaddr any = { .family = ann->addr.family };
	const struct endpoint *ep = NULL;

	if (index >= 0)
		ep = &engine->pool->endpoints[index];
	*cmd = (struct pm_cmd){
		.type = PM_CMD_SUBFLOW_CREATE,
		.token = conn->token,
		.local = ep ? ep->addr : any,
		.remote = ann->addr,
		.flags = ep ? ep->flags & MPTCP_PM_ADDR_FLAG_BACKUP : 0,
		.endpoint = index,
	};
	cmd->local_id = conn_id_for(&engine->table, conn, &cmd->local,
				    ep ? ep->local_id : any_id(&any));
	return cmd->local_id ? 0 : -ENOSPC;
}

/* Try to join @ann; on JOIN_REQUESTED a command was pushed and a subflow is pending. */
static enum join announcement_join(struct engine *engine, struct conn *conn,
				   struct announcement *ann, struct pm_cmds *out)
{
	struct subflow pending = { .state = SUBFLOW_PENDING };
	int index = PM_CMD_NO_ENDPOINT;
	struct pm_cmd *cmd;

	if (engine->waiting && conn->inherited)
		return JOIN_NOT_OURS;
	if (!below_limits(engine, conn, ann))
		return JOIN_LIMIT;
	if (engine->has_laminar) {
		index = endpoint_pick(engine, conn, ann);
		if (index < 0)
			return JOIN_NO_ENDPOINT; /* never a fallback to routing */
	} else if (ann->any_tried || !families_match(conn, &ann->addr, &ann->addr)) {
		return JOIN_NO_ENDPOINT;
	}
	if (out->n == PM_CMDS_MAX)
		return JOIN_NO_ROOM;
	cmd = &out->v[out->n];
	if (join_prepare(engine, conn, ann, index, cmd) < 0)
		return JOIN_NO_ROOM;
	pending.local = cmd->local;
	pending.remote = cmd->remote;
	pending.local_id = cmd->local_id;
	pending.remote_id = ann->remote_id;
	if (!conn_subflow_add(conn, &pending))
		return JOIN_NO_ROOM;
	out->n++;
	ann->state = ANNOUNCE_JOINED;
	accept_count(conn, ann, true);
	engine->counters.subflows_requested++;
	return JOIN_REQUESTED;
}

/* Something became free: an endpoint, or room below a limit. */
static void waiting_retry(struct engine *engine, struct conn *conn, struct pm_cmds *out)
{
	unsigned int i;

	for (i = 0; i < conn->n_announced; i++) {
		struct announcement *ann = &conn->announced[i];

		if (ann->state == ANNOUNCE_WAITING && !conn_reaches(conn, &ann->addr))
			announcement_join(engine, conn, ann, out);
	}
}

/* Neither the filter nor the kernel's rule for ID 0 is against it. */
static bool announcement_allowed(const struct engine *engine, const struct conn *conn,
				 const struct pm_event *ev)
{
	if (!ev->remote_id && !mpaddr_same_ip(&ev->remote, &conn->peer))
		return false;
	return pool_accepts(engine->pool, &conn->peer, &ev->remote);
}

/* Withdrawn and announced again during its join: remembered, as that may yet fail. */
static void announced_meanwhile(const struct engine *engine, struct conn *conn,
				const struct pm_event *ev)
{
	struct announcement *ann;

	if (conn_announced(conn, ev->remote_id, &ev->remote) ||
	    !conn_joining(conn, &ev->remote) || !announcement_allowed(engine, conn, ev))
		return;
	ann = conn_announced_add(conn, ev->remote_id, &ev->remote);
	if (ann)
		ann->state = ANNOUNCE_JOINED;
}

/*
 * on_announced() - the peer sent ADD_ADDR (RFC 8684, 3.4.1)
 */
static int on_announced(struct engine *engine, struct conn *conn,
			const struct pm_event *ev, struct pm_cmds *out)
{
	struct announcement *ann;

	engine->counters.add_addr_received++;
	ann = conn_announced(conn, ev->remote_id, &ev->remote);
	/* The kernel passes retransmitted and repeated ADD_ADDRs on as new events. */
	if (ann || conn_reaches(conn, &ev->remote))
		engine->counters.add_addr_repeated++;
	if (conn_reaches(conn, &ev->remote)) {
		announced_meanwhile(engine, conn, ev);
		return 0;
	}
	if (!ann)
		ann = conn_announced_add(conn, ev->remote_id, &ev->remote);
	if (!ann) {
		engine->counters.add_addr_refused++;
		return 0;
	}
	if (!announcement_allowed(engine, conn, ev)) {
		ann->state = ANNOUNCE_REFUSED;
		engine->counters.add_addr_refused++;
		return 0;
	}
	ann->state = ANNOUNCE_WAITING;
	ann->tried = 0;
	ann->any_tried = false;
	switch (announcement_join(engine, conn, ann, out)) {
	case JOIN_REQUESTED:
	case JOIN_NOT_OURS:
		break;
	case JOIN_NO_ENDPOINT:
	case JOIN_NO_ROOM:
		engine->counters.add_addr_waiting++;
		break;
	case JOIN_LIMIT:
		engine->counters.add_addr_refused++;
		break;
	}
	return 0;
}

/* The peer sent REMOVE_ADDR (RFC 8684, 3.4.2); the kernel closes the subflows itself. */
static void on_removed(struct engine *engine, struct conn *conn,
		       const struct pm_event *ev, struct pm_cmds *out)
{
	unsigned int i = 0;

	engine->counters.rm_addr_received++;
	while (i < conn->n_announced) {
		struct announcement *ann = &conn->announced[i];

		if (ann->remote_id != ev->remote_id) {
			i++;
			continue;
		}
		accept_count(conn, ann, false);
		conn_announced_del(conn, ann);
	}
	waiting_retry(engine, conn, out); /* add_addr_accepted may have room now */
}

/* MP_CAPABLE: CREATED and ESTABLISHED both tell the addresses of the first subflow. */
static int on_created(struct conn *conn, const struct pm_event *ev)
{
	const struct subflow initial = {
		.local = ev->local,
		.remote = ev->remote,
		.local_id = ev->local_id,
		.remote_id = ev->remote_id,
		.state = SUBFLOW_LIVE,
		.initial = true,
	};

	conn->family = ev->family;
	conn->peer = ev->remote;
	if (conn_subflow_find(conn, &ev->local, &ev->remote))
		return 0;
	return conn_subflow_add(conn, &initial) ? 0 : -ENOMEM;
}

/* The announcement that a subflow joins; two may have the same address. */
static struct announcement *announcement_of(struct conn *conn,
					    const struct subflow *subflow)
{
	struct announcement *ann;

	ann = conn_announced(conn, subflow->remote_id, &subflow->remote);
	return ann ?: conn_announced_to(conn, &subflow->remote);
}

static int on_sub_established(struct engine *engine, struct conn *conn,
			      const struct pm_event *ev)
{
	struct subflow *subflow = conn_subflow_find(conn, &ev->local, &ev->remote);
	const struct subflow foreign = { .remote = ev->remote,
					 .remote_id = ev->remote_id };
	bool ours = subflow && subflow->state == SUBFLOW_PENDING;
	struct announcement *ann;

	if (!subflow)
		subflow = conn_subflow_add(conn, &foreign);
	if (!subflow)
		return -ENOMEM;
	subflow->local = ev->local;
	subflow->local_id = ev->local_id;
	subflow->state = SUBFLOW_LIVE;
	ann = announcement_of(conn, subflow);
	if (ann)
		ann->state = ANNOUNCE_JOINED;
	if (ours && ann)
		engine->counters.add_addr_joined++;
	engine->counters.subflows_established++;
	conn_id_seen(&engine->table, conn, &ev->local, ev->local_id);
	return 0;
}

/* A join did not come about: its endpoint is marked, so that the next one is tried. */
static struct announcement *join_failed(struct engine *engine, struct conn *conn,
					const struct subflow *subflow)
{
	struct announcement *ann = announcement_of(conn, subflow);
	const struct pool *pool = engine->pool;
	unsigned int i;

	engine->counters.subflows_failed++;
	if (!ann)
		return NULL;
	ann->state = ANNOUNCE_WAITING;
	ann->any_tried = true;
	for (i = 0; i < pool->n_endpoints; i++)
		if (mpaddr_same_ip(&pool->endpoints[i].addr, &subflow->local))
			ann->tried |= endpoint_bit(i);
	return ann;
}

static void on_sub_closed(struct engine *engine, struct conn *conn,
			  const struct pm_event *ev, struct pm_cmds *out)
{
	struct subflow *subflow = conn_subflow_find(conn, &ev->local, &ev->remote);
	struct announcement *ann;

	if (!subflow)
		return;
	if (subflow->state == SUBFLOW_PENDING) {
		join_failed(engine, conn, subflow);
	} else {
		engine->counters.subflows_closed++;
		ann = announcement_of(conn, subflow);
		if (ann)
			ann->state = ANNOUNCE_CLOSED;
	}
	conn_subflow_del(conn, subflow);
	waiting_retry(engine, conn, out);
}

int engine_handle(struct engine *engine, const struct pm_event *ev, struct pm_cmds *out)
{
	struct conn *conn = conn_find(&engine->table, ev->token);

	if (!conn)
		return -ENOENT;
	conn_confirm(&engine->table, conn);
	switch (ev->type) {
	case PM_EVENT_CREATED:
	case PM_EVENT_ESTABLISHED:
		return on_created(conn, ev);
	case PM_EVENT_CLOSED:
		conn_free(&engine->table, conn);
		return 0;
	case PM_EVENT_ANNOUNCED:
		return on_announced(engine, conn, ev, out);
	case PM_EVENT_REMOVED:
		on_removed(engine, conn, ev, out);
		return 0;
	case PM_EVENT_SUB_ESTABLISHED:
		return on_sub_established(engine, conn, ev);
	case PM_EVENT_SUB_CLOSED:
		on_sub_closed(engine, conn, ev, out);
		return 0;
	case PM_EVENT_SUB_PRIORITY:
		return 0; /* the peer's wish, which the kernel's scheduler follows */
	}
	return 0;
}

void engine_result(struct engine *engine, const struct pm_cmd *cmd, int error,
		   struct pm_cmds *out)
{
	struct conn *conn = conn_find(&engine->table, cmd->token);
	struct announcement *ann;
	struct subflow *subflow;

	if (!error || !conn)
		return;
	subflow = conn_subflow_find(conn, &cmd->local, &cmd->remote);
	if (!subflow || subflow->state != SUBFLOW_PENDING)
		return;
	ann = join_failed(engine, conn, subflow);
	conn_subflow_del(conn, subflow);
	/* As in the kernel, what created no subflow does not count as accepted. */
	if (ann)
		accept_count(conn, ann, false);
	waiting_retry(engine, conn, out);
}

void engine_inherit(struct engine *engine)
{
	struct conn_table *table = &engine->table;
	struct conn *conn, *tmp;

	if (engine->waiting) {
		HASH_ITER (hh, table->confirmed, conn, tmp)
			if (!conn->inherited)
				conn_free(table, conn);
		HASH_ITER (hh, table->unconfirmed, conn, tmp)
			if (!conn->inherited)
				conn_free(table, conn);
	}
	for (conn = table->confirmed; conn; conn = conn->hh.next)
		conn->inherited = true;
	for (conn = table->unconfirmed; conn; conn = conn->hh.next)
		conn->inherited = true;
	engine->waiting = true;
	engine->counters = (struct engine_counters){ 0 };
}

void engine_take_over(struct engine *engine)
{
	engine->waiting = false;
}

void engine_retry(struct engine *engine, struct pm_cmds *out)
{
	struct conn *conn;

	for (conn = engine->table.confirmed; conn && out->n < PM_CMDS_MAX;
	     conn = conn->hh.next)
		waiting_retry(engine, conn, out);
}

void engine_resync_begin(struct engine *engine)
{
	struct announcement *ann;
	struct conn *conn;

	for (conn = engine->table.confirmed; conn; conn = conn->hh.next) {
		/* If their subflow is not found: a join has failed, a live one was
		 * closed. */
		for (ann = conn->announced; ann < conn->announced + conn->n_announced;
		     ann++)
			if (ann->state == ANNOUNCE_JOINED)
				ann->state = conn_joining(conn, &ann->addr)
						     ? ANNOUNCE_WAITING
						     : ANNOUNCE_CLOSED;
		conn->n_subflows = 0;
	}
}

int engine_resync_subflow(struct engine *engine, const struct pm_event *sub, bool live,
			  bool initial)
{
	struct conn *conn = conn_find(&engine->table, sub->token);
	const struct subflow subflow = {
		.local = sub->local,
		.remote = sub->remote,
		.local_id = sub->local_id,
		.remote_id = sub->remote_id,
		.state = live ? SUBFLOW_LIVE : SUBFLOW_PENDING,
		.initial = initial,
	};

	if (!conn)
		return -ENOENT;
	if (initial && !live)
		return 0; /* not established: its events are still to come */
	conn_confirm(&engine->table, conn);
	if (initial && !conn->family) {
		conn->family = sub->family;
		conn->peer = sub->remote;
	}
	conn_id_seen(&engine->table, conn, &sub->local, sub->local_id);
	return conn_subflow_add(conn, &subflow) ? 0 : -ENOMEM;
}

void engine_resync_end(struct engine *engine)
{
	struct announcement *ann;
	struct conn *conn, *tmp;

	HASH_ITER (hh, engine->table.confirmed, conn, tmp) {
		if (!conn->n_subflows) {
			conn_free(&engine->table, conn);
			continue;
		}
		for (ann = conn->announced; ann < conn->announced + conn->n_announced;
		     ann++)
			if (conn_reaches(conn, &ann->addr))
				ann->state = ANNOUNCE_JOINED;
	}
}

const struct engine_counters *engine_counters(const struct engine *engine)
{
	return &engine->counters;
}

unsigned int engine_conns(const struct engine *engine)
{
	return HASH_COUNT(engine->table.confirmed) +
	       HASH_COUNT(engine->table.unconfirmed);
}

unsigned int engine_used_ids(const struct engine *engine)
{
	return HASH_COUNT(engine->table.ids);
}

static void conn_view(const struct conn *conn, struct engine_conn_view *view)
{
	unsigned int i;

	*view = (struct engine_conn_view){
		.token = conn->token,
		.subflows = conn->n_subflows,
		.announced = conn->n_announced,
		.established = conn->confirmed,
	};
	for (i = 0; i < conn->n_announced; i++)
		view->waiting += conn->announced[i].state == ANNOUNCE_WAITING;
}

unsigned int engine_view(const struct engine *engine, unsigned int first,
			 unsigned int max, struct engine_conn_view *ret_views,
			 unsigned int *ret_total)
{
	const struct conn *heads[] = { engine->table.confirmed,
				       engine->table.unconfirmed };
	unsigned int i, index = 0, n = 0;
	const struct conn *conn;

	for (i = 0; i < 2; i++) {
		for (conn = heads[i]; conn; conn = conn->hh.next) {
			if (engine->waiting && conn->inherited)
				continue;
			if (index++ >= first && n < max)
				conn_view(conn, &ret_views[n++]);
		}
	}
	*ret_total = index;
	return n;
}
