// SPDX-License-Identifier: MIT
/*
 * run.c - exit statuses, and changes to a program's environment
 */
#include "endpoint.h"
#include "launcher.h"
#include "subflow.h"
#include "until.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAKETIME "/usr/$LIB/faketime/libfaketime.so.1"
#define SHOW \
	"printf '%s|%s|%s' \"$LD_PRELOAD\" \"$MPTCPADDR_CONFIG\" \"$MPTCPADDR_BACKEND\""

static void is_status(struct bench *b, const char *const argv[], int status,
		      const char *words)
{
	struct said said = run(b, NULL, argv);

	cr_expect_eq(said.status, status, "%d, not %d: %s", said.status, status,
		     said.err);
	cr_expect_eq(times(&said, words), 1, "not \"%s\": %s", words, said.err);
	said_free(&said);
}

Test(run, exit_status_is_that_of_the_program, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	warned_once(&b, ARGS("sh", "-c", "exit 0"), NULL);
	warned_once(&b, ARGS("sh", "-c", "echo out; echo err >&2; exit 42"), NULL);
	warned_once(&b, ARGS("sh", "-c", "kill -9 $$"), NULL);
	warned_once(&b, ARGS("printf", "%s", "-v", "--pool", "--"), NULL);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "sh", "-c", "exit 3"));
	cr_expect_eq(said.status, 3, "without --: %s", said.err);
	said_free(&said);
	bench_close(&b);
}

Test(run, program_that_cannot_be_run_gives_the_usual_statuses, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/no-program", "text", 0644);
	is_status(&b, ARGS("@mptcpaddr", "run", "no-such-program"), 127, "No such file");
	is_status(&b, ARGS("@mptcpaddr", "run", "/no/such"), 127, "No such file");
	is_status(&b, ARGS("@mptcpaddr", "run", ""), 127, "No such file");
	is_status(&b, ARGS("@mptcpaddr", "run", "/run/no-program"), 126, "denied");
	is_status(&b, ARGS("@mptcpaddr", "run", "/run"), 126, "denied");
	bench_close(&b);
}

Test(run, errors_of_the_launcher_itself_are_125, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	is_status(&b, ARGS("@mptcpaddr", "run"), 125, "no program given");
	is_status(&b, ARGS("@mptcpaddr", "run", "--fast", "true"), 125,
		  "unknown option --fast");
	is_status(&b, ARGS("@mptcpaddr", "run", "--pool"), 125,
		  "--pool requires a value");
	is_status(&b, ARGS("@mptcpaddr", "run", "--backend", "x", "true"), 125,
		  "unknown back end \"x\"");
	is_status(&b, ARGS("@mptcpaddr", "run", "--pool", "/none", "true"), 125,
		  "/none: No such file");
	is_status(&b, ARGS("@mptcpaddr", "walk"), 2,
		  "unknown command \"walk\"; commands: run, init, check,");
	is_status(&b, ARGS("@mptcpaddr", "curl"), 2, "type: mptcpaddr run curl\n");
	bench_close(&b);
}

/* The tool in a directory without the library. */
Test(run, missing_library_is_an_error, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(mkdir("/run/bare", 0755), 0);
	said = run(&b, NULL, ARGS("cp", "@mptcpaddr", "/run/bare/"));
	cr_assert_eq(said.status, 0);
	said_free(&said);
	is_status(&b, ARGS("/run/bare/mptcpaddr", "run", "true"), 125,
		  "libmptcpaddr.so is missing");
	cr_assert_eq(mkdir("/run/bare/a b", 0755), 0);
	said = run(&b, NULL,
		   ARGS("cp", "@mptcpaddr", "@libmptcpaddr.so", "/run/bare/a b/"));
	cr_assert_eq(said.status, 0);
	said_free(&said);
	is_status(&b, ARGS("/run/bare/a b/mptcpaddr", "run", "true"), 125,
		  "LD_PRELOAD cannot name it");
	bench_close(&b);
}

static void preload_is(struct bench *b, const char *before, const char *expected)
{
	struct said said = run(b, before ? ARGS(before) : NULL,
			       ARGS("@mptcpaddr", "run", "--", "sh", "-c", SHOW));

	cr_expect_str_eq(said.out, expected);
	cr_expect_eq(said.status, 0);
	said_free(&said);
}

