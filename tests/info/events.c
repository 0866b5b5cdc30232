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
#include "info.h"
#include "shim.h"
#include "skip.h"
#include "until.h"

#define WAIT_MS	     6000
#define TWO	     "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"
#define ONE	     "[pool]\nendpoint = 10.0.2.2 laminar\n"
#define FILES_NEEDED 1000

struct log {
	struct stage s;
	struct proc text, json; /* mptcpinfo --events, for people and for programs */
	char pool[64];
};

static void put_pool(const struct log *l, const char *text)
{
	FILE *f = fopen(l->pool, "w");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void start_info(struct proc *p, const struct host *h, const char *const args[])
{
	char path[PATH_MAX];
	const char *argv[8] = { built("mptcpinfo", path, sizeof(path)) };

	for (int i = 0; args[i] && i < 6; i++)
		argv[i + 1] = args[i];
	cr_assert_eq(proc_start(p, h, argv, NULL), 0);
}

static void start_logs(struct log *l)
{
	start_info(&l->text, &l->s.w.client, (const char *[]){ "--events", NULL });
	start_info(&l->json, &l->s.w.client,
		   (const char *[]){ "--events", "--json", NULL });
}

static void log_open(struct log *l, const char *pool)
{
	memset(l, 0, sizeof(*l));
	stage_open(&l->s, 3);
	snprintf(l->pool, sizeof(l->pool), "/run/events-%d.conf", getpid());
	put_pool(l, pool);
	cr_assert_eq(host_path_manager(&l->s.w.client, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&l->s.w.server, 8, 8), 0);
}

/* A program for TCP under the library. */
static void log_connect(struct log *l, const char *count)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-N",
				     count,
				     "10.0.1.1",
				     SERVER_PORT,
				     NULL };
	struct shim_env shim;

	cr_assert_eq(
		proc_start(&l->s.client, &l->s.w.client, argv, shim_env(&shim, l->pool)),
		0);
	cr_assert(WAIT_UNTIL(proc_said(&l->s.client, "connected"), 30000), "%s",
		  proc_errors(&l->s.client));
}

static void log_close(struct log *l)
{
	kill(l->text.pid, SIGINT);
	kill(l->json.pid, SIGTERM);
	cr_assert_eq(proc_wait(&l->text, WAIT_MS), 0, "%s", proc_errors(&l->text));
	cr_assert_eq(proc_wait(&l->json, WAIT_MS), 0, "%s", proc_errors(&l->json));
	proc_end(&l->text);
	proc_end(&l->json);
	stage_close(&l->s);
}

static bool matches(const json_t *event, const char *key, const char *value)
{
	const char *found = json_string_value(json_object_get(event, key));

	return !value || (found && !strncmp(found, value, strlen(value)));
}

/* A line that begins as these; NULL: whatever. To be freed with json_decref(). */
static json_t *find(const struct log *l, const char *what, const char *local,
		    const char *remote)
{
	char *all = proc_output(&l->json), *line, *save;
	json_t *event, *found = NULL;

	for (line = strtok_r(all, "\n", &save); line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		cr_assert(event || !strchr(all, '\n'), "%s", line);
		if (event && !strcmp(text_at(event, "event"), what) &&
		    matches(event, "local", local) && matches(event, "remote", remote))
			found = event;
		else
			json_decref(event);
	}
	free(all);
	return found;
}

static bool there(const struct log *l, const char *what, const char *local,
		  const char *remote)
{
	json_t *event = find(l, what, local, remote);

	json_decref(event);
	return event;
}

/* In both logs, before long. */
static void told(const struct log *l, const char *what, const char *local,
		 const char *remote, const char *words)
{
	cr_assert(WAIT_UNTIL(there(l, what, local, remote), WAIT_MS),
		  "no %s %s %s in\n%s", what, local ? local : "", remote ? remote : "",
		  proc_output(&l->json));
	cr_assert(WAIT_UNTIL(proc_said(&l->text, words), WAIT_MS), "no %s in\n%s", words,
		  proc_output(&l->text));
}

static void announce(const struct log *l, const char *addr, int id)
{
	const struct endpoint_spec spec = { .addr = addr, .flags = EP_SIGNAL, .id = id };

	cr_assert_eq(endpoint_add(&l->s.w.server, &spec), 0);
}

static void reason_is(const struct log *l, const char *what, const char *remote,
		      const char *reason)
{
	json_t *event = find(l, what, NULL, remote);

	cr_assert(event);
	cr_assert_str_eq(text_at(event, "reason"), reason);
	json_decref(event);
}

