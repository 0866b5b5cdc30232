// SPDX-License-Identifier: MIT
/*
 * pools.c - pool files: run's warnings, and mptcpaddr check
 */
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Seven errors, and two valid endpoints. */
static const char bad_pool[] = "[pool]\n"
			       "endpoint = 10.0.2.2 wobbly\n"
			       "endpoint = 10.0.2.2 id 300\n"
			       "no equals sign\n"
			       "endpoint = 10.0.2.2\n"
			       "neither here\n"
			       "endpoint = 10.0.9.9\n"
			       "control\1character\n"
			       "[pol]\n"
			       "x = y\n"
			       "[limits]\n"
			       "subflows = many\n";

static const char bad_told[] = "F:2: unknown word \"wobbly\" in an endpoint\n"
			       "F:3: local id 300 is not in 1-255\n"
			       "F:4: neither \"name = value\" nor \"[section]\"\n"
			       "F:6: neither \"name = value\" nor \"[section]\"\n"
			       "F:8: a control character\n"
			       "F:9: unknown section [pol]\n"
			       "F:12: subflows \"many\" is not a number\n";

/* @text with @file for each F at the start of a line; the caller frees it. */
static char *with_file(const char *text, const char *file)
{
	size_t size = 4096, len = 0;
	char *all = malloc(size);
	bool begins = true;

	cr_assert(all);
	for (; *text; text++) {
		if (begins && *text == 'F')
			len += snprintf(all + len, size - len, "%s", file);
		else
			all[len++] = *text;
		begins = *text == '\n';
		cr_assert_lt(len, size - 64);
	}
	all[len] = '\0';
	return all;
}

static void check_says(struct bench *b, const char *const argv[], int status,
		       const char *expected)
{
	struct said said = run(b, NULL, argv);

	cr_expect_str_eq(said.out, expected);
	cr_expect_str_eq(said.err, "");
	cr_expect_eq(said.status, status, "%d", said.status);
	said_free(&said);
}

Test(pools, check_lists_every_error_of_a_file, TIMEOUT)
{
	char all[4096], *errors;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/bad.conf", bad_pool, 0644);
	errors = with_file(bad_told, "/run/bad.conf");
	snprintf(all, sizeof(all),
		 "%s/run/bad.conf:5: packets from 10.0.2.2 to the Internet leave by c1, "
		 "but c2 has "
		 "the address: append \"dev c2\"\n"
		 "/run/bad.conf:7: 10.0.9.9 is not an address of this machine (now)\n",
		 errors);
	check_says(&b, ARGS("@mptcpaddr", "check", "/run/bad.conf"), 1, all);
	check_says(&b, ARGS("@mptcpaddr", "check", "/run/none.conf"), 1,
		   "/run/none.conf: No such file or directory\n");
	check_says(&b, ARGS("@mptcpaddr", "check", "/run"), 1,
		   "/run: not a regular file\n");
	free(errors);
	bench_close(&b);
}

Test(pools, directory_in_place_of_a_pool_file_is_refused, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "--pool", "/run", "echo", "ran"));
	cr_expect_eq(said.status, 125);
	cr_expect_str_eq(said.out, "");
	cr_expect_str_eq(said.err, "/run: not a regular file\n"
				   "mptcpaddr: /run cannot be used, the program is not "
				   "started\n");
	said_free(&said);
	said = run(&b, ARGS("MPTCPADDR_CONFIG=/run"), ARGS("@mptcpaddr", "doctor"));
	cr_expect_eq(said.status, 1);
	cr_expect(strstr(said.out, "problem: /run: not a regular file; no pool until "),
		  "%s", said.out);
	said_free(&said);
	bench_close(&b);
}

Test(pools, check_lists_missing_addresses, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/away.conf",
		 "[pool]\n"
		 "endpoint = 10.0.2.2 dev c2\n"
		 "endpoint = 10.0.2.1\n"
		 "endpoint = dead:beef:3::2\n"
		 "endpoint = 10.0.3.2 dev c1\n"
		 "endpoint = dead:beef:3::1\n"
		 "endpoint = 10.0.1.2 dev eth77\n",
		 0644);
	check_says(&b, ARGS("@mptcpaddr", "check", "/run/away.conf"), 0,
		   "/run/away.conf:3: 10.0.2.1 is not an address of this machine (now)\n"
		   "/run/away.conf:4: packets from dead:beef:3::2 to the Internet leave "
		   "by c1, "
		   "but c3 has the address: append \"dev c3\"\n"
		   "/run/away.conf:5: 10.0.3.2 is not an address of c1 (now)\n"
		   "/run/away.conf:6: dead:beef:3::1 is not an address of this machine "
		   "(now)\n"
		   "/run/away.conf:7: eth77 is not an interface of this machine (now)\n");
	put_file("/run/here.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n", 0644);
	check_says(&b, ARGS("@mptcpaddr", "check", "/run/here.conf"), 0,
		   "/run/here.conf: no errors; endpoints: 1\n");
	bench_close(&b);
}

