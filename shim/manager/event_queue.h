/* SPDX-License-Identifier: MIT */
/*
 * event_queue.h - events to be handled, and early events, which wait for a registration
 */
#pragma once

#include "mptcpaddr/pm.h"

/*
 * The event socket's buffer is small where the process may not enlarge it, so events are
 * read at once and queued here.
 */
#define EVENT_QUEUE_MAX 65536

struct event_queue {
	struct pm_event *v; /* a ring of `size`, a power of two or 0 */
	unsigned int size, first, n;
};

/* event_queue_reserve() - make room for @more events. Return: 0; -ENOSPC, -ENOMEM. */
int event_queue_reserve(struct event_queue *queue, unsigned int more);
void event_queue_push(struct event_queue *queue,
		      const struct pm_event *ev); /* reserved before */
bool event_queue_pop(struct event_queue *queue, struct pm_event *ret_ev);
void event_queue_free(struct event_queue *queue);

/*
 * Events of connections that are not registered yet: on loopback they arrive before
 * connect() returns. Held for a limited time; beyond EARLY_MAX the oldest is dropped.
 */
#define EARLY_MAX     1024
#define EARLY_HOLD_MS 1000

struct early_events {
	struct early_event {
		struct pm_event ev;
		int64_t since_ms;
	} * v;
	unsigned int n;
};

/* early_hold() - hold @ev. Return: false if it, or an older one, was dropped. */
bool early_hold(struct early_events *early, const struct pm_event *ev, int64_t now_ms);

/* early_take() - remove the oldest event of @token. Return: false: none. */
bool early_take(struct early_events *early, uint32_t token, struct pm_event *ret_ev);

/* early_expire() - drop events that arrived before @before_ms. Return: how many. */
unsigned int early_expire(struct early_events *early, int64_t before_ms);
void early_free(struct early_events *early);
