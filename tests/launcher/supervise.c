// SPDX-License-Identifier: MIT
/*
 * supervise.c - static, Go and other programs under the supervisor: paths and hazards
 */
#include "counter.h"
#include "traffic.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANNOUNCED ARGS("10.0.2.1", "10.0.3.1")
#define PAIRS	  "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1"
#define POOL	  "[pool]\nendpoint = 10.0.1.2\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n"

#define RUN	 "@mptcpaddr", "run"
#define USER	 "setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"
#define PROTOCOL "protocol 262 "

static void open_bench(struct bench *b)
{
	bench_open(b);
	user_pool(b, "default.conf", POOL);
}

/* The server announces two addresses: exactly one join to each, natively plain TCP. */
static void three_paths(const char *const env[], const char *const argv[], bool broker)
{
	struct proc server, client, brokers;
	struct bench b;

	open_bench(&b);
	if (broker)
		start_broker(&b, &brokers);
	traffic_serve(&b, &server, false, ANNOUNCED);
	start(&b, &client, env, argv);
	traffic_pairs(&b, PAIRS);
	cr_expect_eq(joined_count(&b.world.client), 2);
	cr_expect_eq(counter(&b.world.client, "MPJoinSynTx"), 2);
	proc_eof(&client);
	proc_end(&client);
	proc_end(&server);
	if (broker)
		proc_end(&brokers);
	bench_close(&b);
}

#define SERVER "10.0.1.1", TRAFFIC_PORT

Test(supervise, static_programs_of_two_libcs_have_three_paths, TIMEOUT)
{
	NEED_SANDBOX();
	three_paths(NULL, ARGS(RUN, "@@client-static", SERVER), false);
	three_paths(NULL, ARGS(RUN, "@@client-musl", SERVER), false);
	three_paths(NULL, ARGS(RUN, "@@client-static", "-b", SERVER), false);
}

Test(supervise, users_have_them_with_the_broker, TIMEOUT)
{
	NEED_USERS();
	three_paths(NULL, ARGS(USER, RUN, "@@client-static", SERVER), true);
	three_paths(NULL, ARGS(USER, RUN, "@@client-musl", "-b", SERVER), true);
}

/* The library and the supervisor: one of them has each connection. */
static void family(bool broker)
{
	char script[2 * PATH_MAX];

	snprintf(script, sizeof(script), "%s 10.0.1.1 " TRAFFIC_PORT,
		 path_of("tests/apps/tcpclient"));
	three_paths(NULL, ARGS(RUN, "busybox", "sh", "-c", script), broker);
	three_paths(NULL, ARGS(RUN, "--supervise", "@tests/apps/tcpclient", SERVER),
		    broker);
	snprintf(script, sizeof(script), "%s 10.0.1.1 " TRAFFIC_PORT "; exit 0",
		 path_of("tests/launcher-progs/client-static"));
	three_paths(NULL, ARGS(RUN, "--supervise", "bash", "-c", script), broker);
	/* A native MPTCP program, as Go's with GODEBUG=multipathtcp=1. */
	three_paths(NULL, ARGS(RUN, "@@client-static", "-m", SERVER), broker);
	/* The library is loaded into it, but not the path manager. */
	snprintf(script, sizeof(script), "%s 10.0.1.1 " TRAFFIC_PORT "; exit 0",
		 path_of("tests/launcher-progs/client-musl-so"));
	three_paths(NULL, ARGS(RUN, "--supervise", "bash", "-c", script), broker);
	/* Dynamic ones of Go load the library, and make their calls themselves. */
	three_paths(NULL, ARGS(RUN, "--supervise", "@@client-raw", SERVER), broker);
	three_paths(NULL, ARGS(RUN, "--supervise", "@@client-raw", "-m", SERVER), broker);
}

Test(supervise, dynamic_and_static_relatives_are_managed_once, .timeout = 120)
{
	NEED_SANDBOX();
	family(false);
}

Test(supervise, relatives_with_the_broker, .timeout = 120)
{
	NEED_SANDBOX();
	family(true);
}

/* By SCM_RIGHTS, before it connects. The program keeps what its socket is. */
Test(supervise, socket_that_another_program_has_opened_has_three_paths, TIMEOUT)
{
	struct proc server;
	struct bench b;

	NEED_SANDBOX();
	three_paths(NULL, ARGS(RUN, "@@passed", "give", "@@passed", "take", SERVER),
		    false);
	/* From the library. */
	three_paths(
		NULL,
		ARGS(RUN, "@@passed-dynamic", "give", RUN, "@@passed", "take", SERVER),
		false);
	open_bench(&b);
	traffic_serve(&b, &server, false, ANNOUNCED);
	says(&b, ARGS("@@passed", "give", RUN, "@@passed", "take", SERVER), 0,
	     "connected 1\nprotocol 6\n");
	proc_end(&server);
	bench_close(&b);
}