Test(pools, check_without_a_file_reads_both_directories, TIMEOUT)
{
	char folder[128], text[512];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	snprintf(text, sizeof(text), "no pool file in %s/mptcpaddr or /etc/mptcpaddr\n",
		 b.home);
	check_says(&b, ARGS("@mptcpaddr", "check"), 0, text);
	user_pool(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	user_pool(&b, "default.conf", "[pool]\nendpoint = 10.0.2\n");
	user_pool(&b, "notes.txt", "not a pool file\n");
	user_pool(&b, "broker.conf", "adopt = yes\n"); /* mptcpaddrd's */
	snprintf(folder, sizeof(folder), "%s/mptcpaddr", b.home);
	snprintf(text, sizeof(text),
		 "%s/curl.conf: no errors; endpoints: 1\n"
		 "%s/default.conf:2: \"10.0.2\" is not an IPv4 or IPv6 address\n",
		 folder, folder);
	check_says(&b, ARGS("@mptcpaddr", "check"), 1, text);
	bench_close(&b);
}

Test(pools, bad_pool_option_stops_the_launcher, TIMEOUT)
{
	struct said said;
	struct bench b;
	char *errors;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/wrong.conf", bad_pool, 0644);
	errors = with_file(bad_told, "/run/wrong.conf");
	said = run(&b, NULL,
		   ARGS("@mptcpaddr", "run", "--pool", "/run/wrong.conf", "echo", "ran"));
	cr_expect_eq(said.status, 125);
	cr_expect_str_eq(said.out, "");
	cr_expect(!strncmp(said.err, errors, strlen(errors)), "%s", said.err);
	cr_expect_eq(times(&said, "/run/wrong.conf cannot be used, the program is not "
				  "started"),
		     1, "%s", said.err);
	free(errors);
	said_free(&said);
	bench_close(&b);
}

/* Longer than the library's limit, but not than PATH_MAX. */
Test(pools, path_that_is_too_long_stops_the_launcher, TIMEOUT)
{
	char path[1200] = "/run";
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	while (strlen(path) < 1100) {
		memset(path + strlen(path) + 1, 0, 101);
		path[strlen(path)] = '/';
		memset(path + strlen(path), 'x', 100);
		cr_assert_eq(mkdir(path, 0755), 0);
	}
	strcat(path, "/a.conf");
	put_file(path, "[pool]\nendpoint = 10.0.2.2\n", 0644);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "--pool", path, "echo", "ran"));
	cr_expect_eq(said.status, 125);
	cr_expect_str_eq(said.out, "");
	cr_expect_eq(times(&said, "a.conf: File name too long"), 1, "%s", said.err);
	said_free(&said);
	bench_close(&b);
}

/* Run @argv with @text as the user's pool file @name. */
static struct said with_pool(struct bench *b, const char *name, const char *text,
			     const char *const env[], const char *const argv[])
{
	user_pool(b, name, text);
	return run(b, env, argv);
}

Test(pools, bad_pool_file_is_a_warning, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = with_pool(&b, "hello.conf", bad_pool, NULL,
			 ARGS("@mptcpaddr", "run", "@@hello", "a"));
	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said, "hello.conf:2: unknown word \"wobbly\""), 1, "%s",
		     said.err);
	cr_expect_eq(times(&said, "no pool until this is fixed"), 1, "%s", said.err);
	cr_expect_str_eq(said.out, "a secure=0\n");
	cr_expect_eq(said.status, 2);
	said_free(&said);
	bench_close(&b);
}

Test(pools, verbose_launcher_shows_the_pool, TIMEOUT)
{
	struct said said;
	struct bench b;
	char text[256];

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "-v", "@@hello"));
	cr_expect_eq(times(&said, "pool file: none for \"hello\""), 1, "%s", said.err);
	said_free(&said);
	said = with_pool(&b, "hello.conf",
			 "[pool]\nendpoint = 10.0.2.2 dev c2 id 9 backup\n", NULL,
			 ARGS("@mptcpaddr", "run", "-v", "@@hello"));
	snprintf(text, sizeof(text),
		 "pool file: %s/mptcpaddr/hello.conf (for \"hello\")\n", b.home);
	cr_expect_eq(times(&said, text), 1, "%s", said.err);
	cr_expect_eq(times(&said, "endpoint: 10.0.2.2 dev c2 id 9"), 1, "%s", said.err);
	cr_expect_eq(times(&said, "library: /"), 1, "%s", said.err);
	cr_expect_eq(times(&said, WARNING), 0, "%s", said.err);
	cr_expect_str_eq(said.out, "secure=0\n");
	said_free(&said);
	bench_close(&b);
}

