// SPDX-License-Identifier: MIT
/*
 * events.c - apply a path-manager event
 *
 * One event in, a bounded list of commands out, so that a test can replay any history.
 */
#include "policy.h"
#include "probe.h"
#include "reconcile.h"
#include "retry.h"
#include "select.h"

#include <errno.h>

/*
 * The first ADD_ADDR establishes a client's connection; its event follows that of
 * ESTABLISHED. As in the kernel, announcements come before `subflow` endpoints.
 */
#define WORK_DELAY_MS 1

/* An address announced again while it is joined: its subflow may yet fail. */
static void announcement_remember(struct conn *conn, const struct pm_event *ev)
{
	const struct addr_ref *remote = conn_find_ref(conn, &ev->remote);
	struct announcement *ann;

	if (conn_announced(conn, ev->remote_id, remote) ||
	    !conn_count(conn, SUBFLOW_OPEN | SUBFLOW_JOINED, NULL, remote) ||
	    conn_refusal(conn, ev->remote_id, &ev->remote))
		return;
	ann = conn_announced_add(conn, ev->remote_id, &ev->remote);
	if (ann)
		ann->state = PM_ANNOUNCED_JOINED;
}

/* The peer sent ADD_ADDR (RFC 8684, 3.4.1). */
static void on_announced(struct conn *conn, const struct pm_event *ev,
			 struct pm_cmds *out)
{
	const struct addr_ref *remote = conn_find_ref(conn, &ev->remote);
	struct engine *engine = engine_of(conn);
	struct announcement *ann = conn_announced(conn, ev->remote_id, remote);
	const bool reached = conn_reaches(conn, remote);
	struct pm_note heard = { .what = PM_NOTE_ANNOUNCED,
				 .remote = ev->remote,
				 .remote_id = ev->remote_id };
	struct subflow *s;

	for_each_subflow (conn, s)
		if (ref_equal(s->remote, *remote))
			s->removed = false;
	/* The kernel reports repeated and retransmitted ADD_ADDRs, too. */
	if (ann || reached)
		COUNT(conn, add_addr_repeated);
	engine->heard = &heard;
	if (reached) {
		announcement_remember(conn, ev);
		heard.what = PM_NOTE_REPEATED;
	} else if (ann && ann->reason == PM_REASON_PROHIBITED) {
		heard.what = PM_NOTE_REPEATED; /* the peer's reset is final */
		heard.reason = PM_REASON_PROHIBITED;
	} else if (!ann &&
		   !(ann = conn_announced_add(conn, ev->remote_id, &ev->remote))) {
		heard.reason = PM_REASON_TOO_MANY;
	} else if ((heard.reason = conn_refusal(conn, ev->remote_id, &ev->remote))) {
		ann->state = PM_ANNOUNCED_REFUSED;
		ann->reason = heard.reason;
	} else {
		ann->state = PM_ANNOUNCED_WAITING;
		announcement_forget_tries(ann);
		join_announced(conn, ann, out);
		if (ann->state == PM_ANNOUNCED_WAITING)
			heard.reason = ann->reason;
		if (conn->work) /* the first one: then come `subflow` endpoints */
			conn_use_endpoints(conn, out);
	}
	if (engine->heard)
		note_add(engine, conn, &heard);
	engine->heard = NULL;
}

/* A limit or an endpoint has room: retry what waits for it. */
static void join_after_release(struct conn *conn, struct pm_cmds *out)
{
	join_waiting(conn, out);
	if (!conn->work && conn_endpoints(conn, KIND_SUBFLOW) & ~conn->spent)
		conn_use_endpoints(conn, out);
}

/* The peer sent REMOVE_ADDR (RFC 8684, 3.4.2); the kernel closes the subflows. */
static void on_removed(struct conn *conn, const struct pm_event *ev, struct pm_cmds *out)
{
	struct subflow *s;
	unsigned int i;

	NOTE(conn, .what = PM_NOTE_REMOVED, .remote_id = ev->remote_id);
	for (i = conn->n_announced; i--;)
		if (conn->announced[i].remote_id == ev->remote_id)
			conn_announced_del(conn, &conn->announced[i]);
	for (i = conn->n_subflows; i--;) {
		s = &conn->subflows[i];
		s->removed |= s->remote_id == ev->remote_id;
		if (s->removed && s->state == SUBFLOW_RETRY)
			conn_subflow_del(conn, s);
	}
	join_after_release(conn, out); /* add_addr_accepted may have room now */
}

