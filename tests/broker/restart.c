// SPDX-License-Identifier: MIT
/*
 * restart.c - the broker is killed during transfers, and started again
 */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOWNLOADS 200

static void same_file(const char *a, const char *b)
{
	const char *const argv[] = { "cmp", "-s", a, b, NULL };

	cr_expect_eq(proc_run(NULL, NULL, argv), 0, "%s differs from the file sent", b);
}

/* All start at once. */
static void start_downloads(struct lab *lab, struct proc *curl)
{
	static const char *const argv[] = { "curl",
					    "-q",
					    "-sS",
					    "-Z",
					    "--parallel-immediate",
					    "--parallel-max",
					    "250",
					    "-o",
					    "got/#1",
					    LAB_URLS,
					    NULL };

	cr_assert(mkdir("got", 0777) == 0 && chown("got", ALICE, ALICE) == 0);
	lab_start(lab, curl, ALICE, lab->pool, argv);
}

Test(restart, two_hundred_downloads_outlive_the_broker)
{
	static const char *const second[] = { "10.0.2.1", NULL };
	const struct endpoint_spec third = { .addr = "10.0.3.1", .flags = EP_SIGNAL };
	struct proc nginx, curl;
	struct lab lab;
	char path[32];
	int before, r;

	NEED_USERS();
	lab_open(&lab, second);
	lab_broker(&lab, "");
	lab_web(&lab, &nginx);
	cr_assert_eq(host_nft(&lab.world.server, HOLD_DATA), 0);
	start_downloads(&lab, &curl);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == DOWNLOADS), "%d joins",
		  joined_count(&lab.world.client));
	kill(lab.broker.pid, SIGKILL);
	proc_wait(&lab.broker, EFFECT_MS);
	proc_end(&lab.broker);
	before = joined_count(&lab.world.client);
	cr_expect_eq(before, DOWNLOADS, "%d joins without a broker", before);

	lab_broker(&lab, "");
	cr_expect_eq(broker_count().connections, DOWNLOADS, "%u connections",
		     broker_count().connections);
	cr_assert_eq(endpoint_add(&lab.world.server, &third), 0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2 * DOWNLOADS),
		  "%d joins after the restart", joined_count(&lab.world.client));
	cr_assert_eq(host_nft(&lab.world.server, "flush ruleset\n"), 0);
	r = proc_wait(&curl, EFFECT_MS);
	cr_expect_eq(r, 0, "curl ended with %d: %s", r, proc_errors(&curl));
	for (int i = 1; i <= DOWNLOADS; i++) {
		snprintf(path, sizeof(path), "got/%d", i);
		same_file("web/www/file", path);
	}
	cr_assert_eq(host_enter(&lab.world.client), 0);
	cr_expect(WAIT_FOR(broker_count().connections == 0));
	proc_end(&curl);
	proc_end(&nginx);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* The new broker learns of announcements from established subflows. */
Test(restart, path_lost_after_the_restart_returns)
{
	static const char *const second[] = { "10.0.2.1", NULL };
	struct proc client;
	struct lab lab;
	char *pairs;

	NEED_USERS();
	lab_open(&lab, second);
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	kill(lab.broker.pid, SIGKILL);
	proc_wait(&lab.broker, EFFECT_MS);
	proc_end(&lab.broker);
	lab_broker(&lab, "");
	cr_assert_eq(
		host_ip(&lab.world.client,
			"addr del 10.0.2.2/24 dev c2\naddr del 10.0.3.2/24 dev c3\n"),
		0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 0));
	cr_assert_eq(host_ip(&lab.world.client, "addr add 10.0.2.2/24 dev c2\n"), 0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	pairs = pairs_text(&lab.world.client, 0, false);
	cr_expect_str_eq(pairs, "10.0.2.2-10.0.2.1");
	free(pairs);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* A token that was reused since is ignored. */
Test(restart, the_state_file_is_checked)
{
	static const char *const second[] = { "10.0.2.1", NULL };
	struct proc client;
	char command[128];
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, second);
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	kill(lab.broker.pid, SIGKILL);
	proc_wait(&lab.broker, EFFECT_MS);
	proc_end(&lab.broker);
	/* The cookie is the last of an entry, and the token's entry the last one. */
	snprintf(command, sizeof(command),
		 "f=$(ls %s/broker.4*) && truncate -s -1 $f && printf x >>$f", lab.dir);
	cr_assert_eq(proc_run(NULL, NULL, (const char *[]){ "sh", "-c", command, NULL }),
		     0);
	lab_broker(&lab, "");
	cr_expect_eq(broker_count().connections, 0);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}
