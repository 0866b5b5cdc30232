// SPDX-License-Identifier: MIT
/*
 * views.c - table, filters, options, and the view of ordinary users
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "skip.h"
#include "tools/mptcpinfo/print/print.h"
#include "until.h"

static bool has(const char *text, const char *part)
{
	return strstr(text, part);
}

/* A line with all of these words, in this order, separated by blanks. */
static bool has_line(const char *text, const char *words)
{
	char line[512], squeezed[512];
	size_t n, to;

	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		to = 0;
		for (size_t i = 0; line[i]; i++) {
			if (line[i] != ' ' || (to && squeezed[to - 1] != ' '))
				squeezed[to++] = line[i];
		}
		squeezed[to] = '\0';
		if (has(squeezed, words))
			return true;
	}
	return false;
}

/* The table's expected line for subflow @i of the first connection. */
static void table_line(const json_t *root, size_t i, char *out, size_t size)
{
	const json_t *sf = json_array_get(at(root, "connections.0.subflows"), i);
	char rtt[RTT_MAX], sent[SCALED_MAX], received[SCALED_MAX];

	snprintf(out, size, "%lld %s %s %lld %s %s %s %s", number_at(sf, "local_id"),
		 text_at(sf, "local"), text_at(sf, "remote"), number_at(sf, "remote_id"),
		 json_is_true(at(sf, "backup")) ? "backup" : text_at(sf, "state"),
		 rtt_text(number_at(sf, "rtt_us"), rtt),
		 scaled_text(number_at(sf, "bytes_sent"), sent),
		 scaled_text(number_at(sf, "bytes_received"), received));
}

/* The width of the first line that begins with @start. */
static size_t width_of(const char *text, const char *start)
{
	const char *line = strstr(text, start);

	cr_assert(line, "no line begins with '%s' in:\n%s", start, text);
	return strcspn(line, "\n");
}

static void look_at_table(const struct host *h, struct said ret[2])
{
	ret[0] = info(h, NULL);
}

Test(views, table_has_a_head_and_a_line_for_each_subflow)
{
	char line[256];
	struct said all[2], said;
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 3);
	stage_endpoints(&s);
	stage_connect(&s, "10.0.1.1", "1");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 4));
	root = info_steady(&s.w.client, look_at_table, all);
	said = all[0];
	cr_assert_eq(said.status, 0);
	cr_assert_str_empty(said.err);
	snprintf(line, sizeof(line), "tcpclient[%d] %08llx kernel %s -> %s established",
		 s.client.pid, number_at(root, "connections.0.token"),
		 text_at(root, "connections.0.local"),
		 text_at(root, "connections.0.remote"));
	cr_assert(has_line(said.out, line), "%s\n%s", line, said.out);
	for (size_t i = 0; i < 4; i++) {
		table_line(root, i, line, sizeof(line));
		cr_assert(has_line(said.out, line), "%s\n%s", line, said.out);
	}
	cr_assert_eq(width_of(said.out, "  LID  LOCAL"), width_of(said.out, "    0  10."),
		     "aligned");
	cr_assert_leq(width_of(said.out, "    0  10."), 80);
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}

static void look_at_long_table(const struct host *h, struct said ret[2])
{
	ret[0] = info(h, (const char *[]){ "--long", NULL });
}

/* The first connection's bytes, in both directions */
static long long all_bytes(const json_t *root)
{
	const json_t *sf;
	long long sum = 0;
	size_t i;

	json_array_foreach((json_t *)at(root, "connections.0.subflows"), i, sf) sum +=
		number_at(sf, "bytes_sent") + number_at(sf, "bytes_received");
	return sum;
}

