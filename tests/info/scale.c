// SPDX-License-Identifier: MIT
/*
 * scale.c - what mptcpinfo does grows no faster than the connections of one process
 *
 * Instructions are counted, by valgrind: times depend on the machine, and are printed.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "info.h"
#include "skip.h"
#include "until.h"

#define FEW	     "2000"
#define MANY	     "10000"
#define LOOKS	     3
#define VALGRIND_MS  150000
#define FILES_NEEDED 12000
/* Connections are put in order: n log n of a small part. Quadratic would be 5. */
#define BETTER_THAN 1.25

struct cost {
	double ms;
	double instructions; /* NAN: of a build that valgrind cannot run */
};

static void check_document(const char *text, size_t expected)
{
	json_t *root = json_loads(text, 0, NULL);
	const json_t *conn;
	size_t i, n = 0;

	cr_assert(root);
	cr_assert_eq(json_array_size(at(root, "connections")), expected);
	cr_assert_eq(subflow_count(root), expected);
	json_array_foreach((json_t *)at(root, "connections"), i, conn) n +=
		strcmp(text_at(conn, "manager"), "direct") == 0 &&
		json_array_size(at(conn, "endpoints")) == 2;
	cr_assert_eq(n, expected, "%zu are managed", n);
	json_decref(root);
}

/* The best of some looks, in ms: what is not its own doing only adds. */
static double look_ms(const struct host *h, size_t expected)
{
	struct timespec from, to;
	double ms, best = INFINITY;
	struct said said;

	for (int i = 0; i < LOOKS; i++) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		said = info(h, (const char *[]){ "--json", NULL });
		clock_gettime(CLOCK_MONOTONIC, &to);
		cr_assert_eq(said.status, 0, "%s", said.err);
		check_document(said.out, expected);
		said_free(&said);
		ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
		if (ms < best)
			best = ms;
	}
	return best;
}

static double look_instructions(const struct host *h, size_t expected)
{
#ifdef __SANITIZE_ADDRESS__
	return NAN;
#else
	char path[PATH_MAX];
	const char *const argv[] = { "valgrind",
				     "--tool=callgrind",
				     "--callgrind-out-file=/dev/null",
				     built("mptcpinfo", path, PATH_MAX),
				     "--json",
				     NULL };
	const char *collected;
	struct said said;
	double n;

	said = run_for(h, argv, VALGRIND_MS);
	cr_assert_eq(said.status, 0, "%s", said.err);
	check_document(said.out, expected);
	collected = strstr(said.err, "Collected : ");
	cr_assert(collected, "%s", said.err);
	n = atof(collected + strlen("Collected : "));
	said_free(&said);
	return n;
#endif
}

static struct cost with_connections(const char *count)
{
	struct stage s;
	struct cost cost;

	pool_write("[pool]\nendpoint = 10.0.1.2 laminar\nendpoint = 10.0.2.2 laminar\n");
	stage_open(&s, 2);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_preloaded(&s, count);
	cost.ms = look_ms(&s.w.client, atoi(count));
	cost.instructions = look_instructions(&s.w.client, atoi(count));
	stage_close(&s);
	return cost;
}

Test(scale, ten_thousand_connections_take_linear_time, .timeout = 400)
{
	double times = atof(MANY) / atof(FEW);
	struct rlimit files;
	struct cost few, many;

	NEED_SANDBOX();
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < FILES_NEEDED)
		SKIP("the limit of open files is below 12000");
	few = with_connections(FEW);
	many = with_connections(MANY);
	fprintf(stderr,
		"mptcpinfo --json: " FEW
		" connections %.1f ms, %.1f M instructions; " MANY " %.1f ms, %.1f M\n",
		few.ms, few.instructions / 1e6, many.ms, many.instructions / 1e6);
	if (isnan(few.instructions))
		cr_assert_lt(many.ms, few.ms * times * 2);
	else
		cr_assert_lt(many.instructions, few.instructions * times * BETTER_THAN);
}
