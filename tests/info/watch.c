// SPDX-License-Identifier: MIT
/*
 * watch.c - the live view, on a terminal and elsewhere, compared with the other views
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>

#include "counter.h"
#include "download.h"
#include "skip.h"
#include "term.h"
#include "until.h"

#define LOOKS	 8
#define BUFFERED 32768 /* in curl, not yet in its file */
#define MANY	 "30"

static const char *const locals[] = { "10.0.1.2:", "10.0.2.2:", "10.0.3.2:" };
static const char *const remotes[] = { "10.0.1.1:80", "10.0.2.1:80", "10.0.3.1:80" };

/* Whether a line of @text has @a before @b. */
static bool in_one_line(const char *text, const char *a, const char *b)
{
	const char *found, *end, *second;

	for (found = strstr(text, a); found; found = strstr(found + 1, a)) {
		end = strchrnul(found, '\n');
		second = strstr(found, b);
		if (second && second < end)
			return true;
	}
	return false;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;
	return n;
}

static void fits(const char *picture, size_t width, size_t height)
{
	size_t lines = 0, n;
	const char *line;

	for (line = picture; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		lines++;
		/* Cells have three bytes each: count the first bytes of characters. */
		size_t columns = 0;
		for (size_t i = 0; i < n; i++)
			columns += ((unsigned char)line[i] & 0xc0) != 0x80;
		cr_assert_leq(columns, width, "%.*s", (int)n, line);
	}
	cr_assert_leq(lines, height, "%s", picture);
}

static const char *watch_command(char *out, size_t size, const char *options)
{
	char path[PATH_MAX];

	snprintf(out, size, "echo before; '%s' --watch %s; echo after $?; sleep 60",
		 built("mptcpinfo", path, sizeof(path)), options);
	return out;
}

/* Each subflow of @root, with its ports, is on a line of each other view. */
static void same_pairs(const json_t *root, const char *table, const char *picture)
{
	const json_t *sf;
	size_t i;

	cr_assert_eq(json_array_size(at(root, "connections")), 1);
	cr_assert_eq(subflow_count(root), PATHS);
	json_array_foreach((json_t *)at(root, "connections.0.subflows"), i, sf)
	{
		const char *local = text_at(sf, "local"), *remote = text_at(sf, "remote");

		cr_assert_eq(strncmp(local, locals[i], strlen(locals[i])), 0, "%s",
			     local);
		cr_assert_str_eq(remote, remotes[i]);
		cr_assert(in_one_line(table, local, remote), "%s", table);
		cr_assert(in_one_line(picture, local, remote), "%s", picture);
	}
	cr_assert_eq(count(picture, " > 10.0."), PATHS, "%s", picture);
}

static void same_in_log(const json_t *root, const char *log)
{
	char line[256];

	snprintf(line, sizeof(line), "curl[%lld] token %08llx: established %s -> %s\n",
		 number_at(root, "connections.0.pid"),
		 number_at(root, "connections.0.token"),
		 text_at(root, "connections.0.subflows.0.local"),
		 text_at(root, "connections.0.subflows.0.remote"));
	cr_assert(strstr(log, line), "no %s in %s", line, log);
	for (int i = 1; i < PATHS; i++) {
		snprintf(line, sizeof(line),
			 "token %08llx: 10.0.%d.1 announced (id %d) -> joined from "
			 "10.0.%d.2 (id %d)\n",
			 number_at(root, "connections.0.token"), i + 1, i + 11, i + 1,
			 i + 1);
		cr_assert(strstr(log, line), "no %s in %s", line, log);
	}
	cr_assert_eq(count(log, "-> joined"), PATHS - 1, "%s", log);
}

static void start_info(struct proc *p, const struct host *h, const char *const args[])
{
	char path[PATH_MAX];
	const char *argv[8] = { built("mptcpinfo", path, sizeof(path)) };

	for (int i = 0; args[i] && i < 6; i++)
		argv[i + 1] = args[i];
	cr_assert_eq(proc_start(p, h, argv, NULL), 0);
}

