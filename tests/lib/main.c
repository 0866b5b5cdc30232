// SPDX-License-Identifier: MIT
/*
 * main.c - Criterion's main(), in namespaces of its own
 */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <string.h>

#include "sandbox.h"
#include "until.h"

/* Longer than one wait, whose message says more than "timed out". */
#define TEST_S 300

static int started, skipped;

ReportHook(PRE_TEST)(struct criterion_test *test)
{
	(void)test;
	started++;
}

/* Criterion neither reports a skipped test nor counts it as tested. */
ReportHook(POST_TEST)(struct criterion_test_stats *stats)
{
	if (stats->test_status != CR_STATUS_SKIPPED)
		return;
	skipped++;
	fprintf(stderr, "[SKIP] %s::%s: %s\n", stats->test->category, stats->test->name,
		stats->message ? stats->message : "no reason given");
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	if (skipped)
		fprintf(stderr, "[====] Skipped: %d\n", skipped);
}

int main(int argc, char *argv[])
{
	struct criterion_test_set *tests;
	int r = 0, failed = 0;

	/* If the kernel refuses, NEED_SANDBOX() reports it in each test. */
	if (!sandbox_entered())
		r = sandbox_enter();
	if (r < 0)
		fprintf(stderr, "no namespaces of our own: %s\n", strerror(-r));

	tests = criterion_initialize();
	criterion_options.timeout = TEST_S * patience();
	if (criterion_handle_args(argc, argv, true)) {
		failed = !criterion_run_all_tests(tests) || !started;
		if (!started)
			fprintf(stderr, "no test was run; a pattern, if any, is one of "
					"extended globbing: TESTS='@(a|b)/*'\n");
	}
	criterion_finalize(tests);
	return failed;
}
