// SPDX-License-Identifier: MIT
/*
 * follow.c - what all managers of this namespace tell as it happens
 *
 * Each manager numbers its notes without gaps and keeps the last ones, so what is
 * missing after a pause is known. The names of control sockets are looked for again and
 * again: managers come and go with their programs.
 */
#include "follow.h"

#include "shim/common/clock.h"
#include "tools/mptcpinfo/collect/managers.h"
#include "tools/mptcpinfo/print/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define FIRST_ANSWER_MS 300
#define ANSWERS_AT_ONCE 16 /* of one manager, before the others have their turn */
#define EVENTS_AT_ONCE	64
#define SCAN_SHARE	20 /* of the time, one part may go into looking for managers */

struct follower {
	char name[80];
	struct ctl ctl;
	pid_t pid;
	char program[PROGRAM_MAX];
	uint64_t seq;  /* of the last note */
	bool listed;   /* in the last scan */
	bool open;     /* it is being followed */
	bool left_out; /* not wanted, or not to be had: not asked again */
};

static int64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int tell(struct follow *f, const struct follower *fw, struct told *told)
{
	memcpy(told->name, fw->name, sizeof(told->name));
	told->pid = fw->pid;
	told->uid = fw->ctl.uid;
	memcpy(told->program, fw->program, sizeof(told->program));
	if (!told->time_ns)
		told->time_ns = real_ns();
	return f->told(f->ctx, told);
}

static int tell_kind(struct follow *f, const struct follower *fw, enum told_kind kind)
{
	return tell(f, fw, &(struct told){ .kind = kind });
}

static int tell_failure(struct follow *f, const struct follower *fw, int error)
{
	struct told told = { .kind = TOLD_FAILED };

	if (error == -EPROTO)
		snprintf(told.why, sizeof(told.why), "it speaks version %u, not %u",
			 fw->ctl.version, CTL_VERSION);
	else
		snprintf(told.why, sizeof(told.why), "%s",
			 error == -ETIMEDOUT ? "it does not answer"
			 : error == -EAGAIN  ? "it takes nobody in"
			 : error == -ECONNRESET
				 ? "it hung up: it answers only its own user and root"
			 : error == -EBADMSG ? "its answer makes no sense"
					     : strerror(-error));
	return tell(f, fw, &told);
}

/*
 * The kernel says who it is; what it calls itself counts only where /proc is silent. The
 * broker speaks for a program that it names, whose processes it does not tell apart.
 */
static void identify(struct follower *fw, const struct ctl_manager *info)
{
	char path[64], comm[32] = "";

	if (info && manager_is_broker(fw->ctl.uid, info)) {
		fw->pid = 0;
		text_clean(fw->program, sizeof(fw->program), info->program,
			   sizeof(info->program));
		return;
	}
	fw->pid = fw->ctl.pid ? fw->ctl.pid : info ? (pid_t)info->pid : 0;
	snprintf(path, sizeof(path), "/proc/%d/comm", fw->ctl.pid);
	if (fw->ctl.pid && read_line(path, comm, sizeof(comm)) == 0)
		text_clean(fw->program, sizeof(fw->program), comm, sizeof(comm));
	else if (info)
		text_clean(fw->program, sizeof(fw->program), info->program,
			   sizeof(info->program));
}

static int ask_who(struct follower *fw, struct ctl_manager *ret_info)
{
	int r;

	r = ctl_send(&fw->ctl, CTL_OP_MANAGER, 0);
	if (r == 0)
		r = ctl_receive(&fw->ctl, CTL_OP_MANAGER, sizeof(*ret_info),
				FIRST_ANSWER_MS);
	if (r == 0 && ctl_answer(&fw->ctl)->count != 1)
		r = -EBADMSG;
	if (r == 0)
		ctl_record(&fw->ctl, 0, ret_info, sizeof(*ret_info));
	return r;
}

static void hang_up(struct follower *fw)
{
	ctl_close(&fw->ctl);
	fw->open = false;
}

/* Return: 0, whether it came to something or not; told()'s error. */
static int begin(struct follow *f, struct follower *fw, bool again)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct ctl_manager info;
	int r;

	r = ctl_open(fw->name, &fw->ctl);
	if (r < 0) {
		/* Nobody there: it has just ended, or just begun and does not listen. */
		fw->left_out = r != -ECONNREFUSED;
		return r == -ECONNREFUSED ? 0 : tell_failure(f, fw, r);
	}
	r = ask_who(fw, &info);
	identify(fw, r == 0 ? &info : NULL);
	if (f->wanted && !f->wanted(f->ctx, fw->pid, fw->program)) {
		fw->left_out = true;
		hang_up(fw);
		return 0;
	}
	/* A namesake that took the place of the one that was followed begins at 1. */
	if (r == 0 && info.notes < fw->seq)
		fw->seq = 0;
	if (r == 0)
		r = ctl_send(&fw->ctl, CTL_OP_FOLLOW, fw->seq);
	event.data.u64 = fw - f->followers;
	if (r == 0 && epoll_ctl(f->epoll, EPOLL_CTL_ADD, fw->ctl.fd, &event) < 0)
		r = -errno;
	if (r < 0) {
		fw->left_out = true;
		r = tell_failure(f, fw, r);
		hang_up(fw);
		return r;
	}
	fw->open = true;
	return again ? 0 : tell_kind(f, fw, TOLD_BEGUN);
}