static void interrupt(struct proc *p)
{
	kill(p->pid, SIGINT);
	cr_assert_eq(proc_wait(p, EFFECT_MS), 0, "%s", proc_errors(p));
}

Test(watch, table_json_live_view_and_log_show_the_same_three_pairs)
{
	char command[PATH_MAX + 64], *picture, *log;
	struct download d;
	struct proc events;
	struct said table;
	struct term t;
	json_t *root;

	NEED_SANDBOX();
	download_open(&d);
	start_info(&events, &d.w.client, (const char *[]){ "--events", NULL });
	download_start(&d);
	term_open(&t, &d.w.client, 80, 24,
		  watch_command(command, sizeof(command), "-i 0.3"));
	cr_assert(WAIT_FOR(term_shows(&t, " MB/s")));
	picture = term_picture(&t);
	root = info_json(&d.w.client, NULL);
	table = info(&d.w.client, NULL);
	cr_assert(WAIT_FOR(proc_said(&events, "joined from 10.0.3.2")));
	fprintf(stderr, "%s", picture);

	fits(picture, 80, 24);
	cr_expect(in_one_line(picture, "     RATE SHARE TREND  ",
			      " STATE       RTT LOCAL > REMOTE"),
		  "%s", picture);
	same_pairs(root, table.out, picture);
	interrupt(&events);
	log = proc_output(&events);
	same_in_log(root, log);
	term_close(&t);
	download_wait(&d);
	download_close(&d);
	json_decref(root);
	said_free(&table);
	free(picture);
	free(log);
	proc_end(&events);
}

static long long file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_size;
}

static long long received(const json_t *root)
{
	const json_t *sf;
	long long sum = 0;
	size_t i;

	json_array_foreach((json_t *)at(root, "connections.0.subflows"), i, sf) sum +=
		number_at(sf, "bytes_received");
	return sum;
}

/* Data that arrived twice, on two paths, counts on both: the upper bound. */
static long long twice(const struct host *h)
{
	return counter(h, "DuplicateData") * 65536;
}

Test(watch, bytes_of_the_paths_are_received_by_curl_or_in_flight)
{
	long long before, after, sum;
	struct download d;
	json_t *root;

	NEED_SANDBOX();
	download_open(&d);
	download_start(&d);
	for (int i = 0; i < LOOKS; i++) {
		before = file_size(d.file);
		root = info_json(&d.w.client, NULL);
		after = file_size(d.file);
		sum = received(root);
		json_decref(root);
		cr_log_info("%lld bytes of %lld to %lld", sum, before, after);
		cr_assert_geq(sum, before);
		cr_assert_leq(sum, after + RMEM_MAX + BUFFERED + twice(&d.w.client));
		nap_ms(100);
	}
	cr_assert_gt(before, 0);
	download_wait(&d);
	download_close(&d);
}

static int lines_of(const struct proc *p)
{
	char *text = proc_output(p);
	int n = count(text, "\n");

	free(text);
	return n;
}

Test(watch, json_is_a_document_a_line)
{
	char *text, *line, *save;
	long long sum, first = 0, last = 0, us, last_us = 0;
	char time[32] = "";
	struct download d;
	struct proc p;
	json_t *root;
	int lines = 0;
	int64_t began;

	NEED_SANDBOX();
	download_open(&d);
	download_start(&d);
	began = now_ms();
	start_info(
		&p, &d.w.client,
		(const char *[]){ "--json", "--watch", "-i", "0.1", "-p", "curl", NULL });
	cr_assert(WAIT_FOR(lines_of(&p) >= 5));
	interrupt(&p);
	began = now_ms() - began;
	text = proc_output(&p);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), lines++) {
		root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		cr_assert(root, "%s", line);
		sum = received(root);
		cr_assert_geq(sum, last, "%s", line);
		last = sum;
		first = lines ? first : sum;
		us = number_at(root, "monotonic_us");
		cr_assert_gt(us, last_us, "%s", line);
		cr_assert_gt(strcmp(text_at(root, "time"), time), 0, "%s", line);
		snprintf(time, sizeof(time), "%s", text_at(root, "time"));
		last_us = us;
		json_decref(root);
	}
	cr_assert_leq(lines, began / 100 + 2, "%d lines in %d ms", lines, (int)began);
	cr_assert_gt(last, first); /* each document is a new reading */
	free(text);
	proc_end(&p);
	download_close(&d);
}

