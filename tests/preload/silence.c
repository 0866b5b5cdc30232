// SPDX-License-Identifier: MIT
/*
 * silence.c - checklist 3: print nothing unless asked, and never to a descriptor that
 * the program has reused
 */
#include "preload.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "subflow.h"

static const struct program client = { .argv = { "client", LAB_ADDRESS, LAB_PORT } };

Test(silence, nothing_is_printed_unless_asked, TIMEOUT)
{
	static const char *const pools[] = {
		"", "garbage\n", "[pool]\nendpoint = 300.1.2.3 laminar\n",
		"[pool]\nendpoint = 10.0.2.2 id 300\n[nonsense]\n"
	};
	struct lab lab;

	lab_open(&lab);
	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		lab_pool(&lab, pools[i]);
		same_as_native(&lab, &client, POOL, MPTCP);
	}
	unlink(lab.pool);
	same_as_native(&lab, &client, POOL, MPTCP);
	lab_close(&lab);
}

#define WRONG ":2: local id 300 is not in 1-255"

/* A program may end before its manager has read the pool file. */
static bool said(struct lab *lab, const struct program *g, const char *file)
{
	char *shown = program_run(lab, g, POOL), *text = file ? get_file(file) : NULL;
	bool said = strstr(text ?: shown, WRONG);

	free(shown);
	free(text);
	return said;
}

Test(silence, a_log_that_is_asked_for_is_written, TIMEOUT)
{
	struct program g = client;
	struct lab lab;

	lab_open(&lab);
	g.preload_env[0] = "MPTCPADDR_LOG=debug:/run/asked.log";
	lab_pool(&lab, "[pool]\nendpoint = 10.0.2.2 id 300 laminar\n");
	same_as_native(&lab, &g, POOL, MPTCP);
	cr_assert(WAIT_FOR(said(&lab, &g, "/run/asked.log")), "to a file");
	g.preload_env[0] = "MPTCPADDR_LOG=debug";
	cr_assert(WAIT_FOR(said(&lab, &g, NULL)), "to standard error");
	lab_close(&lab);
}

/* Make the manager log. */
static void announce(struct lab *lab)
{
	const struct endpoint_spec e = { .addr = "10.0.2.1", .flags = EP_SIGNAL };

	cr_assert_eq(endpoint_add(&lab->world.server, &e), 0);
	cr_assert(WAIT_FOR(joined_count(&lab->world.server) == 1),
		  "the announcement was not joined");
	nap_ms(100);
}

static void recycled(const char *when)
{
	const char *file = "/run/recycled", *marker = "/run/recycled.mark";
	const struct program g = { .argv = { "recycle", when, LAB_ADDRESS, LAB_PORT, file,
					     marker },
				   .preload_env = { "MPTCPADDR_LOG=debug" } };
	struct proc p;
	struct lab lab;
	char *text;

	lab_open(&lab);
	program_start(&lab, &g, POOL, &p);
	cr_assert(WAIT_FOR(!access(marker, F_OK)), "the program did not start");
	announce(&lab);
	text = get_file(file);
	cr_assert(text, "the program made no file");
	cr_assert_str_eq(text, "", "in the program's own file: %s", text);
	free(text);
	proc_end(&p);
	lab_close(&lab);
}

Test(silence, log_never_goes_to_a_descriptor_2_recycled_before_connect, TIMEOUT)
{
	recycled("before");
}

Test(silence, log_never_goes_to_a_descriptor_2_recycled_after_connect, TIMEOUT)
{
	recycled("after");
}
