// SPDX-License-Identifier: MIT
/*
 * resync.c - connections that an engine did not see from the beginning
 *
 * A forked child has a copy of its parent's; after lost events the kernel is asked.
 */
#include "state.h"

#include <errno.h>

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
	engine->counters = (struct pm_counters){ 0 };
}

void engine_take_over(struct engine *engine)
{
	engine->waiting = false;
	engine->table.cursor = engine->table.confirmed;
	engine->rescan = true;
}

bool engine_is_waiting(const struct engine *engine)
{
	return engine->waiting;
}

void engine_resync_begin(struct engine *engine)
{
	struct announcement *ann;
	struct conn *conn;
	unsigned int i;

	for (conn = engine->table.confirmed; conn; conn = conn->hh.next) {
		/* If their subflow is not found: a join has failed, a live one was
		 * closed.
		 */
		for_each_announcement(conn, ann) if (ann->state == PM_ANNOUNCED_JOINED)
			ann->state = conn_joins(conn, &ann->addr) ? PM_ANNOUNCED_WAITING
								  : PM_ANNOUNCED_CLOSED;
		for (i = 0; i < conn->n_subflows;)
			if (conn->subflows[i].state == SUBFLOW_RETRY)
				i++;
			else
				conn_subflow_del(conn, &conn->subflows[i]);
	}
}

/* Our side has joined an address of the peer: it was told of it, seen or not. */
static void resync_announcement(struct conn *conn, const struct pm_event *sub)
{
	struct announcement *ann;

	if (!sub->remote_id || conn_announced_to(conn, &sub->remote))
		return;
	ann = conn_announced_add(conn, sub->remote_id, &sub->remote);
	if (!ann)
		return;
	ann->state = PM_ANNOUNCED_JOINED;
	announcement_count_accepted(conn, ann, true);
}

int engine_resync_subflow(struct engine *engine, const struct pm_event *sub, bool live,
			  bool initial)
{
	struct conn *conn = conn_find(&engine->table, sub->token);
	struct subflow subflow = {
		.local = sub->local,
		.remote = sub->remote,
		.local_id = sub->local_id,
		.remote_id = sub->remote_id,
		.state = live ? SUBFLOW_LIVE : SUBFLOW_PENDING,
		.when = engine->now,
		.initial = initial,
	};

	if (!conn)
		return -ENOENT;
	if (initial && !live)
		return 0; /* not established: its events are still to come */
	conn_confirm(&engine->table, conn);
	if (initial && !conn->family) {
		conn->family = sub->family;
		conn->first = sub->local;
		conn->peer = sub->remote;
		conn->section = pool_section(engine->pool, &conn->peer);
		conn->excluded = engine->pool->sections[conn->section].excluded;
	}
	conn->established |= initial;
	subflow.endpoint = conn_endpoint(engine, conn, &sub->local);
	if (subflow.endpoint)
		subflow.backup = engine->pool->endpoints[subflow.endpoint - 1].flags &
				 MPTCP_PM_ADDR_FLAG_BACKUP;
	if (initial)
		conn->mpc = subflow.endpoint;
	if (conn->mpc)
		conn->spent |= endpoint_bit(conn->mpc - 1);
	conn_id_seen(&engine->table, conn, &sub->local, sub->local_id);
	if (!initial && !sub->server_side)
		resync_announcement(conn, sub);
	return conn_subflow_add(conn, &subflow) ? 0 : -ENOMEM;
}

void engine_resync_end(struct engine *engine)
{
	struct announcement *ann;
	struct conn *conn, *tmp;
	struct subflow *s;
	bool any;

	HASH_ITER (hh, engine->table.confirmed, conn, tmp) {
		any = false;
		for_each_subflow (conn, s)
			any |= s->state != SUBFLOW_RETRY;
		if (!any) {
			conn_free(&engine->table, conn);
			continue;
		}
		for_each_announcement(conn, ann) if (conn_reaches(conn, &ann->addr))
			ann->state = PM_ANNOUNCED_JOINED;
	}
	engine->table.cursor = engine->table.confirmed;
	engine->rescan = true;
}