Test(watch, it_ends_quietly_when_nobody_reads)
{
	static const char *const views[] = { "--json --watch -i 60", "--watch -i 60",
					     "--events" };
	char path[PATH_MAX], command[PATH_MAX + 128];
	const char *const argv[] = { "bash", "-c", command, NULL };
	struct said said;

	built("mptcpinfo", path, sizeof(path));
	for (int i = 0; i < 3; i++) {
		snprintf(command, sizeof(command),
			 "'%s' %s | sleep 0.2; echo ${PIPESTATUS[0]}", path, views[i]);
		said = run(NULL, argv);
		cr_assert_str_eq(said.out, "0\n", "%s", views[i]);
		cr_assert_eq(strstr(said.err, "output"), NULL, "%s", said.err);
		said_free(&said);
	}
}

Test(watch, signal_ends_it_even_if_the_reader_has_stopped_reading)
{
	char path[PATH_MAX], command[PATH_MAX + 128];
	const char *const argv[] = { "bash", "-c", command, NULL };
	struct said said;
	struct stage s;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "100");
	/* By process ID: other tests run mptcpinfo at the same time. */
	snprintf(command, sizeof(command),
		 "'%s' -j -w -i 0.05 > >(exec sleep 80) & p=$!; sleep 1; kill -TERM $p; "
		 "for i in {1..500}; do kill -0 $p 2>&- || break; sleep 0.1; done; "
		 "kill -0 $p 2>&- && echo still there; kill -KILL $p 2>&-; wait $p; "
		 "echo ended with $?",
		 built("mptcpinfo", path, sizeof(path)));
	said = run(&s.w.client, argv);
	cr_assert_str_eq(said.out, "ended with 0\n", "%s%s", said.out, said.err);
	said_free(&said);
	stage_close(&s);
}

#define FRAME_HEAD "2 MPTCP connections, path manager "

static int frames_of(const struct proc *p)
{
	char *text = proc_output(p);
	int n = count(text, FRAME_HEAD);

	free(text);
	return n;
}

Test(watch, elsewhere_than_on_a_terminal_frames_follow_one_another)
{
	struct stage s;
	char *text, *last, *next;
	struct proc p;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", "2");
	start_info(&p, &s.w.client, (const char *[]){ "--watch", "-i", "0.1", NULL });
	cr_assert(WAIT_FOR(frames_of(&p) >= 4));
	interrupt(&p);
	text = proc_output(&p);
	/* Except the last one, which may be incomplete. */
	for (last = text; (next = strstr(last + 1, FRAME_HEAD)); last = next)
		;
	*last = '\0';
	cr_assert_eq(count(text, " > 10.0.1.1:" SERVER_PORT),
		     2 * count(text, "2 MPTCP connections"), "%s", text);
	cr_assert_eq(strchr(text, '\033'), NULL, "%s", text);
	free(text);
	proc_end(&p);
	stage_close(&s);
}

/* The first line that names a program. */
static void first_head(const char *picture, char out[static 128])
{
	const char *found = strstr(picture, "tcpclient[");

	snprintf(out, 128, "%.*s", found ? (int)strcspn(found, "\n") : 0,
		 found ? found : "");
}

