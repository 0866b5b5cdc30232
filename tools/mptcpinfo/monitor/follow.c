// SPDX-License-Identifier: MIT
/*
 * follow.c - the events of all managers of this namespace, as they happen
 *
 * Each manager numbers its notes without gaps and keeps the last ones, so missed notes
 * can be counted. The list of control sockets is read again and again: managers come and
 * go with their programs.
 */
#include "monitor.h"
#include "shim/common/clock.h"
#include "tools/common/ctl.h"
#include "tools/mptcpinfo/collect/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#define ANSWERS_AT_ONCE 16 /* of one manager, before the others have their turn */
#define EVENTS_AT_ONCE	64
#define SCAN_SHARE	20 /* one part of the time goes into searching for managers */

struct follower {
	struct manager manager; /* name, and after ctl_open() its identity */
	struct ctl ctl;		/* open while being followed */
	uint64_t seq;		/* of the last note */
	bool listed;		/* in the last scan */
	bool ignored;		/* not wanted, or failed: not asked again */
	struct follower *prev, *next;
};

static int follow_report(struct follow *f, const struct follower *fw, struct event event)
{
	memcpy(event.name, fw->manager.name, sizeof(event.name));
	event.pid = fw->manager.pid;
	memcpy(event.program, fw->manager.program, sizeof(event.program));
	if (!event.time_ns)
		event.time_ns = clock_real_ns();
	return f->on_event(f->ctx, &event);
}

static int follower_fail(struct follow *f, struct follower *fw, int error)
{
	struct event event = { .kind = EVENT_FAILED };

	fw->ignored = true;
	manager_error_text(&fw->ctl, error, event.why);
	ctl_close(&fw->ctl);
	return follow_report(f, fw, event);
}

/* Return: 0; -errno: it is not followed, which is reported unless fw->ignored is set. */
static int follower_ask(struct follow *f, struct follower *fw, struct ctl_budget *budget)
{
	struct manager *manager = &fw->manager;
	unsigned int failed = 0;
	int r = manager_ask(manager, &fw->ctl);

	if (r == 0 && !manager_holds(manager))
		manager->pid = 0;
	else if (r == 0 && !manager->pid)
		manager->pid = manager->info.pid;
	if (r < 0 && budget)
		failed = ctl_charge(budget, &fw->ctl)->failed;
	fw->ignored = (failed > 1 && fw->ctl.uid != geteuid()) ||
		      !f->wanted(f->ctx, manager->pid, manager->program);
	return r;
}

/* @budget NULL: again. Return: 0, even if it cannot be followed; on_event()'s error. */
static int follower_open(struct follow *f, struct follower *fw, struct ctl_budget *budget)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = fw };
	struct manager *manager = &fw->manager;
	int r;

	r = ctl_open(manager->name, budget, &fw->ctl);
	/* It has just ended, or does not listen yet; or its user has had his time. */
	if (r == -ECONNREFUSED || r == -EUSERS)
		return 0;
	if (r == -EPERM)
		fw->ignored = true;
	r = r ?: follower_ask(f, fw, budget);
	if (fw->ignored) {
		ctl_close(&fw->ctl);
		return 0;
	}
	if (r < 0)
		return follower_fail(f, fw, r);
	/* Another manager of the same name starts at 1. */
	if (manager->info.notes < fw->seq)
		fw->seq = 0;
	r = ctl_send(&fw->ctl, CTL_OP_FOLLOW, fw->seq);
	if (r == 0 && epoll_ctl(f->epoll, EPOLL_CTL_ADD, fw->ctl.fd, &event) < 0)
		r = -errno;
	if (r < 0)
		return follower_fail(f, fw, r);
	return !budget ? 0 : follow_report(f, fw, (struct event){ .kind = EVENT_FOUND });
}

static int follow_name(struct follow *f, const char *name, struct ctl_budget *budget)
{
	struct follower *fw;

	DL_FOREACH (f->followers, fw) {
		if (strcmp(fw->manager.name, name) == 0)
			break;
	}
	if (!fw) {
		fw = array_alloc(1, sizeof(*fw));
		strcpy(fw->manager.name, name);
		fw->ctl.fd = -1;
		DL_APPEND(f->followers, fw);
	}
	fw->listed = true;
	return fw->ctl.fd >= 0 || fw->ignored ? 0 : follower_open(f, fw, budget);
}

