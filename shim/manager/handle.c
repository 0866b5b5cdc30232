// SPDX-License-Identifier: MIT
/*
 * handle.c - what comes to a manager: the kernel's events, the application's
 * registrations
 *
 * An event may be faster than the connect() that explains it (event_queue.h); one of an
 * accepted connection explains itself (listeners.h).
 */
#include "idle.h"
#include "manager.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <string.h>

/*
 * Nothing says that a connection fell back to TCP or failed to connect, and one that is
 * silent after its handshake has no event either: only what is old and crowded out goes.
 */
#define UNCONFIRMED_SECONDS 300
#define UNCONFIRMED_KEEP    4096

/* Empty the event socket into the queue. */
void manager_read(struct manager *m)
{
	struct pm_event events[PMNL_BATCH];
	unsigned int i, n;
	int got;

	do {
		if (event_queue_reserve(&m->queue, PMNL_BATCH) < 0)
			return; /* the kernel's buffer holds the rest for now */
		got = pmnl_events_read(m->h->event_fd, m->h->family_id, events, &n);
		if (got == -ENOBUFS) {
			m->about.overruns++;
			m->lost = true;
			if (m->engine)
				engine_overrun(m->engine);
			got = PMNL_BATCH; /* the error is cleared; read on */
			continue;
		}
		if (got < 0) {
			m->stop = got;
			return;
		}
		m->about.events += n;
		for (i = 0; i < n; i++)
			event_queue_push(&m->queue, &events[i]);
	} while (got == PMNL_BATCH);
}

static void log_event(const struct pm_event *ev)
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX];

	if (log_wanted(LOG_LEVEL_DEBUG))
		log_debug("token 0x%08x: %s: local %s (id %u) remote %s (id %u) error %u",
			  ev->token, pm_event_name(ev->type),
			  mpaddr_text(&ev->local, local), ev->local_id,
			  mpaddr_text(&ev->remote, remote), ev->remote_id, ev->error);
}

/* Return: -ENOENT if the connection is not registered. */
static int engine_take(struct manager *m, const struct pm_event *ev)
{
	struct pm_cmds cmds;
	int r;

	cmds.n = 0;
	r = engine_handle(m->engine, ev, &cmds);
	if (r == -ENOENT)
		return r;
	log_event(ev);
	if (r < 0)
		log_warning("token 0x%08x: %s: %s", ev->token, pm_event_name(ev->type),
			    strerror(-r));
	run_commands(m, &cmds);
	return 0;
}

/* The next registration, from handover.h's ring. */
bool slot_take(struct handover *h, struct pm_registration *ret_reg)
{
	uint32_t tail = atomic_load(&h->tail);
	uint64_t value;

	if (tail == atomic_load(&h->head))
		return false;
	value = atomic_exchange(&h->slots[tail % HANDOVER_SLOTS], 0);
	if (!value)
		return false; /* its writer was interrupted; it is in flight still */
	atomic_store(&h->tail, tail + 1);
	*ret_reg = (struct pm_registration){ .token = (uint32_t)value };
	ret_reg->v6only = value & HANDOVER_V6ONLY;
	return true;
}

void manager_register(struct manager *m, struct pm_registration *reg)
{
	struct pm_event ev;

	if (!reg->token)
		return; /* a hole of the ring: see launch_heir() */
	reg->when = clock_ms() / 1000;
	idle_restart(m);
	m->about.registrations++;
	if (engine_register(m->engine, reg) < 0)
		log_warning("token 0x%08x: too many connections", reg->token);
	while (early_take(&m->early, reg->token, &ev)) {
		m->about.events_replayed++;
		engine_take(m, &ev);
	}
}

void handle_registrations(struct manager *m)
{
	struct pm_registration reg;

	m->seen = atomic_load(&m->h->registered);
	while (slot_take(m->h, &reg))
		manager_register(m, &reg);
	engine_expire(m->engine, clock_ms() / 1000 - UNCONFIRMED_SECONDS,
		      UNCONFIRMED_KEEP);
}

/* A connection that the application accepted: nothing registers it, its event does. */
static bool take_accepted(struct manager *m, const struct pm_event *ev)
{
	const bool inherited = engine_waits(m->engine);
	struct pm_registration reg = { .token = ev->token, .inherited = inherited };

	if (ev->type != PM_EVENT_ESTABLISHED || !ev->server_side ||
	    !app_listeners_accepted(&m->listeners, &ev->local, inherited))
		return false;
	manager_register(m, &reg);
	return engine_take(m, ev) != -ENOENT;
}

/*
 * An event belongs to one of this process's connections only if that is registered, or
 * a connect() was in flight when the event was read: all others are foreign.
 */
static void handle_event(struct manager *m, const struct pm_event *ev)
{
	bool in_flight = atomic_load(&m->h->in_flight);

	if (ev->type == PM_EVENT_LISTENER_CLOSED) {
		app_listeners_closed(&m->listeners, &ev->local);
		return;
	}
	handle_registrations(m);
	if (engine_take(m, ev) != -ENOENT || take_accepted(m, ev))
		return;
	if (!in_flight || !early_hold(&m->early, ev, clock_ms()))
		m->about.events_foreign++;
}

void handle_events(struct manager *m)
{
	struct pm_event ev;

	manager_time(m);
	while (event_queue_pop(&m->queue, &ev) && !m->stop)
		handle_event(m, &ev);
}

/* Announce that events are held, then look once more: see manager_register(). */
void handle_early(struct manager *m)
{
	if (m->early.n && !atomic_load(&m->h->in_flight)) {
		handle_registrations(m);
		m->about.events_foreign += early_expire(&m->early, INT64_MAX);
	}
	if (m->early.n)
		m->about.events_foreign +=
			early_expire(&m->early, clock_ms() - EARLY_HOLD_MS);
	atomic_store(&m->h->early, m->early.n);
	if (m->early.n)
		handle_registrations(m);
	else
		m->early_waits = 0;
}
