// SPDX-License-Identifier: MIT
/*
 * events.c - mptcpinfo --events: a running log of what the managers see and decide
 *
 * What has been told is held for a moment, so that the notes of several managers come
 * out in the order of their times, and an announcement and the join that it leads to are
 * one line. The kernel's own events are left alone: a listener of their group makes the
 * kernel echo ADD_ADDRs and let subflows in that it refuses otherwise, and who watches
 * must not change what happens.
 */
#include "follow.h"
#include "shim/common/clock.h"
#include "sigs.h"
#include "tools/mptcpinfo/collect/collect.h"
#include "tools/mptcpinfo/collect/remote.h"
#include "tools/mptcpinfo/options.h"
#include "tools/mptcpinfo/print/emit.h"
#include "tools/mptcpinfo/print/paint.h"
#include "tools/mptcpinfo/print/text.h"
#include "tools/mptcpinfo/print/told.h"
#include "tools/mptcpinfo/print/views.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCAN_MS	   100 /* a short-lived program's manager is to be seen, too */
#define HOLD_MS	   40
#define HELD_MAX   8192
#define LOOK_AHEAD 256

#define FAINT  "\033[2m"
#define NORMAL "\033[m"

struct events {
	const struct options *o;
	struct follow follow;
	struct told *held;
	size_t n_held;
	uint64_t held_since_ms;
	/* Connections of which one note had a remote address that was asked for. */
	uint32_t *tokens;
	size_t n_tokens;
};

static bool wanted_manager(void *ctx, pid_t pid, const char *program)
{
	const struct events *e = ctx;
	const char *process = e->o->filter.process;
	char number[16];

	if (!process)
		return true;
	snprintf(number, sizeof(number), "%d", pid);
	return strcmp(process, program) == 0 || strcmp(process, number) == 0;
}

/* Most notes bear the remote address; the others are known by their connection. */
static bool wanted_remote(struct events *e, const struct pm_note *note)
{
	uint32_t *token;
	struct inet_addr addr;

	if (!e->o->filter.has_remote)
		return true;
	for (size_t i = 0; i < e->n_tokens; i++) {
		if (e->tokens[i] == note->token)
			return true;
	}
	ctl_addr_take(&note->remote, &addr);
	if (!note->token || !note->remote.family ||
	    !remote_matches(&e->o->filter.remote, &addr))
		return false;
	token = array_grow(&e->tokens, &e->n_tokens, sizeof(*token));
	if (token)
		*token = note->token;
	return true;
}

/* Its connection is gone: the token may come again as another's. */
static void forget_token(struct events *e, uint32_t token)
{
	for (size_t i = 0; i < e->n_tokens; i++) {
		if (e->tokens[i] == token) {
			e->tokens[i] = e->tokens[--e->n_tokens];
			return;
		}
	}
}

static bool wanted_note(struct events *e, const struct pm_note *note)
{
	bool wanted;

	if (e->o->filter.has_token && e->o->filter.token != note->token)
		return false;
	wanted = wanted_remote(e, note);
	if (note->what == PM_NOTE_CLOSED)
		forget_token(e, note->token);
	return wanted;
}

/* An address of all zeros is a join whose source routing picks: not known yet. */
static void forget_any(struct pm_note *note)
{
	static const uint8_t any[sizeof(note->local.ip)];

	if (memcmp(note->local.ip, any, sizeof(any)) != 0)
		return;
	memset(&note->local, 0, sizeof(note->local));
	note->local_id = 0;
}

static int hold(void *ctx, const struct told *told)
{
	struct events *e = ctx;
	struct told *slot;

	if (told->kind == TOLD_NOTE && !wanted_note(e, &told->note))
		return 0;
	if (!e->n_held)
		e->held_since_ms = clock_ms();
	slot = array_grow(&e->held, &e->n_held, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = *told;
	if (told->kind == TOLD_NOTE)
		forget_any(&slot->note);
	return 0;
}

static int by_time(const void *pa, const void *pb)
{
	const struct told *const *a = pa, *const *b = pb;

	if ((*a)->time_ns != (*b)->time_ns)
		return (*a)->time_ns < (*b)->time_ns ? -1 : 1;
	return (*a > *b) - (*a < *b); /* as they came */
}

/* A manager was there before the first thing that it tells. */
static void date_back(struct events *e)
{
	struct told *told, *first;

	for (told = e->held; told < e->held + e->n_held; told++) {
		first = told + 1;
		if (told->kind == TOLD_BEGUN && first < e->held + e->n_held &&
		    strcmp(first->name, told->name) == 0 &&
		    first->time_ns < told->time_ns)
			told->time_ns = first->time_ns;
	}
}

static bool same_ip(const struct mpaddr *a, const struct mpaddr *b)
{
	return a->family == b->family &&
	       memcmp(a->ip, b->ip, a->family == AF_INET6 ? 16 : 4) == 0;
}

/* Whether the line about @later says all that the one about @told would. */
static bool says_all(const struct told *told, const struct told *later)
{
	const struct pm_note *a = &told->note, *b = &later->note;
	bool ended = b->what == PM_NOTE_JOINED || b->what == PM_NOTE_JOIN_FAILED;

	if (later->kind != TOLD_NOTE || strcmp(told->name, later->name) != 0 ||
	    a->token != b->token || a->remote_id != b->remote_id ||
	    !same_ip(&a->remote, &b->remote))
		return false;
	if (a->what == PM_NOTE_ANNOUNCED)
		return !a->reason && (ended || b->what == PM_NOTE_JOINING);
	return a->what == PM_NOTE_JOINING && ended &&
	       (!a->local.family || same_ip(&a->local, &b->local));
}

static bool is_superseded(struct told *const *order, size_t i, size_t n)
{
	size_t j, end = n - i > LOOK_AHEAD ? i + LOOK_AHEAD : n;

	if (order[i]->kind != TOLD_NOTE)
		return false;
	for (j = i + 1; j < end; j++) {
		if (says_all(order[i], order[j]))
			return true;
	}
	return false;
}

static void write_time(int64_t time_ns, FILE *out)
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
	fprintf(out, "%s.%03d", text, (int)(time_ns / 1000000 % 1000));
}