Test(events, announcement_and_its_join_are_told_with_their_ids, .timeout = 60)
{
	struct log l;
	json_t *event;
	char line[128];

	NEED_SANDBOX();
	log_open(&l, TWO);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "manager_found", NULL, NULL, "]: path manager found\n");
	told(&l, "established", "10.0.1.2:", "10.0.1.1:" SERVER_PORT,
	     ": established 10.");
	told(&l, "announced", NULL, "10.0.2.1", "10.0.2.1 announced (id 12)");
	told(&l, "joining", "10.0.2.2", "10.0.2.1", "");
	told(&l, "joined", "10.0.2.2:", "10.0.2.1:" SERVER_PORT,
	     ": 10.0.2.1 announced (id 12) -> joined from 10.0.2.2 (id 1)\n");

	event = find(&l, "joined", NULL, NULL);
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

Test(events, announcements_that_lead_to_nothing_say_why, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, ONE "[accept]\ndeny = dead:beef::/16\n");
	start_logs(&l);
	log_connect(&l, "1");
	announce(&l, "10.0.2.1", 12);
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	announce(&l, "10.0.3.1", 13);
	told(&l, "announced", NULL, "10.0.3.1",
	     "10.0.3.1 announced (id 13) -> not joined: pool exhausted");
	reason_is(&l, "announced", "10.0.3.1", "exhausted");
	announce(&l, "dead:beef:2::1", 14);
	told(&l, "announced", NULL, "[dead:beef:2::1]",
	     "dead:beef:2::1 announced (id 14) -> not joined: filter");
	reason_is(&l, "announced", "[dead:beef:2::1]", "filter");
	log_close(&l);
}

Test(events, limit_and_missing_family_are_told, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO "[limits]\nsubflows = 1\n");
	start_logs(&l);
	log_connect(&l, "1");
	announce(&l, "dead:beef:2::1", 14);
	told(&l, "announced", NULL, "[dead:beef:2::1]", "-> not joined: no endpoint of");
	reason_is(&l, "announced", "[dead:beef:2::1]", "family");
	announce(&l, "10.0.2.1", 12);
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	announce(&l, "10.0.3.1", 13);
	told(&l, "announced", NULL, "10.0.3.1", "-> not joined: limit");
	reason_is(&l, "announced", "10.0.3.1", "limit_subflows");
	log_close(&l);
}

Test(events, withdrawn_address_and_its_closed_path_are_told, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	cr_assert_eq(endpoint_del(&l.s.w.server, "10.0.2.1"), 0);
	told(&l, "removed", NULL, NULL, "withdrawn by the peer");
	told(&l, "subflow_closed", "10.0.2.2", "10.0.2.1",
	     "10.0.2.2 -> 10.0.2.1 closed: withdrawn by the peer\n");
	reason_is(&l, "subflow_closed", "10.0.2.1", "removed");
	log_close(&l);
}

Test(events, refused_join_is_told_with_its_error, .timeout = 60)
{
	struct log l;
	json_t *event;

	NEED_SANDBOX();
	log_open(&l, TWO);
	cr_assert_eq(
		host_nft(&l.s.w.server,
			 "table inet t {\nchain c {\n"
			 "type filter hook input priority 0;\n"
			 "ip saddr 10.0.2.2 tcp flags syn reject with tcp reset\n}\n}\n"),
		0);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "join_failed", "10.0.2.2", "10.0.2.1",
	     "10.0.2.1 announced (id 12) -> join from 10.0.2.2 (id 1) failed: "
	     "Connection refused\n");
	event = find(&l, "join_failed", NULL, NULL);
	cr_assert_eq(number_at(event, "error"), 111);
	cr_assert_str_eq(text_at(event, "error_text"), "Connection refused");
	json_decref(event);
	told(&l, "joined", "10.0.3.2", "10.0.2.1", "-> joined from 10.0.3.2 (id 2)");
	log_close(&l);
}

Test(events, priority_of_a_path_is_told, .timeout = 60)
{
	struct log l;
	json_t *event;

	NEED_SANDBOX();
	log_open(&l, TWO);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	cr_assert_eq(proc_run(&l.s.w.server, NULL,
			      (const char *[]){ "ip", "mptcp", "endpoint", "change", "id",
						"12", "backup", NULL }),
		     0);
	told(&l, "priority", "10.0.2.2", "10.0.2.1",
	     "10.0.2.2 -> 10.0.2.1: the peer says: backup\n");
	event = find(&l, "priority", NULL, NULL);
	cr_assert(json_is_true(at(event, "backup")));
	json_decref(event);
	log_close(&l);
}

Test(events, own_wish_for_backup_is_told, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	put_pool(&l, "[pool]\nendpoint = 10.0.2.2 laminar backup\n");
	told(&l, "backup", "10.0.2.2", "10.0.2.1",
	     "10.0.2.2 -> 10.0.2.1: told to the peer: backup\n");
	log_close(&l);
}

