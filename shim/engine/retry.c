// SPDX-License-Identifier: MIT
/*
 * retry.c - when a failed join is tried again
 *
 * The delay doubles with each try. Each connection has
 * one timer, for its earliest retry.
 */
#include "retry.h"
#include "policy.h"

#include <sys/param.h>

/* The delay is spread by an eighth, so that not all retries come at once. */
uint32_t retry_delay(const struct conn *conn, unsigned int tries)
{
	const struct pool_retry *retry = &engine_of(conn)->pool->retry;
	uint64_t delay = tries < retry->tries ? retry->first_ms : retry->max_ms;

	while (tries-- && delay < retry->max_ms)
		delay *= 2;
	if (delay > retry->max_ms)
		delay = retry->max_ms;
	return delay + delay * (conn->token * UINT32_C(2654435761) >> 24) / 2048;
}

void announcement_set_retry(struct conn *conn, struct announcement *ann)
{
	struct engine *engine = engine_of(conn);
	const unsigned int tries = engine->pool->retry.tries;

	if (ann->timed || !ann->any_tried || !tries)
		return;
	ann->when = engine->now + retry_delay(conn, ann->tries);
	ann->tries += ann->tries < tries;
	ann->timed = true;
}

struct announcement *announce_first_address(struct conn *conn)
{
	struct announcement *ann = conn_announced(conn, -1, &conn->peer);

	if (ann || conn->deny_join_id0 || conn->server_side ||
	    !(conn_section(conn)->kinds & (KIND_LAMINAR | KIND_FULLMESH)))
		return ann;
	return conn_announced_add(conn, 0, conn_addr(conn, conn->peer));
}

bool subflow_frees_announcement(const struct conn *conn, const struct subflow *s)
{
	/* `fullmesh` endpoints join it on their own; without any, `laminar` ones do. */
	return !s->fixed || (conn_section(conn)->kinds & KIND_LAMINAR &&
			     conn_count(conn, SUBFLOW_OPEN | SUBFLOW_BIT(RETRY), NULL,
					&s->remote) == 1);
}

bool subflow_is_refused(const struct conn *conn, const struct subflow *s)
{
	return s->state == SUBFLOW_LIVE && !ref_equal(s->local, conn->first) &&
	       (uint32_t)engine_of(conn)->now - s->when < FRESH_MS;
}

/* The state of @ann after its subflow @s failed. */
static void announcement_failed(struct conn *conn, struct announcement *ann,
				const struct subflow *s, unsigned int tries,
				bool for_good)
{
	if (for_good) {
		ann->state = PM_ANNOUNCED_REFUSED;
		ann->reason = PM_REASON_PROHIBITED;
	} else if (s->state == SUBFLOW_LIVE && !engine_of(conn)->pool->retry.tries) {
		ann->state = PM_ANNOUNCED_CLOSED;
	} else if (!s->fixed || (s->endpoint == SUBFLOW_ENDPOINT_REMOVED &&
				 subflow_frees_announcement(conn, s))) {
		ann->state = PM_ANNOUNCED_WAITING;
		ann->reason = PM_REASON_ERROR;
		ann->tries = s->state == SUBFLOW_LIVE ? tries : ann->tries;
		ann->any_tried = true;
		ann->tried |= index_bit(s->endpoint);
	}
}

void subflow_failed(struct conn *conn, struct subflow *s, uint8_t error,
		    uint8_t reset_reason)
{
	const struct engine *engine = engine_of(conn);
	const struct pool_retry *retry = &engine->pool->retry;
	/* A peer at its limit may still count a path that has ended here. */
	const bool for_good = reset_reason == PM_RESET_PROHIBITED && !conn->ended;
	/* A subflow that was established for long starts again with short delays. */
	const bool starts_again = s->state == SUBFLOW_LIVE &&
				  (uint32_t)engine->now - s->when >= retry->max_ms;
	const unsigned int tries = starts_again ? 0 : s->tries;
	struct announcement *ann = s->initial && retry->tries
					   ? announce_first_address(conn)
					   : subflow_announcement(conn, s);

	conn->last_error = error;
	conn->last_reset = reset_reason;
	if (ann && !s->removed) {
		ann->error = error;
		announcement_failed(conn, ann, s, tries, for_good);
	}
	if (!s->fixed || for_good || s->removed || !retry->tries ||
	    s->endpoint == SUBFLOW_ENDPOINT_REMOVED) {
		conn_subflow_del(conn, s);
		return;
	}
	s->state = SUBFLOW_RETRY;
	s->local.port = 0;
	s->min_rtt_ms = 0;
	s->error = error;
	s->tries = MIN(tries + 1, retry->tries);
	s->when = engine->now + retry_delay(conn, tries);
}

