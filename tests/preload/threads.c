// SPDX-License-Identifier: MIT
/*
 * threads.c - the manager's thread does not stand in the way of a program with one
 * thread, nor change how the program's own threads are scheduled
 */
#include "preload.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "endpoint.h"
#include "slice.h"
#include "subflow.h"

SAME_IN_BOTH_MODES(threads, unshare_of_a_user_namespace, MPTCP, "spaces", "unshare",
		   LAB_ADDRESS, LAB_PORT)
SAME_IN_BOTH_MODES(threads, setns_to_a_user_namespace, MPTCP, "spaces", "setns",
		   LAB_ADDRESS, LAB_PORT)
SAME_IN_BOTH_MODES(threads, setns_of_any_type, MPTCP, "spaces", "setns-any", LAB_ADDRESS,
		   LAB_PORT)

/* Return: the manager's thread in process @pid; 0: there is none. */
static pid_t manager_thread(pid_t pid)
{
	char path[64], *comm;
	struct dirent *e;
	pid_t tid = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && !tid && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", pid, e->d_name);
		comm = get_file(path);
		if (comm && !strcmp(comm, "mptcpaddr\n"))
			tid = atoi(e->d_name);
		free(comm);
	}
	if (d)
		closedir(d);
	return tid;
}

static void start_joined(struct lab *lab, const struct program *g, struct proc *p)
{
	const struct endpoint_spec e = { .addr = "10.0.2.1", .flags = EP_SIGNAL };

	lab_open(lab);
	cr_assert_eq(endpoint_add(&lab->world.server, &e), 0);
	program_start(lab, g, POOL, p);
	cr_assert(WAIT_FOR(joined_count(&lab->world.server) == 1), "not joined: %s",
		  proc_errors(p));
}

/* A program whose manager's thread is late in a system call */
#define LATE(trace, delay) \
	"/usr/bin/strace", "-fqq", "-o", "/dev/null", "-e", trace, "-e", delay

/*
 * Of a program whose manager starts late. Another program's manager listens, so that the
 * kernel acknowledges ADD_ADDRs of all connections and the server repeats none.
 */
Test(threads, first_connection_waits_for_a_manager_that_starts_late, TIMEOUT)
{
	const struct program other = { .argv = { "hold", "nothing", LAB_ADDRESS, LAB_PORT,
						 "/run/other" } };
	const struct program late = {
		.argv = { LATE("trace=close_range",
			       "inject=close_range:delay_enter=3000000"),
			  program_path("hold"), "nothing", LAB_ADDRESS, LAB_PORT,
			  "/run/marker" }
	};
	struct proc p, q;
	struct lab lab;

	start_joined(&lab, &other, &p);
	program_start(&lab, &late, POOL, &q);
	cr_assert(WAIT_FOR(get_file("/run/marker")), "%s", proc_errors(&q));
	cr_expect(WAIT_FOR(joined_count(&lab.world.server) == 2), "not joined: %s",
		  proc_errors(&q));
	proc_end(&q);
	proc_end(&p);
	lab_close(&lab);
}

Test(threads, first_path_waits_for_a_pool_that_is_read_late, TIMEOUT)
{
	const struct program g = {
		.argv = { LATE("trace=unshare", "inject=unshare:delay_enter=3000000"),
			  program_path("leaves"), LAB_ADDRESS, LAB_PORT, "1" }
	};
	struct lab lab;
	char *text;

	lab_open(&lab);
	lab_pool(&lab, "[pool]\nendpoint = 10.0.2.2\n[app]\nfirst = pool\n");
	text = program_run(&lab, &g, POOL);
	cr_expect(strstr(text, "ok 10.0.2.2 "), "%s", text);
	free(text);
	lab_close(&lab);
}

Test(threads, manager_alone_has_a_short_slice, TIMEOUT)
{
	const struct program g = { .argv = { "hold", "nothing", LAB_ADDRESS, LAB_PORT,
					     "/run/marker" } };
	const int program_nice = nice(1);
	struct proc p;
	struct lab lab;
	pid_t tid;

	start_joined(&lab, &g, &p);
	tid = manager_thread(p.pid);
	cr_assert_neq(tid, 0);
	cr_expect(WAIT_FOR(slice_of(tid) == slice_expected()));
	cr_expect_eq(slice_of(p.pid), slice_of(0));
	cr_expect_eq(getpriority(PRIO_PROCESS, tid), program_nice);
	cr_expect_eq(sched_getscheduler(tid), SCHED_OTHER);
	proc_end(&p);
	lab_close(&lab);
}

Test(threads, filter_that_would_kill_for_the_request_sees_none, TIMEOUT)
{
	char strict[PATH_MAX];
	const struct program g = { .argv = { built("tests/apps/strict", strict,
						   sizeof(strict)),
					     program_path("hold"), "nothing", LAB_ADDRESS,
					     LAB_PORT, "/run/marker" } };
	struct proc p;
	struct lab lab;
	pid_t tid;

	start_joined(&lab, &g, &p);
	tid = manager_thread(p.pid);
	cr_assert_neq(tid, 0, "killed");
	cr_expect_eq(slice_of(tid), slice_of(p.pid));
	proc_end(&p);
	lab_close(&lab);
}
