// SPDX-License-Identifier: MIT
/*
 * event_queue.c - events to be handled, and early events, which wait for a registration
 */
#include "event_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

int event_queue_reserve(struct event_queue *queue, unsigned int more)
{
	unsigned int size = queue->size ?: FIRST_SIZE, i;
	struct pm_event *v;

	if (queue->n + more <= queue->size)
		return 0;
	while (size < queue->n + more)
		size *= 2;
	if (size > EVENT_QUEUE_MAX)
		return -ENOSPC;
	v = malloc(size * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (i = 0; i < queue->n; i++)
		v[i] = queue->v[(queue->first + i) & (queue->size - 1)];
	free(queue->v);
	queue->v = v;
	queue->size = size;
	queue->first = 0;
	return 0;
}

void event_queue_push(struct event_queue *queue, const struct pm_event *ev)
{
	queue->v[(queue->first + queue->n++) & (queue->size - 1)] = *ev;
}

bool event_queue_pop(struct event_queue *queue, struct pm_event *ret_ev)
{
	if (!queue->n)
		return false;
	*ret_ev = queue->v[queue->first];
	queue->first = (queue->first + 1) & (queue->size - 1);
	queue->n--;
	return true;
}

void event_queue_free(struct event_queue *queue)
{
	free(queue->v);
}

static void early_drop(struct early_events *early, unsigned int first, unsigned int n)
{
	early->n -= n;
	memmove(early->v + first, early->v + first + n,
		(early->n - first) * sizeof(*early->v));
}

bool early_hold(struct early_events *early, const struct pm_event *ev, int64_t now_ms)
{
	const bool full = early->n == EARLY_MAX;

	if (!early->v)
		early->v = malloc(EARLY_MAX * sizeof(*early->v));
	if (!early->v)
		return false;
	if (full)
		early_drop(early, 0, 1);
	early->v[early->n++] = (struct early_event){ *ev, now_ms };
	return !full;
}

bool early_take(struct early_events *early, uint32_t token, struct pm_event *ret_ev)
{
	unsigned int i;

	for (i = 0; i < early->n; i++) {
		if (early->v[i].ev.token != token)
			continue;
		*ret_ev = early->v[i].ev;
		early_drop(early, i, 1);
		return true;
	}
	return false;
}

unsigned int early_expire(struct early_events *early, int64_t before_ms)
{
	unsigned int n = 0;

	while (n < early->n && early->v[n].since_ms < before_ms)
		n++;
	if (n)
		early_drop(early, 0, n);
	return n;
}

void early_free(struct early_events *early)
{
	free(early->v);
}
