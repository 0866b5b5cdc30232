// SPDX-License-Identifier: MIT
/*
 * notes.c - events of the running log that need more than a connection and its pool
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "download.h"
#include "endpoint.h"
#include "eventlog.h"
#include "shim.h"
#include "skip.h"
#include "until.h"

#define REMEMBERED 64 /* announced addresses of one connection */
#define CROWD	   "4000"

/* tests/apps/tcpserver under the library instead of the native one. */
static void server_preloaded(struct log *l)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpserver", path, sizeof(path)),
				     SERVER_PORT, NULL };
	struct shim_env shim;

	proc_end(&l->s.server);
	cr_assert_eq(host_path_manager(&l->s.w.server, PM_USERSPACE), 0);
	cr_assert_eq(
		proc_start(&l->s.server, &l->s.w.server, argv, shim_env(&shim, l->pool)),
		0);
	cr_assert(WAIT_FOR(proc_said(&l->s.server, "listening")));
}

Test(notes, server_shows_what_it_announces_and_who_joins)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, "[pool]\nendpoint = 10.0.2.1 signal port 8443 id 7\n");
	server_preloaded(&l);
	cr_assert_eq(host_path_manager(&l.s.w.client, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&l.s.w.client, 8, 8), 0);
	log_start(&l, &l.s.w.server);
	stage_connect(&l.s, "10.0.1.1", "1");
	log_shows(&l, "established", "10.0.1.1:" SERVER_PORT,
		  "10.0.1.2:", ": established 10.");
	log_shows(&l, "signalled", "10.0.2.1:8443", NULL,
		  ": announced to the peer: 10.0.2.1:8443 (id 7)");
	log_shows(&l, "subflow_foreign", "10.0.2.1:8443",
		  "10.0.2.2:", ": 10.0.2.1 -> 10.0.2.2 established by others");
	log_pool(&l, "[pool]\nendpoint = 10.0.3.1 signal id 8\n");
	log_shows(&l, "withdrawn", "10.0.2.1", NULL,
		  ": withdrawn from the peer: 10.0.2.1");
	log_shows(&l, "signalled", "10.0.3.1", NULL,
		  ": announced to the peer: 10.0.3.1 (id 8)");
	log_close(&l);
}

LOG_TEST(notes, link_that_goes_down_and_comes_up_is_shown, TWO_LINKS, JOINED,
	 { DO(run_ip, "link set c2 down\n"),
	   SHOWS("endpoint_gone", "10.0.2.2", NULL,
		 "]: endpoint down: 10.0.2.2 (id 1): link down\n"),
	   HAS("reason", "\"link_down\"") },
	 { DO(run_ip, "link set c2 up\n"),
	   SHOWS("endpoint_back", "10.0.2.2", NULL, "]: endpoint up: 10.0.2.2") })

LOG_TEST(notes, announced_address_of_the_client_is_shown_as_such, TWO_LINKS, JOINED,
	 { DO(announce, "10.0.1.2"),
	   SHOWS("announced", NULL, "10.0.1.2",
		 "(id 14) -> not joined: filter (an address of this machine)\n"),
	   HAS("reason", "\"own_address\"") })

LOG_TEST(notes, deprecated_address_is_shown_as_such,
	 TWO_LINKS "endpoint = dead:beef:2::2 laminar\n", JOINED,
	 { DO(run_ip, "addr add dead:beef:2::9/64 dev c2 nodad\n"
		      "addr change dead:beef:2::2/64 dev c2 preferred_lft 0\n"),
	   SHOWS("endpoint_gone", "dead:beef:2::2", NULL,
		 "]: endpoint down: dead:beef:2::2 (id 3): "
		 "address tentative or deprecated\n"),
	   HAS("reason", "\"waiting\"") },
	 { DO(run_ip, "addr change dead:beef:2::2/64 dev c2 preferred_lft forever\n"),
	   SHOWS("endpoint_back", "dead:beef:2::2", NULL,
		 "]: endpoint up: dead:beef:2::2 (id 3)\n") })

/*
 * Its retransmission timer has grown while the link was down, and the connection has
 * data: it is made anew.
 */