/* The subflow that @ev is about, or NULL. */
static struct subflow *event_subflow(struct conn *conn, const struct pm_event *ev)
{
	return conn_subflow_find(conn, conn_find_ref(conn, &ev->local),
				 conn_find_ref(conn, &ev->remote));
}

/* CREATED, or ESTABLISHED: both have the addresses of MP_CAPABLE. */
static int on_created(struct conn *conn, const struct pm_event *ev)
{
	const bool set = conn_set_first(conn, ev);

	conn->server_side |= ev->server_side;
	conn->deny_join_id0 |= ev->deny_join_id0;
	if (!set ||
	    (!event_subflow(conn, ev) && !subflow_add(conn, ev, SUBFLOW_LIVE, true)))
		return -ENOMEM;
	return 0;
}

/* Use the endpoints that need no announcement. */
static int on_established(struct conn *conn, const struct pm_event *ev,
			  struct pm_cmds *out)
{
	int r = on_created(conn, ev);

	if (r < 0 || conn->established)
		return r;
	conn->established = true;
	NOTE(conn, .what = PM_NOTE_ESTABLISHED, .local = ev->local,
	     .local_id = ev->local_id, .remote = ev->remote, .remote_id = ev->remote_id,
	     .reason = conn_first_reason(conn));
	conn_find_endpoints(conn);
	if (!conn_section(conn)->kinds)
		return 0;
	conn->work = true;
	conn->work_when = engine_of(conn)->now;
	if (conn_section(conn)->kinds & KIND_SUBFLOW && !conn->server_side)
		conn->work_when += WORK_DELAY_MS;
	else
		conn_use_endpoints(conn, out);
	conn_reconcile(conn, out);
	return 0;
}

/* Whether a doomed subflow that was established after all has its endpoint back. */
static bool doomed_is_usable(const struct conn *conn, const struct subflow *s)
{
	return subflow_has_endpoint(conn, s) && !conn_reaches(conn, &s->remote) &&
	       conn_extra_subflows(conn) <= engine_of(conn)->pool->subflows;
}

static bool conn_has_path(const struct conn *conn)
{
	const struct subflow *s;

	for_each_subflow (conn, s)
		if (s->state == SUBFLOW_LIVE)
			return true;
	return false;
}

static int on_sub_established(struct conn *conn, const struct pm_event *ev,
			      struct pm_cmds *out)
{
	struct subflow *subflow = event_subflow(conn, ev);
	bool ours = subflow && subflow->state == SUBFLOW_PENDING;
	bool doomed = subflow && subflow->state == SUBFLOW_DOOMED;
	bool probe = subflow && subflow->state == SUBFLOW_PROBE;
	const bool alone = !conn_has_path(conn);
	struct announcement *ann;

	if (doomed && !doomed_is_usable(conn, subflow))
		subflow->endpoint =
			SUBFLOW_ENDPOINT_REMOVED; /* conn_reconcile() ends it */
	if (!subflow)
		subflow = subflow_add(conn, ev, SUBFLOW_LIVE, false);
	if (!subflow)
		return -ENOMEM;
	if (!conn_ref(conn, &ev->local, &subflow->local)) {
		conn->incomplete = true;
		return -ENOMEM;
	}
	subflow->local_id = ev->local_id;
	conn_id_seen(conn, &ev->local, ev->local_id);
	if (probe) {
		probe_answered(conn, subflow, out);
		conn_reconcile(conn, out);
		return 0;
	}
	subflow->state = SUBFLOW_LIVE;
	subflow->lost = false;
	subflow->checks = 0;
	subflow->when = subflow->heard = engine_of(conn)->now;
	if (!ours && !doomed)
		subflow->endpoint = conn_endpoint(conn, &ev->local);
	ann = subflow_announcement(conn, subflow);
	if (ann && subflow->endpoint != SUBFLOW_ENDPOINT_REMOVED)
		ann->state = PM_ANNOUNCED_JOINED;
	if (ours && ann)
		COUNT(conn, add_addr_joined);
	if (alone)
		policy_resumes(conn, subflow);
	NOTE_SUBFLOW(conn, subflow,
		     .what = ours ? PM_NOTE_JOINED : PM_NOTE_SUBFLOW_FOREIGN);
	conn_reconcile(conn, out);
	return 0;
}