bool subflow_must_yield(const struct conn *conn, const struct subflow *s)
{
	const struct announcement *ann;

	if (s->state != SUBFLOW_PENDING || s->fixed)
		return false;
	for_each_announcement (conn, ann)
		if (ann->state == PM_ANNOUNCED_WAITING &&
		    ann->reason == PM_REASON_EXHAUSTED &&
		    ann->addr.family == s->remote.family &&
		    !(ann->tried & index_bit(s->endpoint)))
			return true;
	return false;
}

bool subflow_is_back(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);

	return s->lost && ep && endpoint_is_usable(ep) &&
	       !(engine_of(conn)->held & index_bit(s->endpoint));
}

bool subflow_is_down(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep = subflow_endpoint(conn, s);

	return s->lost && s->state == SUBFLOW_LIVE && ep && ep->state == ENDPOINT_DOWN;
}

/* Whether conn_revive() checks @s at s->when. */
static bool subflow_must_check(const struct conn *conn, const struct subflow *s)
{
	return s->checks && s->checks != CHECKS_DONE &&
	       (subflow_is_back(conn, s) || subflow_is_down(conn, s));
}

/* Metered paths: to count them. Others: black holes matter only if there is another path,
 * and only endpoints can be probed from. */
static bool conn_must_watch(const struct conn *conn)
{
	const struct engine *engine = engine_of(conn);
	const struct subflow *s;
	const bool quota = engine->pool->quota;
	unsigned int live = 0;
	bool any = false;

	if (!engine->watching ||
	    (!quota &&
	     (conn->server_side || (!engine->pool->retry.tries && !engine->policed))))
		return false;
	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		if (quota && subflow_is_metered(conn, s))
			return true;
		live++;
		any |= index_bit(s->endpoint) != 0;
	}
	return any && live > 1 && !conn->server_side &&
	       (engine->pool->retry.tries || engine->policed);
}

void conn_schedule(struct conn *conn)
{
	const uint32_t now = engine_of(conn)->now;
	int32_t left = conn->again || conn->judge ? 0 : INT32_MAX;
	struct announcement *ann;
	struct subflow *s;

	if (!conn_must_watch(conn)) {
		conn->watched = false;
	} else if (!conn->watched) {
		conn->watched = true;
		conn->watch_when = now; /* how much each path has carried by now */
	}
	if (conn->watched)
		left = MIN(left, (int32_t)(conn->watch_when - now));
	if (conn->work)
		left = MIN(left, (int32_t)(conn->work_when - now));
	if (conn->refused)
		left = MIN(left, (int32_t)(conn->prio_when - now));
	for_each_announcement (conn, ann)
		if (ann->timed && ann->state == PM_ANNOUNCED_WAITING)
			left = MIN(left, (int32_t)(ann->when - now));
	for_each_subflow (conn, s)
		if (s->state == SUBFLOW_RETRY ||
		    (s->state == SUBFLOW_LIVE &&
		     (s->silent || subflow_must_check(conn, s))))
			left = MIN(left, (int32_t)(s->when - now));
		else if (s->state == SUBFLOW_PENDING && subflow_is_back(conn, s))
			left = MIN(left, (int32_t)(s->when + STUCK_MS - now));
		else if (subflow_must_yield(conn, s))
			left = MIN(left, (int32_t)(s->when + YIELD_MS - now));
	if (left != INT32_MAX && conn_is_ours(conn))
		conn_set_timer(conn, now + left);
	else
		conn_stop_timer(conn);
}
