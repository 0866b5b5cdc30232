// SPDX-License-Identifier: MIT
/*
 * doctor.c - findings of mptcpaddr doctor alone: files, packet filters and counters
 */
#include "traffic.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counter.h"

#define CLEAN  "no problems found"
#define DOCTOR ARGS("@mptcpaddr", "doctor")
#define POOL   "[pool]\nendpoint = 10.0.2.2\n"
#define ON_C2  "[pool]\nendpoint = 10.0.2.2 dev c2\n"

/* Exactly one problem, with @words. Return: what it says to type, or NULL; free it. */
static char *one_problem_of(struct bench *b, const char *const env[],
			    const char *const argv[], const char *words)
{
	struct said said = run(b, env, argv);
	char *type, *advice = NULL;

	cr_expect_str_eq(said.err, "");
	cr_expect_eq(said.status, 1, "%d", said.status);
	cr_expect_eq(count(said.out, "problem: "), 1, "%s", said.out);
	cr_assert(strstr(said.out, words), "no \"%s\" in: %s", words, said.out);
	cr_expect_geq(count(said.out, "\n    type: ") + count(said.out, "\n    do: "), 1,
		      "%s", said.out);
	type = strstr(said.out, "\n    type: ");
	if (type) {
		type += strlen("\n    type: ");
		advice = strndup(type, strcspn(type, "\n"));
	}
	said_free(&said);
	return advice;
}

static void one_problem(struct bench *b, const char *words)
{
	free(one_problem_of(b, NULL, DOCTOR, words));
}

static void no_problem(struct bench *b)
{
	says(b, DOCTOR, 0, CLEAN);
}

/* One problem, which its advice solves. */
static void solved_by_advice(struct bench *b, const char *words)
{
	char *type = one_problem_of(b, NULL, DOCTOR, words);

	cr_assert(type);
	shell(b, type);
	free(type);
	no_problem(b);
}

/* Each of @lines once, from doctor -v. */
static void prints_lines(struct bench *b, const char *const lines[])
{
	struct said said = run(b, NULL, ARGS("@mptcpaddr", "doctor", "-v"));

	cr_expect_eq(said.status, 0);
	cr_expect_str_eq(said.err, "");
	for (; *lines; lines++)
		cr_expect_eq(count(said.out, *lines), 1, "not once %s in: %s", *lines,
			     said.out);
	said_free(&said);
}

Test(doctor, lists_passed_checks, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	prints_lines(&b, ARGS("ok: library: ", "ok: no pool file: MPTCP without a pool\n",
			      "ok: Linux ", "ok: MPTCP is on in this network namespace\n",
			      "ok: the userspace path manager handles new connections",
			      "ok: CAP_NET_ADMIN: ",
			      "ok: the kernel lists MPTCP connections (mptcp_diag)\n",
			      "ok: no rule of nft(8) concerns the MPTCP option\n",
			      "no problems found, but there is no pool file yet: type "));
	user_pool(&b, "curl.conf", ON_C2);
	said = run(&b, NULL, DOCTOR);
	cr_expect_str_eq(said.out, CLEAN "\n");
	said_free(&said);
	says(&b, ARGS("@mptcpaddr", "doctor", "-x"), 2, "unknown option -x");
	bench_close(&b);
}

static void copy_to(struct bench *b, const char *directory, const char *what)
{
	struct said said = run(b, NULL, ARGS("cp", what, directory));

	cr_assert_eq(said.status, 0, "%s", said.err);
	said_free(&said);
}

Test(doctor, finds_missing_libraries, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "mkdir /run/alone '/run/a b'");
	copy_to(&b, "/run/alone", "@mptcpaddr");
	free(one_problem_of(
		&b, NULL, ARGS("/run/alone/mptcpaddr", "doctor"),
		"libmptcpaddr.so is missing, and so is libmptcpaddr.so next to"));
	copy_to(&b, "/run/alone", "@libmptcpaddr.so");
	free(one_problem_of(&b, NULL, ARGS("/run/alone/mptcpaddr", "doctor"),
			    "the path manager cannot be loaded, so pools have no effect: "
			    "/run/alone/libmptcpaddr-pm.so: cannot open"));
	copy_to(&b, "/run/a b", "@mptcpaddr");
	copy_to(&b, "/run/a b", "@libmptcpaddr.so");
	free(one_problem_of(&b, NULL, ARGS("/run/a b/mptcpaddr", "doctor"),
			    "/run/a b/libmptcpaddr.so has a blank or a colon in its "
			    "name: LD_PRELOAD cannot name it\n    do: move this tool"));
	bench_close(&b);
}

