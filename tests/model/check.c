// SPDX-License-Identifier: MIT
/*
 * check.c - the rules of the model, and when two of its states are one
 */
#include "model.h"
#include "shim/engine/policy.h"
#include "shim/engine/reconcile.h"
#include "shim/engine/revive.h"
#include "shim/engine/state.h"

#include <string.h>

static struct conn *conn_of(const struct world *w)
{
	return conn_find(&w->engine->table, TOKEN);
}

static bool endpoint_is_free(const struct world *w, const struct endpoint *ep)
{
	if (w->engine->held & endpoint_bit(ep - w->pools[w->pool].endpoints))
		return false;
	return world_is_laminar(ep) && endpoint_is_usable(ep) &&
	       !world_uses(w, &ep->addr);
}

static bool limit_is_reached(const struct world *w)
{
	return conn_extra_subflows(conn_of(w)) >= w->pools[w->pool].subflows;
}

static bool pair_is_live_twice(const struct world *w)
{
	const struct sub *a, *b;

	for (a = w->subs; a < w->subs + w->n_subs; a++)
		for (b = w->subs; b < a; b++)
			if (a->live && b->live && mpaddr_same_ip(&a->local, &b->local) &&
			    mpaddr_equal(&a->remote, &b->remote))
				return true;
	return false;
}

/* Each subflow of the kernel is one of the engine, and each of the engine will end. */
static void check_subflows(struct world *w)
{
	struct conn *conn = conn_of(w);
	const struct subflow *s;

	for (unsigned int i = 0; i < w->n_subs; i++) {
		s = conn_subflow_find(conn, conn_find_ref(conn, &w->subs[i].local),
				      conn_find_ref(conn, &w->subs[i].remote));
		if (!s || (s->state == SUBFLOW_LIVE) != w->subs[i].live)
			world_fault(w, "the engine does not know a subflow");
	}
	if (conn_count(conn, SUBFLOW_HOLDING | SUBFLOW_BIT(PROBE), NULL, NULL) !=
	    w->n_subs)
		world_fault(w, "a join is pending for ever");
	if (conn_count(conn, SUBFLOW_BIT(CLOSING), NULL, NULL))
		world_fault(w, "a subflow is closing for ever");
	if (pair_is_live_twice(w))
		world_fault(w, "a path is live twice");
	if (conn_extra_subflows(conn) > w->pools[w->pool].subflows &&
	    w->pools[0].subflows == w->pools[1].subflows)
		world_fault(w, "the limit is exceeded");
}

static void check_waiting(struct world *w)
{
	const struct pool *pool = &w->pools[w->pool];
	const struct announcement *ann;
	struct conn *conn = conn_of(w);
	const struct endpoint *ep;

	for_each_announcement (conn, ann) {
		if (ann->state != PM_ANNOUNCED_WAITING ||
		    conn_reaches(conn, &ann->addr) || limit_is_reached(w))
			continue;
		if (ann->tried && !ann->timed)
			world_fault(w, "a failed join has no timer");
		for_each_endpoint (pool, ep)
			if (endpoint_is_free(w, ep) &&
			    !(ann->tried & endpoint_bit(ep - pool->endpoints)))
				world_fault(w, "an endpoint is free, an address waits");
	}
}

/* Whatever [policy] says, a path carries data. */
static void check_policy(struct world *w)
{
	struct conn *conn = conn_of(w);
	const struct subflow *s;
	bool live = false, active = false;

	if (!policy_rules(conn))
		return;
	for_each_subflow (conn, s) {
		if (s->state != SUBFLOW_LIVE)
			continue;
		active |= !s->backup;
		if (!subflow_endpoint(conn, s))
			continue; /* from the pool before; the last path */
		live = true;
		if (s->backup != policy_wants_backup(conn, s))
			world_fault(w, "a path waits for its MP_PRIO");
	}
	if (live && !active)
		world_fault(w, "all paths are in reserve");
}

static void check_resting(struct world *w)
{
	if (!w->fault)
		check_subflows(w);
	if (!w->fault)
		check_waiting(w);
	if (!w->fault)
		check_policy(w);
}

/* Whether the engine knows that @sub was in a black hole, and may join its pair again. */
static bool path_can_return(const struct world *w, const struct sub *sub)
{
	struct conn *conn = conn_of(w);
	const struct subflow *s =
		conn_subflow_find(conn, conn_find_ref(conn, &sub->local),
				  conn_find_ref(conn, &sub->remote));

	return world_is_known(&sub->local) && s && subflow_has_endpoint(conn, s) &&
	       subflow_can_return(conn, s) && conn_keeps_path(conn, s);
}