static void note_closed(struct conn *conn, const struct subflow *s,
			const struct pm_event *ev)
{
	struct pm_note note = { .what = PM_NOTE_SUBFLOW_CLOSED, .error = ev->error };
	const struct endpoint *ep = subflow_endpoint(conn, s);

	if (s->state == SUBFLOW_CLOSING) {
		note.reason = s->lost	  ? PM_REASON_STALLED
			      : s->silent ? PM_REASON_SILENT
			      : ep && ep->state == ENDPOINT_SPENT
				      ? PM_REASON_QUOTA
				      : PM_REASON_ENDPOINT_DOWN;
		note.error = 0; /* our own */
	} else if (s->removed) {
		note.reason = PM_REASON_REMOVED;
	} else if (ev->error) {
		note.reason = ev->reset_reason == PM_RESET_PROHIBITED
				      ? PM_REASON_PROHIBITED
				      : PM_REASON_ERROR;
	}
	note_subflow(conn, s, note);
}

static void join_failed(struct conn *conn, struct subflow *s, uint8_t error,
			uint8_t reset_reason, uint8_t flags)
{
	NOTE_SUBFLOW(conn, s, .what = PM_NOTE_JOIN_FAILED, .error = error, .flags = flags,
		     .reason = reset_reason == PM_RESET_PROHIBITED ? PM_REASON_PROHIBITED
								   : PM_REASON_ERROR);
	subflow_failed(conn, s, error, reset_reason);
}

static void on_sub_closed(struct conn *conn, const struct pm_event *ev,
			  struct pm_cmds *out)
{
	struct subflow *subflow = event_subflow(conn, ev);
	struct announcement *ann;
	bool live, refused, failed, ended;

	if (!subflow)
		return;
	live = subflow->state == SUBFLOW_LIVE;
	if (live || subflow->state == SUBFLOW_CLOSING)
		note_closed(conn, subflow, ev);
	refused = live && !subflow->removed && subflow_is_refused(conn, subflow) &&
		  (!ev->error || ev->reset_reason == PM_RESET_PROHIBITED);
	if (live) /* a peer that refuses tells nothing about the uplink */
		policy_path_ended(conn, subflow, ev->error && !refused);
	/* Before a path has ended, the peer would refuse it again. */
	failed = live && !subflow->removed && (ev->error || (refused && conn->ended));
	ended = (live && !refused) || subflow->state == SUBFLOW_CLOSING;
	if (subflow->state == SUBFLOW_PENDING) {
		join_failed(conn, subflow, ev->error, ev->reset_reason, 0);
	} else if (subflow->state == SUBFLOW_PROBE) {
		probe_closed(conn, subflow, ev->error);
	} else if (live && probe_follows(conn, subflow, failed, out)) {
		conn_subflow_del(conn, subflow);
	} else if (failed) {
		subflow_failed(conn, subflow, ev->error, ev->reset_reason);
	} else {
		ann = subflow_announcement(conn, subflow);
		if (live && ann)
			ann->state = PM_ANNOUNCED_CLOSED;
		conn_subflow_del(conn, subflow);
	}
	conn->ended |= ended;
	join_after_release(conn, out);
}

bool engine_lacks_first(struct engine *engine, uint32_t token)
{
	const struct conn *conn = conn_find(&engine->table, token);

	return conn && !conn->established;
}

