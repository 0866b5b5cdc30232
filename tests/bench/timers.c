// SPDX-License-Identifier: MIT
/*
 * timers.c - the cost of an event among connections that wait for a retry
 *
 * Ours: beside 10,000 or 100,000 of them. Peer: beside 10. The event is one of another
 * connection, which starts or stops its timer, or the end of a timer: a join from one of
 * the waiting connections, which fails again.
 */
#include "bench.h"
#include "mptcpaddr/engine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define POOL   BENCH_DIR "/timers.conf"
#define ROUNDS 7
#define EVENTS 2000 /* of a round */
#define BUSY   UINT32_MAX
#define COUNTS 3
#define SPREAD 60000 /* milliseconds in which the timers start */

struct crowd {
	struct engine *engine;
	struct samples event, due; /* nanoseconds */
	int64_t now;
};

static struct pm_event event_of(enum pm_event_type type, uint32_t token)
{
	struct pm_event ev = { .type = type,
			       .token = token,
			       .family = AF_INET,
			       .remote_id = type == PM_EVENT_ESTABLISHED ? 0 : 1 };

	mpaddr_parse("10.0.1.2", &ev.local);
	mpaddr_parse("10.0.1.1", &ev.remote);
	ev.local.port = 40000;
	ev.remote.port = 80;
	return ev;
}

/* What a manager does at each wake-up. */
static void handle(struct crowd *c, const struct pm_event *ev, struct pm_cmds *out)
{
	out->n = 0;
	engine_set_clock(c->engine, c->now);
	if (ev)
		engine_handle(c->engine, ev, out);
	engine_tick(c->engine, out);
	engine_wait(c->engine);
}

static void fail(struct crowd *c, const struct pm_cmds *joins)
{
	struct pm_event ev;
	struct pm_cmds out;

	for (unsigned int i = 0; i < joins->n; i++) {
		ev = event_of(PM_EVENT_SUB_CLOSED, joins->v[i].token);
		ev.local = joins->v[i].local;
		ev.remote = joins->v[i].remote;
		ev.error = ECONNREFUSED;
		handle(c, &ev, &out);
	}
}

/*
 * The peer withdraws an address and announces it again, so that its retries start anew;
 * the join fails. Return: the number of joins.
 */
static unsigned int announce(struct crowd *c, uint32_t token)
{
	struct pm_event ev = event_of(PM_EVENT_REMOVED, token);
	struct pm_cmds out;

	handle(c, &ev, &out);
	ev.type = PM_EVENT_ANNOUNCED;
	mpaddr_parse("10.0.2.1", &ev.remote);
	ev.remote.port = 80;
	handle(c, &ev, &out);
	fail(c, &out);
	return out.n;
}

static int connect_one(struct crowd *c, uint32_t token)
{
	const struct pm_registration reg = { .token = token };
	const struct pm_event ev = event_of(PM_EVENT_ESTABLISHED, token);
	struct pm_cmds out;
	int r = engine_register(c->engine, &reg);

	if (!r)
		handle(c, &ev, &out);
	return r ?: announce(c, token) == 1 ? 0 : -EPROTO;
}

static int crowd_open(struct crowd *c, const struct pool *pool, unsigned int n)
{
	int r;

	*c = (struct crowd){ .engine = engine_new(pool) };
	r = c->engine ? connect_one(c, BUSY) : -ENOMEM;
	for (uint32_t i = 0; i < n && !r; i++) {
		c->now = (int64_t)i * SPREAD / n;
		r = connect_one(c, i * 2654435761u);
	}
	return r;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int round_of(struct crowd *c)
{
	double start = now_ns();
	struct pm_cmds out;
	unsigned int i, n;

	for (i = 0; i < EVENTS; i++)
		if (announce(c, BUSY) != 1)
			return -EPROTO;
	samples_add(&c->event, (now_ns() - start) / EVENTS / 3);
	start = now_ns();
	for (n = 0; n < EVENTS; n += out.n) {
		c->now += engine_wait(c->engine);
		handle(c, NULL, &out);
		if (!out.n)
			return -EPROTO;
		fail(c, &out);
		for (i = 0; i < out.n; i++)
			announce(c, out.v[i].token);
	}
	samples_add(&c->due, (now_ns() - start) / n);
	return 0;
}

static void report(struct crowd crowds[COUNTS])
{
	static const char *const what[][2] = {
		{ "an event, 10,000 waiting", "a due retry, 10,000 waiting" },
		{ "an event, 100,000 waiting", "a due retry, 100,000 waiting" },
	};
	double few[2];

	report_heading("cost of waiting connections, and of 10 of them; ns");
	few[0] = samples_quantile(&crowds[0].event, 0);
	few[1] = samples_quantile(&crowds[0].due, 0);
	for (int i = 1; i < COUNTS; i++) {
		report_row(&(struct row){ what[i - 1][0],
					  samples_quantile(&crowds[i].event, 0), few[0],
					  NAN, TARGET_RATIO, 2 });
		report_row(&(struct row){ what[i - 1][1],
					  samples_quantile(&crowds[i].due, 0), few[1],
					  NAN, TARGET_NONE, 0 });
	}
}

int bench_timers(void)
{
	static const unsigned int counts[COUNTS] = { 10, 10000, 100000 };
	struct crowd crowds[COUNTS] = { 0 };
	struct pool *pool = NULL;
	struct pool_error why;
	int r;

	r = put_file(POOL, "[pool]\nendpoint = 10.0.2.2\n"
			   "[retry]\nfirst = 600s\nmax = 600s\ntries = 2\n");
	if (!r)
		r = pool_load(POOL, &pool, &why);
	for (int i = 0; i < COUNTS && !r; i++)
		r = crowd_open(&crowds[i], pool, counts[i]);
	for (int i = 0; i < ROUNDS * COUNTS && !r; i++)
		r = round_of(&crowds[i % COUNTS]);
	if (!r)
		report(crowds);
	for (int i = 0; i < COUNTS; i++) {
		samples_free(&crowds[i].event);
		samples_free(&crowds[i].due);
		engine_free(crowds[i].engine);
	}
	pool_free(pool);
	return r;
}