Test(doctor, checks_pool_files, TIMEOUT)
{
	static const struct {
		const char *pool, *words;
	} cases[] = {
		{ "[pool]\nendpoint = 10.0.2.2 id 300\n",
		  "/mptcpaddr/curl.conf:2: local id 300 is not in 1-255" },
		{ "[pool]\nendpoint = 10.0.9.2\n",
		  "curl.conf:2: 10.0.9.2 is not an address of this machine (now)" },
		{ "[pool]\nendpoint = 10.0.2.2 dev eth77\n",
		  "curl.conf:2: eth77 is not an interface of this machine (now)" },
		{ "[pool]\nendpoint = 10.0.3.2 dev c1\n",
		  "curl.conf:2: 10.0.3.2 is not an address of c1 (now)" },
	};
	char path[128];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		user_pool(&b, "curl.conf", cases[i].pool);
		one_problem(&b, cases[i].words);
	}
	user_pool(&b, "curl.conf", ON_C2);
	no_problem(&b);
	/* MPTCPADDR_CONFIG names the only one that is checked. */
	user_pool(&b, "other.txt", "[pol]\nx = y\n");
	snprintf(path, sizeof(path), "MPTCPADDR_CONFIG=%s/mptcpaddr/other.txt", b.home);
	free(one_problem_of(&b, ARGS(path), DOCTOR, "unknown section [pol]"));
	bench_close(&b);
}

Test(doctor, finds_a_file_in_place_of_the_directory, TIMEOUT)
{
	char path[128], words[192];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	snprintf(path, sizeof(path), "%s/mptcpaddr", b.home);
	put_file(path, "a file", 0644);
	snprintf(words, sizeof(words), "problem: %s: Not a directory\n    do: ", path);
	one_problem(&b, words);
	bench_close(&b);
}

/* AF_NETLINK, NETLINK_ROUTE, EPERM: as a sandbox without netlink sockets. */
Test(doctor, finds_that_addresses_cannot_be_read, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@tests/apps/deny", "16", "0", "1", "@mptcpaddr", "doctor"), 1,
	     "problem: the addresses of this machine: Operation not permitted\n    do: ");
	says(&b, ARGS("@tests/apps/deny", "16", "0", "1", "@mptcpaddr", "check"), 1,
	     "mptcpaddr check: the addresses of this machine: Operation not permitted\n");
	bench_close(&b);
}

Test(doctor, finds_that_no_pool_has_an_effect, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf", "[app]\nmptcp = no\n");
	one_problem(&b, "no program has a pool: ");
	user_pool(&b, "curl.conf", ON_C2);
	prints_lines(&b, ARGS("default.conf leaves its programs plain TCP",
			      "curl.conf: no errors; endpoints: 1"));
	bench_close(&b);
}

Test(doctor, finds_a_strict_reverse_path_filter, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/all/rp_filter", "0"), 0);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/c2/rp_filter", "1"), 0);
	user_pool(&b, "curl.conf", ON_C2);
	solved_by_advice(&b, "c2 drops packets from addresses that another interface");
	bench_close(&b);
}

/* The endpoint names no device: the interface that has the address counts. */
Test(doctor, finds_a_strict_reverse_path_filter_of_an_address, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "ip rule add from 10.0.2.2 lookup 7; "
		  "ip route add default via 10.0.2.1 dev c2 table 7");
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/c2/rp_filter", "1"), 0);
	user_pool(&b, "curl.conf", POOL);
	solved_by_advice(&b, "c2 drops packets from addresses that another interface");
	bench_close(&b);
}