int engine_handle(struct engine *engine, const struct pm_event *ev, struct pm_cmds *out)
{
	struct conn *conn = conn_find(&engine->table, ev->token);
	int r = 0;

	if (!conn)
		return -ENOENT;
	conn_table_sweep(&engine->table);
	conn_confirm(conn);
	switch (ev->type) {
	case PM_EVENT_CREATED:
		r = on_created(conn, ev);
		break;
	case PM_EVENT_ESTABLISHED:
		r = on_established(conn, ev, out);
		break;
	case PM_EVENT_CLOSED:
		NOTE(conn, .what = PM_NOTE_CLOSED);
		conn_free(conn);
		return 0;
	case PM_EVENT_ANNOUNCED:
		on_announced(conn, ev, out);
		break;
	case PM_EVENT_REMOVED:
		on_removed(conn, ev, out);
		break;
	case PM_EVENT_SUB_ESTABLISHED:
		r = on_sub_established(conn, ev, out);
		break;
	case PM_EVENT_SUB_CLOSED:
		on_sub_closed(conn, ev, out);
		break;
	case PM_EVENT_LISTENER_CLOSED:
		break;
	case PM_EVENT_SUB_PRIORITY: /* the kernel's scheduler follows it */
		NOTE(conn, .what = PM_NOTE_PRIORITY, .local = ev->local,
		     .local_id = ev->local_id, .remote = ev->remote,
		     .remote_id = ev->remote_id,
		     .flags = ev->backup ? PM_NOTE_FLAG_BACKUP : 0);
		break;
	}
	conn_schedule(conn);
	return r;
}

/* The join or probe that @cmd requested, not a doomed one of the same pair; or NULL. */
static struct subflow *subflow_of_command(struct conn *conn, const struct pm_cmd *cmd)
{
	struct subflow *s;

	for_each_subflow (conn, s)
		if ((s->state == SUBFLOW_PENDING || s->state == SUBFLOW_PROBE) &&
		    mpaddr_equal(conn_addr(conn, s->local), &cmd->local) &&
		    mpaddr_equal(conn_addr(conn, s->remote), &cmd->remote))
			return s;
	return NULL;
}

static void join_refused(struct conn *conn, const struct pm_cmd *cmd, int error,
			 struct pm_cmds *out)
{
	struct subflow *subflow = subflow_of_command(conn, cmd);
	struct announcement *ann;

	if (subflow && subflow->state == SUBFLOW_PROBE)
		probe_closed(conn, subflow, error);
	if (!subflow || subflow->state != SUBFLOW_PENDING)
		return;
	ann = subflow_announcement(conn, subflow);
	/* As in the kernel, a refused join does not count against add_addr_accepted. */
	if (ann && !subflow->fixed)
		ann->accepted = false;
	join_failed(conn, subflow, error, 0, PM_NOTE_FLAG_REFUSED);
	join_after_release(conn, out);
}

/* @s stays up; conn_reconcile(), conn_revive() and conn_probe() try again. */
static void destroy_refused(struct conn *conn, struct subflow *s)
{
	if (s->state == SUBFLOW_PROBE)
		s->unanswered = false;
	if (s->state != SUBFLOW_CLOSING)
		return;
	s->state = SUBFLOW_LIVE;
	policy_refused(conn, s);
}

void engine_result(struct engine *engine, const struct pm_cmd *cmd, int error,
		   struct pm_cmds *out)
{
	struct conn *conn = conn_find(&engine->table, cmd->token);
	struct subflow *s;

	if (!error || !conn)
		return;
	s = conn_subflow_find(conn, conn_find_ref(conn, &cmd->local),
			      conn_find_ref(conn, &cmd->remote));
	if (cmd->type == PM_CMD_SUBFLOW_CREATE) {
		join_refused(conn, cmd, error, out);
	} else if (cmd->type == PM_CMD_SET_FLAGS) {
		if (s && s->state == SUBFLOW_LIVE)
			policy_refused(conn, s);
	} else if (cmd->type == PM_CMD_SUBFLOW_DESTROY) {
		if (s && error != ESRCH) /* its event follows */
			destroy_refused(conn, s);
	}
	conn_schedule(conn);
}
