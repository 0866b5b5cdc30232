// SPDX-License-Identifier: MIT
/*
 * doctor.c - each finding of mptcpaddr doctor, with what brings it about
 *
 * Where it says what to type, typing that ends the finding.
 */
#include "traffic.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counter.h"

#define CLEAN  "no problems found\n"
#define DOCTOR ARGS("@mptcpaddr", "doctor")

static const char no_pool[] = "no problems found, but there is no pool file "
			      "yet: see mptcpaddr.conf(5)\n";

static int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* Nothing but one problem, with @words. Return: what it says to type; free it. */
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

static void clean(struct bench *b)
{
	struct said said = run(b, NULL, DOCTOR);

	cr_expect(!strcmp(said.out, CLEAN) || !strcmp(said.out, no_pool), "%s", said.out);
	cr_expect_str_eq(said.err, "");
	cr_expect_eq(said.status, 0);
	said_free(&said);
}

/* One problem; doing what it says ends it. */
static void mended_by_advice(struct bench *b, const char *words)
{
	char *type = one_problem_of(b, NULL, DOCTOR, words);
	struct said said;

	cr_assert(type);
	said = run(b, NULL, ARGS("/bin/sh", "-c", type));
	cr_expect_eq(said.status, 0, "%s: %s", type, said.err);
	free(type);
	said_free(&said);
	clean(b);
}

static void pool_file(struct bench *b, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/mptcpaddr", b->home);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/mptcpaddr/%s", b->home, name);
	put_file(path, text, 0644);
}

Test(doctor, says_that_nothing_hinders, TIMEOUT)
{
	static const char *const lines[] = {
		"ok: library: ",
		"ok: no pool file: MPTCP without a pool\n",
		"ok: Linux ",
		"ok: MPTCP is on in this network namespace\n",
		"ok: the userspace path manager handles new connections (net.mptcp.",
		"ok: CAP_NET_ADMIN: ",
		"ok: the kernel lists MPTCP connections (mptcp_diag)\n",
		"ok: no rule of nft(8) concerns the MPTCP option\n",
		no_pool,
	};
	struct said said;
	struct bench b;
	size_t i;

	NEED_SANDBOX();
	bench_open(&b);
	clean(&b);
	said = run(&b, NULL, ARGS("@mptcpaddr", "doctor", "-v"));
	cr_expect_eq(said.status, 0);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect_eq(count(said.out, lines[i]), 1, "not once %s in: %s", lines[i],
			     said.out);
	said_free(&said);
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2\n");
	said = run(&b, NULL, DOCTOR);
	cr_expect_str_eq(said.out, CLEAN);
	said_free(&said);
	said = run(&b, NULL, ARGS("@mptcpaddr", "doctor", "-x"));
	cr_expect_eq(said.status, 2);
	cr_expect_eq(times(&said, "unknown option -x"), 1);
	said_free(&said);
	bench_close(&b);
}

Test(doctor, says_that_mptcp_is_off, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_sysctl(&b.world.client, "net/mptcp/enabled", "0"), 0);
	mended_by_advice(&b, "MPTCP is off in this network namespace");
	bench_close(&b);
}

Test(doctor, says_that_the_kernel_manages_paths, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	mended_by_advice(&b, "the in-kernel path manager is active (net.mptcp.");
	bench_close(&b);
}

static void under(const char *const prefix[], const char *words)
{
	const char *argv[16] = { NULL };
	struct bench b;
	int n = 0;

	NEED_SANDBOX();
	bench_open(&b);
	for (; prefix[n]; n++)
		argv[n] = prefix[n];
	argv[n++] = path_of("mptcpaddr");
	argv[n] = "doctor";
	free(one_problem_of(&b, NULL, argv, words));
	bench_close(&b);
}

Test(doctor, says_that_the_kernel_has_no_mptcp, TIMEOUT)
{
	under(ARGS("@tests/apps/deny", "-", "262", "93"), "this kernel has no MPTCP");
}

Test(doctor, says_that_a_sandbox_refuses_mptcp, TIMEOUT)
{
	under(ARGS("@tests/apps/deny", "-", "262", "1"),
	      "MPTCP sockets are refused (Operation not permitted)");
}

