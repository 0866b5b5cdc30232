// SPDX-License-Identifier: MIT
/*
 * log.c - checklist 27: what must be logged is logged, also by a program that ends at
 * once; a log never blocks, kills or slows the program
 */
#include "preload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint.h"

#define RUNS 100

static void always_says(struct lab *lab, const struct program *g, enum lab_mode mode,
			const char *text)
{
	int said = 0;

	for (int i = 0; i < RUNS; i++) {
		char *shown = program_run(lab, g, mode);

		said += strstr(shown, text) && strstr(shown, "--- status 0\n");
		if (said <= i) {
			cr_log_error("run %d: %s", i, shown);
			break;
		}
		free(shown);
	}
	cr_expect_eq(said, RUNS, "\"%s\" in %d runs", text, said);
}

static void is_said(const char *text, enum lab_mode mode, const char *nonblock,
		    void (*prepare)(struct lab *lab))
{
	const struct program g = {
		.argv = { "hasty", LAB_ADDRESS, LAB_PORT, nonblock },
		.preload_env = { "MPTCPADDR_LOG=info" },
	};
	struct lab lab;

	lab_open(&lab);
	prepare(&lab);
	always_says(&lab, &g, mode, text);
	lab_close(&lab);
}

static void use_kernel_manager(struct lab *lab)
{
	cr_assert_eq(host_path_manager(&lab->world.client, PM_KERNEL), 0);
}

static void spoil_pool(struct lab *lab)
{
	lab_pool(lab, "[pool]\nendpoint = 10.0.2.2 id 300\n");
}

static void disable_mptcp(struct lab *lab)
{
	cr_assert_eq(host_sysctl(&lab->world.client, "net/mptcp/enabled", "0"), 0);
}

static void change_nothing(struct lab *lab)
{
}

static void opt_out(struct lab *lab)
{
	lab_pool(lab, "[app]\nmptcp = no\n");
}

static void lose_pool(struct lab *lab)
{
	unlink(lab->pool);
}

#define SAID(name, text, mode, nonblock, prepare)       \
	Test(log, says_at_once_##name, TIMEOUT)         \
	{                                               \
		is_said(text, mode, nonblock, prepare); \
	}

SAID(that_the_kernel_is_the_path_manager, "in-kernel path manager is active", POOL, NULL,
     use_kernel_manager)
SAID(the_same_before_the_connection_stands, "in-kernel path manager is active", POOL,
     "nonblock", use_kernel_manager)
SAID(which_line_of_the_pool_is_wrong, "pool.conf:2: local id 300 is not in 1-255", POOL,
     NULL, spoil_pool)
SAID(which_line_is_wrong_before_the_connection_stands,
     "pool.conf:2: local id 300 is not in 1-255", POOL, "nonblock", spoil_pool)
SAID(that_the_pool_file_is_missing, "pool.conf: No such file", POOL, NULL, lose_pool)
SAID(that_mptcp_is_off, "no pool: the kernel refuses MPTCP sockets", POOL, NULL,
     disable_mptcp)
SAID(that_there_is_no_pool_file, "no pool: no pool file for hasty", NO_POOL, NULL,
     change_nothing)
SAID(which_file_opts_out, "no MPTCP: mptcp = no in /run/pool.conf", POOL, NULL, opt_out)
SAID(how_many_endpoints_there_are, "2 endpoints from /run/pool.conf", POOL, NULL,
     change_nothing)

Test(log, says_at_once_that_a_capability_is_missing, TIMEOUT)
{
	const struct program g = {
		.argv = { "/usr/bin/setpriv", "--bounding-set=-net_admin",
			  program_path("hasty"), LAB_ADDRESS, LAB_PORT },
		.preload_env = { "MPTCPADDR_LOG=warning" },
	};
	struct lab lab;

	lab_open(&lab);
	always_says(&lab, &g, POOL, "no pool: no CAP_NET_ADMIN");
	lab_close(&lab);
}

Test(log, says_at_once_that_no_back_end_is_allowed, TIMEOUT)
{
	const struct program g = {
		.argv = { "hasty", LAB_ADDRESS, LAB_PORT },
		.preload_env = { "MPTCPADDR_LOG=info", "MPTCPADDR_BACKEND=none" },
	};
	struct lab lab;

	lab_open(&lab);
	always_says(&lab, &g, POOL, "no pool: MPTCPADDR_BACKEND=none");
	lab_close(&lab);
}

Test(log, says_why_a_join_failed, TIMEOUT)
{
	const struct endpoint_spec e = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	const struct program g = {
		.argv = { "changes", "socket", LAB_ADDRESS, LAB_PORT },
		.preload_env = { "MPTCPADDR_LOG=info" },
	};
	struct proc p;
	struct lab lab;

	lab_open(&lab);
	cr_assert_eq(host_nft(&lab.world.server,
			      "table inet no { chain in { type filter hook input "
			      "priority 0; ip daddr 10.0.2.1 reject with tcp reset; "
			      "}; }"),
		     0);
	program_start(&lab, &g, POOL, &p);
	cr_assert(WAIT_FOR(proc_said(&p, "echoed")));
	cr_assert_eq(endpoint_add(&lab.world.server, &e), 0);
	cr_expect(WAIT_FOR(strstr(proc_errors(&p),
				  "10.0.2.1 announced (id 1) -> join from 10.0.2.2 "
				  "(id 1) failed: Connection refused")),
		  "%s", proc_errors(&p));
	proc_end(&p);
	lab_close(&lab);
}

/* The program's own thread logs without a pool, the manager's with one. */
static void is_not_noticed(const char *how)
{
	struct program g = {
		.argv = { "stderr", how, program_path("client"), LAB_ADDRESS, LAB_PORT },
		.preload_env = { "MPTCPADDR_LOG=debug" },
	};
	struct lab lab;
	int64_t start, native, shim;

	lab_open(&lab);
	start = now_ms();
	free(program_run(&lab, &g, NATIVE));
	native = now_ms() - start;
	same_as_native(&lab, &g, POOL, MPTCP);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	start = now_ms();
	free(program_run(&lab, &g, POOL));
	shim = now_ms() - start;
	cr_expect_lt(shim, 3 * native + 500, "%d ms, not %d", (int)shim, (int)native);
	lab_close(&lab);
}

#define NOT_NOTICED(name, how)       \
	Test(log, name, TIMEOUT)     \
	{                            \
		is_not_noticed(how); \
	}

NOT_NOTICED(full_pipe_is_not_noticed, "full-pipe")
NOT_NOTICED(full_socket_is_not_noticed, "full-socket")
NOT_NOTICED(gone_reader_is_not_noticed, "gone-reader")
NOT_NOTICED(stopped_terminal_is_not_noticed, "stopped-terminal")
NOT_NOTICED(full_terminal_is_not_noticed, "full-terminal")
NOT_NOTICED(file_size_limit_is_not_noticed, "full-file")

Test(log, file_size_limit_of_a_log_file_is_not_noticed, TIMEOUT)
{
	struct program g = {
		.argv = { "stderr", "full-file", program_path("client"), LAB_ADDRESS,
			  LAB_PORT },
		.preload_env = { "MPTCPADDR_LOG=debug:/run/log" },
	};
	struct lab lab;

	lab_open(&lab);
	put_file("/run/log", "", 0600);
	same_as_native(&lab, &g, POOL, MPTCP);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	lab_close(&lab);
}
