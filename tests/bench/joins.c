// SPDX-License-Identifier: MIT
/*
 * joins.c - from an incoming ADD_ADDR to the outgoing SYN with MP_JOIN
 *
 * Both times are the kernel's stamps on the client's interfaces, one clock. Ours: the
 * event wakes the manager's thread, which sends a command to the kernel. Peer: the
 * kernel's own path manager, with the same two addresses as laminar endpoints; a work
 * queue does it. The same hosts, program and announcement, in turns.
 *
 * Twice, since both hosts are on one machine. On a bare veth the work queue that sends
 * the server's ADD_ADDR also answers it for the client, without a task switch: no
 * network offers that. So also with a link that delays the ADD_ADDR for a moment
 * (PACED): it then arrives from a timer's interrupt on idle processors, as from a
 * network card, and both sides must wake a task.
 *
 * One connection at a time: a SYN answers the ADD_ADDR before it. The first one of a
 * process is reported separately: our libraries may still be loading.
 */
#include "bench.h"
#include "hosts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS	   150
#define COUNT	   5			      /* connections of each program */
#define MISSED_MAX (2 * ROUNDS * COUNT / 100) /* without a join; else not measured */

/*
 * Its bucket holds one small packet and fills at 125 bytes a ms: the ADD_ADDR follows
 * too soon upon the SYN/ACK. The MTU keeps the kernel from warning of a small bucket.
 */
#define PACED_MTU "link set s1 mtu 120\n"
#define PACED	  "rate", "1mbit", "burst", "134b", "latency", "50ms"

static double us_between(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * 1e6 + (to->tv_nsec - from->tv_nsec) / 1e3;
}

/* Return: how many joins there were. */
static int joins_read(const struct capture *c, struct samples *first,
		      struct samples *later)
{
	const struct timespec *waiting = NULL;
	int n = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct seen *s = &c->at[i];

		if (s->kind == SEEN_ADD_ADDR && !s->outgoing && !waiting)
			waiting = &s->at;
		if (s->kind != SEEN_MP_JOIN || !s->outgoing || !waiting)
			continue;
		samples_add(n ? later : first, us_between(waiting, &s->at));
		waiting = NULL;
		n++;
	}
	return n;
}

/* Print the wire: the program saw a second subflow on each connection. */
static void say_missed(const struct capture *c, enum side side, int missed)
{
	char *text = capture_text(c);

	fprintf(stderr, "%s: %d of %d connections without a join\n%s",
		side == SIDE_OURS ? "ours" : "peer", missed, COUNT, text);
	free(text);
}

/* Return: how many connections had no join; -errno. */
static int round_of(struct hosts *h, struct capture *c, enum side side,
		    struct samples *first, struct samples *later)
{
	int r, missed;

	r = host_path_manager(&h->world.client,
			      side == SIDE_OURS ? PM_USERSPACE : PM_KERNEL);
	if (!r)
		r = capture_read(c);
	c->count = 0;
	if (!r)
		r = hosts_connect(h, side, COUNT, true, NULL, NULL);
	if (!r)
		r = capture_read(c);
	if (r < 0)
		return r;
	missed = COUNT - joins_read(c, first, later);
	if (missed)
		say_missed(c, side, missed);
	return missed;
}

static int measure(struct hosts *h, struct samples first[SIDES],
		   struct samples later[SIDES])
{
	struct capture c;
	int r, missed = 0;

	r = capture_open(&c, &h->world.client);
	for (int i = 0; i < 2 * ROUNDS && r >= 0; i++) {
		int side = i / 2 % 2 ? 1 - i % 2 : i % 2;

		r = round_of(h, &c, side, &first[side], &later[side]);
		missed += r > 0 ? r : 0;
	}
	capture_close(&c);
	if (r >= 0)
		r = missed > MISSED_MAX ? -EPROTO : 0;
	return r;
}

static int pace(struct hosts *h)
{
	static const char *const argv[] = { "tc",   "qdisc", "add", "dev", "s1",
					    "root", "tbf",   PACED, NULL };
	int r = host_ip(&h->world.server, PACED_MTU);

	return r ?: proc_run(&h->world.server, NULL, argv) ? -EOPNOTSUPP : 0;
}

static void report(const char *what, struct samples s[SIDES], double part,
		   enum target target, double limit)
{
	report_row(&(struct row){ what, samples_quantile(&s[SIDE_OURS], part),
				  samples_quantile(&s[SIDE_PEER], part), NAN, target,
				  limit });
}

static int bench_joins_on(const char *heading, bool paced)
{
	struct samples first[SIDES] = { 0 }, later[SIDES] = { 0 };
	struct hosts h;
	int r;

	r = hosts_open(&h);
	if (!r)
		r = hosts_announce(&h);
	if (!r && paced)
		r = pace(&h);
	if (!r)
		r = measure(&h, first, later);
	if (!r) {
		report_heading(heading);
		report("after the first, median", later, 0.5, TARGET_RATIO, 1.5);
		report("after the first, p99", later, 0.99, TARGET_RATIO, 2);
		report("first of a process, median", first, 0.5, TARGET_RATIO, 1.5);
		report("first of a process, p90", first, 0.9, TARGET_NONE, 0);
	}
	for (int i = 0; i < SIDES; i++) {
		samples_free(&first[i]);
		samples_free(&later[i]);
	}
	hosts_close(&h);
	return r;
}

int bench_joins(void)
{
	int r = bench_joins_on("ADD_ADDR in to MP_JOIN out, us; by interrupt", true);

	return r ?: bench_joins_on("ADD_ADDR in to MP_JOIN out, us; bare veth", false);
}