Test(doctor, says_that_the_kernel_has_no_other_path_manager, TIMEOUT)
{
	under(ARGS("unshare", "-m", "/bin/sh", "-c",
		   "mount -t tmpfs none /proc/sys/net/mptcp && exec \"$@\"", "sh"),
	      "only its own path manager");
}

Test(doctor, says_that_there_are_no_rights_and_no_broker, TIMEOUT)
{
	under(ARGS("setpriv", "--bounding-set", "-net_admin"),
	      "no CAP_NET_ADMIN in this network namespace, and no broker");
}

/* AF_NETLINK, NETLINK_SOCK_DIAG, EPROTONOSUPPORT */
Test(doctor, says_that_connections_cannot_be_listed, TIMEOUT)
{
	under(ARGS("@tests/apps/deny", "16", "4", "93"),
	      "the kernel does not list MPTCP connections: ");
}

/* Linux shows 6.18 as 2.6.78 to a program that asked for such numbers. */
Test(doctor, says_that_the_kernel_binds_no_subflow_to_an_interface, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	free(one_problem_of(&b, NULL,
			    ARGS("setarch", "--uname-2.6", "@mptcpaddr", "doctor"),
			    "cannot bind subflows to an interface"));
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2\n");
	clean(&b);
	bench_close(&b);
}

/* mptcpaddrd itself: who has no rights needs none then, and run warns of nothing. */
Test(doctor, is_content_with_a_broker, TIMEOUT)
{
	struct proc broker = { 0 };
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	if (access(path_of("mptcpaddrd"), X_OK) < 0)
		SKIP("mptcpaddrd was not built");
	bench_open(&b);
	start_broker(&b, &broker);
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "doctor",
			"-v"));
	cr_expect_eq(said.status, 0, "%s", said.out);
	cr_expect_eq(count(said.out, "ok: a broker serves programs without rights\n"), 1,
		     "%s", said.out);
	said_free(&said);
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "run",
			"--backend", "broker", "@@hello"));
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "run",
			"--backend", "direct", "@@hello"));
	cr_expect_eq(times(&said, "no CAP_NET_ADMIN in this network namespace"), 1, "%s",
		     said.err);
	said_free(&said);
	proc_end(&broker);
	bench_close(&b);
}

/* Somebody else took the broker's name: programs do not trust it, nor does doctor. */
Test(doctor, says_that_the_broker_is_not_roots, TIMEOUT)
{
	struct proc false_broker = { 0 };
	char socket[64];
	struct bench b;

	NEED_SANDBOX();
	if (!getenv("MPTCPADDR_TEST_USERS"))
		SKIP("there are no other users in this sandbox");
	bench_open(&b);
	snprintf(socket, sizeof(socket), "ABSTRACT-LISTEN:mptcpaddr/broker,type=5");
	cr_assert_eq(proc_start(&false_broker, &b.world.client,
				ARGS("setpriv", "--reuid", "1000", "--regid", "1000",
				     "--clear-groups", "socat", socket, "PIPE"),
				NULL),
		     0);
	wait_for_broker(&b);
	one_problem(
		&b,
		"the broker in this network namespace belongs to user 1000, not to root");
	proc_end(&false_broker);
	clean(&b);
	bench_close(&b);
}

Test(doctor, says_that_a_library_is_missing, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(mkdir("/run/alone", 0755), 0);
	said = run(&b, NULL, ARGS("cp", "@mptcpaddr", "/run/alone"));
	cr_assert_eq(said.status, 0);
	said_free(&said);
	free(one_problem_of(&b, NULL, ARGS("/run/alone/mptcpaddr", "doctor"),
			    "libmptcpaddr.so is missing, and so is libmptcpaddr.so next "
			    "to this tool"));
	said = run(&b, NULL, ARGS("cp", "@libmptcpaddr.so", "/run/alone"));
	cr_assert_eq(said.status, 0);
	said_free(&said);
	free(one_problem_of(&b, NULL, ARGS("/run/alone/mptcpaddr", "doctor"),
			    "the path manager cannot be loaded, so pools have no effect: "
			    "/run/alone/libmptcpaddr-pm.so: cannot open"));
	cr_assert_eq(mkdir("/run/a b", 0755), 0);
	said = run(&b, NULL, ARGS("cp", "@mptcpaddr", "@libmptcpaddr.so", "/run/a b"));
	cr_assert_eq(said.status, 0);
	said_free(&said);
	free(one_problem_of(&b, NULL, ARGS("/run/a b/mptcpaddr", "doctor"),
			    "/run/a b/libmptcpaddr.so has a blank or a colon in its "
			    "name: LD_PRELOAD cannot name it\n    do: move this tool"));
	bench_close(&b);
}