Test(events, repeated_announcement_is_told, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO);
	/* The server sends it again for want of an echo. */
	cr_assert_eq(host_sysctl(&l.s.w.server, "net/mptcp/add_addr_timeout", "1"), 0);
	cr_assert_eq(host_nft(&l.s.w.server, "table inet t {\nchain c {\n"
					     "type filter hook input priority 0;\n"
					     "tcp option mptcp subtype 3 drop\n}\n}\n"),
		     0);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "repeated", NULL, "10.0.2.1", ": 10.0.2.1 announced again (id 12)\n");
	log_close(&l);
}

Test(events, endpoint_that_comes_and_goes_is_told, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	cr_assert_eq(host_ip(&l.s.w.client, "addr del 10.0.3.2/24 dev c3\n"), 0);
	told(&l, "endpoint_gone", "10.0.3.2", NULL, "]: endpoint gone: 10.0.3.2");
	cr_assert_eq(host_ip(&l.s.w.client, "addr add 10.0.3.2/24 dev c3\n"), 0);
	told(&l, "endpoint_back", "10.0.3.2", NULL, "]: endpoint can be used: 10.0.3.2");
	cr_assert_eq(host_ip(&l.s.w.client, "addr del 10.0.2.2/24 dev c2\n"), 0);
	told(&l, "subflow_closed", "10.0.2.2", "10.0.2.1", "its local address went away");
	reason_is(&l, "subflow_closed", "10.0.2.1", "endpoint_gone");
	log_close(&l);
}

Test(events, pool_files_good_and_bad_are_told, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, ONE);
	start_logs(&l);
	log_connect(&l, "1");
	put_pool(&l, TWO);
	told(&l, "pool", NULL, NULL, "]: the pool file is in force\n");
	put_pool(&l, "[pool]\nendpoint = nonsense\n");
	told(&l, "pool", NULL, NULL, "]: the pool file was not taken: ");
	log_close(&l);
}

Test(events, own_announcements_are_told, .timeout = 60)
{
	struct log l;

	NEED_SANDBOX();
	log_open(&l, "[pool]\nendpoint = 10.0.2.2 signal id 5\n");
	start_logs(&l);
	log_connect(&l, "1");
	told(&l, "signalled", "10.0.2.2", NULL,
	     ": announced to the peer: 10.0.2.2 (id 5)");
	put_pool(&l, ONE);
	told(&l, "withdrawn", "10.0.2.2", NULL, ": withdrawn from the peer: 10.0.2.2");
	log_close(&l);
}

Test(events, notes_that_the_ring_no_longer_has_are_counted, .timeout = 120)
{
	struct rlimit files;
	struct log l;
	json_t *missed;

	NEED_SANDBOX();
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < FILES_NEEDED)
		SKIP("the limit of open files is below 1000");
	log_open(&l, TWO);
	log_connect(&l, "700"); /* a note each, of which 512 are kept */
	start_logs(&l);
	told(&l, "missed", NULL, NULL, " events missed\n");
	missed = find(&l, "missed", NULL, NULL);
	cr_assert_geq(number_at(missed, "count"), 700 - 512);
	json_decref(missed);
	log_close(&l);
}

/* Those that are not wanted are not in it. */
Test(events, filters_apply, .timeout = 60)
{
	struct proc by_name, by_pid, nobody, by_token;
	char pid[16], token[16];
	json_t *event;
	struct log l;

	NEED_SANDBOX();
	log_open(&l, TWO);
	announce(&l, "10.0.2.1", 12);
	start_logs(&l);
	log_connect(&l, "2");
	told(&l, "joined", "10.0.2.2", "10.0.2.1", "-> joined from 10.0.2.2");
	snprintf(pid, sizeof(pid), "%d", l.s.client.pid);
	event = find(&l, "joined", NULL, NULL);
	snprintf(token, sizeof(token), "%lld", number_at(event, "token"));
	json_decref(event);
	start_info(&by_name, &l.s.w.client,
		   (const char *[]){ "-e", "-p", "tcpclient", NULL });
	start_info(&by_pid, &l.s.w.client, (const char *[]){ "-e", "-p", pid, NULL });
	start_info(&nobody, &l.s.w.client, (const char *[]){ "-e", "-p", "curl", NULL });
	start_info(&by_token, &l.s.w.client, (const char *[]){ "-e", "-t", token, NULL });
	cr_assert(WAIT_UNTIL(proc_said(&by_name, "-> joined"), WAIT_MS));
	cr_assert(WAIT_UNTIL(proc_said(&by_pid, "-> joined"), WAIT_MS));
	cr_assert(WAIT_UNTIL(proc_said(&by_token, "-> joined"), WAIT_MS));
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