Test(notes, path_that_does_not_go_on_is_shown)
{
	static const char *const down = "link set c2 down\n",
				 *const up = "link set c2 up\nroute add default via "
					     "10.0.2.1 dev c2 metric 20\n";
	char path[PATH_MAX];
	const char *const argv[] = { built("mptcpinfo", path, sizeof(path)), "--events",
				     NULL };
	const char *const json_argv[] = { argv[0], "--events", "--json", NULL };
	struct proc events, json;
	struct download d;

	NEED_SANDBOX();
	download_open(&d);
	cr_assert_eq(proc_start(&events, &d.w.client, argv, NULL), 0);
	cr_assert_eq(proc_start(&json, &d.w.client, json_argv, NULL), 0);
	download_start(&d);
	cr_assert(WAIT_FOR(download_paths(&d) == PATHS));
	for (int i = 0; i < 10 && !proc_said(&events, ": no data since its"); i++) {
		cr_assert_eq(host_ip(&d.w.client, down), 0);
		nap_ms(3000);
		cr_assert_eq(host_ip(&d.w.client, up), 0);
		WAIT_UNTIL(proc_said(&events, ": no data since its"), 1500);
	}
	cr_expect(proc_said(&events, "10.0.2.2 -> 10.0.2.1 closed: no data since its "
				     "link went down\n"),
		  "%s", proc_output(&events));
	cr_expect(WAIT_FOR(proc_said(&json, "\"reason\":\"stalled\"")));
	proc_end(&events);
	proc_end(&json);
	download_close(&d);
}

static void json_says(struct log *l, const char *text)
{
	cr_assert(WAIT_FOR(proc_said(&l->json, text)), "no %s in\n%s", text,
		  proc_output(&l->json));
}

LOG_TEST(notes, announcement_beyond_the_limit_is_shown,
	 TWO_LINKS "[limits]\nadd_addr_accepted = 1\n", JOINED,
	 { DO(announce, "10.0.3.1"),
	   SHOWS("announced", NULL, "10.0.3.1",
		 "(id 13) -> not joined: limit ([limits] add_addr_accepted)\n"),
	   HAS("reason", "\"limit_accepted\"") })

LOG_TEST(notes, private_address_that_is_refused_is_shown,
	 TWO_LINKS "[accept]\nprivate = none\n", { DO(start_log, NULL) },
	 { DO(connect_one, NULL) },
	 { DO(announce, "10.0.3.1"),
	   SHOWS("announced", NULL, "10.0.3.1",
		 "(id 13) -> not joined: filter (private address: [accept] private)\n"),
	   HAS("reason", "\"private\"") })

LOG_TEST(notes, join_as_backup_is_shown_as_such,
	 "[pool]\nendpoint = 10.0.2.2 laminar backup\n", JOINED,
	 { SHOWS("joined", "10.0.2.2", "10.0.2.1",
		 "-> joined from 10.0.2.2 (id 1), as backup\n"),
	   HAS("backup", "true") })

/* If routing picks the source, it is known only once the join is complete. */
static void no_unknown_source(struct log *l, const char *address)
{
	cr_assert(!proc_said(&l->text, address));
	cr_assert(!proc_said(&l->json, address));
}

LOG_TEST(notes, join_by_routing_is_shown_once_its_source_is_known,
	 "[pool]\nendpoint = 10.0.2.2 subflow id 9\n", { DO(announce, "10.0.3.1") },
	 { DO(start_log, NULL) },
	 { DO(connect_one, NULL), SHOWS("joined", "10.0.3.2", "10.0.3.1",
					": 10.0.3.1 announced (id 13) -> joined") },
	 { DO(no_unknown_source, "0.0.0.0") })

static void rule_joins(struct log *l, const char *verdict)
{
	char rules[256];

	snprintf(rules, sizeof(rules),
		 "flush ruleset\ntable inet t {\nchain c {\n"
		 "type filter hook input priority 0;\n"
		 "ip saddr 10.0.2.2 tcp flags syn %s\n}\n}\n",
		 verdict);
	filter_server(l, rules);
}

