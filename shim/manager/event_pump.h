/* SPDX-License-Identifier: MIT */
/*
 * event_pump.h - move events from the kernel to engines, and commands back to it
 */
#pragma once

#include "mptcpaddr/engine.h"
#include "shim/common/clock.h"

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

/*
 * Events of connections that are not registered yet: on loopback they arrive before
 * connect() returns. Held for a limited time; beyond EARLY_MAX the oldest are dropped.
 */
#define EARLY_MAX     4096
#define EARLY_HOLD_MS 3000

struct early_events {
	struct early_event {
		struct pm_event ev;
		int64_t since_ms;
	} * v;
	unsigned int n;
};

/* early_hold() - hold @ev. Return: how many events, it or older ones, were dropped. */
unsigned int early_hold(struct early_events *early, const struct pm_event *ev,
			int64_t now_ms);

/* early_take() - remove the oldest event of @token. Return: false: none. */
bool early_take(struct early_events *early, uint32_t token, struct pm_event *ret_ev);

/* early_expire() - drop events that arrived before @before_ms. Return: how many. */
unsigned int early_expire(struct early_events *early, int64_t before_ms);

struct event_pump {
	int event_fd; /* subscribed to mptcp_pm_events; borrowed */
	int diag_fd;  /* of diag_open(); -1: opened at the first PM_CMD_CHECK */
	uint16_t family_id;
	/* Send a command to the kernel. Return: 0; -errno, for the engine. */
	int (*send_command)(void *ctx, const struct pm_cmd *cmd);
	void *ctx;

	struct event_queue queue;
	struct early_events early;
	uint64_t events, overruns, foreign;
	bool lost;		      /* events; see pump_takes_loss() */
	int64_t resync_ms, logged_ms; /* no resync, no line about one before */
	uint64_t overruns_logged;
	int stop; /* -errno: the owner cannot continue */
};

/* pump_read() - empty the event socket into the queue. */
void pump_read(struct event_pump *pump);

/* pump_next() - the next event of the queue. Return: false: none, or the pump stops. */
bool pump_next(struct event_pump *pump, struct pm_event *ret_ev);

/*
 * pump_deliver() - give @ev to @engine, and its commands to the kernel
 *
 * The engine's clock is set before. Return: 0; -ENOENT: not a connection of @engine.
 */
int pump_deliver(struct event_pump *pump, struct engine *engine,
		 const struct pm_event *ev);

/* pump_tick() - engine_tick() until nothing is due, a bounded list at a time. */
void pump_tick(struct event_pump *pump, struct engine *engine);

/* pump_hold() - hold @ev until its registration; beyond the limit it is foreign. */
void pump_hold(struct event_pump *pump, const struct pm_event *ev);
/* pump_expire() - drop events held since before @before_ms, as foreign. */
void pump_expire(struct event_pump *pump, int64_t before_ms);

/* pump_expire_conns() - drop old connections without events. Return: how many. */
unsigned int pump_expire_conns(struct engine *engine);

/* pump_takes_loss() - whether events were lost and the owner must resynchronise now */
bool pump_takes_loss(struct event_pump *pump);
/* pump_end_resync() - log its result @r; after an error it is repeated. */
void pump_end_resync(struct event_pump *pump, int r);

/* pump_log_note() - for engine_set_callbacks() of a program's own manager. */
void pump_log_note(void *ctx, const struct pm_note *note);

void pump_free(struct event_pump *pump);

/*
 * pump_check_kernel() - adapt @engine to kernels before 6.9
 *
 * They create subflows without flags, and do not bind them to an interface.
 * Return: NULL, or the release of such a kernel.
 */
const char *pump_check_kernel(struct engine *engine);

/* pump_earlier() - the shorter of two poll() timeouts, of which -1 is infinite. */
static inline int pump_earlier(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/*
 * pump_wait_ms() - until events must be handled, or a resync repeated; -1: neither
 *
 * Those that arrived during pump_tick()'s commands are in the queue: no poll() sees them.
 */
static inline int pump_wait_ms(const struct event_pump *pump)
{
	return pump->queue.n
		       ? 0
		       : pump_earlier(pump->early.n ? 100 : -1,
				      pump->lost ? clock_left_ms(pump->resync_ms) : -1);
}
