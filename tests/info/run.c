// SPDX-License-Identifier: MIT
/*
 * run.c - mptcpinfo run: leaves the program alone, and reports its paths, also as a page
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counter.h"
#include "download.h"
#include "skip.h"
#include "term.h"
#include "until.h"

/* Run it to its end, with an empty standard input. */
static struct said run_to_end(const struct host *h, const char *const argv[],
			      const char *const env[])
{
	struct said said;
	struct proc p;

	cr_assert_eq(proc_start(&p, h, argv, env), 0);
	proc_eof(&p);
	said.status = proc_wait(&p, EFFECT_MS);
	said.out = proc_output(&p);
	said.err = proc_errors(&p);
	proc_end(&p);
	return said;
}

/* mptcpinfo @options run -- @argv */
static struct said run_under(const struct host *h, const char *const options[],
			     const char *const argv[], const char *const env[])
{
	char path[PATH_MAX];
	const char *all[40] = { built("mptcpinfo", path, sizeof(path)) };
	int n = 1;

	for (; options && *options; options++)
		all[n++] = *options;
	all[n++] = "run";
	all[n++] = "--";
	for (; *argv && n < 39; argv++)
		all[n++] = *argv;
	return run_to_end(h, all, env);
}

static struct said run_shell(const struct host *h, const char *script)
{
	return run_under(h, NULL, (const char *[]){ "sh", "-c", script, NULL }, NULL);
}

/* The JSON document among the program's own lines. */
static json_t *document(const struct said *said)
{
	const char *found = strstr(said->err, "{\"version\"");
	json_error_t error;
	json_t *root;

	cr_assert(found, "%s", said->err);
	root = json_loads(found, JSON_DISABLE_EOF_CHECK, &error);
	cr_assert(root, "%s: %s", error.text, found);
	return root;
}

static long long sum_of(const json_t *conn, const char *key)
{
	const json_t *sf;
	long long sum = 0;
	size_t i;

	json_array_foreach((json_t *)at(conn, "subflows"), i, sf) sum +=
		number_at(sf, key);
	return sum;
}

/*
 * Data sent twice, on two paths, counts on both; the client does not count all of it as
 * duplicates. The kernel counts a FIN as a received byte (tcpi_bytes_received).
 */
static void adds_up(const struct world *w, long long sum, long long size, int paths)
{
	long long twice = counter(&w->client, "DuplicateData") +
			  counter(&w->server, "MPTCPRetrans");

	fprintf(stderr, "%lld bytes on all paths, %lld got, %lld duplicates\n", sum, size,
		twice);
	cr_assert_geq(sum, size);
	cr_assert_leq(sum, size + paths + twice * 65536);
}

Test(run, paths_of_a_curl_are_shown_at_its_end_and_add_up_to_its_bytes)
{
	static const char *const locals[] = { "10.0.1.2:", "10.0.2.2:", "10.0.3.2:" };
	static const char *const remotes[] = { "10.0.1.1:80", "10.0.2.1:80",
					       "10.0.3.1:80" };
	struct download d;
	struct said said;
	const json_t *sf;
	json_t *root;
	size_t i;

	NEED_SANDBOX();
	download_open(&d);
	said = run_under(&d.w.client, (const char *[]){ "--json", NULL }, d.argv,
			 d.shim.list);
	cr_assert_eq(said.status, 0, "%s", said.err);
	root = document(&said);
	cr_assert_eq(json_array_size(at(root, "connections")), 1);
	cr_assert_str_eq(text_at(root, "connections.0.program"), "curl");
	cr_assert_str_eq(text_at(root, "connections.0.manager"), "direct");
	cr_assert_eq(subflow_count(root), PATHS);
	json_array_foreach((json_t *)at(root, "connections.0.subflows"), i, sf)
	{
		cr_assert_eq(strncmp(text_at(sf, "local"), locals[i], strlen(locals[i])),
			     0);
		cr_assert_str_eq(text_at(sf, "remote"), remotes[i]);
		cr_assert_str_eq(text_at(sf, "state"), "closed");
		cr_assert_gt(number_at(sf, "bytes_received"), 0);
	}
	adds_up(&d.w, sum_of(at(root, "connections.0"), "bytes_received"),
		download_size(said.out), PATHS);
	cr_assert_eq(number_at(root, "managers.0.counters.add_addr_joined"), 2);
	json_decref(root);
	said_free(&said);
	download_close(&d);
}