/* Threads that connect at the same time. */
Test(supervise, each_connection_of_a_burst_has_its_paths, .timeout = 120)
{
	struct proc server, client, broker;
	struct bench b;

	NEED_SANDBOX();
	for (int i = 0; i < 2; i++) {
		open_bench(&b);
		if (i)
			start_broker(&b, &broker);
		traffic_serve(&b, &server, false, ANNOUNCED);
		start(&b, &client, NULL, ARGS(RUN, "@@client-static", SERVER));
		traffic_pairs(&b, PAIRS);
		cr_assert_eq(proc_tell(&client, "burst 300"), 0);
		cr_expect(WAIT_UNTIL(joined_count(&b.world.client) == 602, 30000),
			  "%d joined", joined_count(&b.world.client));
		proc_end(&client);
		proc_end(&server);
		if (i)
			proc_end(&broker);
		bench_close(&b);
	}
}

Test(supervise, daemon_has_three_paths, TIMEOUT)
{
	char script[2 * PATH_MAX];

	NEED_SANDBOX();
	snprintf(script, sizeof(script),
		 "busybox sleep 1000 | busybox setsid %s 10.0.1.1 " TRAFFIC_PORT
		 " >/dev/null 2>&1 & exit 0",
		 path_of("tests/launcher-progs/client-static"));
	three_paths(NULL, ARGS(RUN, "busybox", "sh", "-c", script), false);
}

/* The pool of the name under which each process was started. */
Test(supervise, each_program_has_its_own_pool, TIMEOUT)
{
	struct proc server, client;
	char script[2 * PATH_MAX];
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	user_pool(&b, "default.conf", "[app]\nmptcp = no\n");
	user_pool(&b, "busybox.conf", "[pool]\nendpoint = 10.0.2.2\n");
	user_pool(&b, "client-static.conf", "[pool]\nendpoint = 10.0.3.2\n");
	traffic_serve(&b, &server, false, ANNOUNCED);
	snprintf(script, sizeof(script), "%s 10.0.1.1 " TRAFFIC_PORT,
		 path_of("tests/launcher-progs/client-static"));
	start(&b, &client, NULL, ARGS(RUN, "busybox", "sh", "-c", script));
	traffic_pairs(&b, "10.0.3.2-10.0.2.1");
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}

static void prints(struct bench *b, const char *const env[], const char *const argv[],
		   const char *words)
{
	struct said said = run(b, env, argv);

	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect(strstr(said.out, words), "no \"%s\" in: %s%s", words, said.out,
		  said.err);
	said_free(&said);
}

Test(supervise, who_opts_out_is_left_alone, TIMEOUT)
{
	char script[2 * PATH_MAX];
	const char *program = path_of("tests/launcher-progs/supervised");
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	snprintf(script, sizeof(script), "MPTCPADDR_DISABLE=1 %s; %s", program, program);
	prints(&b, NULL, ARGS(RUN, "busybox", "sh", "-c", script),
	       "protocol 6 new privileges yes\nprotocol 262 ");
	snprintf(script, sizeof(script), "busybox unshare -n %s", program);
	prints(&b, NULL, ARGS(RUN, "busybox", "sh", "-c", script), "protocol 6 ");
	prints(&b, NULL, ARGS(RUN, "--no-supervise", "@@supervised"), "protocol 6 ");
	prints(&b, NULL, ARGS(RUN, "@@supervised"), PROTOCOL);
	snprintf(script, sizeof(script), "%s run %s", path_of("mptcpaddr"), program);
	prints(&b, NULL, ARGS(RUN, "busybox", "sh", "-c", script), PROTOCOL);
	prints(&b, NULL, ARGS(RUN, "sh", "-c", script), PROTOCOL);
	/* More programs than it can have stand-ins. */
	user_pool(&b, "default.conf", "[app]\nmptcp = no\n");
	user_pool(&b, "supervised.conf", POOL);
	snprintf(script, sizeof(script),
		 "for i in $(seq 70); do ln -s %s /run/other$i; /run/other$i; done "
		 "| grep -c 'protocol 6 '; %s",
		 program, program);
	prints(&b, NULL, ARGS(RUN, "--supervise", "busybox", "sh", "-c", script),
	       "70\n" PROTOCOL);
	user_pool(&b, "supervised.conf", "[app]\nmptcp = no\n");
	prints(&b, NULL, ARGS(RUN, "--supervise", "@@supervised"), "protocol 6 ");
	bench_close(&b);
}