Test(views, long_table_has_congestion_window_retransmissions_rate_and_share)
{
	char line[256], cwnd[SCALED_MAX], retr[SCALED_MAX], rate[SCALED_MAX];
	struct said all[2];
	const json_t *sf;
	struct stage s;
	json_t *root;
	size_t n;

	NEED_SANDBOX();
	stage_open(&s, 3);
	stage_endpoints(&s);
	stage_connect(&s, "10.0.1.1", "1");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 4));
	proc_tell(&s.client, "echo 300000");
	cr_assert(WAIT_FOR(proc_said(&s.client, "echoed")));
	root = info_steady(&s.w.client, look_at_long_table, all);
	cr_assert(has_line(all[0].out, "RECVD CWND RETR RATE SHARE"), "%s", all[0].out);
	cr_assert_eq(width_of(all[0].out, "  LID  LOCAL"),
		     width_of(all[0].out, "    0  10."), "aligned");
	for (size_t i = 0; i < 4; i++) {
		sf = json_array_get(at(root, "connections.0.subflows"), i);
		table_line(root, i, line, sizeof(line));
		n = strlen(line);
		snprintf(line + n, sizeof(line) - n, " %s %s %s %d%%",
			 scaled_text(number_at(sf, "cwnd"), cwnd),
			 scaled_text(number_at(sf, "retransmits"), retr),
			 scaled_text(number_at(sf, "delivery_rate"), rate),
			 percent_of(number_at(sf, "bytes_sent") +
					    number_at(sf, "bytes_received"),
				    all_bytes(root)));
		cr_assert(has_line(all[0].out, line), "%s\n%s", line, all[0].out);
	}
	json_decref(root);
	said_free(&all[0]);
	stage_close(&s);
}

/* The word after @key in what @p has printed; "": not there yet */
static bool has_word(const struct proc *p, const char *key, char out[static 32])
{
	char *text = proc_output(p), *found = strstr(text, key);

	snprintf(out, 32, "%.*s",
		 found ? (int)strspn(found + strlen(key), "0123456789abcdef") : 0,
		 found ? found + strlen(key) : "");
	free(text);
	return out[0];
}

/* Whether @pid has a generic netlink socket (16) in a multicast group. */
static bool has_joined_group(const struct host *h, pid_t pid)
{
	struct said said = run(h, (const char *[]){ "cat", "/proc/net/netlink", NULL });
	char start[64], *found;
	bool is;

	snprintf(start, sizeof(start), " 16  %-10d ", pid);
	found = strstr(said.out, start);
	is = found && strtoul(found + strlen(start), NULL, 16);
	said_free(&said);
	return is;
}

Test(views, tokens_are_those_of_ss_and_ip_mptcp_monitor)
{
	static const char *const monitor[] = { "ip", "mptcp", "monitor", NULL };
	static const char *const ss[] = { "ss", "-Mni", NULL };
	char ip_token[32], ss_token[32], shown[40], number[32];
	const char *args[] = { "-t", ip_token, NULL };
	struct said said;
	struct stage s;
	struct proc p;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	cr_assert_eq(proc_start(&p, &s.w.client, monitor, NULL), 0);
	cr_assert(WAIT_FOR(has_joined_group(&s.w.client, p.pid)));
	stage_connect(&s, "10.0.1.1", "1");
	cr_assert(WAIT_FOR(has_word(&p, " token=", ip_token)));
	said = run(&s.w.client, ss);
	snprintf(ss_token, sizeof(ss_token), " token:%lx ", strtoul(ip_token, NULL, 16));
	cr_assert(has(said.out, ss_token), "no%sin %s", ss_token, said.out);
	said_free(&said);

	said = info(&s.w.client, args);
	snprintf(shown, sizeof(shown), "  %s  ", ip_token);
	cr_assert(has(said.out, shown), "%s: %s", ip_token, said.out);
	said_free(&said);
	root = info_json(&s.w.client, args);
	snprintf(number, sizeof(number), "%lld", number_at(root, "connections.0.token"));
	args[1] = number;
	json_decref(root);
	root = info_json(&s.w.client, args);
	cr_assert_eq(json_array_size(at(root, "connections")), 1, "%s", number);
	json_decref(root);
	proc_end(&p);
	stage_close(&s);
}

Test(views, ids_and_backup_are_those_of_the_endpoints)
{
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 3);
	stage_endpoints(&s);
	stage_connect(&s, "10.0.1.1", "1");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 4));
	root = info_json(&s.w.client, NULL);
	cr_assert_eq(number_at(root, "connections.0.subflows.0.local_id"), 0);
	cr_assert_eq(number_at(root, "connections.0.subflows.0.remote_id"), 0);
	cr_assert(json_is_false(at(root, "connections.0.subflows.0.backup")));
	cr_assert_eq(number_at(root, "connections.0.subflows.1.local_id"), 33);
	cr_assert_eq(number_at(root, "connections.0.subflows.1.remote_id"), 0);
	cr_assert(json_is_true(at(root, "connections.0.subflows.1.backup")));
	cr_assert_eq(number_at(root, "connections.0.subflows.2.local_id"), 33);
	cr_assert_eq(number_at(root, "connections.0.subflows.2.remote_id"), 13);
	cr_assert_eq(number_at(root, "connections.0.subflows.3.remote_id"), 12);
	cr_assert_eq(number_at(root, "connections.0.mptcp_info.add_addr_accepted"), 2);
	json_decref(root);
	stage_close(&s);
}