static struct follower *find(struct follow *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->followers[i].name, name) == 0)
			return &f->followers[i];
	}
	return NULL;
}

/* The positions of those that stay change: epoll has them as its data. */
static void forget(struct follow *f, struct follower *fw)
{
	struct follower *last = &f->followers[f->n - 1];
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = fw - f->followers };

	if (fw->open)
		hang_up(fw);
	if (fw != last) {
		*fw = *last;
		if (fw->open)
			epoll_ctl(f->epoll, EPOLL_CTL_MOD, fw->ctl.fd, &event);
	}
	f->n--;
}

static int scan_one(struct follow *f, const char *name)
{
	struct follower *fw = find(f, name);

	if (!fw) {
		fw = array_grow(&f->followers, &f->n, sizeof(*fw));
		if (!fw)
			return -ENOMEM;
		snprintf(fw->name, sizeof(fw->name), "%s", name);
		fw->ctl.fd = -1;
	}
	fw->listed = true;
	if (fw->open || fw->left_out)
		return 0;
	return begin(f, fw, false);
}

static int scan(struct follow *f)
{
	struct snapshot names = { 0 };
	int64_t began = clock_ms();
	size_t i;
	int r;

	for (i = 0; i < f->n; i++)
		f->followers[i].listed = false;
	r = managers_find(&names);
	for (i = 0; i < names.n_managers && r == 0; i++)
		r = scan_one(f, names.managers[i].name);
	snapshot_free(&names);
	f->next_scan_ms = clock_ms() + f->scan_ms + SCAN_SHARE * (clock_ms() - began);
	/* One that is open still has something to say, or it would have hung up. */
	for (i = f->n; i-- > 0 && r == 0;) {
		if (!f->followers[i].listed && !f->followers[i].open)
			forget(f, &f->followers[i]);
	}
	return r;
}

/* It ended; or it is there still, and got rid of a reader that was too slow. */
static int lost(struct follow *f, struct follower *fw)
{
	int r;

	hang_up(fw);
	r = begin(f, fw, true);
	if (r == 0 && !fw->open) {
		r = tell_kind(f, fw, TOLD_ENDED);
		fw->seq = 0;
		f->next_scan_ms = clock_ms(); /* perhaps it has a successor */
	}
	return r;
}

static int take_note(struct follow *f, struct follower *fw, uint32_t i)
{
	struct told told = { .kind = TOLD_NOTE };
	int r = 0;

	ctl_record(&fw->ctl, i, &told.note, sizeof(told.note));
	told.time_ns = told.note.time_ns;
	if (told.note.seq > fw->seq + 1) {
		struct told gap = { .kind = TOLD_MISSED,
				    .time_ns = told.note.time_ns,
				    .missed = told.note.seq - fw->seq - 1 };

		r = tell(f, fw, &gap);
	}
	fw->seq = told.note.seq;
	return r < 0 ? r : tell(f, fw, &told);
}

static int take_answers(struct follow *f, struct follower *fw)
{
	uint32_t i, count;
	int n, r;

	for (n = 0; n < ANSWERS_AT_ONCE; n++) {
		r = ctl_receive(&fw->ctl, CTL_OP_FOLLOW, sizeof(struct pm_note), 1);
		if (r == -ETIMEDOUT)
			return 0;
		if (r == -ECONNRESET)
			return lost(f, fw);
		if (r < 0) {
			fw->left_out = true;
			r = tell_failure(f, fw, r);
			hang_up(fw);
			return r;
		}
		count = ctl_answer(&fw->ctl)->count;
		for (i = 0; i < count && r == 0; i++)
			r = take_note(f, fw, i);
		if (r < 0)
			return r;
	}
	return 0;
}

int follow_open(struct follow *f, unsigned int scan_ms, wanted_fn wanted, told_fn told,
		void *ctx)
{
	*f = (struct follow){
		.scan_ms = scan_ms, .wanted = wanted, .told = told, .ctx = ctx
	};
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	return f->epoll < 0 ? -errno : 0;
}

int follow_fd(const struct follow *f)
{
	return f->epoll;
}

int follow_timeout(const struct follow *f)
{
	int64_t now = clock_ms();

	return f->next_scan_ms > now ? (int)(f->next_scan_ms - now) : 0;
}

int follow_serve(struct follow *f)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int i, n, r = 0;

	if (follow_timeout(f) == 0)
		r = scan(f);
	if (r < 0)
		return r;
	n = epoll_wait(f->epoll, events, EVENTS_AT_ONCE, 0);
	for (i = 0; i < n && r == 0; i++)
		r = take_answers(f, &f->followers[events[i].data.u64]);
	return r;
}

void follow_close(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		ctl_close(&f->followers[i].ctl);
	free(f->followers);
	close(f->epoll);
}
