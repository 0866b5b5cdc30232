// SPDX-License-Identifier: MIT
/*
 * watch.c - mptcpinfo --watch: a snapshot again and again
 *
 * A terminal is redrawn in place. Elsewhere frames, or JSON documents of one line each,
 * follow one another.
 *
 * All terminals of the last decades know these sequences (ECMA-48, and xterm's alternate
 * screen, which restores the previous contents at the end), so no terminal library is
 * needed: each line is written over the previous one. The last frame is written once more
 * below those contents.
 */
#include "watch.h"
#include "shim/common/clock.h"
#include "shim/common/str.h"
#include "tools/common/signals.h"
#include "tools/mptcpinfo/collect/collect.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* Alternate screen, no cursor, no wrapping; and back */
#define ENTER	    "\033[?1049h\033[?25l\033[?7l"
#define LEAVE	    "\033[?7h\033[?25h\033[?1049l"
#define HOME	    "\033[H"
#define ERASE_LINE  "\033[K"
#define ERASE_BELOW "\033[J"

#define WIDTH_DEFAULT  80
#define HEIGHT_DEFAULT 24
#define FIRST_MS       250 /* until the first rates */
#define SNAPSHOT_SHARE 5   /* one part of the time goes into snapshots */
#define NICE	       10  /* the watched programs come first */

struct watch {
	const struct options *o;
	struct frame frame;
	struct termios before; /* of the terminal, restored at the end */
	bool keys; /* standard input is the terminal: keys are read one by one */
	bool live; /* on a terminal, in place */
	bool quit;
	int sigfd;
	struct snapshot last; /* for the rates */
	int last_error;	      /* of collect_snapshot() */
};

static void screen_read_size(struct watch *w)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	w->frame.width = size.ws_col ?: WIDTH_DEFAULT;
	w->frame.height = size.ws_row ?: HEIGHT_DEFAULT;
}

/* Return: 0; -errno with the terminal unchanged. */
static int screen_enter(struct watch *w)
{
	struct termios raw;

	if (!w->live)
		return 0;
	screen_read_size(w);
	w->keys = tcgetattr(STDIN_FILENO, &w->before) == 0;
	if (w->keys) {
		raw = w->before;
		/* ISIG stays set: ^C and ^Z send their signals. */
		raw.c_lflag &= ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
			return -errno;
	}
	return stdout_write(ENTER, strlen(ENTER));
}

static void screen_leave(struct watch *w)
{
	if (!w->live)
		return;
	stdout_write(LEAVE, strlen(LEAVE));
	if (w->keys)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &w->before);
	w->keys = false;
}

size_t frame_room(const struct frame *f)
{
	if (!f->height)
		return SIZE_MAX;
	return f->n < (size_t)f->height ? f->height - f->n : 0;
}

/* End @text where it would be wider than @width columns; 0: nowhere. */
static void frame_cut(char *text, int width)
{
	mbstate_t state = { 0 };
	int column = 0, w;
	wchar_t c;
	size_t n;

	while (width && *text) {
		n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		if (n == (size_t)-1 || n == (size_t)-2) {
			/* Invalid in this locale: the terminal's reaction is unknown. */
			*text = '?';
			memset(&state, 0, sizeof(state));
			continue;
		}
		w = wcwidth(c);
		column += w > 0 ? w : 0;
		if (column > width)
			*text = '\0';
		else
			text += n;
	}
}

void frame_add(struct frame *f, enum paint paint, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (!frame_room(f))
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		memory_die();
	va_end(ap);
	frame_cut(text, f->width);
	/*
	 * No newline after the last line: it would scroll. Erase before the text: at the
	 * right edge, erasing after it would remove the last character.
	 */
	if (f->height)
		fprintf(f->page.out, "%s" ERASE_LINE "%s%s%s", f->n ? "\r\n" : "",
			paint_codes[f->colour][paint], text,
			paint_codes[f->colour][PAINT_OFF]);
	else
		fprintf(f->page.out, "%s\n", text);
	f->n++;
	free(text);
}