Test(doctor, says_that_the_library_is_switched_off, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	free(one_problem_of(&b, ARGS("MPTCPADDR_DISABLE=1"), DOCTOR,
			    "MPTCPADDR_DISABLE is set"));
	bench_close(&b);
}

Test(doctor, looks_through_pool_files, TIMEOUT)
{
	char path[128];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 id 300\n");
	one_problem(&b, "/mptcpaddr/curl.conf:2: local id 300 is not in 1-255");
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.9.2\n");
	one_problem(&b, "/mptcpaddr/curl.conf:2: 10.0.9.2 is not an address of this "
			"machine (now)");
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	clean(&b);
	/* One that is named counts, and it alone. */
	pool_file(&b, "other.txt", "[pol]\nx = y\n");
	snprintf(path, sizeof(path), "MPTCPADDR_CONFIG=%s/mptcpaddr/other.txt", b.home);
	free(one_problem_of(&b, ARGS(path), DOCTOR, "unknown section [pol]"));
	bench_close(&b);
}

Test(doctor, says_that_the_only_pool_does_nothing_yet, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	pool_file(&b, "default.conf", "[app]\nmptcp = no\n");
	one_problem(&b, "no program has a pool: ");
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	said = run(&b, NULL, ARGS("@mptcpaddr", "doctor", "-v"));
	cr_expect_eq(said.status, 0, "%s", said.out);
	cr_expect_eq(count(said.out, "default.conf leaves its programs plain TCP"), 1,
		     "%s", said.out);
	cr_expect_eq(count(said.out, "curl.conf: no errors; endpoints: 1"), 1, "%s",
		     said.out);
	said_free(&said);
	bench_close(&b);
}

Test(doctor, says_that_a_reverse_path_filter_is_strict, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/all/rp_filter", "0"), 0);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/c2/rp_filter", "1"), 0);
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	mended_by_advice(&b, "c2 drops packets from addresses that another interface");
	bench_close(&b);
}

#define CHAIN "table inet t { chain out { type filter hook output priority 0; "

Test(doctor, says_that_the_firewall_refuses_the_option, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_nft(&b.world.client,
			      CHAIN "tcp option mptcp subtype 1 counter drop; }; }"),
		     0);
	mended_by_advice(&b, "the firewall refuses packets: table inet t, chain out: tcp "
			     "option mptcp");
	bench_close(&b);
}

Test(doctor, says_that_the_firewall_strips_the_option, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_nft(&b.world.client, CHAIN "reset tcp option mptcp; }; }"), 0);
	mended_by_advice(&b, "the firewall strips the MPTCP option from packets: table "
			     "inet t, chain out: reset tcp option mptcp");
	/* A rule that only counts is none. */
	cr_assert_eq(host_nft(&b.world.client, "add rule inet t out tcp option mptcp "
					       "exists counter accept"),
		     0);
	clean(&b);
	bench_close(&b);
}

Test(doctor, says_that_rules_cannot_be_read, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "doctor",
			"-v"));
	cr_expect_eq(count(said.out, "ok: the firewall's rules could not be read"), 1,
		     "%s", said.out);
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}

/* A client and a server; what doctor then says on the client. */
static void after_traffic(const char *pool, bool plain_tcp, const char *const announced[],
			  const char *rules, const char *counted, const char *words)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	traffic_serve(&b, &server, plain_tcp, announced);
	if (rules)
		cr_assert_eq(host_nft(&b.world.server, rules), 0);
	traffic_connect(&b, &client, pool, NULL);
	cr_assert(WAIT_UNTIL(counter(&b.world.client, counted) > 0, TRAFFIC_WAIT_MS),
		  "no %s", counted);
	one_problem(&b, words);
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

