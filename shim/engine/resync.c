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
	struct subflow *s;

	HASH_ITER (hh, engine->table.conns, conn, tmp) {
		if (engine->waiting && !conn->inherited)
			conn_free(conn);
		else
			conn->inherited = true;
	}
	for (conn = engine->table.conns; conn; conn = conn->hh.next)
		for_each_subflow (conn, s)
			s->carried = 0; /* the parent counts it */
	engine->metered = 0;
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

/* What holds unless their subflow is found again */
static void resync_begin(struct conn *conn)
{
	struct announcement *ann;
	struct subflow *s;

	conn->incomplete = false;
	conn->ended = true;
	for_each_announcement (conn, ann)
		if (ann->state == PM_ANNOUNCED_JOINED)
			ann->state =
				conn_count(conn, SUBFLOW_BIT(PENDING), NULL, &ann->addr)
					? PM_ANNOUNCED_WAITING
					: PM_ANNOUNCED_CLOSED;
	for_each_subflow (conn, s)
		if (s->state != SUBFLOW_RETRY)
			conn_subflow_del(conn, s--);
}

static void resync_subflow(struct conn *conn, const struct pm_subflow *f)
{
	const struct pm_event *sub = &f->sub;
	struct announcement *ann;
	struct subflow *s;

	if (f->initial && !f->live)
		return; /* not established: its events will come */
	conn_confirm(conn);
	if (f->initial && !conn->family && !conn_set_first(conn, sub))
		return;
	conn->established |= f->initial;
	s = subflow_add(conn, sub, f->live ? SUBFLOW_LIVE : SUBFLOW_PENDING, f->initial);
	if (!s)
		return;
	s->endpoint = conn_endpoint(conn, &sub->local);
	s->backup = sub->backup;
	conn->spent |= conn_first_bit(conn);
	conn_id_seen(conn, &sub->local, sub->local_id);
	/* Our side has joined an address, so the peer announced it, seen or not. */
	if (f->initial || sub->server_side || !sub->remote_id ||
	    conn_announced(conn, -1, conn_find_ref(conn, &sub->remote)))
		return;
	ann = conn_announced_add(conn, sub->remote_id, &sub->remote);
	if (ann)
		ann->accepted = true;
}

static void resync_end(struct conn *conn)
{
	bool any = !conn->confirmed;
	struct announcement *ann;
	struct subflow *s;

	for_each_subflow (conn, s)
		any |= s->state != SUBFLOW_RETRY;
	for_each_announcement (conn, ann)
		if (conn_reaches(conn, &ann->addr))
			ann->state = PM_ANNOUNCED_JOINED;
	/* Joins beside a path of the same pair are probes. */
	for_each_subflow (conn, s)
		if (s->state == SUBFLOW_PENDING &&
		    conn_count(conn, SUBFLOW_BIT(LIVE), &s->local, &s->remote))
			s->state = SUBFLOW_PROBE;
	if (!any)
		conn_free(conn);
}

int engine_resync(struct engine *engine, const struct pm_subflow *subflows,
		  unsigned int n)
{
	struct conn *conn, *tmp;
	unsigned int i;
	int r = 0;

	for (conn = engine->table.conns; conn; conn = conn->hh.next)
		resync_begin(conn);
	for (i = 0; i < n; i++) {
		conn = conn_find(&engine->table, subflows[i].sub.token);
		if (conn)
			resync_subflow(conn, &subflows[i]);
	}
	HASH_ITER (hh, engine->table.conns, conn, tmp) {
		r = conn->incomplete ? -ENOMEM : r;
		resync_end(conn);
	}
	engine->table.cursor = engine->table.conns;
	return r;
}
