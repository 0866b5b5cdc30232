// SPDX-License-Identifier: MIT
/*
 * scale.c - the cost of mptcpinfo --json per connection of one process
 *
 * Ours: at 10,000 connections. Peer: at 2,000. The connections are sorted, so the target
 * leaves room for the n log n of a small part; a quadratic cost would be 5x. Callgrind
 * counts the instructions. tests/info/scale.c checks the same with fewer connections.
 */
#include "bench.h"
#include "hosts.h"
#include "until.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEW	     2000
#define MANY	     10000
#define TEXT(number) TEXT_(number)
#define TEXT_(n)     #n
#define ROUNDS	     3
#define RUN_MS	     300000

struct reading {
	double us, instructions; /* per connection */
};

static size_t count_text(const char *text, const char *what)
{
	size_t n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;
	return n;
}

/* Run @argv, which must show @count connections. Return: 0 or -errno. */
static int run_info(struct hosts *h, const char *const argv[], size_t count,
		    char **ret_errors)
{
	struct proc p;
	char *out;
	int r;

	r = proc_start(&p, &h->world.client, argv, NULL);
	if (r < 0)
		return r;
	r = proc_wait(&p, RUN_MS);
	out = proc_output(&p);
	*ret_errors = proc_errors(&p);
	proc_end(&p);
	if (!r && count_text(out, "\"manager\":\"direct\"") != count)
		r = -EPROTO;
	free(out);
	return r > 0 ? -ECHILD : r;
}

static int read_us(struct hosts *h, size_t count, double *ret)
{
	char path[PATH_MAX], *errors;
	const char *const argv[] = { built("mptcpinfo", path, sizeof(path)), "--json",
				     NULL };
	double us, best = INFINITY;
	struct timespec from, to;
	int r = 0;

	for (int i = 0; i < ROUNDS && !r; i++) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		r = run_info(h, argv, count, &errors);
		clock_gettime(CLOCK_MONOTONIC, &to);
		free(errors);
		us = (to.tv_sec - from.tv_sec) * 1e6 + (to.tv_nsec - from.tv_nsec) / 1e3;
		if (us < best)
			best = us;
	}
	*ret = best;
	return r;
}

static int read_instructions(struct hosts *h, size_t count, double *ret)
{
	static const char mark[] = "Collected : ";
	char path[PATH_MAX], *errors = NULL;
	const char *const argv[] = { "valgrind",
				     "--tool=callgrind",
				     "--callgrind-out-file=/dev/null",
				     built("mptcpinfo", path, sizeof(path)),
				     "--json",
				     NULL };
	const char *found;
	int r;

	r = run_info(h, argv, count, &errors);
	found = r ? NULL : strstr(errors, mark);
	if (found)
		*ret = atof(found + strlen(mark));
	else if (!r)
		r = -EPROTO;
	if (r)
		fprintf(stderr, "callgrind: %s\n", errors ? errors : "not started");
	free(errors);
	return r;
}

static int read_both(const char *count, struct reading *ret)
{
	struct proc crowd = { .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	size_t n = atoi(count);
	struct hosts h;
	int r;

	r = hosts_open(&h);
	if (!r)
		r = hosts_crowd(&h, SIDE_OURS, count, &crowd);
	if (!r)
		r = read_us(&h, n, &ret->us);
	if (!r)
		r = read_instructions(&h, n, &ret->instructions);
	ret->us /= n;
	ret->instructions /= n;
	proc_end(&crowd);
	hosts_close(&h);
	return r;
}

int bench_scale(void)
{
	struct reading few = { 0 }, many = { 0 };
	int r;

	r = read_both(TEXT(FEW), &few);
	if (!r)
		r = read_both(TEXT(MANY), &many);
	if (r < 0)
		return r;
	report_heading("mptcpinfo --json of 10,000 and 2,000, per connection");
	report_row(&(struct row){ "instructions", many.instructions, few.instructions,
				  NAN, TARGET_RATIO, 1.25 });
	report_row(&(struct row){ "us", many.us, few.us, NAN, TARGET_NONE, 0 });
	return 0;
}
