// SPDX-License-Identifier: MIT
/*
 * events.c - mptcpinfo --events: a running log of what the managers see and decide
 *
 * Events are held for a moment, to sort those of several managers by time, and to print
 * an announcement and the join that follows it as one line. The kernel's own events are
 * not used: a member of their multicast group makes the kernel echo ADD_ADDRs and accept
 * subflows that it would refuse, and a monitor must not change what happens.
 */
#include "monitor.h"
#include "shim/common/clock.h"
#include "tools/common/signals.h"
#include "tools/mptcpinfo/collect/collect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SCAN_MS	   100 /* must find the managers of short-lived programs */
#define HOLD_MS	   40
#define HELD_MAX   8192
#define LOOK_AHEAD 256

struct events {
	const struct options *o;
	struct follow follow;
	struct event *held;
	size_t n_held;
	int64_t held_since_ms;
	/* Connections that had a note with a wanted remote address */
	struct index tokens;
};

static bool wants_manager(void *ctx, pid_t pid, const char *program)
{
	const struct events *e = ctx;

	return process_matches(e->o->filter.process, pid, program);
}

/* Notes without the remote address are matched by their connection. */
static bool wants_note(struct events *e, const struct pm_note *note)
{
	const struct filter *filter = &e->o->filter;
	bool wanted;

	if (!token_matches(filter, note->token))
		return false;
	if (!filter->has_remote)
		return true;
	wanted = index_find(&e->tokens, &note->token) >= 0 ||
		 (note->token && note->remote.family &&
		  remote_matches(&filter->remote, &note->remote));
	if (note->what == PM_NOTE_CLOSED) /* its token may be reused */
		index_remove(&e->tokens, &note->token);
	else if (wanted)
		index_add(&e->tokens, &note->token, 0);
	return wanted;
}

static int hold_event(void *ctx, const struct event *event)
{
	struct events *e = ctx;
	struct event *slot;
	struct pm_note *note;

	if (event->kind == EVENT_NOTE && !wants_note(e, &event->note))
		return 0;
	if (!e->n_held)
		e->held_since_ms = clock_ms();
	slot = array_add(e, held);
	*slot = *event;
	note = &slot->note;
	/* A join from "any" address: the source is not known before it is joined. */
	if (mpaddr_is_any(&note->local)) {
		memset(&note->local, 0, sizeof(note->local));
		note->local_id = 0;
	}
	/* A manager existed before its first note. */
	if (e->n_held > 1 && slot[-1].kind == EVENT_FOUND &&
	    strcmp(slot[-1].name, slot->name) == 0 && slot[-1].time_ns > slot->time_ns)
		slot[-1].time_ns = slot->time_ns;
	return 0;
}

static int compare_times(const void *pa, const void *pb)
{
	const struct event *a = *(struct event *const *)pa;
	const struct event *b = *(struct event *const *)pb;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return (a > b) - (a < b); /* in order of arrival */
}

/* Whether the line about @later includes all of the one about @event. */
static bool is_included(const struct event *event, const struct event *later)
{
	const struct pm_note *a = &event->note, *b = &later->note;
	bool ended = b->what == PM_NOTE_JOINED || b->what == PM_NOTE_JOIN_FAILED;

	if (later->kind != EVENT_NOTE || strcmp(event->name, later->name) != 0 ||
	    a->token != b->token || a->remote_id != b->remote_id ||
	    !mpaddr_same_ip(&a->remote, &b->remote))
		return false;
	if (a->what == PM_NOTE_ANNOUNCED)
		return !a->reason && (ended || b->what == PM_NOTE_JOINING);
	return a->what == PM_NOTE_JOINING && ended &&
	       (!a->local.family || mpaddr_same_ip(&a->local, &b->local));
}

static bool is_superseded(struct event *const *order, size_t i, size_t n)
{
	size_t j, end = n - i > LOOK_AHEAD ? i + LOOK_AHEAD : n;

	if (order[i]->kind != EVENT_NOTE)
		return false;
	for (j = i + 1; j < end; j++) {
		if (is_included(order[i], order[j]))
			return true;
	}
	return false;
}

