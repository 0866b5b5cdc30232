// SPDX-License-Identifier: MIT
/*
 * serve.c - ordinary users get the same pairs as root without a broker
 */
#include "broker.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES 50
#define EACH	  20
#define LOOK_MS	  1100

static const char *const both_families[] = { "10.0.2.1", "10.0.3.1", "dead:beef:2::1",
					     "dead:beef:3::1", NULL };
static const char *const second_only[] = { "10.0.2.1", "dead:beef:2::1", NULL };

#define POOL_BOTH \
	POOL_23 "endpoint = dead:beef:2::2 laminar\nendpoint = dead:beef:3::2 laminar\n"

static int count_entries(pid_t pid, const char *what)
{
	char path[64];
	int n = -2; /* . and .. */
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	dir = opendir(path);
	cr_assert(dir, "%s", path);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* The pairs of one tcpclient of @uid; it has @threads threads and @fds descriptors. */
static char *pairs_of(struct lab *lab, uid_t uid, const char *const argv[], int joins,
		      int *ret_threads, int *ret_fds)
{
	struct proc client;
	char *pairs;
	int r;

	lab_start(lab, &client, uid, lab->pool, argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")), "not connected: %s",
		  proc_errors(&client));
	WAIT_FOR(joined_count(&lab->world.client) == joins);
	pairs = pairs_text(&lab->world.client, 0, false);
	*ret_threads = count_entries(client.pid, "task");
	*ret_fds = count_entries(client.pid, "fd");
	proc_eof(&client);
	r = proc_wait(&client, EFFECT_MS);
	cr_assert_eq(r, 0, "the client ended with %d: %s", r, proc_errors(&client));
	proc_end(&client);
	cr_assert(WAIT_FOR(joined_count(&lab->world.client) == 0));
	return pairs;
}

struct kind {
	const char *const argv[6];
	int joins;
};

static const struct kind kinds[] = {
	{ { "@tests/apps/tcpclient", "10.0.1.1", LAB_PORT }, 2 },
	{ { "@tests/apps/tcpclient", "-b", "10.0.1.1", LAB_PORT }, 2 },
	{ { "@tests/apps/tcpclient", "-6", "dead:beef:1::1", LAB_PORT }, 2 },
	{ { "@tests/apps/tcpclient", "-b", "-6", "dead:beef:1::1", LAB_PORT }, 2 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

Test(serve, a_user_gets_the_pairs_that_root_gets_directly)
{
	int threads, direct_fds[KINDS], fds;
	char *direct[KINDS], *served;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, both_families);
	put_text(lab.pool, POOL_BOTH);
	for (size_t i = 0; i < KINDS; i++) {
		direct[i] = pairs_of(&lab, 0, kinds[i].argv, kinds[i].joins, &threads,
				     &direct_fds[i]);
		cr_assert_eq(threads, 2, "root has a manager of its own");
		cr_assert_neq(direct[i][0], '\0');
	}
	lab_broker(&lab, "[broker]\nlog = debug\n");
	for (size_t i = 0; i < KINDS; i++) {
		served = pairs_of(&lab, ALICE, kinds[i].argv, kinds[i].joins, &threads,
				  &fds);
		cr_expect_str_eq(served, direct[i], "kind %zu: %s, not %s", i, served,
				 direct[i]);
		cr_expect_eq(threads, 1);
		cr_expect_eq(fds, direct_fds[i], "%d descriptors, not %d", fds,
			     direct_fds[i]);
		free(served);
		free(direct[i]);
	}
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Return: the number of @pair in @pairs. */
static int times(const char *pairs, const char *pair)
{
	int n = 0;

	for (; (pairs = strstr(pairs, pair)); pairs++)
		n++;
	return n;
}

Test(serve, a_thousand_connections_of_fifty_processes)
{
	static const char *const argvs[][8] = {
		{ "@tests/apps/tcpclient", "-N", "20", "10.0.1.1", LAB_PORT },
		{ "@tests/apps/tcpclient", "-b", "-N", "20", "10.0.1.1", LAB_PORT },
		{ "@tests/apps/tcpclient", "-6", "-N", "20", "dead:beef:1::1", LAB_PORT },
		{ "@tests/apps/tcpclient", "-b", "-6", "-N", "20", "dead:beef:1::1",
		  LAB_PORT },
	};
	struct proc clients[PROCESSES];
	int of_v4 = 0, i;
	struct lab lab;
	char *pairs;

	NEED_USERS();
	lab_open(&lab, second_only);
	put_text(lab.pool, POOL_BOTH);
	lab_broker(&lab, "");
	for (i = 0; i < PROCESSES; i++) {
		of_v4 += i % 4 < 2;
		lab_start(&lab, &clients[i], i % 5 ? ALICE : BOB, lab.pool, argvs[i % 4]);
	}
	for (i = 0; i < PROCESSES; i++)
		cr_assert(WAIT_FOR(proc_said(&clients[i], "connected 20\n")),
			  "process %d: %s", i, proc_errors(&clients[i]));
	WAIT_FOR(joined_count(&lab.world.client) == PROCESSES * EACH);
	pairs = pairs_text(&lab.world.client, 0, false);
	cr_expect_eq(times(pairs, "10.0.2.2-10.0.2.1"), of_v4 * EACH);
	cr_expect_eq(times(pairs, "dead:beef:2::2-dead:beef:2::1"),
		     (PROCESSES - of_v4) * EACH);
	cr_expect_eq(joined_count(&lab.world.client), PROCESSES * EACH);
	free(pairs);
	for (i = 0; i < PROCESSES; i++) {
		cr_expect_eq(count_entries(clients[i].pid, "task"), 1);
		proc_eof(&clients[i]);
	}
	for (i = 0; i < PROCESSES; i++) {
		cr_expect_eq(proc_wait(&clients[i], EFFECT_MS), 0);
		proc_end(&clients[i]);
	}
	cr_expect(WAIT_FOR(broker_count().connections == 0), "%u connections remain",
		  broker_count().connections);
	cr_expect_eq(broker_count().registrations, PROCESSES * EACH);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* The first connects of the program: all of them need its pool file. */
Test(serve, burst_of_threads_gets_all_paths)
{
	static const char *const argv[] = {
		"@tests/apps/tcpclient", "-N", "0", "10.0.1.1", LAB_PORT, NULL
	};
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, both_families);
	lab_broker(&lab, "");
	for (int count = 16; count <= 256; count *= 4) {
		char text[32];

		lab_start(&lab, &client, ALICE, lab.pool, argv);
		snprintf(text, sizeof(text), "burst %d", count);
		cr_assert_eq(proc_tell(&client, text), 0);
		snprintf(text, sizeof(text), "connected %d\n", count);
		cr_assert(WAIT_FOR(proc_said(&client, text)), "%s", proc_errors(&client));
		cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2 * count),
			  "%d joins of %d connections", joined_count(&lab.world.client),
			  count);
		cr_expect_eq(connections_with(&lab.world.client,
					      "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1"),
			     count);
		proc_eof(&client);
		cr_assert_eq(proc_wait(&client, EFFECT_MS), 0);
		proc_end(&client);
		cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 0));
	}
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Its ESTABLISHED is no longer held, so only sock_diag knows the first subflow. */
Test(serve, connection_registered_late_gets_right_pairs)
{
	static const char *const none[] = { NULL };
	const struct endpoint_spec second = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	char record[BROKER_RECORD_MAX], *pairs;
	uint32_t token;
	struct lab lab;
	size_t len;
	int fd;

	NEED_USERS();
	lab_open(&lab, none);
	lab_broker(&lab, "");
	fd = native_connection(&token);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "x", 1), 1);
	cr_assert(WAIT_FOR(broker_count().events_foreign > 0));
	len = record_fill(record, token, "late", "/late.conf",
			  "[pool]\nendpoint = 10.0.1.2\n"
			  "endpoint = 10.0.2.2\nendpoint = 10.0.3.2\n");
	cr_assert_eq(record_send(record, len), 0);
	cr_assert(WAIT_FOR(broker_count().registrations == 1));
	cr_assert_eq(endpoint_add(&lab.world.server, &second), 0);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	pairs = pairs_text(&lab.world.client, 0, false);
	cr_expect_str_eq(pairs, "10.0.2.2-10.0.2.1");
	free(pairs);
	close(fd);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* The pool of a running program changes at its next connection. */