Test(views, filters_pick_by_pid_name_and_token)
{
	struct proc other = { 0 };
	const char *args[] = { "-p", NULL, NULL };
	char number[32];
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "2");
	other = s.client; /* a second client of the same name */
	stage_connect(&s, "10.0.1.1", "1");

	snprintf(number, sizeof(number), "%d", s.client.pid);
	args[1] = number;
	root = info_json(&s.w.client, args);
	cr_assert_eq(json_array_size(at(root, "connections")), 1);
	cr_assert_eq(number_at(root, "connections.0.pid"), s.client.pid);

	args[0] = "-t";
	snprintf(number, sizeof(number), "0x%llx",
		 number_at(root, "connections.0.token"));
	json_decref(root);
	root = info_json(&s.w.client, args);
	cr_assert_eq(json_array_size(at(root, "connections")), 1);
	cr_assert_eq(number_at(root, "connections.0.pid"), s.client.pid);
	json_decref(root);

	args[0] = "-p";
	args[1] = "tcpclient";
	root = info_json(&s.w.client, args);
	cr_assert_eq(json_array_size(at(root, "connections")), 3);
	json_decref(root);
	args[1] = "tcpclien";
	root = info_json(&s.w.client, args);
	cr_assert_eq(json_array_size(at(root, "connections")), 0);
	json_decref(root);
	proc_end(&other);
	stage_close(&s);
}

/* All nonzero counters are listed with their values, and no others. */
static void are_listed(const char *text, const json_t *counters)
{
	const json_t *value;
	const char *name;
	char line[128];

	cr_assert_gt(json_object_size(counters), 10);
	json_object_foreach((json_t *)counters, name, value)
	{
		snprintf(line, sizeof(line), "\n  %-30s %12lld\n", name,
			 (long long)json_integer_value(value));
		cr_assert_eq(has(text, line), json_integer_value(value) != 0, "'%s'\n%s",
			     line, text);
	}
}

static void look_at_counters(const struct host *h, struct said ret[2])
{
	ret[0] = info(h, (const char *[]){ "--counters", NULL });
	ret[1] = info(h, (const char *[]){ "--counters", "--json", NULL });
}

static bool is_second_waiting(const struct host *h)
{
	json_t *root = info_json(h, NULL);
	bool waiting = number_at(root, "managers.0.counters.add_addr_waiting") == 1;

	json_decref(root);
	return waiting;
}

Test(views, counters_are_those_of_the_json)
{
	struct said all[2], said;
	struct stage s;
	json_t *root, *counters;

	NEED_SANDBOX();
	pool_write("[pool]\nendpoint = 10.0.2.2 laminar\n");
	stage_announcing(&s);
	stage_preloaded(&s, "1");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 2));
	/* The manager may not have read the second ADD_ADDR yet. */
	cr_assert(WAIT_FOR(is_second_waiting(&s.w.client)));
	root = info_steady(&s.w.client, look_at_counters, all);
	said = all[0];
	cr_assert_eq(said.status, 0);
	counters = json_loads(all[1].out, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(counters, "%s", all[1].out);
	said_free(&all[1]);
	json_object_del((json_t *)at(root, "managers.0.counters"), "notes");
	are_listed(said.out, at(root, "namespace.counters"));
	are_listed(said.out, at(root, "managers.0.counters"));
	are_listed(said.out, at(counters, "connections.0.counters"));
	cr_assert_eq(number_at(counters, "connections.0.token"),
		     number_at(root, "connections.0.token"));
	cr_assert_eq(number_at(counters, "connections.0.counters.add_addr_rx"), 2);
	cr_assert_eq(number_at(counters, "connections.0.counters.add_addr_waiting"), 1);
	cr_assert_eq(number_at(counters, "connections.0.counters.exhausted"),
		     number_at(root, "managers.0.counters.exhausted"));
	json_decref(counters);
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}