Test(watch, busiest_connection_comes_first_and_those_left_out_are_counted)
{
	char command[PATH_MAX + 64], head[128], busy[32], path[PATH_MAX], *picture;
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-m", "10.0.1.1", SERVER_PORT, NULL };
	struct proc client;
	struct stage s;
	struct term t;

	NEED_SANDBOX();
	stage_open(&s, 1);
	stage_connect(&s, "10.0.1.1", MANY);
	cr_assert_eq(proc_start(&client, &s.w.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&client, "connected")));
	term_open(&t, &s.w.client, 80, 24,
		  watch_command(command, sizeof(command), "-i 0.3"));
	cr_assert(WAIT_FOR(term_shows(&t, " more connections")));
	proc_tell(&client, "echo 2000000000");
	snprintf(busy, sizeof(busy), "tcpclient[%d]", client.pid);
	cr_assert(WAIT_FOR(term_shows(&t, busy)));
	picture = term_picture(&t);
	fprintf(stderr, "%s", picture);
	fits(picture, 80, 24);
	first_head(picture, head);
	cr_assert(!strncmp(head, busy, strlen(busy)), "%s", picture);
	/* A line each for the top and those left out, two for each of the others. */
	cr_assert(strstr(picture, "\n20 more connections\n"), "%s", picture);
	cr_assert_eq(count(picture, " > 10.0.1.1"), 11, "%s", picture);
	free(picture);
	term_close(&t);
	proc_end(&client);
	stage_close(&s);
}

/* The cells of the longest history in @picture; a rate is never blank. */
static size_t history_length(const char *picture)
{
	size_t n, longest = 0;

	for (; *picture; picture++) {
		/* U+2581 to U+2588 */
		for (n = 0; picture[0] == '\xe2' && picture[1] == '\x96'; n++)
			picture += 3;
		longest = n > longest ? n : longest;
		if (!*picture)
			break;
	}
	return longest;
}

static bool has_history(const struct term *t, size_t cells)
{
	char *picture = term_picture(t);
	bool has = history_length(picture) >= cells;

	free(picture);
	return has;
}

static void add_missing_endpoint(const struct download *d)
{
	FILE *f = fopen(d->pool, "a");

	cr_assert(f && fputs("endpoint = 10.0.9.9 laminar\n", f) >= 0 && !fclose(f));
}

/* Three paths with round-trip times, uncut, and the reason; in a frame not half drawn */
static bool shows_paths_and_why(const struct term *t)
{
	char *picture = term_picture(t);
	bool shows = count(picture, " estab ") == PATHS &&
		     count(picture, "s 10.0.") == PATHS &&
		     strstr(picture, " > 10.0.1.1:80\n") &&
		     strstr(picture, " > 10.0.3.1:80\n") &&
		     in_one_line(picture, "  why  unavailable", ": 10.0.9.9");

	free(picture);
	return shows;
}

static void picture_fits(const struct term *t, size_t width, size_t height)
{
	char *picture = term_picture(t);

	fits(picture, width, height);
	free(picture);
}

Test(watch, round_trip_times_histories_and_why_use_the_width)
{
	char command[PATH_MAX + 64];
	struct download d;
	struct term t;

	NEED_SANDBOX();
	download_open(&d);
	add_missing_endpoint(&d);
	download_start(&d);
	term_open(&t, &d.w.client, 200, 50,
		  watch_command(command, sizeof(command), "-i 0.1"));
	cr_assert(WAIT_FOR(has_history(&t, 40)), "%s", term_picture(&t));
	cr_assert(WAIT_FOR(shows_paths_and_why(&t)), "%s", term_picture(&t));
	picture_fits(&t, 200, 50);
	term_resize(&t, 80, 24);
	cr_assert(WAIT_FOR(!has_history(&t, 40) && has_history(&t, 10)), "%s",
		  term_picture(&t));
	cr_assert(WAIT_FOR(shows_paths_and_why(&t)), "%s", term_picture(&t));
	picture_fits(&t, 80, 24);
	term_close(&t);
	download_close(&d);
}

