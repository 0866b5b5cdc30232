// SPDX-License-Identifier: MIT
/*
 * status.c - the screen of mptcpaddr status, in each situation that it is for
 */
#include "metered.h"
#include "traffic.h"

#include <signal.h>
#include <stdio.h>

#define SUBFLOWS                              \
	"[pool]\n"                            \
	"endpoint = dev c1 subflow laminar\n" \
	"endpoint = dev c2 subflow laminar\n"
#define LAMINAR "[pool]\nendpoint = 10.0.2.2 dev c2\n"
#define CHAIN(hook, rule)                                                               \
	"table inet t { chain c { type filter hook " hook " priority 0; " rule "; }; }" \
	"\n"

struct situation {
	const char *pool;      /* also of the user's default.conf; NULL: no file */
	const char *prefix[6]; /* of the client and of status */
	bool broker, no_client;
	bool plain_tcp;
	const char *announced;
	const char *server_nft, *client_nft; /* before the client */
	const char *sysctl, *value;	     /* of the client */
	const char *client_ip;		     /* with the client */
	const char *used;		     /* bytes, by root's metered paths */
	const char *words[10];		     /* each after the one before */
	const char *filter, *json;	     /* of jq: what it prints of the JSON */
};

static bool has_words(const char *text, const char *const words[])
{
	for (; *words; words++) {
		text = strstr(text, *words);
		if (!text)
			return false;
		text += strlen(*words);
	}
	return true;
}

/* By its schema, in each situation; @filter: of jq */
static void json_is(struct bench *b, const struct situation *s, const char *filter,
		    const char *expected)
{
	static const char script[] =
		"set -e; out=$(\"$@\" status --json); echo \"$out\" | \"$V\" \"$S\"; "
		"echo \"$out\" | jq -cr \"$F\"";
	char valid[PATH_MAX], schema[PATH_MAX], words[512];
	const char *argv[18] = { "env", valid, schema, words, "sh", "-c", script, "sh" };
	struct said said;
	int n = 8;

	snprintf(valid, sizeof(valid), "V=%s", path_of("tests/validate.py"));
	snprintf(schema, sizeof(schema), "S=%s", path_of("tests/status.schema.json"));
	snprintf(words, sizeof(words), "F=%s", filter);
	for (int i = 0; s->prefix[i]; i++)
		argv[n++] = s->prefix[i];
	argv[n] = "@mptcpaddr";
	said = run(b, NULL, argv);
	cr_expect_eq(said.status, 0, "%s%s", said.out, said.err);
	if (expected)
		cr_expect_str_eq(said.out, expected);
	said_free(&said);
}

/* Until everything is there: joins and their failures take their time. */
static bool shows(struct bench *b, const struct situation *s, char out[static 4096])
{
	const char *argv[10] = { NULL };
	struct said said;
	bool right;
	int n = 0;

	for (; s->prefix[n]; n++)
		argv[n] = s->prefix[n];
	argv[n++] = "@mptcpaddr";
	argv[n] = "status";
	said = run(b, NULL, argv);
	right = said.status == 0 && !said.err[0] && has_words(said.out, s->words);
	snprintf(out, 4096, "%d: %s%s", said.status, said.out, said.err);
	said_free(&said);
	return right;
}

