// SPDX-License-Identifier: MIT
/*
 * watch.c - mptcpinfo --watch: the same look again and again
 *
 * On a terminal it redraws in place. Elsewhere frames, or JSON documents of a line
 * each, follow one another.
 */
#include "frame.h"
#include "paths.h"
#include "rates.h"
#include "screen.h"
#include "shim/common/clock.h"
#include "tools/mptcpinfo/monitor/sigs.h"
#include "tools/mptcpinfo/options.h"
#include "tools/mptcpinfo/print/emit.h"
#include "tools/mptcpinfo/print/views.h"
#include "tools/mptcpinfo/print/writers.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/signalfd.h>

#define FIRST_MS   250 /* until the first rates */
#define LOOK_SHARE 5   /* of the time, one part may go into looking */
#define NICE	   10  /* who watches gives way to those that are watched */

struct watch {
	const struct options *o;
	struct screen screen;
	struct rates rates;
	char *said; /* the notes of the look before */
	int sigfd;
	bool live; /* on a terminal, in place */
	bool utf8;
	bool quit;
};

static bool of_paths(const struct watch *w)
{
	return w->o->format == FORMAT_TABLE && !w->o->counters;
}

/* A view of another kind than the live one, line by line. */
static int text_frame(const struct watch *w, const struct snapshot *snap, struct frame *f)
{
	char *text = NULL, *line, *save;
	size_t size;
	FILE *out;
	int r;

	out = open_memstream(&text, &size);
	if (!out)
		return -errno;
	r = write_counters(snap, false, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	for (line = r < 0 ? NULL : strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		frame_add(f, LOOK_PLAIN, "%s", line);
	free(text);
	return r;
}

static int fill_frame(const struct watch *w, const struct snapshot *snap, int error,
		      struct frame *f)
{
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	frame_add(f, LOOK_PLAIN, "%s  %zu MPTCP connection%s, path manager %s%s", clock,
		  snap->n_connections, snap->n_connections == 1 ? "" : "s",
		  snap->path_manager[0] ? snap->path_manager : "unknown",
		  w->screen.keys ? "  (q quits)" : "");
	/* On a terminal there is no other place to say it. */
	if (w->live && error < 0)
		frame_add(f, LOOK_ALARM, "connections: %s", strerror(-error));
	if (w->live && snap->n_notes)
		frame_add(f, LOOK_ALARM, "%s%s", snap->notes[0],
			  snap->n_notes > 1 ? " ..." : "");
	return of_paths(w) ? paths_frame(snap, &w->rates, w->utf8, f)
			   : text_frame(w, snap, f);
}

static int write_frame(const struct frame *f, FILE *out)
{
	for (size_t i = 0; i < f->n; i++)
		fprintf(out, "%s\n", f->lines[i].text);
	fputc('\n', out);
	return 0;
}

/* Not on a terminal: a whole document, or a whole frame, in one write. */
static int print(const struct watch *w, const struct snapshot *snap, struct frame *f)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	int r;

	out = open_memstream(&text, &size);
	if (!out)
		return -errno;
	if (w->o->format == FORMAT_JSON && w->o->counters)
		r = write_counters_json(snap, true, out);
	else if (w->o->format == FORMAT_JSON)
		r = write_json(snap, true, out);
	else
		r = write_frame(f, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = emit(text, size);
	free(text);
	return r;
}

/* What is missing is said when it changes, not once a second. */
static void say_once(struct watch *w, const struct snapshot *snap, int error)
{
	size_t size, i;
	char *all = NULL;
	FILE *out;

	out = open_memstream(&all, &size);
	if (!out)
		return;
	fprintf(out, "%d\n", error);
	for (i = 0; i < snap->n_notes; i++)
		fprintf(out, "%s\n", snap->notes[i]);
	fclose(out);
	if (all && (!w->said || strcmp(all, w->said) != 0))
		snapshot_say(snap, error);
	free(w->said);
	w->said = all;
}

static int show(struct watch *w, const struct snapshot *snap, int error)
{
	struct frame f = { 0 };
	int r = 0;

	if (w->live) {
		f.width = w->screen.width;
		f.height = w->screen.height;
	}
	if (w->o->format == FORMAT_TABLE)
		r = fill_frame(w, snap, error, &f);
	if (r == 0)
		r = w->live ? screen_draw(&w->screen, &f, w->o->colour)
			    : print(w, snap, &f);
	frame_free(&f);
	return r;
}

static int look(struct watch *w)
{
	struct snapshot snap = { 0 };
	int r, error;

	error = collect(&w->o->filter, &snap);
	r = of_paths(w) ? rates_update(&w->rates, &snap, clock_us()) : 0;
	if (!w->live)
		say_once(w, &snap, error);
	if (r == 0)
		r = show(w, &snap, error);
	snapshot_free(&snap);
	return r;
}

/* ^Z gives the terminal back for as long as we sleep. */
static void pause_view(struct watch *w)
{
	if (w->live)
		screen_leave(&w->screen);
	kill(getpid(), SIGSTOP);
	if (w->live)
		screen_enter(&w->screen);
}

/* Return: whether to look at once. */
static bool take_signals(struct watch *w)
{
	struct signalfd_siginfo info;
	bool redraw = false;

	while (read(w->sigfd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			screen_size(&w->screen);
			redraw = true;
			break;
		case SIGTSTP:
			pause_view(w);
			redraw = true;
			break;
		default:
			w->quit = true;
		}
	}
	return redraw;
}

static void take_keys(struct watch *w)
{
	char key;

	while ((key = screen_key(&w->screen))) {
		if (key == 'q' || key == 'Q' || key == 4 /* ^D */)
			w->quit = true;
	}
}

/* Until @until_us, a signal or a key; or until nobody reads any more. */
static int wait_until(struct watch *w, int64_t until_us)
{
	struct pollfd fds[3] = {
		{ .fd = w->sigfd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: the pipe has no reader */
		{ .fd = -1, .events = POLLIN },
	};
	int64_t left;

	for (;;) {
		left = until_us - clock_us();
		if (left <= 0 || w->quit)
			return 0;
		fds[2].fd = w->screen.keys ? STDIN_FILENO : -1;
		if (poll(fds, 3, (int)((left + 999) / 1000)) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (take_signals(w))
			return 0;
		take_keys(w);
		if (fds[2].revents & (POLLHUP | POLLERR))
			w->screen.keys = false;
	}
}

/* When the next look is due, after one that took from @began until now. */
static int64_t next_look(const struct watch *w, int64_t due, int64_t began, bool first)
{
	int64_t interval = w->o->interval_ms * 1000ll, now = clock_us();

	/* The first look has no rates yet: they need not take a whole interval. */
	if (first && of_paths(w) && w->live && interval > FIRST_MS * 1000)
		due += FIRST_MS * 1000 - interval;
	due += interval;
	/* Ten thousand connections are looked at less often than a few. */
	if (due < now + (LOOK_SHARE - 1) * (now - began))
		due = now + (LOOK_SHARE - 1) * (now - began);
	return due;
}

static int run_watch(struct watch *w)
{
	int64_t due = clock_us(), began;
	bool first = true;
	int r = 0;

	while (r == 0 && !w->quit) {
		began = clock_us();
		r = look(w);
		due = next_look(w, due, began, first);
		first = false;
		if (r == 0)
			r = wait_until(w, due);
	}
	return r;
}

int watch_main(const struct options *o)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, 0 };
	struct watch w = { .o = o };
	int r;

	setpriority(PRIO_PROCESS, 0, NICE);
	setlocale(LC_CTYPE, "");
	w.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	w.live = o->format == FORMAT_TABLE && screen_usable();
	/* A reader that has gone is an error of write(), and a quiet end. */
	signal(SIGPIPE, SIG_IGN);
	w.sigfd = sigs_open(signals, NULL);
	r = w.sigfd < 0 ? w.sigfd : 0;
	if (r == 0 && w.live)
		r = screen_enter(&w.screen);
	if (r == 0) {
		r = run_watch(&w);
		if (w.live)
			screen_leave(&w.screen);
	}
	rates_free(&w.rates);
	free(w.said);
	close(w.sigfd);
	return emit_status(r);
}
