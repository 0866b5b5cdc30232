// SPDX-License-Identifier: MIT
/*
 * events.c - the running log: each kind of note that two hosts can bring about
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

Test(events, announcement_and_its_join_are_told_with_their_ids)
{
	struct log l;
	json_t *event;
	char line[128];

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "manager_found", NULL, NULL, "]: path manager found\n");
	told(&l, "established", "10.0.1.2:", "10.0.1.1:" SERVER_PORT,
	     ": established 10.");
	told(&l, "announced", NULL, "10.0.2.1", "10.0.2.1 announced (id 12)");
	told(&l, "joining", "10.0.2.2", "10.0.2.1", "");
	told(&l, "joined", "10.0.2.2:", "10.0.2.1:" SERVER_PORT,
	     ": 10.0.2.1 announced (id 12) -> joined from 10.0.2.2 (id 1)\n");

	event = log_find(&l, "joined", NULL, NULL);
	cr_assert_eq(number_at(event, "pid"), l.s.client.pid);
	cr_assert_str_eq(text_at(event, "program"), "tcpclient");
	cr_assert_eq(number_at(event, "local_id"), 1);
	cr_assert_eq(number_at(event, "remote_id"), 12);
	cr_assert(json_is_false(at(event, "backup")));
	cr_assert_eq(strlen(text_at(event, "time")),
		     strlen("2026-11-22T17:26:46.232922Z"));
	snprintf(line, sizeof(line), " tcpclient[%d] token 0x%08llx: 10.0.2.1 announced",
		 l.s.client.pid, number_at(event, "token"));
	cr_assert(proc_said(&l.text, line), "%s", line);
	json_decref(event);

	proc_tell(&l.s.client, "close");
	told(&l, "closed", NULL, NULL, ": closed\n");
	proc_end(&l.s.client);
	told(&l, "manager_ended", NULL, NULL, "]: path manager ended\n");
	log_close(&l);
}

Test(events, announcements_that_lead_to_nothing_say_why)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, ONE_LINK "[accept]\ndeny = dead:beef::/16\n");
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	log_announce(&l, "10.0.2.1", 12);
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	log_announce(&l, "10.0.3.1", 13);
	told(&l, "announced", NULL, "10.0.3.1",
	     "10.0.3.1 announced (id 13) -> not joined: pool exhausted");
	reason_is(&l, "announced", "10.0.3.1", "exhausted");
	log_announce(&l, "dead:beef:2::1", 14);
	told(&l, "announced", NULL, "[dead:beef:2::1]",
	     "dead:beef:2::1 announced (id 14) -> not joined: filter");
	reason_is(&l, "announced", "[dead:beef:2::1]", "filter");
	log_close(&l);
}

Test(events, limit_and_missing_family_are_told)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS "[limits]\nsubflows = 1\n");
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	log_announce(&l, "dead:beef:2::1", 14);
	told(&l, "announced", NULL, "[dead:beef:2::1]", "-> not joined: no endpoint of");
	reason_is(&l, "announced", "[dead:beef:2::1]", "family");
	log_announce(&l, "10.0.2.1", 12);
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	log_announce(&l, "10.0.3.1", 13);
	told(&l, "announced", NULL, "10.0.3.1", "-> not joined: limit");
	reason_is(&l, "announced", "10.0.3.1", "limit_subflows");
	log_close(&l);
}

Test(events, withdrawn_address_and_its_closed_path_are_told)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	cr_assert_eq(endpoint_del(&l.s.w.server, "10.0.2.1"), 0);
	told(&l, "removed", NULL, NULL, "withdrawn by the peer");
	told(&l, "subflow_closed", "10.0.2.2", "10.0.2.1",
	     "10.0.2.2 -> 10.0.2.1 closed: withdrawn by the peer\n");
	reason_is(&l, "subflow_closed", "10.0.2.1", "removed");
	log_close(&l);
}

Test(events, refused_join_is_told_with_its_error)
{
	struct log l;
	json_t *event;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	cr_assert_eq(
		host_nft(&l.s.w.server,
			 "table inet t {\nchain c {\n"
			 "type filter hook input priority 0;\n"
			 "ip saddr 10.0.2.2 tcp flags syn reject with tcp reset\n}\n}\n"),
		0);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "join_failed", "10.0.2.2", "10.0.2.1",
	     "10.0.2.1 announced (id 12) -> join from 10.0.2.2 (id 1) failed: "
	     "Connection refused\n");
	event = log_find(&l, "join_failed", NULL, NULL);
	cr_assert_eq(number_at(event, "error"), 111);
	cr_assert_str_eq(text_at(event, "error_text"), "Connection refused");
	json_decref(event);
	told(&l, "joined", "10.0.3.2", "10.0.2.1", "-> joined from 10.0.3.2 (id 2)");
	log_close(&l);
}

Test(events, priority_of_a_path_is_told)
{
	struct log l;
	json_t *event;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	cr_assert_eq(proc_run(&l.s.w.server, NULL,
			      (const char *[]){ "ip", "mptcp", "endpoint", "change", "id",
						"12", "backup", NULL }),
		     0);
	told(&l, "priority", "10.0.2.2", "10.0.2.1",
	     "10.0.2.2 -> 10.0.2.1: MP_PRIO from the peer: backup\n");
	event = log_find(&l, "priority", NULL, NULL);
	cr_assert(json_is_true(at(event, "backup")));
	json_decref(event);
	log_close(&l);
}

Test(events, own_wish_for_backup_is_told)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	log_pool(&l, "[pool]\nendpoint = 10.0.2.2 laminar backup\n");
	told(&l, "backup", "10.0.2.2", "10.0.2.1",
	     "10.0.2.2 -> 10.0.2.1: MP_PRIO to the peer: backup\n");
	log_close(&l);
}

Test(events, repeated_announcement_is_told)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	/* The server sends it again for want of an echo. */
	cr_assert_eq(host_sysctl(&l.s.w.server, "net/mptcp/add_addr_timeout", "1"), 0);
	cr_assert_eq(host_nft(&l.s.w.server, "table inet t {\nchain c {\n"
					     "type filter hook input priority 0;\n"
					     "tcp option mptcp subtype 3 drop\n}\n}\n"),
		     0);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "repeated", NULL, "10.0.2.1", ": 10.0.2.1 announced again (id 12)\n");
	log_close(&l);
}