Test(doctor, looks_up_the_route_from_each_endpoint, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "curl.conf", POOL "endpoint = 10.0.3.2 dev c3\n");
	one_problem(&b, "curl.conf:2: packets from 10.0.2.2 to the Internet leave by c1, "
			"but c2 has the address\n    do: append \"dev c2\"\n");
	shell(&b, "ip route del default dev c3");
	user_pool(&b, "curl.conf", ON_C2 "endpoint = 10.0.3.2 dev c3\n");
	one_problem(&b, "curl.conf:3: no route from 10.0.3.2 (c3) to the Internet\n"
			"    do: add a default route over c3\n");
	/* For one server it has a route; a link that is down has none for a reason. */
	user_pool(&b, "curl.conf",
		  ON_C2 "[pool \"10.0.3.0/24\"]\nendpoint = 10.0.3.2 dev c3\n");
	prints_lines(&b, ARGS("packets from 10.0.2.2 to the Internet leave by c2\n",
			      "packets from 10.0.3.2 to 10.0.3.1 leave by c3\n", CLEAN));
	shell(&b, "ip link set c3 down");
	user_pool(&b, "curl.conf", ON_C2 "endpoint = 10.0.3.2 dev c3\n");
	no_problem(&b);
	/* Without the Internet nothing is said about it. */
	shell(&b, "ip route flush default; ip -6 route flush default");
	no_problem(&b);
	bench_close(&b);
}

#define CHAIN(hook, rule) \
	"table inet t { chain c { type filter hook " hook " priority 0; " rule "; }; }"

Test(doctor, finds_firewall_rules_against_the_option, TIMEOUT)
{
	static const struct {
		const char *rules, *words;
	} cases[] = {
		{ CHAIN("output", "tcp option mptcp subtype 1 counter drop"),
		  "the firewall refuses packets: table inet t, chain c: tcp option "
		  "mptcp" },
		{ CHAIN("input", "tcp option mptcp exists reject with tcp reset"),
		  "the firewall refuses packets: table inet t, chain c: tcp option "
		  "mptcp" },
		{ CHAIN("output", "reset tcp option mptcp"),
		  "the firewall strips the MPTCP option from packets: table inet t, "
		  "chain c: reset tcp option mptcp" },
	};
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cr_assert_eq(host_nft(&b.world.client, cases[i].rules), 0);
		solved_by_advice(&b, cases[i].words);
		shell(&b, "nft flush ruleset");
	}
	/* A rule that only counts is no problem. */
	cr_assert_eq(host_nft(&b.world.client,
			      CHAIN("output", "tcp option mptcp exists counter accept")),
		     0);
	no_problem(&b);
	says(&b,
	     ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "doctor",
		  "-v"),
	     1, "ok: the firewall's rules could not be read");
	bench_close(&b);
}

Test(doctor, counts_answered_joins, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/all/rp_filter", "0"), 0);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/c2/rp_filter", "2"), 0);
	user_pool(&b, "curl.conf", ON_C2);
	traffic_serve(&b, &server, false, ARGS("10.0.2.1"));
	traffic_connect(&b, &client, POOL, NULL);
	traffic_pairs(&b, "10.0.2.2-10.0.2.1");
	prints_lines(&b, ARGS("ok: c2: no strict reverse-path filter\n",
			      "ok: MPTCP connections to servers: 1 of 1\n",
			      "ok: answered joins: 1 of 1\n", CLEAN));
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

/* A client's connection to a server; the counter then has one problem. */
static const struct traffic {
	const char *words, *counter;
	bool plain_tcp;
	const char *announced; /* by the server */
	const char *pool, *rules /* of the server's firewall */, *route;
} histories[] = {
	{ .words = "none of 1 server answered with MPTCP",
	  .counter = "MPCapableFallbackSYNACK",
	  .plain_tcp = true },
	{ .words = "no server announced an address to 1 MPTCP connection, and ",
	  .counter = "MPCapableSYNACKRX" },
	{ .words = "1 address was announced, but none was joined",
	  .counter = "AddAddr",
	  .announced = "10.0.2.1",
	  .pool = POOL "[limits]\nsubflows = 0\n" },
	{ .words = "1 of 1 join had no answer",
	  .counter = "MPJoinSynTx",
	  .announced = "10.0.2.1",
	  .rules = CHAIN("input", "ip daddr 10.0.2.1 drop") },
	{ .words = "join could not be sent: no route from",
	  .counter = "MPJoinSynTxConnectErr",
	  .announced = "10.0.3.1",
	  .route = "route add unreachable 10.0.3.1\n" },
	/* Each SYN with the option is lost: the kernel retries without. */
	{ .words = "1 connection got an answer only without MPTCP",
	  .counter = "MPCapableSYNTXDrop",
	  .rules = CHAIN("input", "tcp flags & (syn | ack) == syn tcp option mptcp "
				  "exists drop") },
};