static void connect_again(struct log *l, const char *unused)
{
	cr_assert_eq(proc_tell(&l->s.client, "connect"), 0);
}

/* The SYN has no answer, as the server drops what comes from 10.0.2.2. */
LOG_TEST(notes, endpoint_of_a_first_path_is_shown_with_its_reason,
	 TWO_LINKS "[app]\nfirst = race\n", { DO(start_log, NULL) },
	 { DO(rule_joins, "drop") },
	 { DO(connect_one, NULL),
	   SHOWS("established", "10.0.3.2", "10.0.1.1",
		 ": the earlier endpoints did not answer in time\n"),
	   HAS("reason", "\"raced\"") },
	 { DO(connect_again, NULL),
	   SHOWS("established", "10.0.3.2", "10.0.1.1",
		 ": an earlier endpoint did not answer lately\n") },
	 { DO(json_says, "\"reason\":\"avoided\"") })

LOG_TEST(notes, first_usable_endpoint_is_shown, TWO_LINKS "[app]\nfirst = pool\n",
	 { DO(start_log, NULL) },
	 { DO(connect_one, NULL),
	   SHOWS("established", "10.0.2.2", "10.0.1.1", ": first usable endpoint\n"),
	   HAS("reason", "\"first_usable\"") })

static void connect_without_answer(struct log *l, const char *unused)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-b", "10.0.1.1", SERVER_PORT, NULL };
	struct shim_env shim;

	cr_assert_eq(
		proc_start(&l->s.client, &l->s.w.client, argv, shim_env(&shim, l->pool)),
		0);
}

LOG_TEST(notes, first_path_without_an_answer_is_shown, TWO_LINKS "[app]\nfirst = pool\n",
	 { DO(start_log, NULL) }, { DO(rule_joins, "drop") },
	 { DO(connect_without_answer, NULL),
	   SHOWS("unanswered", "10.0.2.2", "10.0.1.1",
		 ": no answer; first paths avoid this endpoint\n") })

/* Without `laminar` the same join is made again, without an announcement. */
LOG_TEST(
	notes, retried_join_is_shown_as_such,
	"[pool]\nendpoint = 10.0.2.2 subflow\n[retry]\nfirst = 2s\n",
	{ DO(rule_joins, "reject with tcp reset") }, { DO(start_log, NULL) },
	{ DO(connect_one, NULL),
	  SHOWS("join_failed", "10.0.2.2", "10.0.1.1",
		": 10.0.1.1 -> join from 10.0.2.2 (id 1) failed: Connection refused\n") },
	{ DO(rule_joins, "drop"),
	  SHOWS("joining", "10.0.2.2", "10.0.1.1",
		": 10.0.1.1 -> joining from 10.0.2.2 (id 1), again\n") },
	{ DO(rule_joins, "accept"),
	  SHOWS("joined", "10.0.2.2", "10.0.1.1", ": 10.0.1.1 -> joined from 10.0.2.2") })

static void reset_path(struct log *l, const char *addr)
{
	const char *const argv[] = { "ss", "-K", "dst", addr, NULL };

	cr_assert_eq(proc_run(&l->s.w.server, NULL, argv), 0);
}

LOG_TEST(notes, path_that_the_peer_resets_is_shown_with_its_error, TWO_LINKS, JOINED,
	 { DO(reset_path, "10.0.2.2"),
	   SHOWS("subflow_closed", "10.0.2.2", "10.0.2.1",
		 ": 10.0.2.2 -> 10.0.2.1 closed: Connection reset by peer\n"),
	   HAS("reason", "\"error\"") })

LOG_TEST(notes, announcements_without_a_pool_or_an_endpoint_say_why,
	 TWO_LINKS "[app]\nexclude = 10.0.1.0/24\n",
	 { DO(run_ip, "link set c2 down\nlink set c3 down\n") }, { DO(start_log, NULL) },
	 { DO(connect_one, NULL) },
	 { DO(announce, "10.0.2.1"),
	   SHOWS("announced", NULL, "10.0.2.1",
		 "(id 12) -> not joined: no pool for this destination\n"),
	   HAS("reason", "\"excluded\"") },
	 { DO(change_pool, TWO_LINKS),
	   SHOWS("pool", NULL, NULL, "]: pool file loaded\n") },
	 { DO(announce, "10.0.3.1"),
	   SHOWS("announced", NULL, "10.0.3.1",
		 "(id 13) -> not joined: all remaining endpoints are unavailable\n"),
	   HAS("reason", "\"absent\"") })

