// SPDX-License-Identifier: MIT
/*
 * policy.c - which uplinks carry the data of a connection, and which are in reserve
 *
 * The paths of an endpoint are in reserve by the backup flag (MP_PRIO, RFC 8684, 3.3.8),
 * which our scheduler follows at once, and the peer's if it honours it. An uplink is left
 * when its link goes down or its path no longer answers (probe.c), and used again once it
 * has been healthy for a while. The wait doubles if it fails again soon.
 */
#include "policy.h"

#include <sys/param.h>

#define HOLD_MS	     5000
#define HOLDS_MAX    6		/* doublings: 160 s */
#define WELL_HOLDS   4		/* holds without trouble, then the first hold again */
#define SLOWER_TIMES 3		/* checks in a row that found another uplink faster */
#define FASTER_MS    5		/* it must be, and by a quarter */
#define RTT_UNKNOWN  UINT16_MAX /* of a path whose SYN was repeated: it is tried */
/* MP_PRIO is lost with its packet: repeat it if a path in reserve still carries data. */
#define REPEAT_MS    1000
#define REPEAT_BYTES 16384 /* between two checks */
#define REPEATS_MAX  5	   /* doublings */
/* Linux 6.18 refuses to send MP_PRIO before the fourth ACK of a join: try again. */
#define REFUSED_MS 100 /* doubled likewise */

static uint32_t uplink_hold(const struct uplink *up)
{
	return up->times ? HOLD_MS << (up->times - 1) : 0;
}

static void uplink_leave(struct engine *engine, struct uplink *up)
{
	if (engine->now - up->until > WELL_HOLDS * uplink_hold(up))
		up->times = 0;
	up->times += up->times < HOLDS_MAX;
	up->until = engine->now + uplink_hold(up);
}

/* The lowest rank is used first. */
static uint32_t endpoint_rank(const struct endpoint *ep)
{
	return (ep->flags & MPTCP_PM_ADDR_FLAG_BACKUP ? 2u << 8 : 0) |
	       (ep->flags & ENDPOINT_METERED ? 1u << 8 : 0) | ENDPOINT_COST(ep->flags);
}

void policy_set_pool(struct engine *engine, const struct pool *old, const uint8_t *map)
{
	const struct pool *pool = engine->pool;
	struct uplink mapped[POOL_ENDPOINTS_MAX] = { 0 };
	unsigned int i;

	engine->policed = pool_has_policy(pool);
	for (i = 0; old && i < old->n_endpoints; i++) {
		if (!index_bit(map[i]))
			continue;
		mapped[map[i] - 1] = engine->uplinks[i];
		if (endpoint_is_usable(&old->endpoints[i]) &&
		    !endpoint_is_usable(&pool->endpoints[map[i] - 1])) {
			uplink_leave(engine, &mapped[map[i] - 1]);
			mapped[map[i] - 1].away = true;
		}
	}
	for (i = 0; i < POOL_ENDPOINTS_MAX; i++)
		engine->uplinks[i] = mapped[i];
}

bool policy_rules(const struct conn *conn)
{
	return engine_of(conn)->policed && !conn->server_side;
}

static bool endpoint_is_reserve(const struct endpoint *ep)
{
	return ep->flags & (MPTCP_PM_ADDR_FLAG_BACKUP | ENDPOINT_METERED);
}

bool policy_wants_backup(const struct conn *conn, const struct subflow *s)
{
	return policy_rules(conn) ? s->reserve
				  : endpoint_is_reserve(subflow_endpoint(conn, s));
}

static bool uplink_is_ready(const struct engine *engine, unsigned int i)
{
	const struct uplink *up = &engine->uplinks[i];

	return !up->away && engine->now >= up->until;
}