Test(pools, verbose_launcher_names_refused_options, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(
		&b, NULL,
		ARGS("@mptcpaddr", "run", "-v", "socat", "-", "TCP:127.0.0.1:9,ttl=9"));
	cr_expect_eq(times(&said, "MPTCP refuses IP_TTL: the socket is plain TCP"), 1,
		     "%s", said.err);
	cr_expect_eq(said.status, 1);
	said_free(&said);
	bench_close(&b);
}

Test(pools, script_has_the_pool_of_its_interpreter, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/talk", "#!/bin/sh\necho ran\n", 0755);
	said = with_pool(&b, "sh.conf", "[pool]\nendpoint = 10.0.2.2\n", NULL,
			 ARGS("@mptcpaddr", "run", "-v", "/run/talk"));
	cr_expect_eq(times(&said, "sh.conf (for \"sh\")"), 1, "%s", said.err);
	cr_expect_eq(times(&said, "program: /run/talk, run by /bin/sh"), 1, "%s",
		     said.err);
	cr_expect_str_eq(said.out, "ran\n");
	said_free(&said);
	bench_close(&b);
}

/* The pool file that run -v announces is the one that the program itself looks for. */
static void wrapper_has_pool(struct bench *b, const char *text, const char *name)
{
	char file[64], shown[64];
	struct said said;

	put_file("/run/wrapper", text, 0755);
	snprintf(file, sizeof(file), "%s.conf", name);
	snprintf(shown, sizeof(shown), "%s.conf (for \"%s\")", name, name);
	said = with_pool(b, file, "[pool]\nendpoint = 10.0.2.2\n", NULL,
			 ARGS("@mptcpaddr", "run", "-v", "/run/wrapper"));
	cr_expect_eq(times(&said, shown), 1, "%s%s", text, said.err);
	cr_expect_eq(said.status, 0, "%s%s", text, said.err);
	said_free(&said);
	said = with_pool(b, file, "[app]\nmptcp = no\n", NULL,
			 ARGS("@mptcpaddr", "run", "-v", "/run/wrapper"));
	cr_expect_eq(times(&said, "no MPTCP: mptcp = no in "), 1, "%s%s", text, said.err);
	cr_expect_eq(said.status, 0, "%s%s", text, said.err);
	said_free(&said);
}

Test(pools, wrapper_has_the_pool_of_the_program_that_it_executes, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "ln -s /usr/bin/python3 /run/inner");
	put_file("/run/code", "import socket; socket.socket()\n", 0644);
	wrapper_has_pool(&b, "#!/bin/sh\nexec /run/inner /run/code \"$@\"\n", "inner");
	wrapper_has_pool(&b,
			 "#!/bin/sh\nDIR=/run\nexport APP=inner\n"
			 "if :; then\n\texec $DIR/${APP} /run/code $FLAGS \"$@\"\nfi\n",
			 "inner");
	wrapper_has_pool(
		&b,
		"#!/bin/bash\nHERE=\"$(dirname \"$(readlink -f \"$0\")\")\"\n"
		"exec 3>/dev/null\nexec -a other \"$HERE/inner\" /run/code \"$@\"\n",
		"other");
	put_file("/run/outer", "#!/bin/sh\nexec env A=b /run/inner /run/code\n", 0755);
	wrapper_has_pool(&b, "#!/bin/sh\nexec /run/outer\n", "inner");
	bench_close(&b);
}

Test(pools, mptcp_no_is_shown_on_request, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	/* A problem of MPTCP does not matter then. */
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	said = with_pool(&b, "hello.conf", "[app]\nmptcp = no\n", NULL,
			 ARGS("@mptcpaddr", "run", "-v", "@@hello"));
	cr_expect_eq(times(&said, "mptcp = no in that file"), 1, "%s", said.err);
	cr_expect_eq(times(&said, WARNING), 0, "%s", said.err);
	said_free(&said);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "@@hello"));
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}

/* The program could not open it by name. */
Test(pools, deleted_pool_file_stops_the_launcher, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/gone.conf", "[pool]\nendpoint = 10.0.2.2\n", 0644);
	says(&b,
	     ARGS("/bin/sh", "-c",
		  "exec </run/gone.conf && rm /run/gone.conf && exec \"$@\"", "sh",
		  "@mptcpaddr", "run", "--pool", "/proc/self/fd/0", "echo", "ran"),
	     125, "mptcpaddr: /proc/self/fd/0: No such file or directory\n");
	bench_close(&b);
}

