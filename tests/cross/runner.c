// SPDX-License-Identifier: MIT
/*
 * runner.c - main() of test programs that are built without Criterion
 *
 * runner [-jN] [PATTERN] - run the tests that match, fnmatch() style, N at a time
 */
#include "criterion/criterion.h"
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

#define TEST_S	600 /* emulated, and beside other tests */
#define SLOWER	20  /* than natively */
#define JOBS	8
#define SKIPPED 77

extern const struct runner_test *const __start_runner_tests[];
extern const struct runner_test *const __stop_runner_tests[];

static const struct runner_test *current;
static bool failed; /* an expectation of this test */

struct totals {
	unsigned int tested, passed, failed, crashed, skipped;
};

void runner_fail(bool fatal, const char *file, int line, const char *what,
		 const char *format, ...)
{
	va_list args;

	failed = true;
	fprintf(stderr, "%s:%d: Assertion Failed\n  %s::%s: %s", file, line,
		current->suite, current->name, what);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (fatal)
		_exit(1);
}

void runner_skip(const char *why)
{
	fprintf(stderr, "[SKIP] %s::%s: %s\n", current->suite, current->name, why);
	_exit(SKIPPED);
}

static pid_t start(const struct runner_test *test)
{
	const pid_t pid = fork();

	if (pid)
		return pid;
	current = test;
	alarm(test->timeout ? test->timeout * SLOWER : TEST_S);
	test->run();
	fflush(stdout);
	_exit(failed);
}

/* Wait for one of the @running tests, and count its result. */
static void finish(pid_t running[JOBS], const struct runner_test *tests[JOBS],
		   struct totals *totals)
{
	int status = 0, i;
	const pid_t pid = wait(&status);

	for (i = 0; i < JOBS && running[i] != pid; i++)
		;
	if (i == JOBS)
		return;
	running[i] = 0;
	totals->tested++;
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		totals->passed++;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
		totals->tested--;
		totals->skipped++;
	} else {
		totals->failed++;
		totals->crashed += WIFSIGNALED(status);
		fprintf(stderr, "[FAIL] %s::%s: status 0x%x\n", tests[i]->suite,
			tests[i]->name, status);
	}
}

static void run_all(const char *pattern, int jobs, struct totals *totals)
{
	const struct runner_test *const *test, *tests[JOBS];
	pid_t running[JOBS] = { 0 };
	char name[256];
	int busy = 0, i;

	for (test = __start_runner_tests; test < __stop_runner_tests; test++) {
		snprintf(name, sizeof(name), "%s/%s", (*test)->suite, (*test)->name);
		if (pattern && fnmatch(pattern, name, 0))
			continue;
		for (; busy == jobs; busy--)
			finish(running, tests, totals);
		for (i = 0; running[i]; i++)
			;
		tests[i] = *test;
		running[i] = start(*test);
		busy++;
	}
	for (; busy; busy--)
		finish(running, tests, totals);
}

int main(int argc, char *argv[])
{
	struct totals totals = { 0 };
	const char *pattern = NULL;
	int i, jobs = 1;

	for (i = 1; i < argc; i++)
		if (!strncmp(argv[i], "-j", 2))
			jobs = atoi(argv[i] + 2);
		else
			pattern = argv[i];
	if (!sandbox_entered() && sandbox_enter() < 0)
		fprintf(stderr, "no namespaces of our own\n");
	run_all(pattern, jobs < 1 ? 1 : jobs > JOBS ? JOBS : jobs, &totals);
	printf("[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: "
	       "%u\n",
	       totals.tested, totals.passed, totals.failed, totals.crashed);
	if (totals.skipped)
		printf("[====] Skipped: %u\n", totals.skipped);
	return totals.failed || !totals.tested;
}
