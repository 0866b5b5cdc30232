/* SPDX-License-Identifier: MIT */
/*
 * event_queue.h - events in order of arrival, waiting to be handled or to be explained
 */
#pragma once

#include "mptcpaddr/pm.h"

/*
 * The event socket has a small buffer where the process may not enlarge it, so events
 * are taken out of it at once and wait here.
 */
#define EVQUEUE_MAX 65536

struct evqueue {
	struct pm_event *v; /* a ring of `size`, a power of two or 0 */
	unsigned int size, first, n;
};

/* evqueue_reserve() - make room for @more events. Return: 0; -ENOSPC, -ENOMEM. */
int evqueue_reserve(struct evqueue *queue, unsigned int more);
void evqueue_push(struct evqueue *queue, const struct pm_event *ev); /* reserved before */
bool evqueue_pop(struct evqueue *queue, struct pm_event *ret_ev);
void evqueue_free(struct evqueue *queue);

/*
 * Events of connections that are not registered yet: on loopback they are faster than
 * connect() returns. Held for a bounded time in bounded number, the oldest going first.
 */
#define EARLY_MAX     1024
#define EARLY_HOLD_MS 1000

struct early {
	struct early_event {
		struct pm_event ev;
		int64_t since_ms;
	} * v;
	unsigned int n, size;
};

/* early_hold() - keep @ev. Return: false if it, or an older one, was dropped. */
bool early_hold(struct early *early, const struct pm_event *ev, int64_t now_ms);

/* early_take() - remove the oldest event of @token. Return: false: there is none. */
bool early_take(struct early *early, uint32_t token, struct pm_event *ret_ev);

/* early_expire() - forget what came before @before_ms. Return: how many. */
unsigned int early_expire(struct early *early, int64_t before_ms);
void early_free(struct early *early);