/* In a build with sanitizers, the program's own preloaded library is ours, too. */
static bool same_output(const char *const argv[])
{
	struct said native = run_to_end(NULL, argv, NULL);
	struct said under = run_under(NULL, NULL, argv, NULL);
	bool same = native.status == under.status && !strcmp(native.out, under.out);

	if (!same)
		cr_log_error("%d %s\n%d %s", native.status, native.out, under.status,
			     under.out);
	said_free(&native);
	said_free(&under);
	return same;
}

Test(run, program_gets_the_same_environment)
{
	cr_assert(same_output((const char *[]){ "env", NULL }));
	cr_assert(same_output((const char *[]){ "pwd", NULL }));
	cr_assert(same_output((const char *[]){ "sh", "-c", "ls /proc/self/fd", NULL }));
	cr_assert(same_output((const char *[]){ "grep", "-E",
						"^(Sig(Blk|Ign|Cgt)|Seccomp|Umask|Cap)",
						"/proc/self/status", NULL }));
	cr_assert(same_output((const char *[]){
		"sh", "-c", "trap '' PIPE INT; grep SigIgn /proc/self/status", NULL }));
	cr_assert(same_output((const char *[]){ "sh", "-c", "cat; exit 3", NULL }));
}

Test(run, exit_status_is_the_programs)
{
	static const struct {
		const char *script;
		int status;
	} all[] = { { "exit 0", 0 },	   { "exit 7", 7 },
		    { "exit 255", 255 },   { "kill -TERM $$", 143 },
		    { "kill -9 $$", 137 }, { "kill -SEGV $$", 139 } };
	struct said said;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		said = run_shell(NULL, all[i].script);
		cr_assert_eq(said.status, all[i].status, "%s: %d", all[i].script,
			     said.status);
		said_free(&said);
	}
	said = run_under(NULL, NULL, (const char *[]){ "/no/such", NULL }, NULL);
	cr_assert_eq(said.status, 127);
	cr_assert_str_eq(said.err, "mptcpinfo: /no/such: No such file or directory\n");
	said_free(&said);
	said = run_under(NULL, NULL, (const char *[]){ "/etc/passwd", NULL }, NULL);
	cr_assert_eq(said.status, 126);
	said_free(&said);
}

Test(run, exit_status_is_the_programs_without_a_reader_of_the_report)
{
	char path[PATH_MAX], command[PATH_MAX + 128];
	struct said said;

	snprintf(command, sizeof(command),
		 "{ '%s' run sh -c 'sleep 0.3; exit 9' 2>&1 >&3 | :; "
		 "echo ${PIPESTATUS[0]}; } 3>&1",
		 built("mptcpinfo", path, sizeof(path)));
	said = run_to_end(NULL, (const char *[]){ "bash", "-c", command, NULL }, NULL);
	cr_assert_str_eq(said.out, "9\n", "%s", said.out);
	said_free(&said);
}

Test(run, output_is_the_programs_alone)
{
	struct said said = run_shell(NULL, "echo out; echo err >&2");

	cr_assert_str_eq(said.out, "out\n");
	cr_assert(strstr(said.err, "err\n"), "%s", said.err);
	cr_assert(strstr(said.err, "0 MPTCP connections"), "%s", said.err);
	said_free(&said);
}

static bool wrote(const struct proc *p, const char *text)
{
	return proc_said(p, text);
}

