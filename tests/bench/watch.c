// SPDX-License-Identifier: MIT
/*
 * watch.c - from an incoming ADD_ADDR to the outgoing SYN with MP_JOIN, in a process of
 * 10,000 connections that mptcpinfo --json --watch reads once a second
 *
 * Ours: with the watch. Peer: the same process without it, in turns. All connections
 * have a second path. Further connections of the same process are timed, made one by
 * one, so that the queried manager makes each join.
 */
#include "bench.h"
#include "endpoint.h"
#include "hosts.h"
#include "subflow.h"
#include "until.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CROWD	      10000
#define TEXT(number)  TEXT_(number)
#define TEXT_(number) #number
#define ROUNDS	      4	  /* of each side */
#define COUNT	      200 /* joins of a round: 2 to 3 s */
#define MISSED_MAX    (2 * ROUNDS * COUNT / 100)
#define CONNECT_MS    60000
#define ROUND_MS      60000
#define WARM_MS	      1500 /* after the first reading of the watch */

static const struct endpoint_spec announced = { "10.0.2.1", EP_SIGNAL, 0, 0, NULL };

/* A second path for each, from one announcement. */
static int join_crowd(struct hosts *h)
{
	int64_t until = now_ms() + CONNECT_MS;
	int r;

	r = limits_set(&h->world.server, 2, 2);
	if (!r)
		r = endpoint_add(&h->world.server, &announced);
	if (r < 0)
		return r;
	while (joined_count(&h->world.client) < CROWD) {
		if (now_ms() > until) {
			fprintf(stderr, "%d of %d joins\n",
				joined_count(&h->world.client), CROWD);
			return -ETIMEDOUT;
		}
		nap_ms(300);
	}
	return 0;
}

static size_t lines_of(const struct proc *p)
{
	char *text = proc_output(p);
	size_t n = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	free(text);
	return n;
}

static void joins_read(const struct capture *c, struct samples *into, int *ret_joins)
{
	const struct timespec *from = NULL;

	for (size_t i = 0; i < c->count; i++) {
		const struct seen *s = &c->at[i];

		if (s->kind == SEEN_ADD_ADDR && !s->outgoing && !from)
			from = &s->at;
		if (s->kind != SEEN_MP_JOIN || !s->outgoing || !from)
			continue;
		samples_add(into, (s->at.tv_sec - from->tv_sec) * 1e6 +
					  (s->at.tv_nsec - from->tv_nsec) / 1e3);
		from = NULL;
		++*ret_joins;
	}
}

/* Return: the number of missed joins; -errno. */
static int round_of(struct proc *crowd, struct capture *c, struct samples *into)
{
	size_t before = lines_of(crowd);
	int r, joins = 0;

	r = capture_read(c);
	c->count = 0;
	if (!r)
		r = proc_tell(crowd, TEXT(COUNT));
	if (!r && !WAIT_UNTIL(lines_of(crowd) > before, ROUND_MS))
		r = -ETIMEDOUT;
	if (!r)
		r = capture_read(c);
	if (!r)
		joins_read(c, into, &joins);
	return r ?: COUNT - joins;
}

static int watched_round(struct hosts *h, struct proc *crowd, struct capture *c,
			 struct samples *into)
{
	char path[PATH_MAX], command[PATH_MAX + 64];
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct proc watch;
	int r;

	snprintf(command, sizeof(command), "exec '%s' --json --watch >/dev/null",
		 built("mptcpinfo", path, sizeof(path)));
	r = proc_start(&watch, &h->world.client, argv, NULL);
	if (r < 0)
		return r;
	nap_ms(WARM_MS);
	r = round_of(crowd, c, into);
	if (proc_wait(&watch, 0) != -ETIMEDOUT) {
		fputs("the watch has ended\n", stderr);
		r = -ECHILD;
	}
	proc_end(&watch);
	return r;
}

static int measure(struct hosts *h, struct proc *crowd, struct samples took[SIDES])
{
	struct capture c;
	int r, missed = 0;

	r = capture_open(&c, &h->world.client);
	for (int i = 0; i < 2 * ROUNDS && r >= 0; i++) {
		int side = i / 2 % 2 ? 1 - i % 2 : i % 2;

		r = side == SIDE_OURS ? watched_round(h, crowd, &c, &took[side])
				      : round_of(crowd, &c, &took[side]);
		missed += r > 0 ? r : 0;
	}
	capture_close(&c);
	if (r >= 0 && missed > MISSED_MAX)
		fprintf(stderr, "%d joins were not seen\n", missed);
	return r < 0 ? r : missed > MISSED_MAX ? -EPROTO : 0;
}

static void report(struct samples took[SIDES])
{
	static const struct {
		const char *what;
		double part;
	} rows[] = { { "median", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 } };

	report_heading("join among 10,000, watched and not; us");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report_row(&(struct row){
			rows[i].what, samples_quantile(&took[SIDE_OURS], rows[i].part),
			samples_quantile(&took[SIDE_PEER], rows[i].part), NAN,
			TARGET_RATIO, 2 });
}

int bench_watch(void)
{
	struct samples took[SIDES] = { 0 };
	struct proc crowd = { .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	struct hosts h;
	int r;

	r = hosts_open(&h);
	if (!r)
		r = hosts_crowd(&h, SIDE_OURS, TEXT(CROWD), &crowd);
	if (!r)
		r = join_crowd(&h);
	if (!r)
		r = measure(&h, &crowd, took);
	if (!r)
		report(took);
	for (int i = 0; i < SIDES; i++)
		samples_free(&took[i]);
	proc_end(&crowd);
	hosts_close(&h);
	return r;
}
