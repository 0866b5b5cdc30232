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
 * process is reported separately: our libraries may still be loading. What a user notices
 * of that is the time from connect() on over a link with a round-trip time.
 */
#include "bench.h"
#include "hosts.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "until.h"

#define START_MS   5000
#define ROUNDS	   150
#define COUNT	   5			      /* connections of each program */
#define MISSED_MAX (2 * ROUNDS * COUNT / 100) /* without a join; else not measured */

/*
 * Its bucket holds one small packet and fills at 125 bytes a ms: the ADD_ADDR follows
 * too soon upon the SYN/ACK. The MTU keeps the kernel from warning of a small bucket.
 */
#define PACED_MTU "link set s1 mtu 120\n"
#define PACED	  "rate", "1mbit", "burst", "134b", "latency", "50ms"

#define FAR_ROUNDS 60
#define ONE_WAY	   "0.5" /* ms */

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

/* Put a program that delays each frame into the first link. */
static int move_away(struct hosts *h, struct host *ret_wire, struct proc *ret_delay)
{
	char path[PATH_MAX], commands[512];
	const char *const argv[] = { built("tests/apps/delay", path, sizeof(path)),
				     ONE_WAY, "d1", "u1", NULL };
	int r = host_make(ret_wire, "wire");

	snprintf(commands, sizeof(commands),
		 "link set s1 down\nlink set s1 netns /proc/%1$d/fd/%2$d name d1\n"
		 "link add s1 type veth peer name u1 netns /proc/%1$d/fd/%2$d\n"
		 "addr add 10.0.1.1/24 dev s1\nlink set s1 up\n",
		 (int)getpid(), ret_wire->netns);
	if (!r)
		r = host_ip(&h->world.server, commands);
	if (!r)
		r = host_ip(ret_wire, "link set d1 up\nlink set u1 up\n");
	if (!r)
		r = proc_start(ret_delay, ret_wire, argv, NULL);
	return r ?: WAIT_UNTIL(proc_said(ret_delay, "ready"), START_MS) ? 0 : -ETIMEDOUT;
}

/* From connect() to the join, of a process with one connection. */
static int far_round(struct hosts *h, struct capture *c, enum side side,
		     struct samples *into)
{
	struct samples begin = { 0 };
	const struct seen *join;
	int r = host_path_manager(&h->world.client,
				  side == SIDE_OURS ? PM_USERSPACE : PM_KERNEL);

	if (!r)
		r = capture_read(c);
	c->count = 0;
	if (!r)
		r = hosts_connect(h, side, 1, true, &begin, NULL);
	if (!r)
		r = capture_read(c);
	join = r < 0 ? NULL : capture_nth(c, SEEN_MP_JOIN, 0);
	if (join)
		samples_add(into,
			    join->at.tv_sec * 1e6 + join->at.tv_nsec / 1e3 - begin.at[0]);
	samples_free(&begin);
	return r ?: join ? 0 : -EPROTO;
}

static int measure_far(struct hosts *h, struct samples first[SIDES])
{
	struct capture c;
	int r = capture_open(&c, &h->world.client);

	setenv("CONNECTS_CLOCK", "begin", 1);
	for (int i = 0; i < 2 * FAR_ROUNDS && r >= 0; i++) {
		int side = i / 2 % 2 ? 1 - i % 2 : i % 2;

		r = far_round(h, &c, side, &first[side]);
	}
	unsetenv("CONNECTS_CLOCK");
	capture_close(&c);
	return r;
}

static void report(const char *what, struct samples s[SIDES], double part,
		   enum target target, double limit)
{
	report_row(&(struct row){ what, samples_quantile(&s[SIDE_OURS], part),
				  samples_quantile(&s[SIDE_PEER], part), NAN, target,
				  limit });
}

static int bench_far_joins(void)
{
	struct samples first[SIDES] = { 0 };
	struct proc delay = { .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	struct host wire = { .netns = -1 };
	struct hosts h;
	int r;

	r = hosts_open(&h);
	if (!r)
		r = hosts_announce(&h);
	if (!r)
		r = move_away(&h, &wire, &delay);
	if (!r)
		r = measure_far(&h, first);
	if (!r) {
		report_heading("connect() to MP_JOIN out, us; round-trip time 1 ms");
		report("first of a process, median", first, 0.5, TARGET_RATIO, 1.1);
		report("first of a process, p90", first, 0.9, TARGET_NONE, 0);
	}
	for (int i = 0; i < SIDES; i++)
		samples_free(&first[i]);
	proc_end(&delay);
	hosts_close(&h);
	if (wire.netns >= 0)
		close(wire.netns);
	return r;
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
		report("after the first, median", later, 0.5, TARGET_RATIO,
		       paced ? 1.5 : 3);
		report("after the first, p99", later, 0.99, TARGET_RATIO, 3);
		report("first of a process, median", first, 0.5, TARGET_NONE, 0);
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

	r = r ?: bench_joins_on("ADD_ADDR in to MP_JOIN out, us; bare veth", false);
	return r ?: bench_far_joins();
}
