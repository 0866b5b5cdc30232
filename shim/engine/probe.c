// SPDX-License-Identifier: MIT
/*
 * probe.c - paths that carry nothing while their link is up: black holes
 *
 * No event reports one, so connections with several paths are checked by PM_CMD_CHECK:
 * every few seconds while data flows, more and more rarely while none does. A path is
 * silent if its retransmissions have no answer. A receiver has nothing to retransmit: for
 * it a path is silent if it brought data, brings none now, and others bring so much that
 * a sender would use each path that answers. Then it is probed by a join from the same
 * endpoint to the same address, which NATs and middleboxes treat as they would treat the
 * path made anew, and which no program sees. Once a probe is answered, it replaces the
 * path; until then nothing is reset. An answer to the first probe shows a path that
 * merely has nothing to do.
 */
#include "probe.h"
#include "flap.h"
#include "policy.h"
#include "reconcile.h"
#include "retry.h"
#include "revive.h"
#include "select.h"

#include <errno.h>
#include <sys/param.h>

#define WATCH_MS	  2000 /* between checks while data flows; 1 ms more a connection */
#define WATCH_TOGETHER_MS 1024 /* a power of 2: connections are checked together */
#define IDLE_MAX	  5    /* 64 s between checks, at most */
#define QUIET_CHECKS	  2
#define QUIET_MAX	  127 /* more than PATIENCE_MAX demands */
#define PATIENCE_MAX	  5
#define QUIET_BYTES	  (32 << 10) /* what others bring meanwhile, at least */
#define RETRANSMITS	  2	     /* without an answer */
#define PROBE_MS	  1500 /* between probes, at least: the kernel repeats a SYN after 1 s */
#define PROBE_PART	  64 /* likewise: this part of the time without data */

/* With a [policy], others do not show that data is due. */
#define POLICY_MS	   126
#define POLICY_TOGETHER_MS 128
#define POLICY_IDLE_MAX	   3 /* one second */
#define POLICY_PATIENCE	   1
#define POLICY_PROBE_MS	   250 /* for the answer to the first probe */

static uint32_t subflow_silence(const struct conn *conn, const struct subflow *s)
{
	return (uint32_t)engine_of(conn)->now - s->heard;
}

static uint32_t probe_interval(const struct conn *conn, const struct subflow *path)
{
	const uint32_t part = subflow_silence(conn, path) / PROBE_PART;
	const uint32_t least =
		policy_rules(conn) && !path->unanswered ? POLICY_PROBE_MS : PROBE_MS;

	return MAX(MIN(part, engine_of(conn)->pool->retry.max_ms),
		   MAX(least, 2 * path->rtt_ms));
}

/* The other one of a silent path and its probe: @state says which one; or NULL. */
static struct subflow *subflow_other(struct conn *conn, const struct subflow *one,
				     enum subflow_state state)
{
	struct subflow *s;

	for_each_subflow (conn, s)
		if (s != one && s->state == state && s->endpoint == one->endpoint &&
		    ref_equal(s->remote, one->remote) &&
		    (state == SUBFLOW_PROBE || s->silent))
			return s;
	return NULL;
}

static void note_path(struct conn *conn, const struct subflow *path,
		      enum pm_note_what what)
{
	NOTE_SUBFLOW(conn, path, .what = what,
		     .seconds = subflow_silence(conn, path) / 1000);
}

/* @path is a black hole: it had no answer. */
static void path_confirm(struct conn *conn, struct subflow *path)
{
	if (!path->unanswered)
		note_path(conn, path, PM_NOTE_SILENT);
	path->unanswered = true;
	conn->judge |= policy_rules(conn);
}

/* Whether a probe of @path may start: others that share its endpoint share its fate. */
static bool endpoint_may_probe(const struct conn *conn, struct subflow *path)
{
	const struct engine *engine = engine_of(conn);
	const unsigned int i = path->endpoint - 1;
	const uint32_t now = engine->now;

	if (now - engine->probed[i] >= PROBE_MS || now - engine->answered[i] < PROBE_MS)
		return true;
	path->when = engine->probed[i] + PROBE_MS;
	return false;
}

/* The endpoint has a way out again: probe the other silent paths from it. */
static void endpoint_answers(struct engine *engine, uint8_t endpoint)
{
	struct conn *conn;
	struct subflow *s;

	engine->answered[endpoint - 1] = engine->now;
	for (conn = engine->table.conns; conn; conn = conn->hh.next) {
		bool any = false;

		for_each_subflow (conn, s) {
			if (s->state != SUBFLOW_LIVE || !s->silent ||
			    s->endpoint != endpoint)
				continue;
			s->when = engine->now;
			any = true;
		}
		if (any)
			conn_schedule(conn);
	}
}

