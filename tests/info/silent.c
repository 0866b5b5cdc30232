// SPDX-License-Identifier: MIT
/*
 * silent.c - a black hole, as events, table, explanation and JSON show it
 */
#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "endpoint.h"
#include "eventlog.h"
#include "skip.h"
#include "until.h"

static void echo(struct log *l, const char *bytes)
{
	char line[32];

	snprintf(line, sizeof(line), "echo %s", bytes);
	cr_assert_eq(proc_tell(&l->s.client, line), 0);
}

/* What comes through on both links; on one alone, the kernel may choose the other one. */
static void swallow(struct log *l, const char *packets)
{
	char rules[400];

	snprintf(rules, sizeof(rules),
		 "flush ruleset\ntable inet t {\n"
		 "chain i { type filter hook input priority 0; iifname { s1, s2 } %s; }\n"
		 "chain o { type filter hook output priority 0; oifname { s1, s2 } %s; "
		 "}\n}\n",
		 packets, packets);
	filter_server(l, rules);
}

static void is_explained(struct log *l, const char *words)
{
	struct said table = info(&l->s.w.client, NULL);
	struct said json = info(&l->s.w.client, (const char *[]){ "--json", NULL });

	cr_assert(strstr(table.out, words), "%s", table.out);
	cr_assert(strstr(table.out, "10.0.2.2 silent"), "%s", table.out);
	cr_assert(strstr(json.out, "\"state\":\"silent\""), "%s", json.out);
	cr_assert(strstr(json.out, "\"silent_s\":"), "%s", json.out);
	said_free(&table);
	said_free(&json);
	is_valid_json(&l->s.w.client, NULL);
}

#define SILENT                                                               \
	JOINED, { DO(swallow, "drop") },                                     \
	{                                                                    \
		DO(echo, "300000"), SHOWS("silent", "10.0.2.2", "10.0.2.1",  \
					  ": 10.0.2.2 -> 10.0.2.1: no data " \
					  "for ")                            \
	}

LOG_TEST(silent, black_hole_and_the_path_made_anew_are_shown, ONE_LINK, SILENT,
	 { DO(is_explained, " s while the link is up, being probed: 10.0.2.2") },
	 { DO(swallow, "accept"),
	   SHOWS("renewed", "10.0.2.2", "10.0.2.1",
		 ": 10.0.2.2 -> 10.0.2.1: replaced, as it answers again after ") },
	 { SHOWS("subflow_closed", "10.0.2.2", "10.0.2.1",
		 ": 10.0.2.2 -> 10.0.2.1 closed: black hole, replaced by its probe\n"),
	   HAS("reason", "\"silent\"") })

/* No probe gets through, the path's own retransmissions do. */
LOG_TEST(silent, path_that_carries_data_again_by_itself_is_shown, ONE_LINK, SILENT,
	 { DO(swallow, "tcp flags syn drop"),
	   SHOWS("heard", "10.0.2.2", "10.0.2.1",
		 ": 10.0.2.2 -> 10.0.2.1: data again after ") })

static void limit_server(struct log *l, const char *unused)
{
	cr_assert_eq(limits_set(&l->s.w.server, 1, 8), 0);
}

/* The client has the path, and keeps it. */
static void is_joined_for_good(struct log *l, const char *unused)
{
	for (int i = 0; i < 3; i++) {
		cr_assert(WAIT_FOR(subflows_on(&l->s.w.client) == 2 &&
				   subflows_on(&l->s.w.server) == 2));
		nap_ms(500);
	}
	cr_assert(WAIT_FOR(subflows_on(&l->s.w.client) == 2));
}

/* It counts the silent path, and refuses the probe that takes its place. */
LOG_TEST(silent, peer_at_its_limit_gets_the_path_again, ONE_LINK,
	 { DO(limit_server, NULL) }, SILENT,
	 { DO(swallow, "accept"), SHOWS("renewed", "10.0.2.2", "10.0.2.1", "") },
	 { DO(is_joined_for_good, NULL) })

/* The client's kernel ends the path; the server hears nothing of that. */
static void lose_path(struct log *l, const char *unused)
{
	static const char *const argv[] = { "ss", "-K", "src", "10.0.2.2", NULL };

	filter_server(l, "table inet t {\n"
			 "chain i { type filter hook input priority 0; iifname s2 "
			 "tcp flags rst drop; }\n}\n");
	cr_assert_eq(proc_run(&l->s.w.client, NULL, argv), 0);
	cr_assert(WAIT_FOR(counter(&l->s.w.server, "MPJoinRejected") >= 2));
}

static void forget_path(struct log *l, const char *unused)
{
	static const char *const argv[] = { "ss", "-K", "dst", "10.0.2.2", NULL };

	cr_assert_eq(proc_run(&l->s.w.server, NULL, argv), 0);
}

LOG_TEST(silent, peer_that_still_counts_a_lost_path_is_asked_until_it_forgets_it,
	 ONE_LINK, { DO(limit_server, NULL) }, JOINED, { DO(lose_path, NULL) },
	 { DO(forget_path, NULL) }, { DO(is_joined_for_good, NULL) })

/* Both paths, then one: no SYN may ask whether the other still answers. */
static void chat(struct log *l, const char *unused)
{
	const int64_t from = now_ms();

	echo(l, "300000");
	cr_assert(WAIT_FOR(proc_said(&l->s.client, "echoed 300000")));
	while (now_ms() - from < 10000) {
		echo(l, "100");
		nap_ms(100);
	}
	cr_assert_eq(counter(&l->s.w.server, "MPJoinSynRx"), 1);
}

LOG_TEST(silent, path_that_is_not_needed_is_not_probed, ONE_LINK, JOINED,
	 { DO(chat, NULL) })
