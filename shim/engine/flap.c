// SPDX-License-Identifier: MIT
/*
 * flap.c - endpoints that come and go
 *
 * One that came and went often is held: it keeps its subflows and gets no new ones for a
 * while that doubles with each time, up to the longest retry delay. It is forgotten after
 * as long without another time.
 */
#include "flap.h"

#include <string.h>
#include <sys/param.h>

#define FLAPS_FREE 3 /* times that cost nothing; the next one costs */
#define FLAP_PART  8 /* this part of the first retry delay */

static struct flap *flap_find(const struct engine *engine, const struct mpaddr *addr)
{
	const struct flap *f;

	for (f = engine->flaps; f < engine->flaps + FLAPS_MAX; f++)
		if (mpaddr_same_ip(&f->addr, addr))
			return (struct flap *)f;
	return NULL;
}

/* In place of the one that has been well for longest. */
static struct flap *flap_add(struct engine *engine, const struct mpaddr *addr)
{
	struct flap *f, *oldest = engine->flaps;

	for (f = engine->flaps; f < engine->flaps + FLAPS_MAX; f++)
		if (!f->n || (oldest->n && (int32_t)(f->until - oldest->until) < 0))
			oldest = f;
	*oldest = (struct flap){ .addr = *addr };
	return oldest;
}

void flap_went(struct engine *engine, const struct mpaddr *addr)
{
	struct flap *f = flap_find(engine, addr) ?: flap_add(engine, addr);
	const int32_t well = (uint32_t)engine->now - f->until;

	if (f->away)
		return; /* an endpoint of several sections */
	if (well > 0 && (uint32_t)well >= engine->pool->retry.max_ms)
		f->n = 0;
	f->n += f->n < UINT8_MAX;
	f->away = true;
}

void flap_came(struct engine *engine, const struct mpaddr *addr)
{
	const struct pool_retry *retry = &engine->pool->retry;
	struct flap *f = flap_find(engine, addr);
	uint64_t wait = 0;

	if (!f || !f->away)
		return;
	if (f->n > FLAPS_FREE && retry->tries)
		wait = ((uint64_t)retry->first_ms << MIN(f->n - FLAPS_FREE - 1, 24)) /
		       FLAP_PART;
	f->until = engine->now + MIN(wait, retry->max_ms);
	f->away = false;
}

void flap_hold(struct engine *engine)
{
	const struct endpoint *ep;
	int32_t left, first = INT32_MAX;

	engine->held = 0;
	for_each_endpoint (engine->pool, ep) {
		left = engine_endpoint_held(engine, ep - engine->pool->endpoints, NULL);
		if (!left)
			continue;
		engine->held |= endpoint_bit(ep - engine->pool->endpoints);
		first = MIN(first, left);
	}
	engine->held_until = engine->now + first;
}

void flap_release(struct engine *engine)
{
	const uint64_t held = engine->held;
	int i;

	flap_hold(engine);
	for_each_bit (i, held & ~engine->held)
		endpoint_note(engine, &engine->pool->endpoints[i], ENDPOINT_USABLE);
}

int32_t engine_endpoint_held(const struct engine *engine, unsigned int i,
			     unsigned int *ret_flaps)
{
	const struct endpoint *ep = &engine->pool->endpoints[i];
	const struct flap *f = flap_find(engine, &ep->addr);
	int32_t left = f && !f->away ? f->until - (uint32_t)engine->now : 0;

	if (left <= 0 || !endpoint_is_usable(ep))
		return 0;
	if (ret_flaps)
		*ret_flaps = f->n;
	return left;
}

void endpoint_note(struct engine *engine, const struct endpoint *ep,
		   enum endpoint_state state)
{
	static const uint8_t reasons[] = { [ENDPOINT_WAITING] = PM_REASON_WAITING,
					   [ENDPOINT_DOWN] = PM_REASON_LINK_DOWN,
					   [ENDPOINT_REMOVED] = PM_REASON_NONE,
					   [ENDPOINT_SPENT] = PM_REASON_QUOTA };
	struct pm_note note = { .what = state <= ENDPOINT_UNSEEN ? PM_NOTE_ENDPOINT_UP
								 : PM_NOTE_ENDPOINT_DOWN,
				.reason = reasons[state],
				.local = ep->addr,
				.local_id = ep->local_id };
	int32_t held = 0;

	if (state <= ENDPOINT_UNSEEN)
		held = engine_endpoint_held(engine, ep - engine->pool->endpoints, NULL);
	if (held) {
		note.reason = PM_REASON_FLAPPING;
		note.seconds = (held + 999) / 1000;
	}
	note_add(engine, NULL, &note);
}
