// SPDX-License-Identifier: MIT
/*
 * resync.c - after lost events, and in a forked child
 *
 * sock_diag lists the kernel's subflows; a child has a copy of its parent's engine.
 */
#include "state.h"

#include <errno.h>

void engine_inherit(struct engine *engine)
{
	struct conn *conn, *tmp;

	HASH_ITER (hh, engine->table.conns, conn, tmp) {
		if (engine->waiting && !conn->inherited)
			conn_free(conn);
		else
			conn->inherited = true;
	}
	engine->waiting = true;
	engine->counters = (struct pm_counters){ 0 };
}

void engine_take_over(struct engine *engine)
{
	engine->waiting = false;
	engine->table.cursor = engine->table.conns;
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

	for (conn = engine->table.conns; conn; conn = conn->hh.next) {
		/* What holds unless their subflow is found again */
		for_each_announcement (conn, ann)
			if (ann->state == PM_ANNOUNCED_JOINED)
				ann->state = conn_count(conn, SUBFLOW_BIT(PENDING), NULL,
							&ann->addr)
						     ? PM_ANNOUNCED_WAITING
						     : PM_ANNOUNCED_CLOSED;
		for (i = conn->n_subflows; i--;)
			if (conn->subflows[i].state != SUBFLOW_RETRY)
				conn_subflow_del(conn, &conn->subflows[i]);
	}
}

/* Our side has joined an address, so the peer announced it, seen or not. */
static void resync_announcement(struct conn *conn, const struct pm_event *sub)
{
	struct announcement *ann;

	if (!sub->remote_id || conn_announced(conn, -1, &sub->remote))
		return;
	ann = conn_announced_add(conn, sub->remote_id, &sub->remote);
	if (!ann)
		return;
	ann->state = PM_ANNOUNCED_JOINED;
	ann->accepted = true;
}

int engine_resync_subflow(struct engine *engine, const struct pm_event *sub, bool live,
			  bool initial)
{
	struct conn *conn = conn_find(&engine->table, sub->token);
	struct subflow *s;

	if (!conn)
		return -ENOENT;
	if (initial && !live)
		return 0; /* not established: its events will come */
	conn_confirm(conn);
	if (initial && !conn->family)
		conn_set_first(conn, sub);
	conn->established |= initial;
	s = subflow_add(conn, sub, live ? SUBFLOW_LIVE : SUBFLOW_PENDING, initial);
	if (!s)
		return -ENOMEM;
	s->endpoint = conn_endpoint(conn, &sub->local);
	s->backup = s->endpoint &&
		    subflow_endpoint(conn, s)->flags & MPTCP_PM_ADDR_FLAG_BACKUP;
	conn->spent |= conn_first_bit(conn);
	conn_id_seen(conn, &sub->local, sub->local_id);
	if (!initial && !sub->server_side)
		resync_announcement(conn, sub);
	return 0;
}

void engine_resync_end(struct engine *engine)
{
	struct announcement *ann;
	struct conn *conn, *tmp;
	struct subflow *s;
	bool any;

	HASH_ITER (hh, engine->table.conns, conn, tmp) {
		any = !conn->confirmed;
		for_each_subflow (conn, s)
			any |= s->state != SUBFLOW_RETRY;
		if (!any) {
			conn_free(conn);
			continue;
		}
		for_each_announcement (conn, ann)
			if (conn_reaches(conn, &ann->addr))
				ann->state = PM_ANNOUNCED_JOINED;
	}
	engine->table.cursor = engine->table.conns;
}
