// SPDX-License-Identifier: MIT
/*
 * scale.c - the cost of mptcpinfo grows linearly with the connections of one process
 *
 * Callgrind counts instructions: times depend on the machine. tests/bench/scale.c does
 * the same with 10,000 connections.
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

#define FEW	    "300"
#define MANY	    "1500"
#define VALGRIND_MS 200000
/* Sorting the connections is n log n of a small part; quadratic would be 5. */
#define GROWTH_MAX   1.1
#define FILES_NEEDED 2000

#ifdef __SANITIZE_ADDRESS__
#define RUNS_ALONE true
#else
#define RUNS_ALONE false
#endif

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

/* Return: NAN in a build that valgrind cannot run; it runs without valgrind there. */
static double info_instructions(const struct host *h, size_t expected)
{
	char path[PATH_MAX];
	const char *const argv[] = { "valgrind",
				     "--tool=callgrind",
				     "--callgrind-out-file=/dev/null",
				     built("mptcpinfo", path, PATH_MAX),
				     "--json",
				     NULL };
	const char *collected;
	struct said said;
	double n = NAN;

	said = run_for(h, argv + (RUNS_ALONE ? 3 : 0), VALGRIND_MS);
	cr_assert_eq(said.status, 0, "%s", said.err);
	check_document(said.out, expected);
	if (!RUNS_ALONE) {
		collected = strstr(said.err, "Collected : ");
		cr_assert(collected, "%s", said.err);
		n = atof(collected + strlen("Collected : "));
	}
	said_free(&said);
	return n;
}

static double with_connections(const char *count)
{
	struct stage s;
	double n;

	pool_write("[pool]\nendpoint = 10.0.1.2 laminar\nendpoint = 10.0.2.2 laminar\n");
	stage_open(&s, 2);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_preloaded(&s, count);
	n = info_instructions(&s.w.client, atoi(count));
	stage_close(&s);
	return n;
}

Test(scale, cost_grows_linearly_with_the_connections)
{
	double times = atof(MANY) / atof(FEW), few, many;
	struct rlimit files;

	NEED_SANDBOX();
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < FILES_NEEDED)
		SKIP("the limit of open files is below 2000");
	few = with_connections(FEW);
	many = with_connections(MANY);
	fprintf(stderr,
		"mptcpinfo --json: " FEW " connections %.1f M instructions; " MANY
		" %.1f M\n",
		few / 1e6, many / 1e6);
	if (!RUNS_ALONE)
		cr_assert_lt(many, few * times * GROWTH_MAX);
}
