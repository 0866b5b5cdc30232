// SPDX-License-Identifier: MIT
/*
 * events.c - the running log: each kind of event that two hosts can cause
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "endpoint.h"
#include "eventlog.h"
#include "skip.h"
#include "until.h"

#define FILES_NEEDED 1000

Test(events, announcement_and_its_join_are_shown_with_their_ids)
{
	struct log l;
	json_t *event;
	char line[128];

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	log_shows(&l, "manager_found", NULL, NULL, "]: path manager found\n");
	log_shows(&l, "established", "10.0.1.2:", "10.0.1.1:" SERVER_PORT,
		  ": established 10.");
	log_shows(&l, "announced", NULL, "10.0.2.1", "10.0.2.1 announced (id 12)");
	log_shows(&l, "joining", "10.0.2.2", "10.0.2.1", "");
	log_shows(&l, "joined", "10.0.2.2:", "10.0.2.1:" SERVER_PORT,
		  ": 10.0.2.1 announced (id 12) -> joined from 10.0.2.2 (id 1)\n");

	event = log_find(&l, "joined", NULL, NULL);
	cr_assert_eq(number_at(event, "pid"), l.s.client.pid);
	cr_assert_str_eq(text_at(event, "program"), "tcpclient");
	cr_assert_eq(number_at(event, "local_id"), 1);
	cr_assert_eq(number_at(event, "remote_id"), 12);
	cr_assert(json_is_false(at(event, "backup")));
	cr_assert_eq(strlen(text_at(event, "time")),
		     strlen("2026-11-22T17:26:46.232922Z"));
	snprintf(line, sizeof(line), " tcpclient[%d] token %08llx: 10.0.2.1 announced",
		 l.s.client.pid, number_at(event, "token"));
	cr_assert(proc_said(&l.text, line), "%s", line);
	json_decref(event);

	proc_tell(&l.s.client, "close");
	log_shows(&l, "closed", NULL, NULL, ": closed\n");
	proc_end(&l.s.client);
	log_shows(&l, "manager_ended", NULL, NULL, "]: path manager ended\n");
	log_close(&l);
}

LOG_TEST(events, announcements_that_lead_to_nothing_say_why,
	 ONE_LINK "[accept]\ndeny = dead:beef::/16\n", JOINED,
	 { DO(announce, "10.0.3.1"),
	   SHOWS("announced", NULL, "10.0.3.1",
		 "10.0.3.1 announced (id 13) -> not joined: pool exhausted"),
	   HAS("reason", "\"exhausted\"") },
	 { DO(announce, "dead:beef:2::1"),
	   SHOWS("announced", NULL, "[dead:beef:2::1]",
		 "dead:beef:2::1 announced (id 14) -> not joined: filter"),
	   HAS("reason", "\"filter\"") })

LOG_TEST(events, limit_and_missing_family_are_shown, TWO_LINKS "[limits]\nsubflows = 1\n",
	 { DO(start_log, NULL) }, { DO(connect_one, NULL) },
	 { DO(announce, "dead:beef:2::1"),
	   SHOWS("announced", NULL, "[dead:beef:2::1]", "-> not joined: no endpoint of"),
	   HAS("reason", "\"family\"") },
	 { DO(announce, "10.0.2.1"),
	   SHOWS("joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2") },
	 { DO(announce, "10.0.3.1"),
	   SHOWS("announced", NULL, "10.0.3.1", "-> not joined: limit"),
	   HAS("reason", "\"limit_subflows\"") })

LOG_TEST(events, withdrawn_address_and_its_closed_path_are_shown, TWO_LINKS, JOINED,
	 { DO(withdraw, "10.0.2.1"),
	   SHOWS("removed", NULL, NULL, "withdrawn by the peer") },
	 { SHOWS("subflow_closed", "10.0.2.2", "10.0.2.1",
		 "10.0.2.2 -> 10.0.2.1 closed: withdrawn by the peer\n"),
	   HAS("reason", "\"removed\"") })

LOG_TEST(events, refused_join_is_shown_with_its_error, TWO_LINKS,
	 { DO(filter_server,
	      "table inet t {\nchain c {\n"
	      "type filter hook input priority 0;\n"
	      "ip saddr 10.0.2.2 tcp flags syn reject with tcp reset\n}\n}\n") },
	 { DO(announce, "10.0.2.1") }, { DO(start_log, NULL) },
	 { DO(connect_one, NULL),
	   SHOWS("join_failed", "10.0.2.2", "10.0.2.1",
		 "10.0.2.1 announced (id 12) -> join from 10.0.2.2 (id 1) failed: "
		 "Connection refused\n"),
	   HAS("error", "111") },
	 { SHOWS("join_failed", "10.0.2.2", "10.0.2.1", ""),
	   HAS("error_text", "\"Connection refused\"") },
	 { SHOWS("joined", "10.0.3.2", "10.0.2.1", "-> joined from 10.0.3.2 (id 2)") })

static void backup_of_server(struct log *l, const char *id)
{
	const char *const argv[] = { "ip", "mptcp", "endpoint", "change",
				     "id", id,	    "backup",	NULL };

	cr_assert_eq(proc_run(&l->s.w.server, NULL, argv), 0);
}

LOG_TEST(events, priority_of_a_path_is_shown, TWO_LINKS, JOINED,
	 { DO(backup_of_server, "12"),
	   SHOWS("priority", "10.0.2.2", "10.0.2.1",
		 "10.0.2.2 -> 10.0.2.1: MP_PRIO from the peer: backup\n"),
	   HAS("backup", "true") })

static void no_backup_of_server(struct log *l, const char *id)
{
	const char *const argv[] = { "ip", "mptcp", "endpoint", "change",
				     "id", id,	    "nobackup", NULL };

	cr_assert_eq(proc_run(&l->s.w.server, NULL, argv), 0);
}

LOG_TEST(events, end_of_a_priority_is_shown, TWO_LINKS, JOINED,
	 { DO(backup_of_server, "12"),
	   SHOWS("priority", "10.0.2.2", "10.0.2.1", ": MP_PRIO from the peer: backup") },
	 { DO(no_backup_of_server, "12"),
	   SHOWS("priority", "10.0.2.2", "10.0.2.1",
		 "10.0.2.2 -> 10.0.2.1: MP_PRIO from the peer: no backup\n") })

LOG_TEST(events, own_request_for_backup_is_shown, TWO_LINKS, JOINED,
	 { DO(change_pool, "[pool]\nendpoint = 10.0.2.2 laminar backup\n"),
	   SHOWS("backup", "10.0.2.2", "10.0.2.1",
		 "10.0.2.2 -> 10.0.2.1: MP_PRIO to the peer: backup\n") })

/* Without an echo the server repeats it, after add_addr_timeout: 1 s (world.c). */
LOG_TEST(events, repeated_announcement_is_shown, TWO_LINKS,
	 { DO(filter_server, "table inet t {\nchain c {\n"
			     "type filter hook input priority 0;\n"
			     "tcp option mptcp subtype 3 drop\n}\n}\n") },
	 { DO(announce, "10.0.2.1") }, { DO(start_log, NULL) },
	 { DO(connect_one, NULL),
	   SHOWS("repeated", NULL, "10.0.2.1", ": 10.0.2.1 announced again (id 12)\n") })