static int follow_scan(struct follow *f)
{
	char(*names)[NAME_TEXT_MAX] = NULL;
	struct ctl_budget budget = { .n = 0 };
	struct follower *fw, *next;
	int64_t began = clock_ms();
	size_t i, n = 0;
	int r;

	r = ctl_find_names(&names, &n);
	if (r == -E2BIG)
		r = 0;
	for (i = 0; i < n && r == 0; i++)
		r = follow_name(f, names[i], &budget);
	free(names);
	f->next_scan_ms = clock_ms() + f->scan_ms + SCAN_SHARE * (clock_ms() - began);
	/* An open one has not hung up yet, so it may still send. */
	DL_FOREACH_SAFE (f->followers, fw, next) {
		if (!fw->listed && fw->ctl.fd < 0 && r == 0) {
			DL_DELETE(f->followers, fw);
			free(fw);
		} else {
			fw->listed = false;
		}
	}
	return r;
}

/* The manager has ended, or it dropped a reader that was too slow. */
static int follower_reopen(struct follow *f, struct follower *fw)
{
	int r;

	ctl_close(&fw->ctl);
	r = follower_open(f, fw, NULL);
	if (r == 0 && fw->ctl.fd < 0) {
		r = follow_report(f, fw, (struct event){ .kind = EVENT_ENDED });
		fw->seq = 0;
		f->next_scan_ms = clock_ms(); /* it may have a successor */
	}
	return r;
}

static int follower_read_note(struct follow *f, struct follower *fw, uint32_t i)
{
	struct event event = { .kind = EVENT_NOTE }, missed = { .kind = EVENT_MISSED };
	int r = 0;

	ctl_record(&fw->ctl, i, &event.note, sizeof(event.note));
	event.time_ns = missed.time_ns = event.note.time_ns;
	missed.missed = event.note.seq - fw->seq - 1;
	if (event.note.seq > fw->seq + 1)
		r = follow_report(f, fw, missed);
	fw->seq = event.note.seq;
	return r < 0 ? r : follow_report(f, fw, event);
}

static int follower_read(struct follow *f, struct follower *fw)
{
	uint32_t i, count;
	int n, r = 0;

	for (n = 0; n < ANSWERS_AT_ONCE && r == 0; n++) {
		r = ctl_receive(&fw->ctl, CTL_OP_FOLLOW, sizeof(struct pm_note), 1);
		if (r == -ETIMEDOUT)
			return 0;
		if (r == -ECONNRESET)
			return follower_reopen(f, fw);
		if (r < 0)
			return follower_fail(f, fw, r);
		count = ctl_answer(&fw->ctl)->count;
		for (i = 0; i < count && r == 0; i++)
			r = follower_read_note(f, fw, i);
	}
	return r;
}

int follow_open(struct follow *f)
{
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	return f->epoll < 0 ? -errno : 0;
}

int follow_poll(struct follow *f, struct pollfd *fds, nfds_t n, int64_t until_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int i, ready, r = 0;

	if (until_ms > f->next_scan_ms)
		until_ms = f->next_scan_ms;
	fds[0] = (struct pollfd){ .fd = f->epoll, .events = POLLIN };
	if (poll(fds, n, clock_left_ms(until_ms)) < 0 && errno != EINTR)
		return -errno;
	if (!clock_left_ms(f->next_scan_ms))
		r = follow_scan(f);
	ready = r < 0 ? 0 : epoll_wait(f->epoll, events, EVENTS_AT_ONCE, 0);
	for (i = 0; i < ready && r == 0; i++)
		r = follower_read(f, events[i].data.ptr);
	return r;
}

void follow_close(struct follow *f)
{
	struct follower *fw, *next;

	DL_FOREACH_SAFE (f->followers, fw, next) {
		ctl_close(&fw->ctl);
		free(fw);
	}
	close(f->epoll);
}