#define POOL "[pool]\nendpoint = 10.0.2.2\n"

Test(doctor, is_content_with_joins_that_are_answered, TIMEOUT)
{
	static const char *const lines[] = {
		"ok: c2: no strict reverse-path filter\n",
		"ok: 1 of 1 connections to servers are MPTCP\n",
		"ok: 1 of 1 joins were answered\n",
		CLEAN,
	};
	struct proc server = { 0 }, client = { 0 };
	struct said said;
	struct bench b;
	size_t i;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/all/rp_filter", "0"), 0);
	cr_assert_eq(host_sysctl(&b.world.client, "net/ipv4/conf/c2/rp_filter", "2"), 0);
	pool_file(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	traffic_serve(&b, &server, false, ARGS("10.0.2.1"));
	traffic_connect(&b, &client, POOL, NULL);
	traffic_pairs(&b, "10.0.2.2-10.0.2.1");
	said = run(&b, NULL, ARGS("@mptcpaddr", "doctor", "-v"));
	cr_expect_eq(said.status, 0);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect_eq(count(said.out, lines[i]), 1, "not once %s in: %s", lines[i],
			     said.out);
	said_free(&said);
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

Test(doctor, says_that_no_server_has_mptcp, TIMEOUT)
{
	after_traffic(POOL, true, NULL, NULL, "MPCapableFallbackSYNACK",
		      "none of 1 servers answered with MPTCP");
}

Test(doctor, says_that_nothing_was_announced, TIMEOUT)
{
	after_traffic(POOL, false, NULL, NULL, "MPCapableSYNACKRX",
		      "no server announced an address to 1 MPTCP connections");
}

Test(doctor, says_that_announcements_were_not_joined, TIMEOUT)
{
	after_traffic("[pool]\nendpoint = 10.0.2.2\n[limits]\nsubflows = 0\n", false,
		      ARGS("10.0.2.1"), NULL, "AddAddr",
		      "1 addresses were announced, but none was joined");
}

/* The server's firewall swallows joins. */
Test(doctor, says_that_joins_have_no_answer, TIMEOUT)
{
	after_traffic(POOL, false, ARGS("10.0.2.1"),
		      "table inet t { chain in { type filter hook input priority 0; "
		      "ip daddr 10.0.2.1 drop; }; }",
		      "MPJoinSynTx", "1 of 1 joins had no answer");
}

/* It swallows every SYN with the option: the kernel tries without. */
Test(doctor, says_that_syns_with_the_option_are_dropped, TIMEOUT)
{
	after_traffic(POOL, false, NULL,
		      "table inet t { chain in { type filter hook input priority 0; "
		      "tcp flags & (syn | ack) == syn tcp option mptcp exists drop; }; }",
		      "MPCapableSYNTXDrop",
		      "1 connections got an answer only without MPTCP");
}

/* An announced address that no route leads to. */
Test(doctor, says_that_joins_could_not_be_sent, TIMEOUT)
{
	struct proc server = { 0 }, client = { 0 };
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_ip(&b.world.client, "route add unreachable 10.0.3.1\n"), 0);
	traffic_serve(&b, &server, false, ARGS("10.0.3.1"));
	traffic_connect(&b, &client, POOL, NULL);
	cr_assert(WAIT_UNTIL(counter(&b.world.client, "MPJoinSynTxConnectErr") > 0,
			     TRAFFIC_WAIT_MS));
	one_problem(&b, "joins could not be sent: no route from");
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

/* As a server: the client's last packet of the handshake comes without the option. */
Test(doctor, says_that_clients_lose_the_option, TIMEOUT)
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
	cr_assert(WAIT_UNTIL(counter(&b.world.server, "MPCapableFallbackACK") > 0,
			     TRAFFIC_WAIT_MS));
	cr_assert_eq(host_nft(&b.world.server, "delete table inet t"), 0);
	cr_assert_eq(host_path_manager(&b.world.server, PM_USERSPACE), 0);
	/* A tool of the server's host. */
	proc_end(&client);
	b.world.client = b.world.server;
	advice = one_problem_of(&b, NULL, DOCTOR,
				"1 clients began with MPTCP and fell back to TCP");
	cr_expect(advice);
	free(advice);
	proc_end(&server);
}
