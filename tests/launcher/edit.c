// SPDX-License-Identifier: MIT
/*
 * edit.c - mptcpaddr endpoint and limits change the pool of a running program
 */
#include "traffic.h"

#include <stdio.h>
#include <unistd.h>

#include "capture.h"
#include "counter.h"

#define ANNOUNCED ARGS("10.0.2.1", "10.0.3.1")

struct session {
	struct bench bench;
	struct proc server, client;
	char pid[16];
};

static void session_open(struct session *s, const char *pool)
{
	bench_open(&s->bench);
	traffic_serve(&s->bench, &s->server, false, ANNOUNCED);
	traffic_connect(&s->bench, &s->client, pool, NULL);
	snprintf(s->pid, sizeof(s->pid), "%d", s->client.pid);
}

static void session_close(struct session *s)
{
	proc_end(&s->client);
	proc_end(&s->server);
	bench_close(&s->bench);
}

/* Success prints nothing. */
static void done(struct session *s, const char *const argv[])
{
	struct said said = run(&s->bench, NULL, argv);

	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert_str_eq(said.err, "");
	cr_assert_str_eq(said.out, "");
	said_free(&said);
}

/* One line on stderr that ends in @words, exit status 1. */
static void refused(struct session *s, const char *words, const char *const argv[])
{
	struct said said = run(&s->bench, NULL, argv);
	char *end = strchr(said.err, '\n');

	cr_expect_eq(said.status, 1, "%d", said.status);
	cr_expect_str_eq(said.out, "");
	cr_assert(end && !end[1], "not one line: %s", said.err);
	*end = '\0';
	cr_expect(strstr(said.err, words), "\"%s\", not \"%s\"", said.err, words);
	said_free(&said);
}

#define ENDPOINT(...) ARGS("@mptcpaddr", "endpoint", __VA_ARGS__)
#define LIMITS(...)   ARGS("@mptcpaddr", "limits", __VA_ARGS__)

/* The output of show after its first line, a comment. */
static char *shown(struct session *s, const char *object)
{
	struct said said = run(&s->bench, NULL, ARGS("@mptcpaddr", object, "show"));
	char *end, *rest;

	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert_eq(said.out[0], '#', "%s", said.out);
	end = strchr(said.out, '\n');
	cr_assert(end);
	rest = strdup(end + 1);
	said_free(&said);
	return rest;
}

static void shows(struct session *s, const char *object, const char *expected)
{
	char *text = shown(s, object);

	cr_assert_str_eq(text, expected, "\"%s\", not \"%s\"", text, expected);
	free(text);
}