static void status_shows(const struct situation *s)
{
	struct proc server = { 0 }, client = { 0 }, broker = { 0 };
	char out[4096];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	if (s->broker)
		start_broker(&b, &broker);
	if (s->sysctl && host_sysctl(&b.world.client, s->sysctl, s->value) < 0)
		SKIP("this kernel lacks that sysctl");
	if (s->used)
		cr_assert(metered_mount() == 0 && metered_write(0, 0, s->used) == 0);
	if (s->pool)
		user_pool(&b, "default.conf", s->pool);
	traffic_serve(&b, &server, s->plain_tcp, ARGS(s->announced));
	if (s->server_nft)
		cr_assert_eq(host_nft(&b.world.server, s->server_nft), 0);
	if (s->client_nft)
		cr_assert_eq(host_nft(&b.world.client, s->client_nft), 0);
	if (!s->no_client && s->broker) {
		/* It registers there, and has no manager of its own. */
		start(&b, &client, NULL,
		      ARGS("@mptcpaddr", "run", "@tests/apps/tcpclient", "10.0.1.1",
			   TRAFFIC_PORT));
		cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	} else if (!s->no_client) {
		traffic_connect(&b, &client, s->pool, s->prefix[0] ? s->prefix : NULL);
	}
	if (s->client_ip)
		cr_assert_eq(host_ip(&b.world.client, s->client_ip), 0);
	cr_assert(WAIT_FOR(shows(&b, s, out)), "%s", out);
	json_is(&b, s, s->filter ?: ".", s->json);
	proc_end(&client);
	proc_end(&server);
	proc_end(&broker);
	bench_close(&b);
}

#define STATUS_TEST(name, ...)                                     \
	Test(status, name, .timeout = 90)                          \
	{                                                          \
		static const struct situation s = { __VA_ARGS__ }; \
		status_shows(&s);                                  \
	}

STATUS_TEST(no_pool_and_no_program, .no_client = true,
	    .words = { "managed by each program itself", "broker    not running",
		       "MPTCP without a pool", "\n  c1  ", "up, unused", "\n  c3  ",
		       "none: no program has", "next: mptcpaddr init" })

STATUS_TEST(no_program, .no_client = true, .pool = SUBFLOWS,
	    .words = { "pools     1 file", "\n  c1  ", "none: no program has",
		       "next: mptcpaddr run PROGRAM" })

STATUS_TEST(server_that_announces, .pool = LAMINAR, .announced = "10.0.2.1",
	    .words = { "\n  c1  ", "    1 ", "  ok", "\n  c2  ", "    1 ", "  ok\n",
		       "direct   1 connection, 2 paths", "next: mptcpinfo --watch" },
	    .filter =
		    ".backend, .broker, .problems, (.uplinks[] | [.dev, .local, .paths, "
		    ".backups, .default_route, .health, .fails]), (.programs[] | "
		    "[.program, .manager, .connections, .paths, .plain_tcp]), .next",
	    .json = "direct\nfalse\n0\n[\"c1\",\"10.0.1.2\",1,0,true,\"ok\",false]\n"
		    "[\"c2\",\"10.0.2.2\",1,0,true,\"ok\",false]\n"
		    "[\"c3\",\"10.0.3.2\",0,0,true,\"up, unused\",false]\n"
		    "[\"tcpclient\",\"direct\",1,2,0]\nmptcpinfo --watch\n")

STATUS_TEST(server_that_announces_nothing, .pool = LAMINAR,
	    .words = { "\n  c1  ", "  ok", "\n  c2  ", "  up, unused\n",
		       "direct   1 connection, 1 path ",
		       "why: nothing announced: ", "next: mptcpinfo --watch" })

STATUS_TEST(server_that_speaks_tcp_alone, .pool = SUBFLOWS, .plain_tcp = true,
	    .words = { "1 connection, 1 path, 1 plain TCP\n    why: fell back to TCP: ",
		       "next: mptcpaddr probe 10.0.1.1:8080 " })

STATUS_TEST(uplink_that_does_not_answer, .pool = SUBFLOWS,
	    .server_nft = CHAIN("input", "ip saddr 10.0.2.2 drop"),
	    .words = { "\n  c1  ", "  ok", "\n  c2  ", "  no answer to its SYN\n",
		       "why: ", "10.0.2.2\n", "next: mptcpaddr probe 10.0.1.1:8080 " },
	    .filter = "[.uplinks[] | select(.dev == \"c2\") | .health, .fails], .next",
	    .json = "[\"no answer to its SYN\",true]\nmptcpaddr probe 10.0.1.1:8080\n")

