// SPDX-License-Identifier: MIT
/*
 * watch.c - mptcpinfo --watch: a snapshot again and again
 *
 * A terminal is redrawn in place. Elsewhere frames, or JSON documents of one line each,
 * follow one another.
 */
#include "watch.h"
#include "shim/common/clock.h"
#include "tools/common/signals.h"
#include "tools/mptcpinfo/collect/collect.h"
#include "tools/mptcpinfo/options.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define FIRST_MS       250 /* until the first rates */
#define SNAPSHOT_SHARE 5   /* one part of the time goes into snapshots */
#define NICE	       10  /* the watched programs come first */

struct watch {
	const struct options *o;
	struct screen screen;
	struct snapshot last; /* for the rates */
	int64_t last_us;      /* when it was taken */
	int last_error;	      /* of collect_snapshot() */
	int sigfd;
	bool live; /* on a terminal, in place */
	bool utf8;
	bool quit;
};

static bool shows_paths(const struct watch *w)
{
	return w->o->format == FORMAT_TABLE && !w->o->counters;
}

/* The counters, line by line */
static void counters_frame(const struct snapshot *snap, struct frame *f)
{
	struct page page;
	char *line, *save;

	page_open(&page);
	write_counters(snap, false, page.out);
	fclose(page.out);
	for (line = strtok_r(page.text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		frame_add(f, PAINT_PLAIN, "%s", line);
	free(page.text);
}

static void watch_frame(const struct watch *w, const struct snapshot *snap, int error,
			struct frame *f)
{
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	frame_add(f, PAINT_PLAIN, "%s  %zu MPTCP connection%s, path manager %s%s", clock,
		  snap->n_connections, snap->n_connections == 1 ? "" : "s",
		  snap->path_manager[0] ? snap->path_manager : "unknown",
		  w->screen.keys ? "  (q quits)" : "");
	/* On a terminal there is no other place for errors. */
	if (w->live && error < 0)
		frame_add(f, PAINT_BAD, "connections: %s", strerror(-error));
	if (w->live && snap->n_notes)
		frame_add(f, PAINT_BAD, "%s%s", snap->notes[0],
			  snap->n_notes > 1 ? " ..." : "");
	if (shows_paths(w))
		paths_frame(snap, w->utf8, f);
	else
		counters_frame(snap, f);
}

/* Notes are reported when they change, not once a second. */
static bool has_other_notes(const struct watch *w, const struct snapshot *snap, int error)
{
	size_t i;

	if (error != w->last_error || snap->n_notes != w->last.n_notes)
		return true;
	for (i = 0; i < snap->n_notes; i++) {
		if (strcmp(snap->notes[i], w->last.notes[i]) != 0)
			return true;
	}
	return false;
}

static int watch_show(struct watch *w, const struct snapshot *snap, int error)
{
	struct frame f = { 0 };
	struct page page;

	if (w->o->format == FORMAT_JSON) {
		page_open(&page);
		write_view(w->o, snap, true, page.out);
		return page_write(&page);
	}
	if (w->live)
		f = (struct frame){ .width = w->screen.width,
				    .height = w->screen.height,
				    .colour = w->o->colour };
	frame_open(&f);
	watch_frame(w, snap, error, &f);
	return frame_write(&f);
}

static int watch_once(struct watch *w)
{
	struct snapshot snap = { 0 };
	int64_t now;
	int r, error;

	error = collect_snapshot(&w->o->filter, &snap);
	now = clock_us();
	if (shows_paths(w))
		paths_set_rates(&snap, &w->last, (now - w->last_us) / 1e6);
	if (!w->live && has_other_notes(w, &snap, error))
		snapshot_report(&snap, error);
	r = watch_show(w, &snap, error);
	snapshot_free(&w->last);
	w->last = snap;
	w->last_us = now;
	w->last_error = error;
	return r;
}

/* Return: whether to redraw at once. */
static bool watch_handle_signals(struct watch *w)
{
	struct signalfd_siginfo info;
	bool redraw = false;

	while (read(w->sigfd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			screen_read_size(&w->screen);
			redraw = true;
			break;
		case SIGTSTP: /* ^Z: restore the terminal while stopped. */
			if (w->live)
				screen_leave(&w->screen);
			kill(getpid(), SIGSTOP);
			if (w->live)
				screen_enter(&w->screen);
			redraw = true;
			break;
		default:
			w->quit = true;
		}
	}
	return redraw;
}

/* Until @until_us, a signal or a key, or until the reader has gone. */
static int watch_wait(struct watch *w, int64_t until_us)
{
	struct pollfd fds[3] = {
		{ .fd = w->sigfd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: the pipe has no reader */
		{ .fd = -1, .events = POLLIN },
	};
	int64_t left;
	char key;

	for (;;) {
		left = until_us - clock_us();
		if (left <= 0 || w->quit)
			return 0;
		fds[2].fd = w->screen.keys ? STDIN_FILENO : -1;
		if (poll(fds, 3, (int)((left + 999) / 1000)) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (watch_handle_signals(w))
			return 0;
		while ((key = screen_read_key(&w->screen))) {
			if (key == 'q' || key == 'Q' || key == 4 /* ^D */)
				w->quit = true;
		}
		if (fds[2].revents & (POLLHUP | POLLERR))
			w->screen.keys = false;
	}
}

/* When the next snapshot is due, after one that took from @began until now. */
static int64_t watch_next_us(const struct watch *w, int64_t due, int64_t began,
			     bool first)
{
	int64_t interval = w->o->interval_ms * 1000ll, now = clock_us();

	/* The first snapshot has no rates: do not wait a whole interval for them. */
	if (first && shows_paths(w) && w->live && interval > FIRST_MS * 1000)
		due += FIRST_MS * 1000 - interval;
	due += interval;
	/* The more connections, the longer the pause. */
	if (due < now + (SNAPSHOT_SHARE - 1) * (now - began))
		due = now + (SNAPSHOT_SHARE - 1) * (now - began);
	return due;
}

static int watch_loop(struct watch *w)
{
	int64_t due = clock_us(), began;
	bool first = true;
	int r = 0;

	while (r == 0 && !w->quit) {
		began = clock_us();
		r = watch_once(w);
		due = watch_next_us(w, due, began, first);
		first = false;
		if (r == 0)
			r = watch_wait(w, due);
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
	w.live = o->format == FORMAT_TABLE && screen_is_usable();
	/* A reader that has gone is an error of write(), and no failure. */
	signal(SIGPIPE, SIG_IGN);
	w.sigfd = signals_open(signals, NULL);
	r = w.sigfd < 0 ? w.sigfd : 0;
	if (r == 0 && w.live)
		r = screen_enter(&w.screen);
	if (r == 0) {
		r = watch_loop(&w);
		if (w.live)
			screen_leave(&w.screen);
	}
	snapshot_free(&w.last);
	close(w.sigfd);
	return stdout_status(r);
}