Test(supervise, standard_descriptors_may_be_closed, TIMEOUT)
{
	char script[2 * PATH_MAX];
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	snprintf(script, sizeof(script),
		 "%s run busybox sh -c '%s >&5' 5>&1 <&- >&- 2>&-", path_of("mptcpaddr"),
		 path_of("tests/launcher-progs/supervised"));
	prints(&b, NULL, ARGS("sh", "-c", script), PROTOCOL);
	bench_close(&b);
}

static void is_native(struct bench *b, const char *program, const char *what)
{
	struct said native = run(b, NULL, ARGS(program, what));
	struct said said = run(b, NULL, ARGS(RUN, program, what));

	cr_expect_eq(said.status, native.status);
	cr_expect_str_eq(said.out, native.out);
	cr_expect_str_eq(said.err, native.err);
	said_free(&native);
	said_free(&said);
}

Test(supervise, results_errors_and_surroundings_are_native, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	is_native(&b, "@@supervised", "facts");
	is_native(&b, "@@supervised", "errors");
	is_native(&b, "@@supervised", "options");
	is_native(&b, "@@supervised-32", "facts");
	is_native(&b, "@@supervised-32", "errors");
	is_native(&b, "@@supervised-32", "options");
	prints(&b, NULL, ARGS(RUN, "@@supervised-32"), PROTOCOL);
	prints(&b, NULL, ARGS(RUN, "@@supervised", "flood", "8", "500"),
	       "failed 0 plain 0\n");
	prints(&b, NULL, ARGS(RUN, "@@supervised", "alarm", "10.0.1.77"),
	       "connect -1 4\n");
	warned_once(&b, ARGS("busybox", "sh", "-c", "exit 42"), NULL);
	warned_once(&b, ARGS("busybox", "sh", "-c", "kill -TERM $$"), NULL);
	bench_close(&b);
}

/* The library opens TCP sockets, to ask TCP or to become TCP. */
Test(supervise, programs_with_the_library_have_options_of_tcp, TIMEOUT)
{
	struct said native, said;
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	for (int i = 0; i < 2; i++) {
		const char *what = i ? "swap" : "options";

		native = run(&b, NULL, ARGS("@@supervised-dynamic", what));
		said = run(&b, NULL,
			   ARGS(RUN, "--supervise", "@@supervised-dynamic", what));
		cr_expect_str_eq(said.out, native.out);
		said_free(&native);
		said_free(&said);
	}
	bench_close(&b);
}

/* A sandbox that denies what the supervisor needs: the program runs all the same. */
Test(supervise, program_of_a_strict_sandbox_runs, TIMEOUT)
{
	static const int calls[] = { SYS_poll, SYS_ppoll, SYS_ioctl };
	char call[16];
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	for (int i = 0; i < 3; i++) {
		snprintf(call, sizeof(call), "#%d", calls[i]);
		says(&b, ARGS("@tests/apps/deny", call, "-", "1", RUN, "@@supervised"), 0,
		     "protocol ");
	}
	bench_close(&b);
}

/* It becomes plain TCP with all that it had, if no other descriptor has it. */
Test(supervise, socket_with_an_option_that_mptcp_lacks_is_swapped, TIMEOUT)
{
	struct said native, said;
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	for (int i = 0; i < 2; i++) {
		const char *program = i ? "@@supervised-32" : "@@supervised";

		native = run(&b, NULL, ARGS(program, "swap"));
		said = run(&b, NULL, ARGS(RUN, program, "swap"));
		cr_expect_eq(said.status, 0);
		cr_expect_str_eq(said.out, native.out);
		cr_expect_eq(times(&said, "shared: protocol 262\n"), 2, "%s", said.err);
		said_free(&native);
		said_free(&said);
	}
	says(&b, ARGS(RUN, "-v", "@@supervised", "swap"), 0,
	     "MPTCP refuses TCP_USER_TIMEOUT: the socket is plain TCP now; to keep "
	     "MPTCP");
	says(&b, ARGS(RUN, "-v", "@@supervised", "swap"), 0,
	     "MPTCP refuses TCP_USER_TIMEOUT: ignored, since the socket is in use");
	user_pool(&b, "default.conf", POOL "[app]\ntolerate = TCP_USER_TIMEOUT\n");
	prints(&b, NULL, ARGS(RUN, "@@supervised", "swap"), "option 1 38: 262\n");
	bench_close(&b);
}