/* How many connections are shown with --remote @remote. */
static size_t shown(const struct stage *s, const char *remote)
{
	json_t *root =
		info_json(&s->w.client, (const char *[]){ "--remote", remote, NULL });
	size_t n = json_array_size(at(root, "connections"));

	json_decref(root);
	return n;
}

Test(views, remote_filter_takes_address_prefix_and_port)
{
	struct proc other = { 0 };
	struct stage s;

	NEED_SANDBOX();
	stage_open(&s, 3);
	stage_endpoints(&s);
	stage_connect(&s, "dead:beef:3::1", "2");
	other = s.client;
	stage_connect(&s, "10.0.1.1", "1");
	cr_assert(WAIT_FOR(shown(&s, "10.0.3.0/24") == 3), "%zu: by any of their paths",
		  shown(&s, "10.0.3.0/24"));
	cr_assert_eq(shown(&s, "10.0.1.1"), 1);
	cr_assert_eq(shown(&s, "10.0.1.1:" SERVER_PORT), 1);
	cr_assert_eq(shown(&s, "10.0.1.1:81"), 0);
	cr_assert_eq(shown(&s, "10.0.1.0/24"), 1);
	cr_assert_eq(shown(&s, "dead:beef::/32"), 2);
	cr_assert_eq(shown(&s, "[dead:beef:3::1]:" SERVER_PORT), 2);
	cr_assert_eq(shown(&s, ":" SERVER_PORT), 3);
	cr_assert_eq(shown(&s, "192.0.2.1"), 0);
	proc_end(&other);
	stage_close(&s);
}

Test(views, filters_combine)
{
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "1");
	root = info_json(&s.w.client,
			 (const char *[]){ "-p", "tcpclient", "-r", "10.0.1.1", NULL });
	cr_assert_eq(json_array_size(at(root, "connections")), 1);
	json_decref(root);
	root = info_json(&s.w.client,
			 (const char *[]){ "-p", "tcpclient", "-r", "10.0.2.1", NULL });
	cr_assert_eq(json_array_size(at(root, "connections")), 0);
	json_decref(root);
	root = info_json(&s.w.client,
			 (const char *[]){ "-p", "other", "-r", "10.0.1.1", NULL });
	cr_assert_eq(json_array_size(at(root, "connections")), 0);
	json_decref(root);
	stage_close(&s);
}

/* mptcpinfo on a terminal, which script(1) makes, with this in its environment. */
static char *on_terminal(const struct host *h, const char *env)
{
	char path[512], command[600];
	const char *const argv[] = { "env",  "TERM=xterm", env,		"script",
				     "-qec", command,	   "/dev/null", NULL };
	struct said said;

	snprintf(command, sizeof(command), "'%s'",
		 built("mptcpinfo", path, sizeof(path)));
	said = run(h, argv);
	cr_assert_eq(said.status, 0, "%s%s", said.out, said.err);
	free(said.err);
	return said.out;
}

Test(views, colours_are_for_terminals_that_want_them)
{
	struct said said;
	struct stage s;
	char *out;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "1");
	said = info(&s.w.client, NULL);
	cr_assert_not(strchr(said.out, '\033'));
	said_free(&said);
	out = on_terminal(&s.w.client, "NO_COLOR=");
	cr_assert(has(out, "\033[1mtcpclient["), "%s", out);
	free(out);
	out = on_terminal(&s.w.client, "NO_COLOR=1");
	cr_assert(has(out, "tcpclient["), "%s", out);
	cr_assert_not(strchr(out, '\033'), "%s", out);
	free(out);
	stage_close(&s);
}

Test(views, listener_and_plain_tcp_are_not_connections)
{
	static const char *const echo[] = { "socat",
					    "TCP6-LISTEN:9000,ipv6only=0,fork,reuseaddr",
					    "PIPE", NULL };
	static const char *const plain[] = { "socat", "TCP:10.0.1.1:9000", "PIPE", NULL };
	struct proc server = { 0 }, client = { 0 };
	static const char *const lines[] = { "ss", "-tnH", NULL };
	struct said said = { 0 };
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	cr_assert_eq(proc_start(&server, &s.w.server, echo, NULL), 0);
	cr_assert(WAIT_FOR(host_listens(&s.w.server, 9000)));
	cr_assert_eq(proc_start(&client, &s.w.client, plain, NULL), 0);
	cr_assert(WAIT_FOR((said_free(&said), said = run(&s.w.server, lines),
			    has(said.out, "ESTAB"))));
	root = info_json(&s.w.server, NULL);
	cr_assert_eq(json_array_size(at(root, "connections")), 0);
	json_decref(root);
	said_free(&said);
	proc_end(&client);
	proc_end(&server);
	stage_close(&s);
}

