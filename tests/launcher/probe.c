// SPDX-License-Identifier: MIT
/*
 * probe.c - mptcpaddr probe: servers, uplinks, and the paths that programs then have
 */
#include "traffic.h"

#include <stdio.h>

#include "counter.h"

#define SUBFLOWS                              \
	"[pool]\n"                            \
	"endpoint = dev c1 subflow laminar\n" \
	"endpoint = dev c2 subflow laminar\n" \
	"endpoint = dev c3 subflow laminar\n"
#define POOL_PATH "/run/probe.conf"
#define CHAIN              \
	"add table ip t\n" \
	"add chain ip t c { type filter hook prerouting priority -300; }\n"

struct probe_case {
	const char *pool; /* SUBFLOWS */
	const char *announced[3];
	const char *server_nft, *client_ip;
	const char *server_sysctl, *value; /* of the server */
	const char *port;
	bool plain_tcp;
	int status;
	const char *words[10]; /* each after the one before */
	const char *pairs;     /* of a program with this pool; NULL: not compared */
};

static void has_words(const struct said *said, const char *const words[])
{
	const char *at = said->out, *found;

	for (; *words; words++) {
		found = strstr(at, *words);
		cr_expect(found, "no \"%s\" in order in: %s%s", *words, said->out,
			  said->err);
		at = found ? found + strlen(*words) : at;
	}
}

/* The addresses that "jq" prints of the JSON. */
static void json_is(struct bench *b, const char *filter, const char *expected)
{
	static const char script[] = "$0 probe --json --wait 0.4 --pool " POOL_PATH
				     " 10.0.1.1:8080 | jq -cr \"$1\"";
	struct said said;

	said = run(b, NULL, ARGS("sh", "-c", script, path_of("mptcpaddr"), filter));
	cr_expect_str_eq(said.out, expected, "%s: %s%s", filter, said.out, said.err);
	said_free(&said);
}

static void probe_says(const struct probe_case *c)
{
	struct proc server, client;
	char target[32];
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file(POOL_PATH, c->pool ?: SUBFLOWS, 0644);
	if (c->server_sysctl)
		cr_assert_eq(host_sysctl(&b.world.server, c->server_sysctl, c->value), 0);
	traffic_serve(&b, &server, c->plain_tcp, c->announced);
	if (c->server_nft)
		cr_assert_eq(host_nft(&b.world.server, c->server_nft), 0);
	if (c->client_ip)
		cr_assert_eq(host_ip(&b.world.client, c->client_ip), 0);
	snprintf(target, sizeof(target), "10.0.1.1:%s", c->port ?: TRAFFIC_PORT);
	said = run(
		&b, NULL,
		ARGS("@mptcpaddr", "probe", "--wait", "1", "--pool", POOL_PATH, target));
	cr_expect_eq(said.status, c->status, "%d: %s%s", said.status, said.out, said.err);
	has_words(&said, c->words);
	said_free(&said);
	/* Neither does it leave a connection, nor make the kernel switch MPTCP off. */
	cr_expect_eq(counter(&b.world.client, "Blackhole"), 0);
	cr_expect_eq(counter(&b.world.client, "MPJoinSynTx"), 0);
	if (c->pairs) {
		traffic_connect(&b, &client, c->pool ?: SUBFLOWS, NULL);
		traffic_pairs(&b, c->pairs);
		proc_end(&client);
	}
	proc_end(&server);
	bench_close(&b);
}

#define PROBE_TEST(name, ...)                                          \
	Test(probe, name, TIMEOUT)                                     \
	{                                                              \
		probe_says(&(const struct probe_case){ __VA_ARGS__ }); \
	}

PROBE_TEST(server_without_announcements,
	   .words = { "10.0.1.1: 10.0.1.1:8080\npool file: /run/probe.conf\n",
		      "10.0.1.2        c1       MPTCP, ",
		      "10.0.2.2        c2       MPTCP, ", "C flag: no\n",
		      "announced within 1.0 s: nothing\n",
		      "3 paths with /run/probe.conf:\n", "10.0.2.2 -> 10.0.1.1:8080\n",
		      "10.0.3.2 -> 10.0.1.1:8080\n" },
	   .pairs = "10.0.2.2-10.0.1.1 10.0.3.2-10.0.1.1")

PROBE_TEST(laminar_endpoints_wait_for_announcements,
	   .pool = "[pool]\nendpoint = 10.0.2.2 dev c2\nendpoint = 10.0.3.2 dev c3\n",
	   .announced = { "10.0.3.1" },
	   .words = { "MPTCP", "announced within 1.0 s: 10.0.3.1:8080 (id 1)\n",
		      "2 paths with ", "10.0.2.2 -> 10.0.3.1:8080\n",
		      "10.0.3.2: no path: all announced addresses have a path\n" },
	   .pairs = "10.0.2.2-10.0.3.1")