/* With GODEBUG the sockets are MPTCP, but Go expects TCP; others have asked for it. */
Test(supervise, options_of_own_mptcp_sockets_are_tcp_s_for_go_alone, TIMEOUT)
{
	struct said tcp, mptcp, said;
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	tcp = run(&b, NULL, ARGS("@@supervised", "options"));
	mptcp = run(&b, NULL, ARGS("@@supervised", "options", "own"));
	cr_assert_str_neq(tcp.out, mptcp.out);
	said = run(&b, NULL, ARGS(RUN, "@@supervised", "options", "own"));
	cr_expect_str_eq(said.out, mptcp.out);
	said_free(&said);
	said = run(&b, ARGS("GODEBUG=netdns=go,multipathtcp=1"),
		   ARGS(RUN, "@@supervised", "options", "own"));
	cr_expect_str_eq(said.out, tcp.out);
	said_free(&said);
	said_free(&mptcp);
	said_free(&tcp);
	bench_close(&b);
}

Test(supervise, its_price_and_what_is_missing_are_said, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_USERS();
	open_bench(&b);
	says(&b, ARGS(RUN, "-v", "@@supervised"), 0, "supervisor: opens the sockets of ");
	says(&b, ARGS(RUN, "-v", "@@supervised"), 0, "new privileges yes");
	says(&b, ARGS(USER, RUN, "-v", "@@supervised"), 0,
	     "no_new_privs: setuid programs that it starts (sudo, su, ping) gain no");
	says(&b, ARGS(USER, RUN, "@@supervised"), 0, PROTOCOL "new privileges no");
	says(&b, ARGS(USER, RUN, "--no-supervise", "@@supervised"), 0,
	     "protocol 6 new privileges yes");
	shell(&b, "cp /bin/true /run/setuid; chmod 4755 /run/setuid");
	says(&b, ARGS(USER, RUN, "--supervise", "/run/setuid"), 0,
	     "/run/setuid is setuid, and gains no rights under the supervisor "
	     "(no_new_privs); use --no-supervise");
	said = run(&b, NULL, ARGS("setarch", "--uname-2.6", RUN, "@@supervised"));
	cr_expect_eq(said.status, 0);
	cr_expect_eq(times(&said, "lacks SECCOMP_ADDFD_FLAG_SEND, which 5.14 has"), 1,
		     "%s", said.err);
	cr_expect(strstr(said.out, "protocol 6 "), "%s", said.out);
	said_free(&said);
	/* No process can be had. */
	said = run(&b, NULL, ARGS(USER, "prlimit", "--nproc=0", RUN, "@@supervised"));
	cr_expect_eq(said.status, 0);
	cr_expect_str_eq(said.out, "protocol 6 new privileges yes\n");
	cr_expect_eq(times(&said, "cannot be supervised: No child processes: its "
				  "connections stay plain TCP"),
		     1, "%s", said.err);
	said_free(&said);
	bench_close(&b);
}

/* The server is reached over each link; routing takes the first one. */
Test(supervise, first_path_leaves_from_the_pool, TIMEOUT)
{
	struct proc server, client;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf",
		  "[pool]\nendpoint = 10.0.2.2 dev c2\nendpoint = 10.0.3.2\n"
		  "[app]\nfirst = pool\n");
	cr_assert_eq(host_ip(&b.world.server, "addr add 10.9.9.9/32 dev lo\n"), 0);
	traffic_serve(&b, &server, false, ARGS("10.0.3.1"));
	for (int i = 0; i < 2; i++) {
		start(&b, &client, NULL,
		      ARGS(RUN, "@@client-static", i ? "-b" : "-t", "10.9.9.9",
			   TRAFFIC_PORT));
		traffic_pairs(&b, "10.0.3.2-10.0.3.1");
		shell(&b, "ss -Htn dst 10.9.9.9 | grep -q '10.0.2.2'");
		proc_end(&client);
		cr_assert(WAIT_FOR(joined_count(&b.world.client) == 0));
	}
	proc_end(&server);
	bench_close(&b);
}

/* Return: ms that a connection took, which leaves from 10.0.2.2. */
static int race_ms(struct bench *b, const char *program)
{
	struct said said =
		run(b, NULL, ARGS(RUN, program, "10.9.9.9", TRAFFIC_PORT, "1"));
	char extra = 0;
	int ms = -1;

	cr_expect_geq(sscanf(said.out, "ok 10.0.2.2 %d%c", &ms, &extra), 1, "%s%s",
		      said.out, said.err);
	cr_expect_eq(extra, '\n', "%s", said.out);
	said_free(&said);
	return ms;
}