static void probe_end(struct conn *conn, struct subflow *probe, struct pm_cmds *out)
{
	push_command(out, PM_CMD_SUBFLOW_DESTROY, conn, probe);
	probe->unanswered = true;
}

/* Return: false if @out is full. */
static bool subflow_probe(struct conn *conn, struct subflow *path, struct pm_cmds *out)
{
	struct engine *engine = engine_of(conn);
	struct subflow *probe = subflow_other(conn, path, SUBFLOW_PROBE);

	if (path->lost || !subflow_has_endpoint(conn, path) ||
	    (!policy_rules(conn) && !subflow_can_return(conn, path)) ||
	    !conn_keeps_path(conn, path)) {
		path->silent = path->unanswered = false;
		return true;
	}
	if (!engine_time_reached(engine, path->when))
		return true;
	if (policy_rules(conn) &&
	    (!engine->pool->retry.tries || !subflow_can_return(conn, path))) {
		path->when = engine->now + PROBE_MS;
		return true;
	}
	if (engine->held & index_bit(path->endpoint)) {
		path->when = engine->held_until;
		return true;
	}
	if (out->n == PM_CMDS_MAX)
		return false;
	path->when = engine->now + PROBE_MS;
	if (probe && !probe->unanswered) {
		path_confirm(conn, path);
		probe_end(conn, probe, out); /* probe_closed() starts the next one */
	} else if (!probe && endpoint_may_probe(conn, path)) {
		engine->probed[path->endpoint - 1] = engine->now;
		path->when = engine->now + probe_interval(conn, path);
		COUNT(conn, probes);
		join_probe(conn, path, out);
	}
	return true;
}

static void conn_watch_later(struct conn *conn)
{
	const struct engine *engine = engine_of(conn);
	const bool policy = policy_rules(conn);
	const uint32_t ms = policy ? POLICY_MS : WATCH_MS;
	const uint32_t together = policy ? POLICY_TOGETHER_MS : WATCH_TOGETHER_MS;
	const unsigned int idle = policy ? MIN(conn->idle, POLICY_IDLE_MAX) : conn->idle;

	conn->watch_when =
		(engine->now + ((ms + engine_conns(engine)) << idle)) | (together - 1);
}

/* Check the paths from endpoints. */
static void conn_watch(struct conn *conn, struct pm_cmds *out)
{
	struct pm_cmd *cmd;
	struct subflow *s;

	conn_watch_later(conn);
	conn->idle += conn->idle < IDLE_MAX;
	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE || s->lost ||
		    !subflow_has_endpoint(conn, s) ||
		    !(policy_rules(conn) ? index_bit(s->endpoint) != 0
					 : subflow_is_metered(conn, s) ||
						   subflow_can_return(conn, s)))
			continue;
		if (out->n == PM_CMDS_MAX)
			break; /* no connection has so many paths */
		cmd = push_command(out, PM_CMD_CHECK, conn, s);
		cmd->if_idx = MAX(subflow_endpoint(conn, s)->if_idx, 0);
		cmd->link = -1;
	}
}

/* It has no path any more, and holds its endpoint until it has ended. */
static bool probe_doom(struct conn *conn, struct subflow *probe, struct pm_cmds *out)
{
	if (out->n == PM_CMDS_MAX && !probe->unanswered)
		return false;
	if (!probe->unanswered)
		probe_end(conn, probe, out);
	probe->state = SUBFLOW_DOOMED;
	return true;
}

bool conn_probe(struct conn *conn, struct pm_cmds *out)
{
	unsigned int i;

	if (!conn_is_ours(conn))
		return true;
	for (i = 0; i < conn->n_subflows; i++) {
		struct subflow *s = &conn->subflows[i];

		if (s->state == SUBFLOW_LIVE && s->silent) {
			if (!subflow_probe(conn, s, out))
				return false;
		} else if (s->state == SUBFLOW_PROBE &&
			   !subflow_other(conn, s, SUBFLOW_LIVE)) {
			if (!probe_doom(conn, s, out))
				return false;
		}
	}
	if (conn->watched && engine_time_reached(engine_of(conn), conn->watch_when))
		conn_watch(conn, out);
	return true;
}

