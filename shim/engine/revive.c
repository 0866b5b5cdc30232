// SPDX-License-Identifier: MIT
/*
 * revive.c - paths whose link goes down and comes back, and what waits for a route
 *
 * While a link is down its subflows stay: the sender moves their data to other paths. It
 * does so only after time-outs, and once the other path's queue is empty, a piece with
 * each time-out. Closing the subflow moves everything at once, but behind that queue. So
 * a connection that stalls loses its subflow; others keep theirs.
 *
 * A subflow that was kept goes on when its retransmission timer, or the peer's, expires,
 * which takes ever longer. So they are checked once link, address and route are back: one
 * that carries nothing in two round-trips, while the connection has data, is made anew.
 */
#include "revive.h"
#include "reconcile.h"
#include "retry.h"

#include <errno.h>
#include <sys/param.h>

#define CHECK_MIN_MS 100
#define CHECK_MAX_MS 1000
#define CHECKS	     10 /* of an idle connection, at growing intervals: two minutes */
#define RECENT_MS    5000
#define BUSY_MS	     300 /* when the link went down, the connection received data */
#define ARRIVES_MS   50	 /* data arrives meanwhile, but what precedes it is missing */

bool subflow_can_return(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);

	if (!ep || s->removed || conn->server_side ||
	    (conn->deny_join_id0 && ref_equal(s->remote, conn->peer)))
		return false;
	if (s->initial && (conn_section(conn)->kinds & (KIND_LAMINAR | KIND_FULLMESH)))
		return true;
	return s->initial || s->fixed
		       ? ep->flags & (KIND_SUBFLOW | KIND_FULLMESH)
		       : subflow_announcement((struct conn *)conn, s) != NULL;
}

bool conn_revive(struct conn *conn, struct pm_cmds *out)
{
	const struct endpoint *ep;
	struct pm_cmd *cmd;
	struct subflow *s;

	if (!conn_is_ours(conn))
		return true;
	for_each_subflow (conn, s) {
		ep = subflow_endpoint(conn, s);
		if (!subflow_is_back(conn, s) && !subflow_is_down(conn, s)) {
			s->checks = 0;
			continue;
		}
		if (out->n == PM_CMDS_MAX)
			return false;
		if (s->state == SUBFLOW_PENDING) {
			if (engine_time_reached(engine_of(conn), s->when + STUCK_MS))
				subflow_doom(conn, s, ETIMEDOUT, out);
		} else if (s->state == SUBFLOW_LIVE && s->checks != CHECKS_DONE &&
			   (!s->checks ||
			    engine_time_reached(engine_of(conn), s->when))) {
			cmd = push_command(out, PM_CMD_CHECK, conn, s);
			cmd->if_idx = MAX(ep->if_idx, 0);
			cmd->link = subflow_is_down(conn, s) ? -1 : ep->link;
		}
	}
	return true;
}

static void subflow_renew(struct conn *conn, struct subflow *s, struct pm_cmds *out)
{
	struct pm_cmd *cmd = push_command(out, PM_CMD_SUBFLOW_DESTROY, conn, s);

	cmd->reset = true;
	cmd->if_idx = MAX(subflow_endpoint(conn, s)->if_idx, 0);
	subflow_release_endpoint(conn, s);
	s->state = SUBFLOW_CLOSING;
	s->checks = 0;
	conn_set_work(conn);
}

static bool subflow_may_renew(const struct conn *conn, const struct subflow *s,
			      const struct pm_cmds *out)
{
	/* A path that [policy] keeps in reserve, too */
	return !(subflow_endpoint(conn, s)->flags & MPTCP_PM_ADDR_FLAG_BACKUP) &&
	       out->n + 2 <= PM_CMDS_MAX && subflow_can_return(conn, s) &&
	       conn_keeps_path(conn, s);
}

/*
 * The link of @s is down: does the connection stall? A receiver knows it only if it went
 * on meanwhile, or if data arrives that follows what is missing: otherwise the peer may
 * have sent all. REMOVE_ADDR makes a peer that sends
 * move its data. If we send, so does the reset, and REMOVE_ADDR might be queued behind
 * our data, arrive after the next join, and close that.
 */