/* The first link swallows everything. */
Test(supervise, blocking_connect_races, TIMEOUT)
{
	struct proc server;
	struct bench b;
	int ms, tries = 0;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf",
		  "[pool]\nendpoint = 10.0.1.2\nendpoint = 10.0.2.2\n"
		  "[app]\nfirst = race\n");
	cr_assert_eq(host_ip(&b.world.server, "addr add 10.9.9.9/32 dev lo\n"), 0);
	cr_assert_eq(host_nft(&b.world.server,
			      "table inet hole { chain in { type filter hook input "
			      "priority 0; iif s1 meta l4proto tcp drop; }; }"),
		     0);
	traffic_serve(&b, &server, false, NULL);
	do
		ms = race_ms(&b, "@@leaves-static");
	while (ms >= 500 && ++tries < 4);
	cr_expect(ms >= 290 && ms < 500, "%d ms", ms);
	/* Unanswered, a signal ends it, a little later than natively. */
	says(&b,
	     ARGS(RUN, "@@leaves-static", "10.9.9.8", TRAFFIC_PORT, "1", "alarm", "100"),
	     0, "EINTR ");
	says(&b,
	     ARGS(RUN, "@@leaves-static", "10.9.9.8", TRAFFIC_PORT, "1", "timeout",
		  "700"),
	     0, "EINPROGRESS ");
	/* Another descriptor would stay with the first socket. */
	says(&b,
	     ARGS(RUN, "@@leaves-static", "10.9.9.9", TRAFFIC_PORT, "1", "dup", "timeout",
		  "700"),
	     0, "EINPROGRESS 10.0.1.2");
	proc_end(&server);
	bench_close(&b);
}

/* The server answers data in a SYN before the third ACK: over MPTCP that is lost. */
Test(supervise, no_syn_has_data, TIMEOUT)
{
	const char *const slow[] = { "tc",   "qdisc", "add",  "dev",	"c1",
				     "root", "tbf",   "rate", "16kbit", "burst",
				     "200",  "limit", "9000", NULL };
	struct proc server;
	struct bench b;

	NEED_SANDBOX();
	open_bench(&b);
	cr_assert_eq(host_sysctl(&b.world.server, "net/ipv4/tcp_fastopen", "3"), 0);
	cr_assert_eq(proc_run(&b.world.client, NULL, slow), 0);
	cr_assert_eq(proc_start(&server, &b.world.server,
				ARGS(path_of("tests/apps/tcpserver"), "-f", TRAFFIC_PORT),
				NULL),
		     0);
	cr_assert(WAIT_FOR(proc_said(&server, "listening")));
	/* The first connection gets a cookie. */
	says(&b, ARGS("@@leaves-static", SERVER, "1", "fastopen"), 0, "ok 10.0.1.2");
	for (int i = 0; i < 3; i++)
		says(&b, ARGS(RUN, "@@leaves-static", SERVER, "1", "deferred"), 0,
		     "ok 10.0.1.2");
	says(&b, ARGS(RUN, "@@leaves-static", SERVER, "1", "fastopen"), 0, "EOPNOTSUPP");
	says(&b, ARGS(RUN, "@@leaves-static", SERVER, "1", "fastopen", "sendmsg"), 0,
	     "EOPNOTSUPP");
	cr_expect_eq(counter(&b.world.server, "TCPFastOpenPassive"), 0);
	proc_end(&server);
	bench_close(&b);
}

/* The manager is the stand-in's, but connections and pool are the program's. */
Test(supervise, tools_name_the_program, TIMEOUT)
{
	struct proc server, client;
	struct bench b;
	char words[64], pid[16];

	NEED_SANDBOX();
	open_bench(&b);
	traffic_serve(&b, &server, false, ANNOUNCED);
	start(&b, &client, NULL, ARGS(RUN, "@@client-static", SERVER));
	traffic_pairs(&b, PAIRS);
	snprintf(pid, sizeof(pid), "%d", client.pid);
	snprintf(words, sizeof(words), "client-static[%d]", client.pid);
	says(&b, ARGS("@mptcpinfo", "-p", pid), 0, words);
	says(&b, ARGS("@mptcpaddr", "endpoint", "show", "--pid", pid), 0,
	     "endpoint = 10.0.3.2 ");
	says(&b, ARGS("@mptcpaddr", "endpoint", "show", "--program", "client-static"), 0,
	     "endpoint = 10.0.3.2 ");
	proc_end(&client);
	proc_end(&server);
	bench_close(&b);
}