/* @path, whose link did not go down, was checked. */
static void path_checked(struct conn *conn, struct subflow *path,
			 const struct pm_health *health)
{
	const bool heard = path->carried != health->carried;
	const uint32_t more = health->delivered - path->delivered;
	const bool policy = policy_rules(conn), owes = policy && !path->backup;
	const bool receives =
		health->quiet_ms == UINT32_MAX || health->quiet_ms < WATCH_MS;
	bool stuck = health->retransmits >= RETRANSMITS;

	path->rtt_ms = MIN(health->rtt_ms, UINT16_MAX);
	path->min_rtt_ms = MIN(health->min_rtt_ms, UINT16_MAX);
	path->carried = health->carried;
	path->delivered = health->delivered;
	if (conn->idle && (more || heard || stuck)) {
		conn->idle = 0;
		conn_watch_later(conn);
	}
	if (conn->server_side)
		return; /* only counted */
	if (heard) {
		if (path->silent && path->unanswered)
			note_path(conn, path, PM_NOTE_HEARD);
		conn->again |= path->silent; /* its probe has no path any more */
		path->heard = engine_of(conn)->now;
		path->used = health->received;
		path->silent = path->unanswered = false;
		path->quiet = 0;
		return;
	}
	path->quiet += path->quiet < QUIET_MAX &&
		       ((path->used && receives && (more >= QUIET_BYTES || owes)) ||
			(policy && health->retransmits));
	stuck |= policy && health->retransmits && path->quiet >= QUIET_CHECKS;
	if (!path->silent && !stuck &&
	    path->quiet < QUIET_CHECKS << (policy ? MIN(path->patience, POLICY_PATIENCE)
						  : path->patience))
		return;
	if (!conn_keeps_path(conn, path)) /* subflow_probe() would not ask */
		return;
	if (stuck)
		path_confirm(conn, path);
	if (path->silent)
		return;
	path->silent = true;
	path->when = engine_of(conn)->now;
}

void engine_checked(struct engine *engine, const struct pm_cmd *cmd,
		    const struct pm_health *health, struct pm_cmds *out)
{
	struct conn *conn = conn_find(&engine->table, cmd->token);
	struct subflow *s =
		conn ? conn_subflow_find(conn, conn_find_ref(conn, &cmd->local),
					 conn_find_ref(conn, &cmd->remote))
		     : NULL;
	const uint32_t bytes = s ? health->carried - s->carried : 0;
	const uint32_t before = s ? s->carried : 0;

	if (!s || s->state != SUBFLOW_LIVE)
		return;
	if (s->lost) {
		subflow_checked(conn, s, health, out);
	} else {
		path_checked(conn, s, health);
		policy_checked(conn, s, bytes);
	}
	/* After 0, another manager may have counted these bytes. */
	if (before && subflow_is_metered(conn, s))
		engine->metered += s->carried - before;
	conn_schedule(conn);
}

/* @probe takes the place of @path. */
static void probe_inherit(struct subflow *probe, const struct subflow *path)
{
	probe->tries = path->tries;
	probe->initial = path->initial;
	probe->fixed = path->fixed;
}

void probe_answered(struct conn *conn, struct subflow *probe, struct pm_cmds *out)
{
	struct subflow *path = subflow_other(conn, probe, SUBFLOW_LIVE);
	struct pm_cmd *cmd;

	if (probe->endpoint != SUBFLOW_ENDPOINT_REMOVED)
		endpoint_answers(engine_of(conn), probe->endpoint);
	/* One that is being ended may have gone already: probe_closed() starts another.
	 */
	if (!path || !path->unanswered || probe->unanswered) {
		if (path && !path->unanswered) {
			path->silent = path->used = false;
			path->quiet = 0;
			path->patience += path->patience < PATIENCE_MAX;
		}
		probe_end(conn, probe, out);
		return;
	}
	cmd = push_command(out, PM_CMD_SUBFLOW_DESTROY, conn, path);
	cmd->reset = true;
	cmd->if_idx = MAX(subflow_endpoint(conn, path)->if_idx, 0);
	path->state = SUBFLOW_CLOSING;
	conn->ended = true; /* its event may follow the end of the probe */
	probe_inherit(probe, path);
	probe->state = SUBFLOW_LIVE;
	probe->when = probe->heard = engine_of(conn)->now;
	note_path(conn, path, PM_NOTE_RENEWED);
	flap_went(engine_of(conn), conn_addr(conn, path->local));
	flap_came(engine_of(conn), conn_addr(conn, path->local));
	flap_hold(engine_of(conn));
}

void probe_closed(struct conn *conn, struct subflow *probe, uint8_t error)
{
	struct subflow *path = subflow_other(conn, probe, SUBFLOW_LIVE);

	if (path && probe->unanswered)
		path->when = engine_of(conn)->now;
	else if (path && error != ECONNREFUSED && error != ECONNRESET)
		path_confirm(conn, path);
	conn_subflow_del(conn, probe);
}

bool probe_follows(struct conn *conn, const struct subflow *path, bool failed,
		   struct pm_cmds *out)
{
	struct subflow *probe = subflow_other(conn, path, SUBFLOW_PROBE);

	if (!probe)
		return false;
	if (!failed || probe->unanswered) {
		probe_doom(conn, probe, out);
		return false;
	}
	probe_inherit(probe, path);
	probe->state = SUBFLOW_PENDING;
	return true;
}