static void passes_on(int signal, const char *name, int status)
{
	char path[PATH_MAX], script[256];
	const char *const argv[] = {
		built("mptcpinfo", path, sizeof(path)), "run", "sh", "-c", script, NULL
	};
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct proc p;

	snprintf(script, sizeof(script),
		 "trap 'echo got %s; exit %d' %s; echo ready; while :; do sleep 0.05; "
		 "done",
		 name, status, name);
	/* nohup(1) ignores SIGHUP, and a shell keeps that. */
	sigaction(signal, &by_default, NULL);
	cr_assert_eq(proc_start(&p, NULL, argv, NULL), 0);
	cr_assert(WAIT_FOR(wrote(&p, "ready")));
	kill(p.pid, signal);
	cr_assert_eq(proc_wait(&p, EFFECT_MS), status);
	cr_assert(wrote(&p, "got"));
	proc_end(&p);
}

Test(run, signals_sent_to_it_reach_the_program)
{
	passes_on(SIGTERM, "TERM", 11);
	passes_on(SIGINT, "INT", 12);
	passes_on(SIGHUP, "HUP", 13);
	passes_on(SIGUSR1, "USR1", 14);
}

/* The kernel sends it to the whole process group: it must arrive once. */
Test(run, interrupt_from_the_terminal_reaches_the_program_once)
{
	char path[PATH_MAX], command[PATH_MAX + 256];
	struct term t;

	NEED_SANDBOX();
	snprintf(command, sizeof(command),
		 "'%s' run bash -c 'n=0; trap \"((n++))\" INT; echo ready; "
		 "until ((n)); do sleep 0.05; done; sleep 0.5; echo $n interrupts; exit "
		 "5'; "
		 "echo status $?; sleep 60",
		 built("mptcpinfo", path, sizeof(path)));
	term_open(&t, NULL, 80, 24, command);
	cr_assert(WAIT_FOR(term_shows(&t, "ready")));
	term_key(&t, "C-c");
	cr_assert(WAIT_FOR(term_shows(&t, "1 interrupts")));
	cr_assert(WAIT_FOR(term_shows(&t, "0 MPTCP connections")));
	cr_assert(WAIT_FOR(term_shows(&t, "status 5")));
	term_close(&t);
}

/* Children, and those that outlive the process that started them. */
Test(run, whole_process_tree_counts_and_nobody_else)
{
	char path[PATH_MAX], script[PATH_MAX + 256];
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct stage s;
	struct said said;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "3"); /* outside the tree */
	snprintf(script, sizeof(script),
		 "c='%s -m 10.0.1.1 " SERVER_PORT "'; sleep 0.5 | $c & "
		 "(sh -c \"sleep 0.5 | $c\" & sleep 0.1); sleep 0.5 | $c -N 2; wait; "
		 "sleep 0.3",
		 built("tests/apps/tcpclient", path, sizeof(path)));
	said = run_under(&s.w.client, (const char *[]){ "-j", NULL }, argv, NULL);
	cr_assert_eq(said.status, 0, "%s", said.err);
	root = document(&said);
	cr_assert_eq(json_array_size(at(root, "connections")), 4, "%zu",
		     json_array_size(at(root, "connections")));
	for (int i = 0; i < 4; i++) {
		const json_t *conn = json_array_get(at(root, "connections"), i);

		cr_assert_str_eq(text_at(conn, "program"), "tcpclient");
		cr_assert_neq(number_at(conn, "pid"), s.client.pid);
		adds_up(&s.w, sum_of(conn, "bytes_received"), strlen("hello"), 1);
	}
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}

Test(run, connections_too_short_to_be_seen_are_counted)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-m",
				     "-N",
				     "50",
				     "10.0.1.1",
				     SERVER_PORT,
				     NULL };
	struct said said;
	struct stage s;
	json_t *root;
	size_t seen;

	NEED_SANDBOX();
	stage_open(&s, 1);
	said = run_under(&s.w.client, (const char *[]){ "-j", NULL }, argv, NULL);
	cr_assert_eq(said.status, 0, "%s", said.err);
	root = document(&said);
	seen = json_array_size(at(root, "connections"));
	cr_assert_leq(seen, 50);
	cr_assert_eq(strstr(said.err, "namespace meanwhile: 50;") != NULL, seen < 50,
		     "%s", said.err);
	cr_assert_eq(number_at(root, "namespace.counters.MPCapableSYNTX"), 50);
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}