/* Joins of other pools do not hide it. */
Test(doctor, finds_a_pool_that_waits_for_announcements_alone, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "curl.conf", ON_C2);
	traffic_serve(&b, &server, false, ARGS(NULL));
	traffic_connect(&b, &client, "[pool]\nendpoint = 10.0.2.2 dev c2 subflow\n",
			NULL);
	traffic_pairs(&b, "10.0.2.2-10.0.1.1");
	one_problem(&b, "/curl.conf has only laminar endpoints, which join announced "
			"ones\n    do: write subflow in addition to laminar\n");
	user_pool(&b, "curl.conf",
		  "[pool]\nendpoint = 10.0.2.2 dev c2 subflow laminar\n");
	no_problem(&b);
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

/* Nobody opened paths: not for want of announcements. */
Test(doctor, blames_no_server_without_a_path_manager, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	traffic_serve(&b, &server, false, ARGS(NULL));
	traffic_connect(&b, &client, POOL, NULL);
	cr_assert(WAIT_FOR(counter(&b.world.client, "MPCapableSYNACKRX") > 0));
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	one_problem(&b, "the in-kernel path manager is active");
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

static void check_history(const struct traffic *t)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	bench_open(&b);
	if (t->route)
		cr_assert_eq(host_ip(&b.world.client, t->route), 0);
	traffic_serve(&b, &server, t->plain_tcp, ARGS(t->announced));
	if (t->rules)
		cr_assert_eq(host_nft(&b.world.server, t->rules), 0);
	traffic_connect(&b, &client, t->pool ?: POOL, NULL);
	cr_assert(WAIT_FOR(counter(&b.world.client, t->counter) > 0), "no %s",
		  t->counter);
	one_problem(&b, t->words);
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

Test(doctor, reads_problems_from_counters, .timeout = 240)
{
	NEED_SANDBOX();
	for (size_t i = 0; i < sizeof(histories) / sizeof(*histories); i++)
		check_history(&histories[i]);
}

/* As a server: the client's last packet of the handshake comes without the option. */
Test(doctor, finds_that_clients_lose_the_option, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	char *advice;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	traffic_serve(&b, &server, false, NULL);
	cr_assert_eq(host_nft(&b.world.server,
			      "table inet t { chain in { type filter hook prerouting "
			      "priority -300; tcp flags & (syn | ack) == ack reset tcp "
			      "option mptcp; }; }"),
		     0);
	traffic_connect(&b, &client, POOL, NULL);
	cr_assert(WAIT_FOR(counter(&b.world.server, "MPCapableFallbackACK") > 0));
	cr_assert_eq(host_nft(&b.world.server, "delete table inet t"), 0);
	cr_assert_eq(host_path_manager(&b.world.server, PM_USERSPACE), 0);
	/* Run the tool on the server's host. */
	proc_end(&client);
	b.world.client = b.world.server;
	advice = one_problem_of(&b, NULL, DOCTOR,
				"1 client began with MPTCP and fell back to TCP");
	cr_expect(advice);
	free(advice);
	proc_end(&server);
}

/* A pool that has subflow gets no advice to add it. */
Test(doctor, subflow_endpoints_without_paths_have_another_cause, TIMEOUT)
{
	static const char pool[] =
		"[pool]\nendpoint = dev c2 subflow\n[limits]\nsubflows = 0\n";
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf", pool);
	traffic_serve(&b, &server, false, NULL);
	traffic_connect(&b, &client, pool, NULL);
	says(&b, DOCTOR, 1,
	     "and no \"subflow\" endpoint opened a path\n"
	     "    type: mptcpinfo    # says why, while such a connection is open\n");
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

/* tcpdump(8) requires root too. */
Test(doctor, puts_sudo_before_tcpdump, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	shell(&b, "mkdir /run/tcpdump-all && chmod 755 /run/tcpdump-all");
	copy_to(&b, "/run/tcpdump-all", "@mptcpaddr");
	copy_to(&b, "/run/tcpdump-all", "@libmptcpaddr.so");
	copy_to(&b, "/run/tcpdump-all", "@libmptcpaddr-pm.so");
	traffic_serve(&b, &server, true, NULL);
	traffic_connect(&b, &client, POOL, NULL);
	says(&b, DOCTOR, 1,
	     "\n    type: tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # here and "
	     "on the server: where is mptcp missing?\n");
	says(&b,
	     ARGS("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
		  "/run/tcpdump-all/mptcpaddr", "doctor"),
	     1, "\n    type: sudo tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # ");
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

/* Two joins too many, as the server says it; the client's counters are its own. */
Test(doctor, judges_the_server_apart, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	if (counter(&b.world.server, "MPJoinRejected") < 0)
		SKIP("this kernel does not count rejected joins");
	traffic_serve(&b, &server, false, ARGS("10.0.2.1"));
	cr_assert_eq(limits_set(&b.world.server, 0, 8), 0);
	traffic_connect(&b, &client, ON_C2 "[retry]\ntries = 0\n", NULL);
	cr_assert(WAIT_FOR(counter(&b.world.server, "MPJoinRejected") == 1));
	cr_assert_eq(host_path_manager(&b.world.server, PM_USERSPACE), 0);
	b.world.client = b.world.server;
	one_problem(&b,
		    "as a server, since this network namespace was created:\n"
		    "problem: 1 join from clients was rejected: the limit of subflows");
	proc_end(&client);
	proc_end(&server);
}

Test(doctor, lists_passed_checks_of_a_server, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	traffic_serve(&b, &server, false, ARGS("10.0.2.1"));
	traffic_connect(&b, &client, ON_C2, NULL);
	cr_assert(WAIT_FOR(counter(&b.world.server, "EchoAdd") == 1 &&
			   counter(&b.world.server, "MPJoinAckRx") == 1));
	cr_assert_eq(host_path_manager(&b.world.server, PM_USERSPACE), 0);
	b.world.client = b.world.server;
	prints_lines(&b, ARGS("as a server, since this network namespace was created:\n",
			      "ok: listening MPTCP sockets: 1\n",
			      "ok: MPTCP connections from clients: 1 of 1\n",
			      "ok: completed joins from clients: 1 of 1\n",
			      "ok: confirmed announcements: 1 of 1\n"));
	proc_end(&client);
	proc_end(&server);
}

/* Problems of the past do not count, those of that time do. */
Test(doctor, counts_since_now, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 }, later = { 0 }, doctor;
	struct bench b;
	char *out;

	NEED_SANDBOX();
	bench_open(&b);
	traffic_serve(&b, &server, true, NULL);
	traffic_connect(&b, &client, ON_C2, NULL);
	one_problem(&b, "none of 1 server answered with MPTCP");
	says(&b, ARGS("@mptcpaddr", "doctor", "--since", "0.2"), 0,
	     "no problems found, but no MPTCP connection was opened in that time");
	start(&b, &doctor, NULL, ARGS("@mptcpaddr", "doctor", "--since", "10s"));
	cr_assert(WAIT_FOR(proc_complained(&doctor, "counting for 10 s")));
	traffic_connect(&b, &later, ON_C2, NULL);
	cr_expect_eq(proc_wait(&doctor, EFFECT_MS), 1);
	out = proc_output(&doctor);
	cr_expect(strstr(out, "as a client, in the last 10 s:\n"
			      "problem: none of 1 server answered with MPTCP"),
		  "%s", out);
	free(out);
	says(&b, ARGS("@mptcpaddr", "doctor", "--since", "20:15"), 2,
	     "--since 20:15: not a time from 0.1s to 10m");
	says(&b, ARGS("@mptcpaddr", "doctor", "--since"), 2, "--since requires a value");
	proc_end(&doctor);
	proc_end(&later);
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}