Test(watch, reasons_are_wrapped_and_left_out_if_not_all_fit)
{
	char command[PATH_MAX + 64];
	struct stage s;
	struct term t;

	NEED_SANDBOX();
	stage_open(&s, 1);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_connect(&s, "10.0.1.1", "1");
	term_open(&t, &s.w.client, 50, 12,
		  watch_command(command, sizeof(command), "-i 0.2"));
	cr_assert(WAIT_FOR(term_shows(&t, "\n  why  no path manager")), "%s",
		  term_picture(&t));
	cr_assert(WAIT_FOR(term_shows(&t, "\n       ")), "wrapped: %s", term_picture(&t));
	picture_fits(&t, 50, 12);
	term_resize(&t, 50, 3);
	cr_assert(WAIT_FOR(!term_shows(&t, "why") && term_shows(&t, "1 MPTCP")));
	term_close(&t);
	stage_close(&s);
}

Test(watch, uplinks_with_several_paths_are_summed_up)
{
	char command[PATH_MAX + 64];
	struct stage s;
	struct term t;

	NEED_SANDBOX();
	stage_open(&s, 3);
	stage_endpoints(&s);
	stage_connect(&s, "10.0.1.1", "1");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 4));
	term_open(&t, &s.w.client, 80, 24,
		  watch_command(command, sizeof(command), "-i 0.2"));
	cr_assert(WAIT_FOR(term_shows(&t, " c3 10.0.3.2: 2 paths\n")), "%s",
		  term_picture(&t));
	cr_assert(WAIT_FOR(term_shows(&t, " c1 10.0.1.2: 1 path\n")), "%s",
		  term_picture(&t));
	term_close(&t);
	stage_close(&s);
}

static void watch_one(struct stage *s, struct term *t)
{
	char command[PATH_MAX + 64];

	stage_open(s, 1);
	stage_connect(s, "10.0.1.1", "1");
	term_open(t, &s->w.client, 80, 24, watch_command(command, sizeof(command), ""));
	cr_assert(WAIT_FOR(term_shows(t, "1 MPTCP connection,")));
}

Test(watch, lines_are_cut_to_the_current_size_of_the_terminal)
{
	char *picture;
	struct stage s;
	struct term t;

	NEED_SANDBOX();
	watch_one(&s, &t);
	term_resize(&t, 40, 3);
	cr_assert(WAIT_FOR(!term_shows(&t, " > 10.0.1.1") &&
			   term_shows(&t, "1 MPTCP connection")));
	picture = term_picture(&t);
	fits(picture, 40, 3);
	free(picture);
	term_resize(&t, 1, 1); /* no crash */
	term_resize(&t, 100, 30);
	cr_assert(WAIT_FOR(term_shows(&t, " > 10.0.1.1:" SERVER_PORT)));
	term_close(&t);
	stage_close(&s);
}

/* After @key the terminal shows its previous content, and the last frame below it. */
static void gives_back(const char *key)
{
	char *picture, *frame;
	struct stage s;
	struct term t;

	watch_one(&s, &t);
	cr_assert_not(term_shows(&t, "before"));
	term_key(&t, key);
	cr_assert(WAIT_FOR(term_shows(&t, "\nafter 0\n")), "%s", term_picture(&t));
	picture = term_picture(&t);
	cr_assert_eq(strncmp(picture, "before\n", 7), 0, "%s", picture);
	frame = strstr(picture, "1 MPTCP connection,");
	cr_assert(frame && in_one_line(frame, "10.0.1.2:", "10.0.1.1:" SERVER_PORT), "%s",
		  picture);
	cr_assert_eq(count(picture, "1 MPTCP connection,"), 1, "%s", picture);
	cr_assert_eq(strstr(picture, "q quits"), NULL, "%s", picture);
	free(picture);
	term_close(&t);
	stage_close(&s);
}

Test(watch, terminal_is_restored_on_q)
{
	NEED_SANDBOX();
	gives_back("q");
}

Test(watch, terminal_is_restored_on_interrupt)
{
	NEED_SANDBOX();
	gives_back("C-c");
}