static void write_what(const struct told *told, FILE *out)
{
	char text[NOTE_TEXT_MAX];

	switch (told->kind) {
	case TOLD_NOTE:
		if (told->note.token)
			fprintf(out, " token 0x%08x", told->note.token);
		fprintf(out, ": %s", note_text(&told->note, text));
		break;
	case TOLD_MISSED:
		fprintf(out, ": %" PRIu64 " events missed", told->missed);
		break;
	case TOLD_BEGUN:
		fputs(": path manager found", out);
		break;
	case TOLD_ENDED:
		fputs(": path manager ended", out);
		break;
	case TOLD_FAILED:
		fprintf(out, ": manager %s cannot be followed: %s", told->name,
			told->why);
		break;
	}
}

static void write_line(const struct events *e, const struct told *told, FILE *out)
{
	bool colour = e->o->colour;

	fputs(paint(colour, PAINT_LABEL), out);
	write_time(told->time_ns, out);
	fputs(unpaint(colour), out);
	fprintf(out, " %s[", told->program[0] ? told->program : "?");
	if (told->pid)
		fprintf(out, "%d", told->pid);
	else
		fputc('-', out);
	fputc(']', out);
	write_what(told, out);
	fputc('\n', out);
}

static int flush(struct events *e)
{
	bool json = e->o->format == FORMAT_JSON;
	struct told **order;
	char *text = NULL;
	size_t i, size;
	FILE *out;
	int r;

	order = calloc(e->n_held + 1, sizeof(struct told *));
	out = order ? open_memstream(&text, &size) : NULL;
	if (!out) {
		free(order);
		return -ENOMEM;
	}
	date_back(e);
	for (i = 0; i < e->n_held; i++)
		order[i] = &e->held[i];
	qsort(order, e->n_held, sizeof(struct told *), by_time);
	for (i = 0; i < e->n_held; i++) {
		if (json)
			told_json(order[i], out);
		else if (!is_superseded(order, i, e->n_held))
			write_line(e, order[i], out);
	}
	r = fclose(out) == 0 ? emit(text, size) : -ENOMEM;
	free(text);
	free(order);
	e->n_held = 0;
	return r;
}

/* Return: 0; 1 if something tells us to end; -errno. */
static int wait_for_more(struct events *e, int sigfd)
{
	struct pollfd fds[3] = {
		{ .fd = sigfd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: the pipe has no reader */
		{ .fd = follow_fd(&e->follow), .events = POLLIN },
	};
	int timeout = follow_timeout(&e->follow);

	if (e->n_held && timeout > HOLD_MS)
		timeout = HOLD_MS;
	if (poll(fds, 3, timeout) < 0 && errno != EINTR)
		return -errno;
	if (fds[1].revents & (POLLERR | POLLHUP))
		return -EPIPE;
	return fds[0].revents ? 1 : 0;
}

static int run_events(struct events *e, int sigfd)
{
	int r, told;

	do {
		r = follow_serve(&e->follow);
		if (r < 0)
			return r;
		told = wait_for_more(e, sigfd);
		if (e->n_held && (told || e->n_held >= HELD_MAX ||
				  clock_ms() - e->held_since_ms >= HOLD_MS))
			r = flush(e);
	} while (r == 0 && told == 0);
	return r < 0 ? r : told < 0 ? told : 0;
}

int events_main(const struct options *o)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	struct events e = { .o = o };
	int r, sigfd;

	/* A reader that has gone is an error of write(), and a quiet end. */
	signal(SIGPIPE, SIG_IGN);
	sigfd = sigs_open(signals, NULL);
	r = sigfd < 0 ? sigfd : follow_open(&e.follow, SCAN_MS, wanted_manager, hold, &e);
	if (r == 0) {
		r = run_events(&e, sigfd);
		follow_close(&e.follow);
	}
	free(e.held);
	free(e.tokens);
	close(sigfd);
	return emit_status(r);
}