Test(serve, a_changed_pool_applies_to_earlier_connections)
{
	struct proc first, second;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, both_families);
	put_text(lab.pool, "[pool]\nendpoint = 10.0.2.2 laminar\n");
	lab_broker(&lab, "");
	lab_start(&lab, &first, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	put_text(lab.pool, POOL_23);
	lab_start(&lab, &second, ALICE, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 4), "%d joins",
		  joined_count(&lab.world.client));
	proc_end(&first);
	proc_end(&second);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(serve, programs_outlive_a_broker_and_use_the_next)
{
	struct proc client, later;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, both_families);
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	kill(lab.broker.pid, SIGKILL);
	proc_wait(&lab.broker, EFFECT_MS);
	proc_end(&lab.broker);
	cr_assert_eq(proc_tell(&client, "echo 100000"), 0);
	lab_start(&lab, &later, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&later, "connected 1\n")));
	cr_expect_eq(joined_count(&lab.world.client), 2, "the second one has joins");
	proc_end(&later);
	lab_broker(&lab, "");
	lab_start(&lab, &later, ALICE, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 4), "%d joins",
		  joined_count(&lab.world.client));
	proc_end(&later);
	proc_eof(&client);
	cr_expect_eq(proc_wait(&client, EFFECT_MS), 0);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/*
 * @n: its connections then. There may be more @joins: the server repeats announcements
 * that nobody heard, and connections from before the broker are registered with the next
 * one.
 */