Test(run, library_is_appended_to_what_is_preloaded, TIMEOUT)
{
	const char *library = path_of("libmptcpaddr.so");
	char before[2 * PATH_MAX], expected[2 * PATH_MAX];
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	snprintf(expected, sizeof(expected), "%s||", library);
	preload_is(&b, NULL, expected);
	preload_is(&b, "LD_PRELOAD=", expected);
	snprintf(expected, sizeof(expected), "%s:%s||", FAKETIME, library);
	preload_is(&b, "LD_PRELOAD=" FAKETIME, expected);
	/* Never twice. */
	snprintf(before, sizeof(before), "LD_PRELOAD=%s %s", library, FAKETIME);
	snprintf(expected, sizeof(expected), "%s %s||", library, FAKETIME);
	preload_is(&b, before, expected);
	snprintf(before, sizeof(before), "LD_PRELOAD=%s:%s", FAKETIME, library);
	snprintf(expected, sizeof(expected), "%s:%s||", FAKETIME, library);
	preload_is(&b, before, expected);
	said = run(&b, ARGS(before), ARGS("@mptcpaddr", "run", "-v", "true"));
	cr_expect_eq(times(&said, "library: already in LD_PRELOAD"), 1, "%s", said.err);
	said_free(&said);
	bench_close(&b);
}

Test(run, pool_and_back_end_arrive, TIMEOUT)
{
	struct said said;
	struct bench b;
	char expected[2 * PATH_MAX];

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/mine.conf", "[pool]\nendpoint = 10.0.3.2\n", 0644);
	snprintf(expected, sizeof(expected), "%s|/run/mine.conf|none",
		 path_of("libmptcpaddr.so"));
	/* The program may change its directory before the library reads the file. */
	cr_assert_eq(chdir("/run"), 0);
	said = run(&b, NULL,
		   ARGS("@mptcpaddr", "run", "--backend=none", "--pool", "mine.conf",
			"--", "sh", "-c", SHOW));
	cr_expect_str_eq(said.out, expected);
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}

#define SERVER	   "8080"
#define SERVER_URL "telnet://10.0.1.1:8080"

struct net {
	struct bench b;
	struct proc server;
};

/* A server that announces its other addresses. */
static void net_open(struct net *n)
{
	static const struct endpoint_spec announced[] = {
		{ .addr = "10.0.2.1", .flags = EP_SIGNAL },
		{ .addr = "10.0.3.1", .flags = EP_SIGNAL },
	};
	const char *const argv[] = { path_of("tests/apps/tcpserver"), SERVER, NULL };

	bench_open(&n->b);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(endpoint_add(&n->b.world.server, &announced[i]), 0);
	cr_assert_eq(limits_set(&n->b.world.server, 8, 8), 0);
	cr_assert_eq(proc_start(&n->server, &n->b.world.server, argv, NULL), 0);
	cr_assert(WAIT_UNTIL(proc_said(&n->server, "listening"), 5000));
	put_file("/run/pair.conf", "[pool]\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n",
		 0644);
}

static void net_close(struct net *n)
{
	proc_end(&n->server);
	bench_close(&n->b);
}

/* The pairs of the running client after two joins. */
static void pairs_are(struct net *n, const char *expected, struct proc *client)
{
	char *pairs, *errors = proc_errors(client);

	cr_expect(WAIT_UNTIL(joined_count(&n->b.world.client) == 2, 9000), "%s", errors);
	pairs = pairs_text(&n->b.world.client, 0, false);
	cr_expect_str_eq(pairs, expected);
	free(pairs);
	free(errors);
}

/* telnet://: the connection stays until standard input ends. */
Test(run, curl_has_a_local_address_for_each_path, TIMEOUT)
{
	struct net n;
	struct proc curl;
	const char *argv[] = { path_of("mptcpaddr"),
			       "run",
			       "--pool",
			       "/run/pair.conf",
			       "--",
			       "curl",
			       "-q",
			       "-sS",
			       "-N",
			       "--noproxy",
			       "*",
			       SERVER_URL,
			       NULL };

	NEED_SANDBOX();
	net_open(&n);
	cr_assert_eq(proc_start(&curl, &n.b.world.client, argv, NULL), 0);
	cr_assert_eq(proc_tell(&curl, "hello through every path"), 0);
	cr_expect(WAIT_UNTIL(proc_said(&curl, "hello through every path"), 5000));
	pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1", &curl);
	proc_end(&curl);
	net_close(&n);
}