static void down_checked(struct conn *conn, struct subflow *s,
			 const struct pm_health *health, struct pm_cmds *out)
{
	const bool busy = s->checks || health->unacked || health->quiet_ms < BUSY_MS;
	const bool stalls =
		health->unacked || s->checks > 1 || health->quiet_ms < ARRIVES_MS;

	if (!s->checks || s->delivered != health->delivered) {
		s->delivered = health->delivered;
		s->checks = busy ? s->checks + 1 : CHECKS_DONE;
	} else if (stalls && subflow_may_renew(conn, s, out)) {
		if (!health->unacked)
			push_command(out, PM_CMD_REMOVE, conn, s);
		subflow_renew(conn, s, out);
	} else {
		s->checks = CHECKS_DONE;
	}
}

/* Its link is back. */
static void back_checked(struct conn *conn, struct subflow *s,
			 const struct pm_health *health, struct pm_cmds *out)
{
	const bool busy = health->unacked || health->quiet_ms < RECENT_MS ||
			  health->delivered != s->delivered;

	if (!s->checks) {
		s->carried = health->carried;
		s->delivered = health->delivered;
	} else if (s->carried != health->carried || s->checks == CHECKS) {
		s->lost = false;
		s->checks = 0;
		s->when = engine_of(conn)->now;
		return;
	} else if (busy && subflow_may_renew(conn, s, out)) {
		/* No REMOVE_ADDR: it might arrive after the join. */
		subflow_renew(conn, s, out);
		return;
	}
	s->checks++;
}

void subflow_checked(struct conn *conn, struct subflow *s, const struct pm_health *health,
		     struct pm_cmds *out)
{
	const uint32_t wait = MIN(MAX(2 * health->rtt_ms, CHECK_MIN_MS), CHECK_MAX_MS);
	const bool down = subflow_is_down(conn, s);

	s->when = engine_of(conn)->now + (down ? wait : wait << s->checks);
	if (down)
		down_checked(conn, s, health, out);
	else if (health->routed)
		back_checked(conn, s, health, out);
	else
		s->checks = 0; /* until engine_rerouted() */
}

static bool error_is_local(uint8_t error)
{
	return error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL ||
	       error == ENODEV || error == EINVAL;
}

/* What the peer has refused, or not answered, is tried @other. */
static void conn_rerouted(struct conn *conn, unsigned int families, uint32_t other)
{
	const uint32_t now = engine_of(conn)->now;
	struct announcement *ann;
	struct subflow *s;
	uint32_t when;
	bool any = false;

	for_each_announcement (conn, ann) {
		when = error_is_local(ann->error) ? now : other;
		if (!(families & FAMILY_BIT(ann->addr.family)) || !ann->any_tried ||
		    (ann->timed && (int32_t)(ann->when - when) < 0))
			continue;
		ann->timed = any = true;
		ann->when = when;
	}
	for_each_subflow (conn, s) {
		if (!(families & FAMILY_BIT(s->remote.family)))
			continue;
		when = error_is_local(conn->last_error) ? now : other;
		if (s->state == SUBFLOW_RETRY && (int32_t)(s->when - when) > 0)
			s->when = when;
		/* Without a route, a join bound to a device asks the link for its peer.
		 */
		s->lost |= s->state == SUBFLOW_PENDING;
		any |= s->lost || s->state == SUBFLOW_RETRY;
	}
	if (!any)
		return;
	conn_set_work(conn);
	conn_schedule(conn);
}

void engine_rerouted(struct engine *engine, unsigned int families)
{
	const int64_t next = engine->rerouted + engine->pool->retry.first_ms;
	const int64_t other = next > engine->now ? next : engine->now;
	struct conn *conn;

	engine->rerouted = other;
	for (conn = engine->table.conns; conn; conn = conn->hh.next)
		conn_rerouted(conn, families, other);
}
