// SPDX-License-Identifier: MIT
/*
 * hole.c - a path of a user's program that has become a black hole is made anew
 */
#include "broker.h"

#include <limits.h>
#include <stdio.h>

/* What comes through on the first two links */
static void swallow(const struct lab *lab, const char *verdict)
{
	char rules[400];

	snprintf(
		rules, sizeof(rules),
		"flush ruleset\ntable inet t {\n"
		"chain i { type filter hook input priority 0; iifname { s1, s2 } %s; }\n"
		"chain o { type filter hook output priority 0; oifname { s1, s2 } %s; }\n"
		"}\n",
		verdict, verdict);
	cr_assert_eq(host_nft(&lab->world.server, rules), 0);
	cr_assert_eq(host_enter(&lab->world.client), 0); /* for mptcpinfo */
}

/* Whether mptcpinfo, run by root, shows that counter with a digit. */
static bool counts(const char *counter, int digit)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("mptcpinfo", path, sizeof(path)), "--counters",
				     NULL };
	struct proc info;
	char line[128];
	bool shown;

	cr_assert_eq(proc_start(&info, NULL, argv, NULL), 0);
	cr_assert_eq(proc_wait(&info, EFFECT_MS), 0, "%s", proc_errors(&info));
	snprintf(line, sizeof(line), "\n  %-30s %12d\n", counter, digit);
	shown = proc_said(&info, line);
	proc_end(&info);
	return shown;
}

Test(hole, path_of_a_user_is_made_anew_once_it_answers)
{
	const char *const announced[] = { "10.0.2.1", NULL };
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	put_text(lab.pool, "[pool]\nendpoint = 10.0.2.2 laminar\n");
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1), "%s",
		  proc_errors(&client));
	swallow(&lab, "drop");
	cr_assert_eq(proc_tell(&client, "echo 300000"), 0);
	cr_assert(WAIT_FOR(counts("paths_silent", 1)));
	cr_assert(WAIT_FOR(counts("probes", 2)));
	cr_expect(!counts("paths_renewed", 1));
	swallow(&lab, "accept");
	cr_assert(WAIT_FOR(counts("paths_renewed", 1)));
	cr_assert(WAIT_FOR(proc_said(&client, "echoed")));
	cr_expect(WAIT_FOR(joined_count(&lab.world.server) == 1));
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}