Test(views, fallback_to_tcp_is_reported)
{
	static const char *const echo[] = { "socat",
					    "TCP6-LISTEN:8001,ipv6only=0,fork,reuseaddr",
					    "PIPE", NULL };
	struct proc server = { 0 }, client = { 0 };
	char path[512];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-m", "10.0.1.1", "8001", NULL };
	struct said said;
	struct world w;
	json_t *root;

	NEED_SANDBOX();
	cr_assert_eq(world_open(&w, 1), 0);
	cr_assert_eq(proc_start(&server, &w.server, echo, NULL), 0);
	cr_assert(WAIT_FOR(host_listens(&w.server, 8001)));
	cr_assert_eq(proc_start(&client, &w.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&client, "connected")), "%s", proc_errors(&client));
	root = info_json(&w.client, NULL);
	cr_assert_str_eq(text_at(root, "connections.0.explain"),
			 "fell back to TCP: the peer, or something on the path, does not "
			 "support MPTCP");
	cr_assert_eq(number_at(root, "connections.0.subflows.0.bytes_received"), 5);
	said = info(&w.client, NULL);
	cr_assert(has(said.out, "fell back to TCP"), "%s", said.out);
	json_decref(root);
	said_free(&said);
	proc_end(&client);
	proc_end(&server);
	world_close(&w);
}

Test(views, userspace_connection_without_a_manager_has_none)
{
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_connect(&s, "10.0.1.1", "1");
	/* socket() fixes the type: later changes of the sysctl do not matter. */
	root = info_json(&s.w.client, NULL);
	cr_assert_str_eq(text_at(root, "namespace.path_manager"), "userspace");
	cr_assert_str_eq(text_at(root, "connections.0.manager"), "none");
	json_decref(root);
	root = info_json(&s.w.server, NULL);
	cr_assert_str_eq(text_at(root, "namespace.path_manager"), "kernel");
	cr_assert_str_eq(text_at(root, "connections.0.manager"), "kernel");
	json_decref(root);
	cr_assert_eq(host_path_manager(&s.w.server, PM_USERSPACE), 0);
	root = info_json(&s.w.server, NULL);
	cr_assert_str_eq(text_at(root, "connections.0.manager"), "kernel");
	json_decref(root);
	stage_close(&s);
}

Test(views, ordinary_user_sees_connections_and_a_note_on_missing_data)
{
	char path[512];
	/* A child user namespace: no rights over the network or its processes. */
	const char *const argv[] = { "unshare", "-U",
				     built("mptcpinfo", path, sizeof(path)), "--json",
				     NULL };
	struct said said;
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "1");
	said = run(&s.w.client, argv);
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert(has(said.err, "no program for 1 of 1 connection"), "%s", said.err);
	root = json_loads(said.out, 0, NULL);
	cr_assert(root);
	cr_assert_eq(subflow_count(root), 1);
	cr_assert_null(json_object_get(at(root, "connections.0"), "pid"));
	cr_assert_null(json_object_get(at(root, "connections.0"), "program"));
	cr_assert_geq(number_at(root, "connections.0.subflows.0.bytes_sent"), 5);
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}

Test(views, connection_of_an_ended_program_has_no_program)
{
	static const char drop_all[] = "add table inet t\n"
				       "add chain inet t c { type filter hook input "
				       "priority 0; policy drop; }\n";
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "1");
	/*
	 * The server does not see the end: the kernel keeps the connection for a while.
	 */
	cr_assert_eq(host_nft(&s.w.server, drop_all), 0);
	proc_end(&s.client);
	root = info_json(&s.w.client, NULL);
	cr_assert_eq(json_array_size(at(root, "connections")), 1);
	cr_assert_null(json_object_get(at(root, "connections.0"), "pid"));
	cr_assert_str_neq(text_at(root, "connections.0.state"), "established");
	json_decref(root);
	stage_close(&s);
}