/* What prog/page.py reads in the page @path. */
static json_t *page(const char *path)
{
	char script[PATH_MAX];
	struct said said = run(
		NULL, (const char *[]){ built("tests/page.py", script, sizeof(script)),
					path, NULL });
	json_t *root;

	cr_assert_eq(said.status, 0, "%s", said.err);
	root = json_loads(said.out, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(root, "%s", said.out);
	said_free(&said);
	return root;
}

static double number_of(const json_t *array, size_t i)
{
	return json_number_value(json_array_get(array, i));
}

/* The rows of the page are the paths of the document, its areas the bytes of the rows. */
static void same_as_document(const json_t *pages, const json_t *root)
{
	const json_t *areas = at(pages, "charts.Received.areas"), *row, *sf;
	double all_areas = 0, all = sum_of(at(root, "connections.0"), "bytes_received");
	size_t i;

	cr_assert_eq(json_array_size(areas), PATHS);
	for (i = 0; i < PATHS; i++)
		all_areas += number_of(areas, i);
	for (i = 0; i < PATHS; i++) {
		row = json_array_get(at(pages, "paths"), i);
		sf = json_array_get(at(root, "connections.0.subflows"), i);
		cr_assert_eq(number_at(row, "received"), number_at(sf, "bytes_received"));
		cr_assert_eq(number_at(row, "sent"), number_at(sf, "bytes_sent"));
		cr_assert_float_eq(number_of(areas, i) / all_areas,
				   number_at(row, "received") / all, 0.01);
	}
	row = json_array_get(at(pages, "paths"), PATHS);
	cr_assert_eq(number_at(row, "received"),
		     sum_of(at(root, "connections.0"), "bytes_received"));
	cr_assert_eq(number_at(row, "sent"),
		     sum_of(at(root, "connections.0"), "bytes_sent"));
	cr_assert_eq(number_at(row, "percent"), 100);
}

static bool lists(const json_t *array, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)array, i,
			   item) if (strstr(json_string_value(item), text)) return true;
	return false;
}

Test(run, page_has_the_totals_of_the_kernel_and_the_events)
{
	const char *options[] = { "--json", "--report", NULL, NULL };
	struct download d;
	struct said said;
	char file[128];
	json_t *root, *pages;

	NEED_SANDBOX();
	download_open(&d);
	snprintf(file, sizeof(file), "%s/page.html", d.dir);
	options[2] = file;
	said = run_under(&d.w.client, options, d.argv, d.shim.list);
	cr_assert_eq(said.status, 0, "%s", said.err);
	root = document(&said);
	pages = page(file);
	same_as_document(pages, root);
	adds_up(&d.w, number_at(pages, "paths.3.received"), download_size(said.out),
		PATHS);
	cr_assert_str_eq(text_at(pages, "head"), "curl");
	cr_assert(lists(at(pages, "events"), "established 10.0.1.2:"));
	cr_assert(lists(at(pages, "events"), "joined from 10.0.2.2"));
	cr_assert(lists(at(pages, "charts.Received.events"), "joined from 10.0.3.2"));
	json_decref(pages);
	json_decref(root);
	said_free(&said);
	download_close(&d);
}