STATUS_TEST(uplink_that_is_refused, .pool = SUBFLOWS "[retry]\nfirst = 20s\n",
	    .server_nft = CHAIN("input", "ip saddr 10.0.2.2 meta l4proto tcp reject with "
					 "tcp reset"),
	    .words = { "\n  c2  ", "  its last join refused by the peer: Connection ",
		       "Connection refused: 10.0.2.2\n", "LAST PROBLEMS\n",
		       "tcpclient: 10.0.1.1 -> join from 10.0.2.2 ",
		       "failed: Connection refused\n", "next: mptcpaddr probe " },
	    .filter = ".last_problems[].text | sub(\"from.*failed\"; \"failed\")",
	    .json = "tcpclient: 10.0.1.1 -> join failed: Connection refused\n")

STATUS_TEST(uplink_whose_link_is_down, .pool = SUBFLOWS, .client_ip = "link set c2 down",
	    .words = { "\n  c2  ", "  link down\n", "LAST PROBLEMS\n",
		       "endpoint down: 10.0.2.2 " })

STATUS_TEST(uplink_without_a_default_route, .pool = SUBFLOWS,
	    .client_ip = "route del default via 10.0.1.1 dev c1\n"
			 "route del default via dead:beef:1::1 dev c1\n",
	    .words = { "problem: ", "no route from 10.0.1.2 (c1)", "\n  c2  ", "  ok\n",
		       "\n  c1  ", "  ok, no default route\n" })

STATUS_TEST(no_uplink_that_leads_anywhere, .pool = SUBFLOWS, .no_client = true,
	    .client_ip =
		    "route flush default\nroute del default via dead:beef:1::1 dev c1\n"
		    "route del default via dead:beef:2::1 dev c2\n"
		    "route del default via dead:beef:3::1 dev c3\n",
	    .words = { "\n  c1  ", "  no default route\n",
		       "next: ip route    # no uplink is up and has a default route\n" })

/* An erroneous value counts as no decision of the user. */
STATUS_TEST(pool_file_with_errors, .no_client = true,
	    .pool = "[pool]\nendpoints = dev c1\n[app]\nmptcp = maybe\n",
	    .words = { ":2: unknown key \"endpoints\" in [pool]; no pool until ",
		       "unless the previous one is in use\n",
		       ":4: mptcp is \"maybe\", not yes or no\n", "none in force\n",
		       "next: fix the problems above" },
	    .filter = ".problems", .json = "2\n")

STATUS_TEST(interface_that_is_missing, .pool = SUBFLOWS "endpoint = dev wwan7\n",
	    .words = { "problem: ", "wwan7 is not an interface of this machine (now)",
		       "\n  wwan7  ", "  no such interface\n",
		       "next: fix the problems above" })

STATUS_TEST(mptcp_that_the_kernel_has_switched_off, .pool = LAMINAR,
	    .sysctl = "net/mptcp/syn_retrans_before_tcp_fallback", .value = "1",
	    .client_nft = CHAIN("output", "tcp flags & syn == syn tcp option 30 exists "
					  "drop"),
	    .words = { "problem: MPTCP is switched off by the kernel",
		       "\n    type: sysctl -w net.mptcp.blackhole_timeout=3600\n",
		       "1 plain TCP\n    why: fell back to TCP: the kernel has switched ",
		       "next: fix the problems above" })

STATUS_TEST(path_manager_of_the_kernel, .no_client = true, .pool = SUBFLOWS,
	    .sysctl = "net/mptcp/path_manager", .value = "kernel",
	    .words = { "not managed by mptcpaddr: pools",
		       "problem: the in-kernel path manager is active",
		       "\n    type: sysctl -w net.mptcp.path_manager=userspace\n",
		       "next: fix the problems above" },
	    .filter =
		    ".backend, .problems, (.findings[] | select(.level == "
		    "\"problem\") | .remedies[0]), .uplinks[0].health, .programs, .next",
	    .json = "none\n1\n{\"type\":\"sysctl -w net.mptcp.path_manager=userspace\","
		    "\"root\":true}\nup, unused\n[]\nmptcpaddr doctor\n")