static void check_healed(struct world *w)
{
	const struct pool *pool = &w->pools[w->pool];
	const struct endpoint *ep;
	bool any = false;

	for (unsigned int i = 0; i < w->n_subs; i++) {
		if (!w->subs[i].live)
			world_fault(w, "a join is pending for ever");
		if (w->subs[i].stuck && path_can_return(w, &w->subs[i]))
			world_fault(w, "a path that answers again is not made anew");
	}
	for_each_endpoint (pool, ep)
		any |= endpoint_is_free(w, ep);
	for (unsigned int i = 0; i < WIDTH; i++)
		if (w->known[i] && !w->closed[i] && !world_reaches(w, i) && any &&
		    !limit_is_reached(w))
			world_fault(w, "an address is never joined");
}

void world_check_all(struct world *w)
{
	world_settle(w);
	check_resting(w);
	if (!w->fault)
		world_heal(w);
	check_resting(w);
	if (!w->fault)
		check_healed(w);
}

/* FNV-1a by words of 8 bytes */
static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const char *at = data;
	uint64_t word;

	for (; size; size -= size < 8 ? size : 8, at += 8) {
		word = 0;
		memcpy(&word, at, size < 8 ? size : 8);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

/* Times count from now on; what does not decide anything is left out. */
static uint64_t mix_conn(uint64_t hash, const struct world *w)
{
	const uint32_t now = w->now, max = w->pools[w->pool].retry.max_ms;
	const struct conn *conn = conn_of(w);
	struct conn copy = *conn;
	const struct used_id *id;
	struct announcement ann;
	struct subflow s;

	copy.work_when = copy.work ? copy.work_when - now : 0;
	copy.watch_when = copy.watched ? copy.watch_when - now : 0;
	copy.registered = copy.slot = copy.last_error = 0;
	copy.table = NULL;
	copy.prev = copy.next = NULL;
	copy.subflows = NULL;
	copy.announced = NULL;
	copy.ids = NULL;
	memset(copy.counters, 0, sizeof(copy.counters));
	memset(&copy.hh, 0, sizeof(copy.hh));
	hash = mix(hash, &copy, sizeof(copy));
	for (unsigned int i = 0; i < conn->n_subflows; i++) {
		s = conn->subflows[i];
		if (s.state == SUBFLOW_LIVE && !s.checks && !s.silent)
			s.when = now - s.when < max ? now - s.when : max;
		else if (s.state == SUBFLOW_RETRY || s.checks || s.silent)
			s.when -= now;
		else
			s.when = 0;
		s.carried = s.delivered = s.heard = 0; /* of PROBE_PART, a part of 64 */
		s.error = s.state == SUBFLOW_RETRY ? 0 : s.error;
		hash = mix(hash, &s, sizeof(s));
	}
	for (unsigned int i = 0; i < conn->n_announced; i++) {
		ann = conn->announced[i];
		ann.when = ann.timed ? ann.when - now : 0;
		ann.error = 0;
		hash = mix(hash, &ann, sizeof(ann));
	}
	for_each_used_id (conn, id) {
		const uint64_t key[] = { id->local_id, id->addr.ip, id->addr.port,
					 id->ours * 2 + id->withdraw };

		hash = mix(hash, key, sizeof(key));
	}
	return hash;
}

/* Those that do not decide anything within a few steps are left out. */
static uint64_t mix_flaps(uint64_t hash, const struct world *w)
{
	const uint32_t now = w->now, max = w->pools[w->pool].retry.max_ms;
	const struct flap *f = w->engine->flaps;

	for (; f < w->engine->flaps + FLAPS_MAX; f++) {
		const int32_t well = now - f->until;
		const uint32_t state[] = { f->n, f->away, f->addr.ip[2],
					   well < (int32_t)max ? (uint32_t)well : max };

		if (f->n > 2)
			hash = mix(hash, state, sizeof(state));
	}
	return mix(hash, &w->engine->held, sizeof(w->engine->held));
}

uint64_t world_hash(const struct world *w)
{
	const uint8_t flags[] = { w->reloaded, w->links, w->addrs, w->routes, w->holes };
	uint64_t hash = mix(1, flags, sizeof(flags));

	hash = mix(hash, w->known, sizeof(w->known));
	hash = mix(hash, w->closed, sizeof(w->closed));
	hash = mix(hash, w->ids, 16);
	hash = mix(hash, w->subs, w->n_subs * sizeof(*w->subs));
	for (unsigned int i = 0; i < w->pools[w->pool].n_endpoints; i++) {
		const uint8_t state[] = { w->pools[w->pool].endpoints[i].state,
					  w->now - w->engine->probed[i] < 1500,
					  w->now - w->engine->answered[i] < 1500 };

		hash = mix(hash, state, sizeof(state));
	}
	hash = mix(hash, w->events, w->n_events * sizeof(*w->events));
	return mix_conn(mix_flaps(hash, w), w);
}
