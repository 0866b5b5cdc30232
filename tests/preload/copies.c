// SPDX-License-Identifier: MIT
/*
 * copies.c - checklist 28: one manager a process, however often the library is loaded
 */
#include "preload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "subflow.h"

#define OTHER	   "/run/other"
#define OTHER_COPY "/run/other/anyname.so"
#define INERT	   "this copy of the library is inert: the first one is "

/* Another installation, whose files may have other names. */
static void install_other(void)
{
	char from[PATH_MAX];
	const char *argv[] = { "cp", from, OTHER_COPY, NULL };

	cr_assert_eq(mkdir(OTHER, 0755), 0);
	built("libmptcpaddr.so", from, sizeof(from));
	cr_assert_eq(proc_run(NULL, NULL, argv), 0);
	built("libmptcpaddr-pm.so", from, sizeof(from));
	argv[2] = OTHER;
	cr_assert_eq(proc_run(NULL, NULL, argv), 0);
}

static int times(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

/* Each connection of @managed is joined once. */
static void one_manager(const struct program *g, const char *said, int managed,
			const char *logged, const char *first)
{
	const struct endpoint_spec e = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	struct proc p;
	struct lab lab;
	char *errors, *native, *both;
	struct program client = { .argv = { "client", LAB_ADDRESS, LAB_PORT } };

	lab_open(&lab);
	install_other();
	native = program_run(&lab, &client, NATIVE);
	client.before = g->before;
	client.after = g->after;
	both = program_run(&lab, &client, POOL);
	cr_expect_str_eq(both, native, "%s", both);
	free(native);
	free(both);
	program_start(&lab, g, POOL, &p);
	cr_assert(WAIT_FOR(proc_said(&p, said)), "%s", proc_errors(&p));
	cr_assert_eq(endpoint_add(&lab.world.server, &e), 0);
	cr_assert(WAIT_FOR(joined_count(&lab.world.server) == managed));
	nap_ms(500); /* for joins that must not come */
	cr_assert_eq(capture_read(&lab.wire), 0);
	cr_expect_eq(capture_count(&lab.wire, SEEN_MP_JOIN), managed);
	errors = proc_errors(&p);
	cr_expect_eq(times(errors, logged), 1, "%s", errors);
	cr_expect(!first || strstr(errors, first), "%s", errors);
	free(errors);
	proc_end(&p);
	lab_close(&lab);
}

static const struct program twice = {
	.argv = { "changes", "socket", LAB_ADDRESS, LAB_PORT },
	.preload_env = { "MPTCPADDR_LOG=warning" },
};

Test(copies, second_one_is_inert, TIMEOUT)
{
	struct program g = twice;

	g.after = OTHER_COPY;
	one_manager(&g, "echoed", 1, INERT, "libmptcpaddr.so\n");
}

Test(copies, first_one_may_have_any_name, TIMEOUT)
{
	struct program g = twice;

	g.before = OTHER_COPY;
	one_manager(&g, "echoed", 1, INERT, OTHER_COPY);
}

Test(copies, one_that_the_program_loads_is_inert, TIMEOUT)
{
	const struct program g = {
		.argv = { "twice", "dlopen", OTHER_COPY, LAB_ADDRESS, LAB_PORT },
		.preload_env = { "MPTCPADDR_LOG=warning" },
	};

	one_manager(&g, "threads 2\n", 1, INERT, "libmptcpaddr.so\n");
}

Test(copies, one_in_another_namespace_is_inert, TIMEOUT)
{
	const struct program g = {
		.argv = { "twice", "dlmopen", OTHER_COPY, LAB_ADDRESS, LAB_PORT },
		.preload_env = { "MPTCPADDR_LOG=warning" },
	};

	one_manager(&g, "threads", 1, "another copy of the library manages", NULL);
}

/* Both copies hook setsockopt(). */
static void options_with_two(const char *const a, const char *const b,
			     const char *const c, const char *const d)
{
	struct program g = { .argv = { a, b, c, d } };
	char *one, *two;
	struct lab lab;

	lab_open(&lab);
	install_other();
	one = program_run(&lab, &g, POOL);
	g.after = OTHER_COPY;
	two = program_run(&lab, &g, POOL);
	cr_expect_str_eq(two, one, "%s: not as with one copy", a);
	free(one);
	free(two);
	lab_close(&lab);
}

Test(copies, options_are_those_of_one_copy, .timeout = 120)
{
	options_with_two("options", "4", "fresh", NULL);
	options_with_two("options", "6", "connected", NULL);
	options_with_two("options", "4", "accepted", NULL);
	options_with_two("replaced", "plain", LAB_ADDRESS, LAB_PORT);
}