LOG_TEST(events, removed_and_added_endpoint_is_shown, TWO_LINKS, JOINED,
	 { DO(run_ip, "addr del 10.0.3.2/24 dev c3\n"),
	   SHOWS("endpoint_gone", "10.0.3.2", NULL, "]: endpoint down: 10.0.3.2") },
	 { DO(run_ip, "addr add 10.0.3.2/24 dev c3\n"),
	   SHOWS("endpoint_back", "10.0.3.2", NULL, "]: endpoint up: 10.0.3.2") },
	 { DO(run_ip, "addr del 10.0.2.2/24 dev c2\n"),
	   SHOWS("subflow_closed", "10.0.2.2", "10.0.2.1",
		 "local address removed or down"),
	   HAS("reason", "\"endpoint_gone\"") })

LOG_TEST(events, pool_files_good_and_bad_are_shown, ONE_LINK, { DO(start_log, NULL) },
	 { DO(connect_one, NULL), SHOWS("established", NULL, NULL, ": established 10.") },
	 { DO(change_pool, TWO_LINKS),
	   SHOWS("pool", NULL, NULL, "]: pool file loaded\n") },
	 { DO(change_pool, "[pool]\nendpoint = nonsense\n"),
	   SHOWS("pool", NULL, NULL,
		 "]: pool file rejected, keeping the previous pool\n") })

LOG_TEST(events, own_announcements_are_shown, "[pool]\nendpoint = 10.0.2.2 signal id 5\n",
	 { DO(start_log, NULL) },
	 { DO(connect_one, NULL), SHOWS("signalled", "10.0.2.2", NULL,
					": announced to the peer: 10.0.2.2 (id 5)") },
	 { DO(change_pool, ONE_LINK),
	   SHOWS("withdrawn", "10.0.2.2", NULL, ": withdrawn from the peer: 10.0.2.2") })

Test(events, events_dropped_from_the_ring_are_counted)
{
	struct rlimit files;
	struct log l;
	json_t *missed;

	NEED_SANDBOX();
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < FILES_NEEDED)
		SKIP("the limit of open files is below 1000");
	log_open(&l, TWO_LINKS);
	log_connect(&l, "700"); /* one event each, of which 512 are kept */
	log_start(&l, &l.s.w.client);
	log_shows(&l, "missed", NULL, NULL, " events missed\n");
	missed = log_find(&l, "missed", NULL, NULL);
	cr_assert_geq(number_at(missed, "count"), 700 - 512);
	json_decref(missed);
	log_close(&l);
}

/* Other events are left out. */
Test(events, filters_apply)
{
	struct proc by_name, by_pid, nobody, by_token;
	char pid[16], token[16];
	json_t *event;
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "2");
	log_shows(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	snprintf(pid, sizeof(pid), "%d", l.s.client.pid);
	event = log_find(&l, "joined", NULL, NULL);
	snprintf(token, sizeof(token), "%lld", number_at(event, "token"));
	json_decref(event);
	start_info(&by_name, &l.s.w.client,
		   (const char *[]){ "-e", "-p", "tcpclient", NULL });
	start_info(&by_pid, &l.s.w.client, (const char *[]){ "-e", "-p", pid, NULL });
	start_info(&nobody, &l.s.w.client, (const char *[]){ "-e", "-p", "curl", NULL });
	start_info(&by_token, &l.s.w.client, (const char *[]){ "-e", "-t", token, NULL });
	cr_assert(WAIT_FOR(proc_said(&by_name, "-> joined")));
	cr_assert(WAIT_FOR(proc_said(&by_pid, "-> joined")));
	cr_assert(WAIT_FOR(proc_said(&by_token, "-> joined")));
	char *text = proc_output(&by_token), *first = strstr(text, "-> joined");
	cr_assert(!strstr(first + 1, "-> joined"), "%s", text);
	free(text);
	text = proc_output(&nobody);
	cr_assert_str_eq(text, "");
	free(text);
	proc_end(&by_name);
	proc_end(&by_pid);
	proc_end(&nobody);
	proc_end(&by_token);
	log_close(&l);
}