STATUS_TEST(program_without_rights_or_broker, .pool = SUBFLOWS,
	    .prefix = { "setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin" },
	    .no_client = true,
	    .words = {
		    "not managed by mptcpaddr: pools", "broker    not running",
		    "problem: no CAP_NET_ADMIN in this network namespace, and no broker",
		    "\n    type: ", "mptcpaddrd -u\n" })

STATUS_TEST(broker_and_its_program, .pool = SUBFLOWS, .broker = true,
	    .words = { "managed by the broker", "broker    running", "\n  c1  ", "  ok",
		       "\n  c2  ", "  ok\n", "broker   1 connection, 2 paths",
		       "next: mptcpinfo --watch" })

STATUS_TEST(uplink_whose_quota_is_used_up, .used = "1000000",
	    .pool = "[pool]\nendpoint = dev c1 subflow\nendpoint = dev c2 subflow "
		    "metered\n[policy]\nquota = 1M/month\n",
	    .words = { "\n  c1  ", "  ok", "\n  c2  ", "  quota used up\n",
		       "1 connection, 1 path", "why: the quota is used up: 10.0.2.2",
		       "next: mptcpinfo --watch" },
	    .filter = "[.uplinks[] | select(.dev == \"c2\") | .health, .fails]",
	    .json = "[\"quota used up\",false]\n")

/* A stopped program's manager is silent; its connection is seen all the same. */
Test(status, program_that_does_not_answer, TIMEOUT)
{
	static const struct situation s = {
		.words = { "1 connection, 2 paths",
			   "why: unknown: a manager that may have it did not answer" }
	};
	struct proc server = { 0 }, client = { 0 };
	char out[4096];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	traffic_serve(&b, &server, false, ARGS("10.0.2.1"));
	traffic_connect(&b, &client, LAMINAR, NULL);
	traffic_pairs(&b, "10.0.2.2-10.0.2.1");
	cr_assert_eq(kill(client.pid, SIGSTOP), 0);
	cr_expect(WAIT_FOR(shows(&b, &s, out)), "%s", out);
	json_is(&b, &s, "[.programs[] | has(\"manager\"), .paths]", "[false,2]\n");
	cr_assert_eq(kill(client.pid, SIGCONT), 0);
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

Test(status, wrong_arguments, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "status", "now"), 2, "unexpected argument now");
	says(&b, ARGS("@mptcpaddr", "status", "-x"), 2, "unknown option -x");
	says(&b, ARGS("@mptcpaddr", "status", "--help"), 0,
	     "mptcpaddr status [--json]\n\t");
	bench_close(&b);
}

/* Names of files may be any bytes. */
Test(status, json_is_utf8, TIMEOUT)
{
	static const struct situation s = { .prefix = { NULL } };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "caf\xc3\xa9.conf", "[pool]\nendpoint = wobbly\n");
	user_pool(&b, "caf\xe9.conf", "[pool]\nendpoint = wobbly\n");
	json_is(&b, &s,
		"[.findings[] | select(.level == \"problem\") | .text | match(\"caf.\")."
		"string] | sort | unique",
		"[\"caf?\",\"caf\xc3\xa9\"]\n");
	bench_close(&b);
}

Test(status, every_key_is_in_the_manual, TIMEOUT)
{
	static const char script[] =
		"jq -r '.. | objects | select(.properties | type == \"object\") | "
		".properties | keys[]' \"$1\" | sort -u | while read -r key; do grep -qw "
		"-- "
		"\"$key\" tools/mptcpaddr/mptcpaddr.8 || echo \"$key\"; done";
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL,
		   ARGS("sh", "-c", script, "sh", path_of("tests/status.schema.json")));
	cr_expect_str_eq(said.out, "");
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}