PROBE_TEST(
	laminar_endpoints_hear_of_subflow, .pool = "[pool]\nendpoint = 10.0.2.2 dev c2\n",
	.words = { "1 path with ", "10.0.1.2 -> 10.0.1.1:8080  first\n",
		   "10.0.2.2: no path: for announced addresses, and there are none: use "
		   "\"subflow\", too\n" },
	.pairs = "")

PROBE_TEST(server_with_the_c_flag,
	   .server_sysctl = "net/mptcp/allow_join_initial_addr_port", .value = "0",
	   .words = { "C flag: yes\n", "1 path with ",
		      "10.0.2.2: no path: the server refuses more paths to its first "
		      "address (C "
		      "flag)\n" },
	   .pairs = "")

PROBE_TEST(server_with_tcp_only, .plain_tcp = true, .status = 1,
	   .words = {
		   "c1       plain TCP, ", "c3       plain TCP, ",
		   "no MPTCP: the server lacks it, or each uplink strips the option\n" })

PROBE_TEST(uplink_that_strips_the_option,
	   .server_nft = CHAIN "add rule ip t c iifname s2 reset tcp option mptcp\n",
	   .words = { "c1       MPTCP, ", "c2       plain TCP, ",
		      ": something on this uplink strips the option\n",
		      "c3       MPTCP, ", "2 paths with ",
		      "10.0.2.2: no path: its handshake: plain TCP\n" })

PROBE_TEST(uplink_that_drops_the_option,
	   .server_nft = CHAIN
	   "add rule ip t c iifname s2 tcp option mptcp exists drop\n",
	   .words = { "c2       no answer with MPTCP, but with TCP: something on this "
		      "uplink drops "
		      "the option\n",
		      "2 paths with " })

PROBE_TEST(dead_uplink, .server_nft = CHAIN "add rule ip t c iifname s1 drop\n",
	   .words = { "c1       no answer\n", "c2       MPTCP, ", "2 paths with ",
		      "10.0.2.2 -> 10.0.1.1:8080  first\n",
		      "10.0.1.2: no path: its handshake: no answer\n" })

PROBE_TEST(interfaces_without_an_address_are_named,
	   .pool = SUBFLOWS "endpoint = dev wwan7 subflow\nendpoint = dev d9 subflow\n",
	   .client_ip = "addr del 10.0.2.2/24 dev c2\n"
			"link add d9 type veth peer name d8\n",
	   .words = { "c1       MPTCP, ", "2 paths with ",
		      "  c2: no path: no IPv4 address on the interface\n",
		      "  wwan7: no path: no such interface\n",
		      "  d9: no path: no address on the interface\n" })

static void open_served(struct bench *b, struct proc *server,
			const char *const announced[])
{
	bench_open(b);
	put_file(POOL_PATH, SUBFLOWS, 0644);
	traffic_serve(b, server, false, announced);
}

/* As run, check and init say. */
Test(probe, paths_that_nobody_opens_are_no_promise, TIMEOUT)
{
	struct proc server;
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	open_served(&b, &server, NULL);
	says(&b,
	     ARGS("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
		  "@mptcpaddr", "probe", "--pool", POOL_PATH, "10.0.1.1:8080"),
	     0,
	     "mptcpaddr: warning: no CAP_NET_ADMIN in this network namespace, and no "
	     "broker: pools have no effect; type: ");
	said = run(&b, NULL,
		   ARGS("@mptcpaddr", "probe", "--wait=0", "--pool", POOL_PATH,
			"10.0.1.1:8080"));
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	says(&b, ARGS("@mptcpaddr", "probe", "10.0.1.1:99999"), 1,
	     "mptcpaddr: 10.0.1.1:99999: port 99999 is not in 1-65535\n");
	says(&b, ARGS("@mptcpaddr", "probe", "10.0.1.1:0"), 1,
	     "port 0 is not in 1-65535\n");
	proc_end(&server);
	bench_close(&b);
}

PROBE_TEST(port_that_nobody_listens_at, .port = "81", .status = 1,
	   .words = { "c1       Connection refused\n", "c2       Connection refused\n" })

PROBE_TEST(limits_and_backup,
	   .pool = SUBFLOWS "endpoint = 10.0.1.2 dev c1 signal\n[limits]\nsubflows = 1\n",
	   .words = { "2 paths with ", "10.0.3.2: no path: limit ([limits] subflows)\n" })

