// SPDX-License-Identifier: MIT
/*
 * log.c - with a broker, too, a program's log says why it has no pool, and the program
 * does not notice the log
 */
#include "broker.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNS 100

static const char *const announced[] = { "10.0.2.1", NULL };

/* One line in each run of a program that ends at once. */
static void always_says(struct lab *lab, uid_t uid, const char *backend, const char *text)
{
	const char *const argv[] = { "env",	 "MPTCPADDR_LOG=warning",
				     backend,	 "@tests/programs/hasty",
				     "10.0.1.1", LAB_PORT,
				     NULL };
	struct proc p;
	char *errors;

	for (int i = 0; i < RUNS; i++) {
		lab_start(lab, &p, uid, lab->pool, argv);
		cr_assert_eq(proc_wait(&p, EFFECT_MS), 0);
		errors = proc_errors(&p);
		cr_assert(strstr(errors, text), "%s, run %d: %s", text, i, errors);
		cr_assert_eq(strchr(errors, '\n'), errors + strlen(errors) - 1, "%s",
			     errors);
		free(errors);
		proc_end(&p);
	}
}

Test(log, says_at_once_why_the_broker_gives_no_pool)
{
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	always_says(&lab, ALICE, "MPTCPADDR_BACKEND=broker",
		    "no pool: no broker answers (MPTCPADDR_BACKEND=broker)");
	lab_broker(&lab, "[users]\nusers = 1001\n");
	always_says(&lab, ALICE, "MPTCPADDR_BACKEND=",
		    "no pool: the broker refuses: the policy does not admit this user");
	put_text(lab.pool, "[pool]\nendpoint = 10.0.2.2 id 300\n");
	always_says(&lab, BOB,
		    "MPTCPADDR_BACKEND=", "pool.conf:2: local id 300 is not in 1-255");
	cr_assert(unlink(lab.pool) == 0 && mkfifo(lab.pool, 0644) == 0);
	always_says(&lab, BOB, "MPTCPADDR_BACKEND=", "its file is not a regular one");
	cr_assert(unlink(lab.pool) == 0 && mkdir(lab.pool, 0755) == 0);
	always_says(&lab, BOB, "MPTCPADDR_BACKEND=", "its file is not a regular one");
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Return: the exit status of the client; *ret_output is freed by the caller. */
static int run_client(struct lab *lab, const char *pool, const char *how, const char *log,
		      char **ret_output, int64_t *ret_ms)
{
	char client[PATH_MAX];
	const char *const argv[] = { "env",
				     log,
				     "@tests/programs/stderr",
				     how,
				     built("tests/programs/client", client,
					   sizeof(client)),
				     "10.0.1.1",
				     LAB_PORT,
				     NULL };
	const int64_t start = now_ms();
	struct proc p;
	int r;

	lab_start(lab, &p, ALICE, pool, argv);
	r = proc_wait(&p, EFFECT_MS);
	*ret_ms = now_ms() - start;
	*ret_output = proc_output(&p);
	proc_end(&p);
	return r;
}

/* As natively: the same output and status, and no hang. V=1 shows both times. */
static void is_not_noticed(struct lab *lab, const char *how, const char *log,
			   const char *echoed)
{
	char *native, *output;
	int64_t native_ms, ms;
	int native_status, status;

	native_status = run_client(lab, NULL, how, log, &native, &native_ms);
	status = run_client(lab, lab->pool, how, log, &output, &ms);
	cr_expect_eq(status, native_status, "%s: %d, natively %d", how, status,
		     native_status);
	cr_expect_str_eq(output, native, "%s: %s", how, output);
	cr_expect_str_eq(native, echoed, "%s: %s", how, native);
	cr_log_info("%s: %d ms, natively %d ms", how, (int)ms, (int)native_ms);
	free(native);
	free(output);
}

Test(log, is_not_noticed)
{
	static const char *const kinds[] = { "full-pipe", "full-socket", "gone-reader",
					     "stopped-terminal", "full-terminal" };
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	lab_broker(&lab, "");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		is_not_noticed(&lab, kinds[i], "MPTCPADDR_LOG=debug", "echoed hello\n");
	put_text("/run/stderr", "");
	put_text("/run/log", "");
	cr_assert_eq(chmod("/run/stderr", 0666) | chmod("/run/log", 0666), 0);
	is_not_noticed(&lab, "full-file", "MPTCPADDR_LOG=debug", "");
	is_not_noticed(&lab, "full-file", "MPTCPADDR_LOG=debug:/run/log", "");
	cr_expect_geq(broker_count().registrations, 7);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(log, the_brokers_says_why_a_join_failed)
{
	const char *const argv[] = { "@tests/programs/changes", "socket", "10.0.1.1",
				     LAB_PORT, NULL };
	struct proc p;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	cr_assert_eq(host_nft(&lab.world.server,
			      "table inet no { chain in { type filter hook input "
			      "priority 0; ip daddr 10.0.2.1 reject with tcp reset; "
			      "}; }"),
		     0);
	lab_broker(&lab, "[broker]\nlog = info\n");
	lab_start(&lab, &p, ALICE, lab.pool, argv);
	cr_expect(WAIT_FOR(proc_said(&p, "echoed")));
	cr_expect(
		WAIT_FOR(strstr(proc_errors(&lab.broker),
				"join from 10.0.2.2 (id 1) failed: Connection refused")),
		"%s", proc_errors(&lab.broker));
	proc_end(&p);
	lab_broker_end(&lab);
	lab_close(&lab);
}

static int lines(const struct lab *lab, const char *text)
{
	char *said = proc_errors(&lab->broker), *at = said;
	int n = 0;

	for (; (at = strstr(at, text)); at++)
		n++;
	free(said);
	return n;
}

/* A hundred pools, each with another endpoint that the policy refuses. */
static int flood_with_pools(void *arg)
{
	static char record[BROKER_RECORD_MAX];
	char path[64], text[128];
	uint32_t token;
	int i;

	if (native_connection(&token) < 0)
		return 1;
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/pool-%d", i);
		snprintf(text, sizeof(text), "[pool]\nendpoint = 192.0.2.%d\n", i + 1);
		if (record_send(record, record_fill(record, token, "p", path, text)) < 0)
			return 2;
	}
	broker_count(); /* the records are read while the connection is there */
	return 0;
}

Test(log, no_user_floods_the_brokers_log)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	lab_broker(&lab, "[users]\naddresses = 10.0.0.0/8\n");
	cr_assert_eq(as_user(ALICE, flood_with_pools, NULL), 0);
	cr_expect_leq(lines(&lab, "user 1000: "), 30, "%d lines",
		      lines(&lab, "user 1000: "));
	/* Another user's line still comes, and the flood is owned up to. */
	lab_start(&lab, &client, BOB, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(lines(&lab, "user 1001: tcpclient: 2 endpoints") == 1));
	proc_end(&client);
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(proc_said(&client, "connected")));
	proc_end(&client);
	nap_ms(1100); /* a line a second */
	cr_assert_eq(as_user(ALICE, flood_with_pools, NULL), 0);
	cr_expect(WAIT_FOR(lines(&lab, "lines about this user") > 0), "%s",
		  proc_errors(&lab.broker));
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Control characters that programs show; a pool file's text is quoted. */
Test(log, of_the_broker_has_no_control_characters)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	lab_broker(&lab, "");
	put_text(lab.pool, "[pool]\nendpoint = 10.0.2.2 \xc2\x9b"
			   "2J\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(lines(&lab, "unknown word")));
	cr_expect_eq(lines(&lab, "\xc2\x9b"), 0, "%s", proc_errors(&lab.broker));
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Nobody listens there: the RST comes before the broker has read the record. */
Test(log, refused_connects_are_no_warning)
{
	static const char *const argv[] = { "/usr/bin/python3", "-c",
					    "import socket\n"
					    "for i in range(200):\n"
					    " s = socket.socket()\n"
					    " s.setblocking(False)\n"
					    " s.connect_ex(('10.0.1.1', 9))\n"
					    " s.close()\n"
					    "print('done', flush=True)\n",
					    NULL };
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	lab_broker(&lab, "[broker]\nlog = debug\n");
	lab_start(&lab, &client, ALICE, lab.pool, argv);
	cr_expect_eq(proc_wait(&client, EFFECT_MS), 0);
	cr_expect(WAIT_FOR(lines(&lab, "no connection 0x") > 0 ||
			   lines(&lab, "no such connection") > 0),
		  "%s", proc_errors(&lab.broker));
	cr_expect_eq(lines(&lab, "warning"), 0, "%s", proc_errors(&lab.broker));
	cr_expect_str_eq(proc_errors(&client), "");
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}
