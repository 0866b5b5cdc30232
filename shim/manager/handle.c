// SPDX-License-Identifier: MIT
/*
 * handle.c - registrations from the program, events from the kernel
 *
 * An event may arrive before its connection's registration (event_pump.h). Accepted
 * connections are registered by their first event (app_listeners.c).
 */
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The next registration, from handover.h's ring. */
static bool slot_take(struct handover *h, struct pm_registration *ret_reg)
{
	uint32_t tail = atomic_load(&h->tail);
	uint64_t value;

	if (tail == atomic_load(&h->head))
		return false;
	value = atomic_exchange(&h->slots[tail % HANDOVER_SLOTS], 0);
	if (!value)
		return false; /* its writer was interrupted and is still in flight */
	atomic_store(&h->tail, tail + 1);
	*ret_reg = (struct pm_registration){ .token = (uint32_t)value };
	ret_reg->v6only = value & HANDOVER_V6ONLY;
	ret_reg->first = value >> HANDOVER_FIRST & 3;
	return true;
}

/* Return: false: not a connection of ours. */
static bool manager_deliver(struct manager *m, const struct pm_event *ev)
{
	if (pump_deliver(&m->pump, m->engine, ev) == -ENOENT)
		return false;
	if (ev->type == PM_EVENT_CREATED || ev->type == PM_EVENT_SUB_ESTABLISHED)
		first_worked(&m->h->first, &ev->local);
	return true;
}

static void manager_register(struct manager *m, struct pm_registration *reg)
{
	struct pm_event ev;

	if (!reg->token)
		return; /* a slot that fork() left empty */
	reg->when = clock_ms() / 1000;
	idle_restart(m);
	m->about.registrations++;
	if (m->h->first.mode != FIRST_ROUTING)
		first_check_add(&m->first_checks, reg->token, clock_ms());
	if (engine_register(m->engine, reg) < 0)
		log_warning("token 0x%08x: too many connections", reg->token);
	while (early_take(&m->pump.early, reg->token, &ev)) {
		m->about.events_replayed++;
		manager_deliver(m, &ev);
	}
}

void handle_unanswered(struct manager *m)
{
	struct pm_event first;
	int fd;

	if (first_check_wait(&m->first_checks) != 0)
		return;
	fd = diag_open();
	while (first_check_next(&m->first_checks, fd, &first)) {
		first_avoid(&m->h->first, &first.local, clock_ms() / 1000);
		engine_note_unanswered(m->engine, &first);
	}
	if (fd >= 0)
		close(fd);
}

void handle_inherited(struct manager *m)
{
	struct pm_registration reg;

	/* The parent registered these; later slots are this process's. */
	while (atomic_load(&m->h->tail) != m->h->inherited_head && slot_take(m->h, &reg))
		manager_register(m, &reg);
}

void handle_registrations(struct manager *m)
{
	struct pm_registration reg;

	m->seen = atomic_load(&m->h->registered);
	while (slot_take(m->h, &reg))
		manager_register(m, &reg);
	if (m->lost_seen != atomic_load(&m->h->lost)) {
		m->lost_seen = atomic_load(&m->h->lost);
		atomic_store(&m->h->missed, true);
	}
	pump_expire_conns(m->engine);
}

/* Register a connection that the program accepted. */
static bool take_accepted(struct manager *m, const struct pm_event *ev)
{
	const bool inherited = engine_is_waiting(m->engine);
	struct pm_registration reg = { .token = ev->token, .inherited = inherited };

	if (ev->type != PM_EVENT_ESTABLISHED || !ev->server_side ||
	    !app_listeners_accepted(&m->listeners, &ev->local, inherited))
		return false;
	manager_register(m, &reg);
	return pump_deliver(&m->pump, m->engine, ev) != -ENOENT;
}

/* On a descriptor from another process, or since the end of the manager before us. */
void handle_adopted(struct manager *m)
{
	struct diag_subflows all;
	struct pm_event ev;
	unsigned int i;

	m->listeners.adopt = false;
	if (diag_read_subflows(&all) < 0)
		return;
	for (i = 0; i < all.n; i++) {
		ev = all.v[i].sub;
		ev.type = PM_EVENT_ESTABLISHED;
		if (!all.v[i].initial || !all.v[i].live)
			continue;
		if (engine_lacks_first(m->engine, ev.token)) /* registered late */
			pump_deliver(&m->pump, m->engine, &ev);
		else if (!engine_has_conn(m->engine, ev.token))
			take_accepted(m, &ev);
	}
	free(all.v);
}

/*
 * An event is of this process only if its connection is registered, or if a connect() was
 * in flight when the event was read: all others are foreign.
 */
static void handle_event(struct manager *m, const struct pm_event *ev)
{
	bool in_flight = atomic_load(&m->h->in_flight);

	if (ev->type == PM_EVENT_LISTENER_CLOSED) {
		app_listeners_closed(&m->listeners, &ev->local);
		return;
	}
	handle_registrations(m);
	if (manager_deliver(m, ev) || take_accepted(m, ev))
		return;
	if (in_flight)
		pump_hold(&m->pump, ev);
	else
		m->pump.foreign++;
}

void handle_events(struct manager *m)
{
	struct pm_event ev;

	engine_set_clock(m->engine, clock_ms());
	while (pump_next(&m->pump, &ev))
		handle_event(m, &ev);
}

/* Publish that events are held, then check once more: see shim/preload/register.c. */
void handle_early(struct manager *m)
{
	struct early_events *early = &m->pump.early;

	if (early->n && !atomic_load(&m->h->in_flight)) {
		handle_registrations(m);
		pump_expire(&m->pump, INT64_MAX);
	}
	pump_expire(&m->pump, clock_ms() - EARLY_HOLD_MS);
	atomic_store(&m->h->early, early->n);
	if (early->n)
		handle_registrations(m);
	else
		m->early_waits = 0;
}