Test(probe, json_has_the_same, TIMEOUT)
{
	struct proc server;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file(POOL_PATH, SUBFLOWS "[limits]\nsubflows = 1\n", 0644);
	traffic_serve(&b, &server, false, ARGS("10.0.2.1"));
	json_is(&b, ".mptcp, .c_flag, .address, .pool",
		"true\nfalse\n10.0.1.1:8080\n" POOL_PATH "\n");
	json_is(&b, "[.uplinks[] | .dev, .result]",
		"[\"c1\",\"mptcp\",\"c2\",\"mptcp\",\"c3\",\"mptcp\"]\n");
	json_is(&b, ".announced[0].address", "10.0.2.1:8080\n");
	json_is(&b, "[.paths[] | .local, .remote, .backup]",
		"[\"10.0.1.2\",\"10.0.1.1:8080\",false,\"10.0.2.2\",\"10.0.2.1:8080\","
		"false]\n");
	json_is(&b, ".missing[0].local", "10.0.3.2\n");
	user_pool(&b, "default.conf", SUBFLOWS);
	says(&b, ARGS("@mptcpaddr", "probe", "--wait=0", "10.0.1.1:8080"), 0,
	     "/default.conf (for programs without a file of their own)\n");
	says(&b,
	     ARGS("@mptcpaddr", "probe", "--wait=0", "--program", "curl",
		  "10.0.1.1:8080"),
	     0, "/default.conf (for \"curl\")\n");
	proc_end(&server);
	bench_close(&b);
}

/* With a port only in brackets. */
Test(probe, ipv6_server, TIMEOUT)
{
	struct proc server;
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	open_served(&b, &server, ARGS("dead:beef:2::1"));
	said = run(&b, NULL,
		   ARGS("@mptcpaddr", "probe", "--pool", POOL_PATH,
			"[dead:beef:1::1]:8080"));
	cr_expect_eq(said.status, 0, "%s%s", said.out, said.err);
	has_words(&said,
		  ARGS("dead:beef:1::1: [dead:beef:1::1]:8080\n",
		       "dead:beef:1::2  c1       MPTCP, ", "(id 1)\n", "3 paths with ",
		       "dead:beef:3::2 -> [dead:beef:1::1]:8080\n"));
	said_free(&said);
	says(&b, ARGS("@mptcpaddr", "probe", "--pool", POOL_PATH, "dead:beef:1::1"), 1,
	     "dead:beef:1::1: [dead:beef:1::1]:443\n");
	proc_end(&server);
	bench_close(&b);
}

/* Events need rights; handshakes do not. */
Test(probe, user_without_rights_is_told_what_is_unknown, TIMEOUT)
{
	struct proc server;
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	open_served(&b, &server, NULL);
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "probe",
			"--pool", POOL_PATH, "10.0.1.1:8080"));
	cr_expect_eq(said.status, 0, "%s", said.err);
	has_words(&said, ARGS("c2       MPTCP, ",
			      "C flag, announced addresses: unknown without "
			      "CAP_NET_ADMIN (sudo)\n",
			      "3 paths with "));
	said_free(&said);
	proc_end(&server);
	bench_close(&b);
}

Test(probe, arguments_are_checked, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "probe"), 2, "no HOST[:PORT]");
	says(&b, ARGS("@mptcpaddr", "probe", "a", "b"), 2, "one HOST[:PORT] only");
	says(&b, ARGS("@mptcpaddr", "probe", "--wait", "61", "a"), 2,
	     "\"61\" is not 0-60");
	says(&b, ARGS("@mptcpaddr", "probe", "--wait", "nan", "a"), 2,
	     "\"nan\" is not 0-60");
	says(&b, ARGS("@mptcpaddr", "probe", "--pool", "/nowhere", "a"), 1,
	     "/nowhere: No such file or directory");
	says(&b, ARGS("@mptcpaddr", "probe", "https://a/b"), 1,
	     "https://a/b: give HOST or HOST:PORT, not a URL");
	says(&b, ARGS("@mptcpaddr", "probe", "no.such.host.invalid"), 1,
	     "mptcpaddr: no.such.host.invalid: ");
	shell(&b, "for i in 1 2 3; do ip -4 addr flush dev c$i; done");
	says(&b, ARGS("@mptcpaddr", "probe", "10.0.1.1"), 1,
	     "10.0.1.1: this machine has no address of its family\n");
	shell(&b, "sysctl -qw net.mptcp.enabled=0");
	says(&b, ARGS("@mptcpaddr", "probe", "10.0.1.1"), 1, "no MPTCP sockets here: ");
	bench_close(&b);
}