bool policy_joins_as_backup(const struct conn *conn, const struct endpoint *ep)
{
	const struct engine *engine = engine_of(conn);
	const struct endpoint *other;
	const struct subflow *s;

	if (!policy_rules(conn) || endpoint_is_reserve(ep))
		return endpoint_is_reserve(ep);
	for_each_subflow (conn, s) {
		other = subflow_endpoint(conn, s);
		if (s->state != SUBFLOW_LIVE || !other)
			continue;
		if (!uplink_is_ready(engine, ep - engine->pool->endpoints) ||
		    (!s->backup && (engine->pool->policy != POLICY_AGGREGATE ||
				    endpoint_rank(ep) > endpoint_rank(other))))
			return true;
	}
	return false;
}

static bool path_is_well(const struct conn *conn, const struct subflow *s)
{
	return subflow_has_endpoint(conn, s) && !(s->silent && s->unanswered) &&
	       !(engine_of(conn)->held & index_bit(s->endpoint));
}

/* endpoint_bit() of those with a live path, with a good one, with one that carries data
 */
struct uplink_set {
	uint64_t live, well, active, ready;
};

static struct uplink_set conn_uplinks(struct conn *conn)
{
	struct engine *engine = engine_of(conn);
	struct uplink_set set = { 0 };
	const struct subflow *s;
	struct uplink *up;
	unsigned int i;

	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		set.live |= index_bit(s->endpoint);
		set.well |= path_is_well(conn, s) ? index_bit(s->endpoint) : 0;
		set.active |= s->backup ? 0 : index_bit(s->endpoint);
	}
	for_each_bit (i, set.live) {
		up = &engine->uplinks[i];
		if (!(set.well & endpoint_bit(i))) {
			/* Without another that is well, it may be the peer. */
			if (!up->away && set.well && set.active & endpoint_bit(i)) {
				uplink_leave(engine, up);
				up->away = true;
			}
			continue;
		}
		if (up->away)
			up->until = engine->now + uplink_hold(up);
		up->away = false;
		if (set.active & endpoint_bit(i) || uplink_is_ready(engine, i))
			set.ready |= endpoint_bit(i);
	}
	return set;
}

/* In milliseconds, when @active under its present load, else at best */
static uint32_t uplink_latency(const struct conn *conn, unsigned int i, bool active)
{
	uint32_t least = UINT32_MAX;
	const struct subflow *s;

	for_each_subflow (conn, s)
		if (s->state == SUBFLOW_LIVE && s->endpoint == i + 1 && s->min_rtt_ms)
			least = MIN(least, active ? s->rtt_ms
					   : s->min_rtt_ms == RTT_UNKNOWN
						   ? 0
						   : s->min_rtt_ms);
	return least;
}

static int uplink_fastest(const struct conn *conn, uint64_t mask, bool active)
{
	uint32_t least = UINT32_MAX, ms;
	int i, fastest = -1;

	for_each_bit (i, mask) {
		ms = uplink_latency(conn, i, active);
		if (fastest >= 0 && ms >= least)
			continue;
		least = ms;
		fastest = i;
	}
	return fastest;
}

/* The uplinks of @mask that are faster than @current, by enough. */
static uint64_t uplinks_faster(const struct conn *conn, uint64_t mask, int current)
{
	const uint32_t now = uplink_latency(conn, current, true);
	uint64_t faster = 0;
	uint32_t ms;
	int i;

	for_each_bit (i, mask & ~endpoint_bit(current)) {
		ms = uplink_latency(conn, i, false);
		if (ms < UINT32_MAX && now != UINT32_MAX && ms + ms / 4 + FASTER_MS < now)
			faster |= endpoint_bit(i);
	}
	return faster;
}

static uint64_t choose_fast(struct conn *conn, uint64_t mask, uint64_t active)
{
	struct engine *engine = engine_of(conn);
	const int current = uplink_fastest(conn, mask & active, true);
	uint64_t faster;

	if (current < 0)
		return endpoint_bit(uplink_fastest(conn, mask, false));
	faster = conn->slower < SLOWER_TIMES ? 0 : uplinks_faster(conn, mask, current);
	if (!faster)
		return endpoint_bit(current);
	conn->slower = 0;
	conn->why = PM_REASON_LATENCY - PM_REASON_PREFERRED;
	uplink_leave(engine, &engine->uplinks[current]);
	return endpoint_bit(uplink_fastest(conn, faster, false));
}