Test(run, preloaded_libfaketime_still_works, TIMEOUT)
{
	struct net n;
	struct proc client;
	const char *argv[] = { path_of("mptcpaddr"),
			       "run",
			       "--pool",
			       "/run/pair.conf",
			       "--",
			       "sh",
			       "-c",
			       "date +%Y; exec \"$@\"",
			       "sh",
			       path_of("tests/apps/tcpclient"),
			       "10.0.1.1",
			       SERVER,
			       NULL };
	const char *env[] = { "LD_PRELOAD=" FAKETIME, "FAKETIME=1999-12-31 12:00:00",
			      "FAKETIME_DONT_FAKE_MONOTONIC=1", NULL };

	NEED_SANDBOX();
	net_open(&n);
	cr_assert_eq(proc_start(&client, &n.b.world.client, argv, env), 0);
	cr_expect(WAIT_UNTIL(proc_said(&client, "connected 1"), 9000));
	cr_expect(proc_said(&client, "1999\n"));
	pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1", &client);
	proc_eof(&client);
	cr_expect_eq(proc_wait(&client, EFFECT_MS), 0);
	proc_end(&client);
	net_close(&n);
}

static void cannot_set(struct bench *b, const char *name, const char *const argv[])
{
	char wanted[64], preload[PATH_MAX + 16], words[128];
	struct said said;

	snprintf(wanted, sizeof(wanted), "NOSETENV=%s", name);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
		 path_of("tests/launcher-progs/nosetenv.so"));
	snprintf(words, sizeof(words),
		 "mptcpaddr: %s cannot be set: Cannot allocate memory\n", name);
	said = run(b, ARGS(wanted, preload), argv);
	cr_expect_eq(times(&said, words), 1, "%s", said.err);
	cr_expect_eq(said.status, 125);
	cr_expect_str_eq(said.out, "");
	said_free(&said);
}

Test(run, environment_that_cannot_be_set_stops_the_launcher, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/good.conf", "[pool]\nendpoint = 10.0.2.2\n", 0644);
	cannot_set(&b, "LD_PRELOAD", ARGS("@mptcpaddr", "run", "echo", "ran"));
	cannot_set(&b, "MPTCPADDR_CONFIG",
		   ARGS("@mptcpaddr", "run", "--pool", "/run/good.conf", "echo", "ran"));
	cannot_set(&b, "MPTCPADDR_BACKEND",
		   ARGS("@mptcpaddr", "run", "--backend", "direct", "echo", "ran"));
	bench_close(&b);
}

Test(run, each_command_has_help, TIMEOUT)
{
	static const char *const names[] = { "run",    "check",	  "doctor", "endpoint",
					     "limits", "service", "enable", "disable" };
	char words[64];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(words, sizeof(words), "Usage:\n  mptcpaddr %s ", names[i]);
		says(&b, ARGS("@mptcpaddr", names[i], "--help"), 0, words);
		says(&b, ARGS("@mptcpaddr", "--help"), 0, words + strlen("Usage:\n"));
	}
	says(&b, ARGS("@mptcpaddr", "run", "--help"), 0,
	     "-b, --backend B   broker, direct (a thread in PROGRAM), none (no pool)\n");
	says(&b, ARGS("@mptcpaddr", "endpoint", "--help"), 0,
	     "\t  --pid PID         of ");
	says(&b, ARGS("@mptcpaddr", "limits", "--help"), 0, "\t  --program NAME    ");
	says(&b, ARGS("@mptcpaddr", "service", "-h"), 0, "\t  --root DIRECTORY  of ");
	bench_close(&b);
}

/* Nobody reads the tool's warnings. */
Test(run, warnings_never_keep_a_program_from_its_start, TIMEOUT)
{
	static const char *const kinds[] = { "full-pipe", "full-socket", "gone-reader" };
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		said = run(&b, NULL,
			   ARGS("@tests/programs/stderr", kinds[i], path_of("mptcpaddr"),
				"run", "-v", "/bin/sh", "-c",
				"echo ran; trap; kill -PIPE $$; echo alive"));
		cr_expect_str_eq(said.out, "ran\n", "%s: %s", kinds[i], said.out);
		cr_expect_eq(said.status, 128 + SIGPIPE, "%s: %d", kinds[i], said.status);
		said_free(&said);
	}
	bench_close(&b);
}