/* Names and arguments must not become markup, whatever their bytes. */
Test(run, page_is_safe_from_what_it_shows)
{
	static const char name[] = "<b onload=1>&\"";
	/* The connection stays for a second after it is there, to be seen. */
	static const char script[] =
		"mkfifo /run/in && '/run/<b onload=1>&\"' -m 10.0.1.1 " SERVER_PORT
		" </run/in | { exec 3>/run/in; read -r line; sleep 1; exec 3>&-; cat; }";
	static const char argument[] = "</code><script>alert(1)</script>]]>\x1b\xff"
				       "\xef\xbf\xbf";
	static const char *const options[] = { "--report", "/run/page.html", NULL };
	char client[PATH_MAX];
	struct said said;
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1);
	unlink("/run/<b onload=1>&\"");
	unlink("/run/in");
	cr_assert_eq(symlink(built("tests/apps/tcpclient", client, PATH_MAX),
			     "/run/<b onload=1>&\""),
		     0);
	said = run_under(&s.w.client, options,
			 (const char *[]){ "sh", "-c", script, argument, NULL }, NULL);
	cr_assert_eq(said.status, 0, "%s", said.err);
	root = page("/run/page.html");
	cr_assert_str_eq(text_at(root, "head"), name);
	cr_assert(strstr(text_at(root, "command"), "<script>alert(1)</script>]]>?"), "%s",
		  text_at(root, "command"));
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}

Test(run, page_that_cannot_be_written_keeps_the_program_from_running)
{
	static const char *const options[] = { "--report", "/no/such/page.html", NULL };
	struct said said =
		run_under(NULL, options, (const char *[]){ "echo", "ran", NULL }, NULL);

	cr_assert_eq(said.status, 1);
	cr_assert_str_empty(said.out);
	cr_assert(strstr(said.err, "/no/such/page.html: No such file"), "%s", said.err);
	said_free(&said);
}

/* The lines of @text after the one that begins with @start, up to the next "  why" */
static int sum_of_percents(const char *text)
{
	int sum = 0, percent;

	for (text = strstr(text, "  SHARE"); text; text = strchr(text, '\n')) {
		text = *text == '\n' ? text + 1 : text;
		if (sscanf(text, " %d%%", &percent) == 1)
			sum += percent;
	}
	return sum;
}

Test(run, program_without_mptcp_connections_is_told_how_to_open_them)
{
	struct said said;
	struct stage s;

	NEED_SANDBOX();
	stage_open(&s, 1);
	said = run_under(&s.w.client, NULL, (const char *[]){ "true", NULL }, NULL);
	cr_assert(strstr(said.err, "true: 0 MPTCP connections, in "), "%s", said.err);
	cr_assert(strstr(said.err, "  why    no MPTCP connection was opened: "), "%s",
		  said.err);
	said_free(&said);
	stage_close(&s);
}

Test(run, end_has_totals_shares_and_what_is_missing_and_more_on_request)
{
	struct download d;
	struct said said;
	FILE *f;

	NEED_SANDBOX();
	download_open(&d);
	f = fopen(d.pool, "a");
	cr_assert(f && fputs("endpoint = 10.0.9.9 laminar\n", f) >= 0 && !fclose(f));
	said = run_under(&d.w.client, NULL, d.argv, d.shim.list);
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert(strstr(said.err, "curl: 1 MPTCP connection, 8"), "%s", said.err);
	cr_assert(strstr(said.err, "  10.0.1.2 > 10.0.1.1 (c1)\n"), "%s", said.err);
	cr_assert(strstr(said.err, "  10.0.3.2 > 10.0.3.1 (c3)\n"), "%s", said.err);
	cr_assert(strstr(said.err, "\n  why    unavailable "), "%s", said.err);
	cr_assert(strstr(said.err, ": 10.0.9.9\n"), "%s", said.err);
	cr_assert_geq(sum_of_percents(said.err), 98, "%s", said.err);
	cr_assert_leq(sum_of_percents(said.err), 102, "%s", said.err);
	cr_assert_eq(strstr(said.err, "add_addr_rx"), NULL, "%s", said.err);
	cr_assert_eq(strstr(said.err, "CWND"), NULL, "%s", said.err);
	said_free(&said);
	said = run_under(&d.w.client, (const char *[]){ "-l", "-c", NULL }, d.argv,
			 d.shim.list);
	cr_assert(strstr(said.err, "  10.0.3.2 > 10.0.3.1 (c3)\n"), "%s", said.err);
	cr_assert(strstr(said.err, "CWND"), "%s", said.err);
	cr_assert(strstr(said.err, "add_addr_rx"), "%s", said.err);
	said_free(&said);
	download_close(&d);
}