/* Those of the lowest rank */
static uint64_t uplinks_preferred(const struct engine *engine, uint64_t mask)
{
	uint32_t least = UINT32_MAX, rank;
	uint64_t preferred = 0;
	int i;

	for_each_bit (i, mask) {
		rank = endpoint_rank(&engine->pool->endpoints[i]);
		if (rank < least)
			preferred = 0;
		if (rank <= least)
			preferred |= endpoint_bit(i);
		least = MIN(least, rank);
	}
	return preferred;
}

static uint64_t uplinks_choose(struct conn *conn, const struct uplink_set *set)
{
	const struct engine *engine = engine_of(conn);
	const uint64_t mask = uplinks_preferred(engine, set->ready ?: set->well);

	conn->why =
		set->active & ~set->well ? PM_REASON_TROUBLE - PM_REASON_PREFERRED : 0;
	switch (engine->pool->policy) {
	case POLICY_AGGREGATE:
		break;
	case POLICY_HANDOVER:
		return mask & -mask; /* in the order of the file */
	case POLICY_INTERACTIVE:
		return choose_fast(conn, mask, set->active);
	}
	return mask;
}

void policy_decide(struct conn *conn)
{
	struct uplink_set set;
	struct subflow *s;
	uint64_t chosen;

	if (!policy_rules(conn))
		return;
	set = conn_uplinks(conn);
	/* Without any that is well, the kernel tries all that carried data. */
	chosen = set.well ? uplinks_choose(conn, &set) : set.active ?: set.live;
	for_each_subflow (conn, s)
		s->reserve = !(chosen & index_bit(s->endpoint));
}

void policy_sent(struct conn *conn)
{
	conn->prio_when = engine_of(conn)->now + REPEAT_MS;
	conn->prios = 0;
}

void policy_refused(struct conn *conn, struct subflow *path)
{
	path->repeat = conn->refused = true;
	conn->prio_when = engine_of(conn)->now + (REFUSED_MS << conn->prios);
	conn->prios += conn->prios < REPEATS_MAX;
}

void policy_resumes(struct conn *conn, struct subflow *path)
{
	conn->prios = 0;
	policy_refused(conn, path);
}

static void repeat_flags(struct conn *conn)
{
	struct subflow *s;

	if (!engine_time_reached(engine_of(conn), conn->prio_when))
		return;
	conn->prios += conn->prios < REPEATS_MAX;
	conn->prio_when = engine_of(conn)->now + (REPEAT_MS << conn->prios);
	for_each_subflow (conn, s)
		s->repeat = s->state == SUBFLOW_LIVE && path_is_well(conn, s);
}

void policy_checked(struct conn *conn, const struct subflow *path, uint32_t bytes)
{
	const struct engine *engine = engine_of(conn);
	uint64_t mask;

	if (!policy_rules(conn))
		return;
	conn->judge = true;
	if (path->backup && bytes >= REPEAT_BYTES)
		repeat_flags(conn);
	if (engine->pool->policy != POLICY_INTERACTIVE || path->backup)
		return;
	mask = uplinks_preferred(engine, conn_uplinks(conn).ready);
	if (uplinks_faster(conn, mask, path->endpoint - 1))
		conn->slower += conn->slower < SLOWER_TIMES;
	else
		conn->slower = 0;
}

void policy_path_ended(struct conn *conn, const struct subflow *path, bool failed)
{
	struct engine *engine = engine_of(conn);

	if (!policy_rules(conn))
		return;
	conn->judge = true;
	if (!failed || path->backup || !index_bit(path->endpoint))
		return;
	uplink_leave(engine, &engine->uplinks[path->endpoint - 1]);
	engine->uplinks[path->endpoint - 1].away = true;
}