Test(edit, added_endpoint_brings_its_subflow_and_deleted_one_takes_it, TIMEOUT)
{
	struct session s = { .pid = "" };

	NEED_SANDBOX();
	session_open(&s, "[pool]\nendpoint = 10.0.2.2\n");
	traffic_pairs(&s.bench, "10.0.2.2-10.0.2.1");
	done(&s, ENDPOINT("add", "10.0.3.2", "dev", "c3"));
	traffic_pairs(&s.bench, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	shows(&s, "endpoint",
	      "[pool]\nendpoint = 10.0.2.2 id 1 laminar\n"
	      "endpoint = 10.0.3.2 dev c3 id 2 laminar\n");
	done(&s, ENDPOINT("del", "10.0.2.2", "--pid", s.pid));
	traffic_pairs(&s.bench, "10.0.3.2-10.0.3.1");
	done(&s, ENDPOINT("add", "dev", "c4"));
	shows(&s, "endpoint",
	      "[pool]\nendpoint = 10.0.3.2 dev c3 id 2 laminar\n"
	      "endpoint = dev c4 laminar\n");
	done(&s, ENDPOINT("del", "dev", "c4"));
	shows(&s, "endpoint", "[pool]\nendpoint = 10.0.3.2 dev c3 id 2 laminar\n");
	traffic_pairs(&s.bench, "10.0.3.2-10.0.3.1");
	/* Without any endpoint routing would pick one for the next subflow. */
	done(&s, LIMITS("subflows", "0"));
	traffic_pairs(&s.bench, "10.0.3.2-10.0.3.1");
	done(&s, ENDPOINT("--program", "tcpclient", "flush"));
	traffic_pairs(&s.bench, "");
	session_close(&s);
}

Test(edit, change_to_backup_sends_mp_prio, TIMEOUT)
{
	struct session s = { .pid = "" };
	struct capture wire;

	NEED_SANDBOX();
	session_open(&s, "[pool]\nendpoint = 10.0.2.2 id 5\nendpoint = 10.0.3.2\n");
	traffic_pairs(&s.bench, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	cr_assert_eq(capture_open(&wire, &s.bench.world.client), 0);
	done(&s, ENDPOINT("change", "id", "5", "backup"));
	cr_assert(WAIT_FOR((capture_read(&wire), capture_count(&wire, SEEN_MP_PRIO))));
	cr_expect(capture_nth(&wire, SEEN_MP_PRIO, 0)->backup);
	shows(&s, "endpoint",
	      "[pool]\nendpoint = 10.0.2.2 id 5 laminar backup\n"
	      "endpoint = 10.0.3.2 id 1 laminar\n");
	done(&s, ENDPOINT("change", "10.0.2.2", "nobackup"));
	cr_assert(
		WAIT_FOR((capture_read(&wire), capture_count(&wire, SEEN_MP_PRIO) == 2)));
	cr_expect(!capture_nth(&wire, SEEN_MP_PRIO, 1)->backup);
	traffic_pairs(&s.bench, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	capture_close(&wire);
	session_close(&s);
}

Test(edit, raised_limit_lets_the_next_subflow_in, TIMEOUT)
{
	struct session s = { .pid = "" };

	NEED_SANDBOX();
	session_open(&s, "[pool]\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n"
			 "[limits]\nsubflows = 1\n");
	traffic_pairs(&s.bench, "10.0.2.2-10.0.2.1");
	shows(&s, "limits", "[limits]\nsubflows = 1\nadd_addr_accepted = 8\n");
	done(&s, LIMITS("set", "subflows", "2", "add_addr_accepted", "3"));
	traffic_pairs(&s.bench, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	shows(&s, "limits", "[limits]\nsubflows = 2\nadd_addr_accepted = 3\n");
	done(&s, LIMITS("subflows", "0"));
	shows(&s, "limits", "[limits]\nsubflows = 0\nadd_addr_accepted = 3\n");
	session_close(&s);
}

Test(edit, wrong_words_give_one_error_and_change_nothing, TIMEOUT)
{
	struct session s = { .pid = "" };
	char *before, *after;

	NEED_SANDBOX();
	session_open(&s, "[pool]\nendpoint = 10.0.2.2 id 7\n");
	before = shown(&s, "endpoint");
	refused(&s, ": local id 300 is not in 1-255",
		ENDPOINT("add", "10.0.3.2", "id", "300"));
	refused(&s, ": unknown word \"wobbly\" in an endpoint",
		ENDPOINT("add", "10.0.3.2", "wobbly"));
	refused(&s, ": \"10.0.3\" is not an IPv4 or IPv6 address",
		ENDPOINT("add", "10.0.3"));
	refused(&s, ": duplicate endpoint 10.0.2.2", ENDPOINT("add", "10.0.2.2"));
	refused(&s, ": duplicate local id 7", ENDPOINT("add", "10.0.3.2", "id", "7"));
	refused(&s, ": an endpoint needs a local address or a device", ENDPOINT("add"));
	refused(&s, ": no such endpoint in the pool", ENDPOINT("del", "10.0.9.9"));
	refused(&s, ": no such endpoint in the pool", ENDPOINT("del", "id", "99"));
	refused(&s, ": only [no]backup, [no]fullmesh and [no]metered can change",
		ENDPOINT("change", "10.0.2.2", "signal"));
	refused(&s, ": subflows 65 is not in 0-64", LIMITS("subflows", "65"));
	refused(&s, ": \"subflows\" needs a value", LIMITS("subflows"));
	refused(&s, ": flush takes no address", ENDPOINT("flush", "10.0.2.2"));
	after = shown(&s, "endpoint");
	cr_assert_str_eq(after, before);
	free(before);
	free(after);
	session_close(&s);
}

Test(edit, program_must_be_named_when_there_are_two, TIMEOUT)
{
	struct session s = { .pid = "" };
	struct proc second = { 0 };
	struct said said;
	char *first, each[32];

	NEED_SANDBOX();
	session_open(&s, "[pool]\nendpoint = 10.0.2.2\n");
	traffic_connect(&s.bench, &second, "[pool]\nendpoint = 10.0.2.2\n", NULL);
	refused(&s, "2 programs (tcpclient[", ENDPOINT("add", "10.0.3.2"));
	snprintf(each, sizeof(each), "tcpclient[%d]", second.pid);
	refused(&s, each, ENDPOINT("add", "10.0.3.2"));
	refused(&s, "): choose one with --pid or --program", ENDPOINT("add", "10.0.3.2"));
	says(&s.bench, ENDPOINT("add", "10.0.3.2", "--program", "tcpclient"), 1,
	     "): choose one with --pid\n");
	refused(&s, "no manager here serves \"curl\"",
		ENDPOINT("add", "10.0.3.2", "--program", "curl"));
	refused(&s, "process 1 has no manager here", ENDPOINT("flush", "--pid", "1"));
	done(&s, ENDPOINT("add", "10.0.3.2", "--pid", s.pid));
	/* show prints both; the other one is unchanged. */
	said = run(&s.bench, NULL, ENDPOINT("show"));
	first = strstr(said.out, "10.0.3.2");
	cr_expect(first && !strstr(first + 1, "10.0.3.2"), "%s", said.out);
	cr_expect_eq(said.status, 0);
	said_free(&said);
	proc_end(&second);
	session_close(&s);
}

/* iproute2 takes the beginnings of its words. */
Test(edit, words_are_those_of_ip, TIMEOUT)
{
	struct session s = { .pid = "" };
	struct said said;

	NEED_SANDBOX();
	session_open(&s, "[pool]\nendpoint = 10.0.2.2 id 7\n");
	done(&s, ENDPOINT("add", "10.0.3.2", "id", "9"));
	said = run(&s.bench, NULL, ENDPOINT("show", "id", "9"));
	cr_expect(strstr(said.out, "10.0.3.2") && !strstr(said.out, "10.0.2.2"), "%s",
		  said.out);
	said_free(&said);
	done(&s, ENDPOINT("delete", "10.0.3.2"));
	done(&s, ENDPOINT("ch", "id", "7", "backup"));
	shows(&s, "endpoint", "[pool]\nendpoint = 10.0.2.2 id 7 laminar backup\n");
	done(&s, ENDPOINT("d", "id", "7"));
	shows(&s, "endpoint", "[pool]\n");
	done(&s, LIMITS("set", "subflow", "3", "add_addr", "2"));
	shows(&s, "limits", "[limits]\nsubflows = 3\nadd_addr_accepted = 2\n");
	session_close(&s);
}

/* Before anything is looked up: no program runs here. */
Test(edit, wrong_verbs_are_named, TIMEOUT)
{
	static const char verbs[] = ": not show, add, delete, change or flush";
	static const char limits[] = ": not show, set, subflows or add_addr_accepted";
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ENDPOINT("remove", "10.0.3.2"), 2, verbs);
	says(&b, ENDPOINT("remove", "10.0.3.2"), 2, "endpoint: unknown word \"remove\"");
	says(&b, ENDPOINT("deleted"), 2, verbs);
	says(&b, ENDPOINT("", "10.0.3.2"), 2, verbs);
	says(&b, ENDPOINT("10.0.3.2"), 2, verbs);
	says(&b, LIMITS("change", "subflows", "3"), 2, limits);
	says(&b, LIMITS("set"), 2, "set needs subflows N");
	says(&b, ARGS("@mptcpaddr", "service"), 2, "add or remove?");
	says(&b, ARGS("@mptcpaddr", "service", "start", "nginx"), 2,
	     "unknown word \"start\": not add or remove");
	says(&b, ARGS("@mptcpaddr", "service", "add"), 2, "service add: no unit given");
	says(&b, ARGS("@mptcpaddr", "monitor"), 2, "type: mptcpinfo --events");
	says(&b, ARGS("@mptcpaddrd", "now"), 2, "unexpected argument \"now\"");
	bench_close(&b);
}

Test(edit, missing_program_is_an_error, TIMEOUT)
{
	struct session s = { .pid = "" };
	struct said said;

	NEED_SANDBOX();
	bench_open(&s.bench);
	refused(&s, "no program has a manager in this network namespace",
		ENDPOINT("add", "10.0.3.2"));
	refused(&s, "no program has a manager in this network namespace", LIMITS("show"));
	said = run(&s.bench, NULL, ENDPOINT("add", "10.0.3.2", "--pid"));
	cr_expect_eq(said.status, 2);
	cr_expect_eq(times(&said, "--pid requires a value"), 1);
	said_free(&said);
	said = run(&s.bench, NULL, ENDPOINT("show", "10.0.3.2"));
	cr_expect_eq(said.status, 2);
	said_free(&said);
	bench_close(&s.bench);
}

/* The output of show is a pool file: check accepts it, and a program uses it. */
Test(edit, shown_pool_is_a_pool_file, TIMEOUT)
{
	static const char pool[] =
		"[pool]\nendpoint = 10.0.2.2\nendpoint = dev c3 laminar backup\n"
		"endpoint = dead:beef:2::2 id 9 signal port 8443\n"
		"[pool \"192.0.2.0/24\"]\nendpoint = 10.0.3.2 fullmesh\n"
		"[app]\nexclude = 198.51.100.0/24\n";
	struct session s = { .pid = "" };
	char *before, *after, path[96];
	struct said said;

	NEED_SANDBOX();
	session_open(&s, pool);
	done(&s, ENDPOINT("add", "10.0.1.2", "subflow", "backup"));
	before = shown(&s, "endpoint");
	cr_expect(strstr(before, "endpoint = dev c3 laminar backup\n"), "%s", before);
	cr_expect(strstr(before, "[pool \"192.0.2.0/24\"]\n"), "%s", before);
	snprintf(path, sizeof(path), "%s/pasted.conf", s.bench.home);
	put_file(path, before, 0644);
	said = run(&s.bench, NULL, ARGS("@mptcpaddr", "check", path));
	cr_expect_eq(said.status, 0, "%s", said.out);
	cr_expect(strstr(said.out, "no errors; endpoints: 5"), "%s", said.out);
	said_free(&said);
	proc_end(&s.client);
	traffic_connect(&s.bench, &s.client, before, NULL);
	after = shown(&s, "endpoint");
	cr_assert_str_eq(after, before);
	free(before);
	free(after);
	session_close(&s);
}

Test(edit, program_of_another_user_is_refused, TIMEOUT)
{
	struct session s = { .pid = "" };
	struct said said;

	NEED_SANDBOX();
	if (!getenv("MPTCPADDR_TEST_USERS"))
		SKIP("there are no other users in this sandbox");
	session_open(&s, "[pool]\nendpoint = 10.0.2.2\n");
	cr_assert_eq(
		run(&s.bench, NULL,
		    ARGS("/bin/sh", "-ec",
			 "cp \"$0\" /run/everybodys-tool; chmod 755 /run/everybodys-tool",
			 path_of("mptcpaddr")))
			.status,
		0);
	said = run(&s.bench, NULL,
		   ARGS("/usr/bin/setpriv", "--reuid", "1000", "--regid", "1000",
			"--clear-groups", "/run/everybodys-tool", "endpoint", "flush"));
	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.err,
			 "mptcpaddr: no program has a manager in this network "
			 "namespace; 1 did not answer, or belong to other users\n");
	said_free(&said);
	shows(&s, "endpoint", "[pool]\nendpoint = 10.0.2.2 id 1 laminar\n");
	session_close(&s);
}
