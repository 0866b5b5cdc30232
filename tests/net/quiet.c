// SPDX-License-Identifier: MIT
/*
 * quiet.c - an idle program is not woken by the connections of others
 * (shim/manager/idle.c)
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "net.h"
#include "shim.h"

#define QUIET_MS 7500 /* longer than it takes to become idle */
#define CROWD	 100
#define NAP_MS	 200  /* for the manager's thread to run */
#define LATE_MS	 3000 /* it does not run for so long */

static const struct net_spec two_ways = {
	.pool = { { "10.0.2.2" }, { "10.0.3.2" } },
	.announced = { { "10.0.2.1" } },
};

/* The manager's, in a program with one thread; 0: there is none. */
static pid_t second_thread(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	pid_t tid = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	cr_assert(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != pid)
			tid = atoi(entry->d_name);
	closedir(dir);
	return tid;
}

/* How often the manager's thread has been woken; -1: it has none. */
static long wake_ups(pid_t pid)
{
	char path[64], line[128];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, second_thread(pid));
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	if (f)
		fclose(f);
	return n;
}

static size_t subflows_of_server(struct net *n)
{
	struct subflows s = { 0 };
	size_t count;

	cr_assert_eq(subflows_read(&n->world.server, &s), 0);
	count = s.count;
	subflows_free(&s);
	return count;
}

/*
 * Connections of an unrelated program, opened and closed: while they close, a kernel
 * that announces a new endpoint may miss a connection.
 */
static void crowd(struct net *n, int count)
{
	const size_t before = subflows_of_server(n);
	char path[PATH_MAX], number[16], said[32];
	const char *argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
			       "-m",
			       "-N",
			       number,
			       "10.0.1.1",
			       NET_PORT,
			       NULL };
	struct proc others;

	snprintf(number, sizeof(number), "%d", count);
	snprintf(said, sizeof(said), "connected %d\n", count);
	cr_assert_eq(proc_start(&others, &n->world.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&others, said)));
	proc_eof(&others);
	cr_assert_eq(proc_wait(&others, EFFECT_MS), 0);
	proc_end(&others);
	cr_assert(WAIT_FOR(subflows_of_server(n) <= before));
}

static long woken_by(struct net *n, int count)
{
	const long before = wake_ups(n->client.pid);

	crowd(n, count);
	nap_ms(NAP_MS);
	return wake_ups(n->client.pid) - before;
}

static void becomes_idle(struct net *n)
{
	cr_assert(WAIT_FOR(woken_by(n, CROWD) == 0), "it never was");
}

/* Joined subflows of the program under test: the others close theirs at once. */
static void joins_become(struct net *n, int joins)
{
	struct ctl_manager m;

	if (WAIT_FOR(joined_count(&n->world.client) == joins))
		return;
	net_manager(n, &m);
	cr_expect(false,
		  "%d joins, not %d; %d registered, %u known, %d events, %d replayed, %d "
		  "foreign, %d overruns; %d ADD_ADDR; %d requested",
		  joined_count(&n->world.client), joins, (int)m.registrations,
		  m.connections, (int)m.events, (int)m.events_replayed,
		  (int)m.events_foreign, (int)m.overruns, (int)m.counters.add_addr_rx,
		  (int)m.counters.subflows_requested);
}

static void connects(struct net *n, const char *said)
{
	cr_assert_eq(proc_tell(&n->client, "connect"), 0);
	cr_assert(WAIT_FOR(proc_said(&n->client, said)));
}

Test(pool, idle_program_is_not_woken_by_connections_of_others)
{
	struct ctl_manager before, after;
	struct net n;

	net_start(&n, &two_ways, FROM_POOL);
	joins_become(&n, 1);
	cr_expect_gt(woken_by(&n, CROWD), 0, "it has just connected");
	becomes_idle(&n);
	/* It still receives its own events, */
	net_announce(&n, "10.0.3.1");
	joins_become(&n, 2);
	net_withdraw(&n, "10.0.2.1");
	joins_become(&n, 1);
	net_announce(&n, "10.0.2.1");
	joins_become(&n, 2);
	/* and those of a new connection, from the first event on. */
	connects(&n, "connected 2\n");
	joins_become(&n, 4);
	net_manager(&n, &before);
	crowd(&n, CROWD);
	net_manager(&n, &after);
	cr_expect_gt(after.events_foreign, before.events_foreign);
	becomes_idle(&n);
	cr_assert_eq(proc_tell(&n.client, "close"), 0);
	net_tables_are_empty(&n);
	net_close(&n);
}

/* Its thread may get no processor for seconds: connect() waits for the new filter. */
Test(pool, idle_program_waits_for_a_manager_that_wakes_up_late)
{
	struct net n;
	pid_t tid;

	net_start(&n, &two_ways, FROM_POOL);
	joins_become(&n, 1);
	becomes_idle(&n);
	tid = second_thread(n.client.pid);
	cr_assert_eq(ptrace(PTRACE_SEIZE, tid, NULL, NULL), 0);
	cr_assert_eq(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL), 0);
	cr_assert_eq(waitpid(tid, NULL, __WALL), tid);
	cr_assert_eq(proc_tell(&n.client, "connect"), 0);
	nap_ms(LATE_MS);
	cr_assert_eq(ptrace(PTRACE_DETACH, tid, NULL, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&n.client, "connected 2\n")));
	joins_become(&n, 2);
	net_close(&n);
}

/* The filter cannot know a connection before it is accepted. */
Test(pool, idle_server_receives_the_events_of_accepted_connections)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.2.2" } },
		.announced = { { "10.0.2.1" } },
		.server_pool = true,
	};
	struct net n;

	net_open(&n, &spec, FROM_POOL);
	nap_ms(QUIET_MS);
	net_connect(&n, 1);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	net_close(&n);
}

static void burst(struct net *n, int count)
{
	static const char two_each[] = "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1";
	char command[32];

	snprintf(command, sizeof(command), "burst %d", count);
	cr_assert_eq(proc_tell(&n->client, command), 0);
	snprintf(command, sizeof(command), "connected %d\n", count);
	cr_assert(WAIT_FOR(proc_said(&n->client, command)));
	joins_become(n, 2 * count);
	cr_expect_eq(connections_with(&n->world.client, two_each), count, "of %d", count);
	cr_assert_eq(proc_tell(&n->client, "close"), 0);
	net_tables_are_empty(n);
}

/* Before the first connect there is no manager; later, all wait for the filter's removal.
 */
Test(pool, burst_of_threads_gets_all_paths_at_once_and_after_idle_time)
{
	static const int counts[] = { 16, 64, 256 };
	static const struct net_spec spec = {
		.pool = { { "10.0.2.2" }, { "10.0.3.2" } },
		.announced = { { "10.0.2.1" }, { "10.0.3.1" } },
		.client_args = { "-N", "0" },
	};
	struct net n;

	net_open(&n, &spec, FROM_POOL);
	net_connect(&n, 0);
	burst(&n, 64);
	for (int i = 0; i < 3; i++) {
		becomes_idle(&n);
		burst(&n, counts[i]);
	}
	net_close(&n);
}