/*
 * Withdrawals are dropped, so that the connection remembers more and more addresses.
 * They are the acknowledgements four bytes longer than others.
 */
Test(notes, announcement_beyond_those_that_are_remembered_is_shown)
{
	struct log l;
	char addr[32];

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS "[accept]\ndeny = 10.0.9.0/24\n");
	cr_assert_eq(host_nft(&l.s.w.client, "table inet t {\nchain c {\n"
					     "type filter hook input priority 0;\n"
					     "tcp option mptcp subtype 2 tcp doff 12 "
					     "ip length 68 drop\n}\n}\n"),
		     0);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	for (int i = 1; i <= REMEMBERED + 1; i++) {
		snprintf(addr, sizeof(addr), "10.0.9.%d", i);
		log_announce(&l, addr, i);
		cr_assert(WAIT_FOR(counter(&l.s.w.server, "EchoAdd") >= i),
			  "%s was not heard of", addr);
		cr_assert_eq(endpoint_del(&l.s.w.server, addr), 0);
	}
	log_shows(&l, "announced", NULL, "10.0.9.64",
		  "10.0.9.64 announced (id 64) -> not "
		  "joined: filter");
	log_shows(&l, "announced", NULL, "10.0.9.65",
		  "10.0.9.65 announced (id 65) -> not joined: too many addresses\n");
	log_has(&l, "announced", "10.0.9.65", "reason", "\"too_many\"");
	log_close(&l);
}

/* A stopped program does not read its events. */
Test(notes, lost_events_are_shown)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-m",
				     "-N",
				     CROWD,
				     "10.0.1.1",
				     SERVER_PORT,
				     NULL };
	struct proc crowd;
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	log_shows(&l, "established", NULL, NULL, ": established 10.");
	log_announce(&l, "10.0.2.1", 12); /* to each of the crowd */
	cr_assert_eq(kill(l.s.client.pid, SIGSTOP), 0);
	cr_assert_eq(proc_start(&crowd, &l.s.w.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&crowd, "connected " CROWD)));
	proc_end(&crowd);
	cr_assert_eq(kill(l.s.client.pid, SIGCONT), 0);
	log_shows(&l, "overrun", NULL, NULL,
		  "]: kernel events were lost; resynchronised\n");
	log_close(&l);
}

/* AddressSanitizer confuses the stack of a child's manager with the parent's. */
#ifndef __SANITIZE_ADDRESS__

static int managers_found(const struct log *l)
{
	char *text = proc_output(&l->text), *found = text;
	int n = 0;

	while ((found = strstr(found, "]: path manager found\n"))) {
		found++;
		n++;
	}
	free(text);
	return n;
}

/* A forked child follows its parent's connections, and leaves them to it. */
Test(notes, child_leaves_announcements_to_its_parent)
{
	char path[PATH_MAX];
	const char *const argv[] = { "python3",
				     built("tests/forks.py", path, sizeof(path)),
				     "10.0.1.1", SERVER_PORT, NULL };
	struct shim_env shim;
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_start(&l, &l.s.w.client);
	cr_assert_eq(
		proc_start(&l.s.client, &l.s.w.client, argv, shim_env(&shim, l.pool)), 0);
	cr_assert(WAIT_FOR(proc_said(&l.s.client, "child")));
	cr_assert(WAIT_FOR(managers_found(&l) == 2));
	log_announce(&l, "10.0.2.1", 12);
	log_shows(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	log_shows(&l, "announced", NULL, "10.0.2.1",
		  "10.0.2.1 announced (id 12) -> not joined: the parent process manages "
		  "it\n");
	json_says(&l, "\"reason\":\"inherited\"");
	log_close(&l);
}

#endif