Test(pools, missing_config_file_is_a_warning, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, ARGS("MPTCPADDR_CONFIG=/run/nowhere.conf"),
		   ARGS("@mptcpaddr", "run", "-v", "@@hello"));
	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said, WARNING
			   "/run/nowhere.conf: No such file or directory; "
			   "no pool until this is fixed, unless the previous one is "
			   "in use; run \"mptcpaddr check "),
		     1, "%s", said.err);
	/* The program is no script. */
	cr_expect_eq(times(&said, "mptcpaddr: program: /"), 1, "%s", said.err);
	cr_expect_eq(times(&said, ", run by"), 0, "%s", said.err);
	cr_expect_eq(said.status, 1);
	said_free(&said);
	bench_close(&b);
}

Test(pools, endpoints_are_shown_with_their_destinations, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/some.conf",
		 "[pool]\nendpoint = 10.0.2.2\n[pool \"192.0.2.0/24\"]\nendpoint = "
		 "10.0.3.2\nendpoint = dev wlam0\n",
		 0644);
	said = run(
		&b, NULL,
		ARGS("@mptcpaddr", "run", "-v", "--pool", "/run/some.conf", "@@hello"));
	cr_expect_eq(times(&said, "endpoint: 10.0.2.2 id 1 laminar (line 2)\n"), 1, "%s",
		     said.err);
	cr_expect_eq(times(&said, "endpoint: 10.0.3.2 id 1 laminar (line 4), to "
				  "192.0.2.0/24\n"),
		     1, "%s", said.err);
	cr_expect_eq(times(&said, "endpoint: dev wlam0 laminar (line 5), to "
				  "192.0.2.0/24: no such interface\n"),
		     1, "%s", said.err);
	said_free(&said);
	bench_close(&b);
}

Test(pools, mptcp_no_in_the_installed_file_is_a_warning, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf", "[app]\nmptcp = no\n");
	warned_once(&b, ARGS("@@hello", "a"),
		    "/mptcpaddr/default.conf says mptcp = no, so the program stays plain "
		    "TCP; "
		    "type: mptcpaddr init hello; or name a pool file with --pool");
	/* The program's own file says so on purpose. */
	user_pool(&b, "hello.conf", "[app]\nmptcp = no\n");
	warned_once(&b, ARGS("@@hello", "a"), NULL);
	bench_close(&b);
}

/* The same words whether the broker or the program keeps the previous pool. */
Test(pools, rejected_file_is_told_once_and_in_the_same_words, TIMEOUT)
{
	static const char good[] = "[pool]\nendpoint = 10.0.2.2\n";
	char path[128], line[512], words[1024];
	struct proc broker = { 0 }, server = { 0 }, client = { 0 };
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	start_broker(&b, &broker);
	traffic_serve(&b, &server, false, NULL);
	user_pool(&b, "tcpclient.conf", good);
	for (int i = 0; i < 2; i++) {
		start(&b, &client, NULL,
		      ARGS("@mptcpaddr", "run", "--backend", i ? "direct" : "broker",
			   "@tests/apps/tcpclient", "10.0.1.1", TRAFFIC_PORT));
		cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
		user_pool(&b, "tcpclient.conf", "[pool]\nendpoint = 10.0.2.2 id 300\n");
		snprintf(path, sizeof(path), "%s/mptcpaddr/tcpclient.conf", b.home);
		snprintf(line, sizeof(line),
			 "%s:2: local id 300 is not in 1-255; no pool until this is "
			 "fixed, unless the previous one is in use",
			 path);
		snprintf(words, sizeof(words),
			 WARNING "%s; run \"mptcpaddr check %s\" to list all errors\n",
			 line, path);
		/* The next program brings the file to the broker. */
		says(&b,
		     ARGS("@mptcpaddr", "run", "@tests/apps/tcpclient", "10.0.1.1",
			  TRAFFIC_PORT),
		     0, words);
		snprintf(words, sizeof(words), "problem: %s\n", line);
		said = run(&b, NULL,
			   ARGS("sh", "-c", "$0 doctor >&2", path_of("mptcpaddr")));
		cr_expect_eq(times(&said, words), 1, "%s%s", said.out, said.err);
		cr_expect_eq(times(&said, "id 300"), 1, "%s%s", said.out, said.err);
		said_free(&said);
		proc_end(&client);
		user_pool(&b, "tcpclient.conf", good);
	}
	cr_expect(WAIT_FOR(proc_complained(&broker, "keeping the previous pool: ")));
	proc_end(&server);
	proc_end(&broker);
	bench_close(&b);
}
