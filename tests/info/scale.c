// SPDX-License-Identifier: MIT
/*
 * scale.c - the time that mptcpinfo takes grows no faster than the connections
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/resource.h>

#include "info.h"
#include "skip.h"
#include "until.h"

#define FEW	     "2000"
#define MANY	     "10000"
#define TIMES	     5
#define LOOKS	     3
#define BETTER_THAN  (2 * TIMES) /* quadratic would be TIMES * TIMES */
#define FILES_NEEDED 12000

/* The best of some looks, in ms: what is not its own doing only adds. */
static double look_ms(const struct host *h, size_t expected)
{
	struct timespec from, to;
	double ms, best = 1e9;
	struct said said;
	json_t *root;

	for (int i = 0; i < LOOKS; i++) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		said = info(h, (const char *[]){ "--json", NULL });
		clock_gettime(CLOCK_MONOTONIC, &to);
		cr_assert_eq(said.status, 0, "%s", said.err);
		root = json_loads(said.out, 0, NULL);
		cr_assert(root);
		cr_assert_eq(json_array_size(at(root, "connections")), expected);
		cr_assert_eq(subflow_count(root), expected);
		json_decref(root);
		said_free(&said);
		ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
		if (ms < best)
			best = ms;
	}
	return best;
}

static double with_connections(const char *count)
{
	struct stage s;
	double ms;

	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", count);
	ms = look_ms(&s.w.client, atoi(count));
	stage_close(&s);
	return ms;
}

Test(scale, ten_thousand_connections_take_linear_time, .timeout = 120)
{
	struct rlimit files;
	double few, many;

	NEED_SANDBOX();
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < FILES_NEEDED)
		SKIP("the limit of open files is below 12000");
	few = with_connections(FEW);
	many = with_connections(MANY);
	fprintf(stderr, "mptcpinfo --json: %.1f ms for " FEW ", %.1f ms for " MANY "\n",
		few, many);
	cr_assert_lt(many, few * BETTER_THAN);
}