static bool shows_paths(const struct watch *w)
{
	return !w->o->json && !w->o->counters;
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

static void watch_frame(struct watch *w, const struct snapshot *snap, int error)
{
	struct frame *f = &w->frame;
	time_t now = snap->time_ns / 1000000000;
	char clock[16];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	frame_add(f, PAINT_PLAIN, "%s  %zu MPTCP connection%s, path manager %s%s", clock,
		  snap->n_connections, PLURAL(snap->n_connections),
		  snap->path_manager[0] ? snap->path_manager : "unknown",
		  w->keys ? "  (q quits)" : "");
	/* On a terminal there is no other place for errors. */
	if (w->live && error < 0)
		frame_add(f, PAINT_BAD, "connections: %s", strerror(-error));
	if (w->live && snap->n_notes)
		frame_add(f, PAINT_BAD, "%s%s", snap->notes[0],
			  snap->n_notes > 1 ? " ..." : "");
	if (shows_paths(w))
		paths_frame(snap, f);
	else
		counters_frame(snap, f);
}

/* Write a frame at once, on a terminal over the previous one. Return: 0 or -errno. */
static int watch_show(struct watch *w, const struct snapshot *snap, int error)
{
	struct frame *f = &w->frame;

	page_open(&f->page);
	f->n = 0;
	if (w->o->json) {
		write_view(w->o, snap, true, f->page.out);
		return page_write(&f->page);
	}
	if (w->live)
		fputs(HOME, f->page.out);
	watch_frame(w, snap, error);
	if (!w->live)
		fputc('\n', f->page.out);
	else if (frame_room(f))
		fputs("\r\n" ERASE_BELOW, f->page.out);
	return page_write(&f->page);
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

/* On the normal screen, where the shell goes on below it */
static void leave_last_frame(struct watch *w)
{
	struct frame *f = &w->frame;

	page_open(&f->page);
	f->n = 0;
	watch_frame(w, &w->last, w->last_error);
	fputs("\r\n", f->page.out);
	page_write(&f->page);
}

static int watch_once(struct watch *w)
{
	struct snapshot snap = { 0 };
	int error = collect_snapshot(&w->o->filter, &snap), r;

	if (shows_paths(w))
		paths_set_rates(&snap, &w->last, (snap.time_us - w->last.time_us) / 1e6);
	if (!w->live && has_other_notes(w, &snap, error))
		snapshot_report(&snap, error);
	r = watch_show(w, &snap, error);
	snapshot_free(&w->last);
	w->last = snap;
	w->last_error = error;
	return r;
}

/* Return: whether there was one. */
static bool watch_handle_signals(struct watch *w)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (read(w->sigfd, &info, sizeof(info)) == sizeof(info)) {
		any = true;
		if (info.ssi_signo == SIGTSTP) { /* ^Z: restore the terminal meanwhile. */
			screen_leave(w);
			kill(getpid(), SIGSTOP);
			screen_enter(w);
		} else if (info.ssi_signo != SIGWINCH) {
			w->quit = true;
		} else if (w->live) {
			screen_read_size(w);
		}
	}
	return any;
}

static void watch_read_key(struct watch *w)
{
	char key = 0;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (key == 'q' || key == 'Q' || key == 4 /* ^D */)
		w->quit = true;
	if (n < 0 && (errno == EIO || errno == ENXIO))
		w->keys = false; /* no terminal any more */
}

/* Until @until_ms, a signal or a key, or until the reader has gone. */
static int watch_wait(struct watch *w, int64_t until_ms)
{
	struct pollfd fds[3] = {
		{ .fd = w->sigfd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: the pipe has no reader */
		{ .events = POLLIN },
	};
	int left;

	while (!w->quit && (left = clock_left_ms(until_ms))) {
		fds[2].fd = w->keys ? STDIN_FILENO : -1;
		if (poll(fds, 3, left) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (watch_handle_signals(w))
			return 0;
		if (w->keys)
			watch_read_key(w);
		if (fds[2].revents & (POLLHUP | POLLERR))
			w->keys = false;
	}
	return 0;
}

static int watch_loop(struct watch *w)
{
	int64_t interval = w->o->interval_ms, due = clock_ms(), began, now;
	int r;

	/* The first snapshot has no rates: do not wait a whole interval for them. */
	if (shows_paths(w) && w->live && interval > FIRST_MS)
		due += FIRST_MS - interval;
	do {
		began = clock_ms();
		r = watch_once(w);
		now = clock_ms();
		due += interval;
		/* The more connections, the longer the pause. */
		if (due < now + (SNAPSHOT_SHARE - 1) * (now - began))
			due = now + (SNAPSHOT_SHARE - 1) * (now - began);
		if (r == 0)
			r = watch_wait(w, due);
	} while (r == 0 && !w->quit);
	return r;
}

int watch_main(const struct options *o)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, 0 };
	const char *term = getenv("TERM") ?: "";
	struct watch w = { .o = o };
	int r;

	setpriority(PRIO_PROCESS, 0, NICE);
	setlocale(LC_CTYPE, "");
	w.live = !o->json && isatty(STDOUT_FILENO) && *term && strcmp(term, "dumb") != 0;
	w.frame.colour = w.live && o->colour;
	w.frame.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* A reader that has gone is an error of write(), and no failure. */
	signal(SIGPIPE, SIG_IGN);
	w.sigfd = signals_open(signals, NULL);
	r = w.sigfd < 0 ? w.sigfd : screen_enter(&w);
	if (r == 0) {
		r = watch_loop(&w);
		screen_leave(&w);
		if (w.live && r == 0)
			leave_last_frame(&w);
	}
	snapshot_free(&w.last);
	close(w.sigfd);
	return stdout_status(r);
}