Test(events, endpoint_that_comes_and_goes_is_told)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO_LINKS);
	log_announce(&l, "10.0.2.1", 12);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	cr_assert_eq(host_ip(&l.s.w.client, "addr del 10.0.3.2/24 dev c3\n"), 0);
	told(&l, "endpoint_gone", "10.0.3.2", NULL, "]: endpoint down: 10.0.3.2");
	cr_assert_eq(host_ip(&l.s.w.client, "addr add 10.0.3.2/24 dev c3\n"), 0);
	told(&l, "endpoint_back", "10.0.3.2", NULL, "]: endpoint up: 10.0.3.2");
	cr_assert_eq(host_ip(&l.s.w.client, "addr del 10.0.2.2/24 dev c2\n"), 0);
	told(&l, "subflow_closed", "10.0.2.2", "10.0.2.1",
	     "local address removed or down");
	reason_is(&l, "subflow_closed", "10.0.2.1", "endpoint_gone");
	log_close(&l);
}

Test(events, pool_files_good_and_bad_are_told)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, ONE_LINK);
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "established", NULL, NULL, ": established 10."); /* has read it */
	log_pool(&l, TWO_LINKS);
	told(&l, "pool", NULL, NULL, "]: pool file loaded\n");
	log_pool(&l, "[pool]\nendpoint = nonsense\n");
	told(&l, "pool", NULL, NULL, "]: pool file rejected: ");
	log_close(&l);
}

Test(events, own_announcements_are_told)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, "[pool]\nendpoint = 10.0.2.2 signal id 5\n");
	log_start(&l, &l.s.w.client);
	log_connect(&l, "1");
	told(&l, "signalled", "10.0.2.2", NULL,
	     ": announced to the peer: 10.0.2.2 (id 5)");
	log_pool(&l, ONE_LINK);
	told(&l, "withdrawn", "10.0.2.2", NULL, ": withdrawn from the peer: 10.0.2.2");
	log_close(&l);
}

Test(events, notes_that_the_ring_no_longer_has_are_counted)
{
	struct rlimit files;
	struct log l;
	json_t *missed;

	NEED_SANDBOX();
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < FILES_NEEDED)
		SKIP("the limit of open files is below 1000");
	log_open(&l, TWO_LINKS);
	log_connect(&l, "700"); /* a note each, of which 512 are kept */
	log_start(&l, &l.s.w.client);
	told(&l, "missed", NULL, NULL, " events missed\n");
	missed = log_find(&l, "missed", NULL, NULL);
	cr_assert_geq(number_at(missed, "count"), 700 - 512);
	json_decref(missed);
	log_close(&l);
}

/* Those that are not wanted are not in it. */
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
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
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