static void connects(struct lab *lab, struct proc *p, int n, int joins)
{
	char said[32];

	snprintf(said, sizeof(said), "connected %d\n", n);
	if (n > 1)
		cr_assert_eq(proc_tell(p, "connect"), 0);
	cr_assert(WAIT_FOR(proc_said(p, said)), "not %s: %s", said, proc_errors(p));
	cr_expect(WAIT_FOR(joined_count(&lab->world.client) >= joins),
		  "%s: %d joins, not %d", said, joined_count(&lab->world.client), joins);
}

/* Brokers start and stop while it runs; it looks for one at most once a second. */
Test(serve, a_running_program_finds_a_new_broker)
{
	struct proc program;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, both_families);
	lab_start(&lab, &program, ALICE, lab.pool, tcpclient_argv);
	connects(&lab, &program, 1, 0);
	lab_broker(&lab, "");
	nap_ms(LOOK_MS);
	connects(&lab, &program, 2, 2);
	connects(&lab, &program, 3, 4);
	kill(lab.broker.pid, SIGKILL);
	proc_wait(&lab.broker, EFFECT_MS);
	proc_end(&lab.broker);
	connects(&lab, &program, 4, 4);
	connects(&lab, &program, 5, 4);
	lab_broker(&lab, "");
	nap_ms(LOOK_MS);
	connects(&lab, &program, 6, 6);
	cr_expect_eq(count_entries(program.pid, "task"), 1);
	proc_eof(&program);
	cr_expect_eq(proc_wait(&program, EFFECT_MS), 0);
	proc_end(&program);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* One line, and nothing else. */
static void is_logged(const struct proc *client, const char *text)
{
	char *errors = proc_errors(client);

	cr_expect(strstr(errors, text), "\"%s\" and not \"%s\"", errors, text);
	cr_expect_eq(strchr(errors, '\n'), errors + strlen(errors) - 1, "%s", errors);
	free(errors);
}

/* One program that connects now and then. */
Test(serve, a_program_falls_back_to_direct_unless_forced)
{
	static const char *const free_argv[] = { "@tests/apps/tcpclient", "10.0.1.1",
						 LAB_PORT, NULL };
	static const char *const forced[] = { "env",
					      "MPTCPADDR_BACKEND=broker",
					      "MPTCPADDR_LOG=info",
					      "@tests/apps/tcpclient",
					      "10.0.1.1",
					      LAB_PORT,
					      NULL };
	static const char *const direct[] = { "env",
					      "MPTCPADDR_BACKEND=direct",
					      "@tests/apps/tcpclient",
					      "10.0.1.1",
					      LAB_PORT,
					      NULL };
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, both_families);
	/* root may manage itself, without a broker */
	lab_start(&lab, &client, 0, lab.pool, free_argv);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2));
	cr_expect_eq(count_entries(client.pid, "task"), 2);
	proc_end(&client);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 0));
	lab_start(&lab, &client, 0, lab.pool, forced);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	nap_ms(300);
	cr_expect_eq(joined_count(&lab.world.client), 0);
	cr_expect_eq(count_entries(client.pid, "task"), 1);
	is_logged(&client, "warning: no pool: no broker answers");
	proc_end(&client);
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, forced);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	is_logged(&client, "info: the broker manages the connections");
	proc_end(&client);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 0));
	lab_start(&lab, &client, 0, lab.pool, direct);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2));
	cr_expect_eq(count_entries(client.pid, "task"), 2);
	cr_expect_eq(broker_count().registrations, 1);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* The command of the README, with a download that lasts until the joins are counted. */
Test(serve, curl_under_the_launcher)
{
	static const char *const second[] = { "10.0.2.1", NULL };
	const char *argv[] = { "@mptcpaddr", "run",	  "--pool", NULL,
			       "--",	     "curl",	  "-q",	    "-sS",
			       "-o",	     "/dev/null", LAB_URL,  NULL };
	struct proc web, curl;
	struct lab lab;
	char *pairs;
	int r;

	NEED_USERS();
	lab_open(&lab, second);
	lab_broker(&lab, "");
	lab_web(&lab, &web);
	cr_assert_eq(host_nft(&lab.world.server, HOLD_DATA), 0);
	argv[3] = lab.pool;
	lab_start(&lab, &curl, ALICE, NULL, argv);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1), "%s",
		  proc_errors(&curl));
	pairs = pairs_text(&lab.world.client, 0, false);
	cr_expect_str_eq(pairs, "10.0.2.2-10.0.2.1");
	free(pairs);
	cr_expect_eq(count_entries(curl.pid, "task"), 1);
	cr_assert_eq(host_nft(&lab.world.server, "flush ruleset\n"), 0);
	r = proc_wait(&curl, EFFECT_MS);
	cr_expect_eq(r, 0, "curl ended with %d: %s", r, proc_errors(&curl));
	proc_end(&curl);
	proc_end(&web);
	lab_broker_end(&lab);
	lab_close(&lab);
}