static void write_event_time(int64_t time_ns, bool colour, FILE *out)
{
	time_t seconds = time_ns / 1000000000, now = time(NULL);
	struct tm then, today;
	char text[32];

	localtime_r(&seconds, &then);
	localtime_r(&now, &today);
	strftime(text, sizeof(text),
		 then.tm_yday == today.tm_yday && then.tm_year == today.tm_year
			 ? "%H:%M:%S"
			 : "%F %H:%M:%S",
		 &then);
	fprintf(out, "%s%s.%03d%s", paint_codes[colour][PAINT_LABEL], text,
		(int)(time_ns / 1000000 % 1000), paint_codes[colour][PAINT_OFF]);
}

static void write_event_line(const struct event *event, bool colour, FILE *out)
{
	char text[NOTE_TEXT_MAX], pid[16] = "-";

	if (event->pid)
		snprintf(pid, sizeof(pid), "%d", event->pid);
	write_event_time(event->time_ns, colour, out);
	fprintf(out, " %s[%s]", event->program[0] ? event->program : "?", pid);
	switch (event->kind) {
	case EVENT_NOTE:
		if (event->note.token)
			fprintf(out, " token %08x", event->note.token);
		fprintf(out, ": %s\n", note_text(&event->note, text));
		break;
	case EVENT_MISSED:
		fprintf(out, ": %" PRIu64 " events missed\n", event->missed);
		break;
	case EVENT_FOUND:
		fputs(": path manager found\n", out);
		break;
	case EVENT_ENDED:
		fputs(": path manager ended\n", out);
		break;
	case EVENT_FAILED:
		fprintf(out, ": manager %s cannot be followed: %s\n", event->name,
			event->why);
	}
}

static int write_held(struct events *e)
{
	struct event **order = array_alloc(e->n_held, sizeof(struct event *));
	struct page page;
	size_t i;

	for (i = 0; i < e->n_held; i++)
		order[i] = &e->held[i];
	qsort(order, e->n_held, sizeof(struct event *), compare_times);
	page_open(&page);
	for (i = 0; i < e->n_held; i++) {
		if (e->o->json)
			write_event_json(order[i], page.out);
		else if (!is_superseded(order, i, e->n_held))
			write_event_line(order[i], e->o->colour, page.out);
	}
	free(order);
	e->n_held = 0;
	return page_write(&page);
}

static int events_loop(struct events *e, int sigfd)
{
	struct pollfd fds[3] = {
		[1] = { .fd = sigfd, .events = POLLIN },
		[2] = { .fd = STDOUT_FILENO }, /* POLLERR: the pipe has no reader */
	};
	int r;

	do {
		r = follow_poll(&e->follow, fds, 3,
				e->n_held ? e->held_since_ms + HOLD_MS : INT64_MAX);
		if (r < 0)
			return r;
		if (fds[2].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (e->n_held && (fds[1].revents || e->n_held >= HELD_MAX ||
				  clock_ms() >= e->held_since_ms + HOLD_MS))
			r = write_held(e);
	} while (r == 0 && !fds[1].revents);
	return r;
}

int events_main(const struct options *o)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	struct events e = { .o = o,
			    .tokens.key_size = sizeof(uint32_t),
			    .follow = { .scan_ms = SCAN_MS,
					.wanted = wants_manager,
					.on_event = hold_event,
					.ctx = &e } };
	int r, sigfd;

	/* A reader that has gone is an error of write(), and no failure. */
	signal(SIGPIPE, SIG_IGN);
	sigfd = signals_open(signals, NULL);
	r = sigfd < 0 ? sigfd : follow_open(&e.follow);
	if (r == 0) {
		r = events_loop(&e, sigfd);
		follow_close(&e.follow);
	}
	free(e.held);
	index_free(&e.tokens);
	close(sigfd);
	return stdout_status(r);
}
