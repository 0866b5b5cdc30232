// SPDX-License-Identifier: MIT
/*
 * run.c - mptcpinfo run: a program's paths and counters, shown when it has ended
 *
 * A connection's counts go with it, so it is looked at while the program runs: often at
 * first, since many programs are short, and never so often that looking takes more than
 * a small part of the time. What the managers tell and what the kernel says of TCP
 * sockets that go fills the gaps between two looks.
 */
#include "child.h"
#include "follow.h"
#include "keep.h"
#include "shim/common/clock.h"
#include "tools/mptcpinfo/collect/closed.h"
#include "tools/mptcpinfo/collect/collect.h"
#include "tools/mptcpinfo/collect/namespace.h"
#include "tools/mptcpinfo/options.h"
#include "tools/mptcpinfo/print/views.h"
#include "tools/mptcpinfo/print/writers.h"
#include "tree.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_FIRST_MS 2
#define LOOK_MAX_MS   250
#define LOOK_SHARE    10  /* of the time, one part may go into looking */
#define SCAN_MS	      20  /* for new managers */
#define LINGER_MS     300 /* after the end, for what the kernel has to say yet */

struct run {
	const struct options *o;
	struct child child;
	struct follow follow;
	struct closed closed;
	struct tree tree;
	struct keep keep;
	struct counter *before; /* the namespace's counters at the start */
	size_t n_before;
	int64_t started_ms;
	int64_t next_look_ms;
};

static bool in_tree(void *ctx, pid_t pid)
{
	const struct run *run = ctx;

	return tree_has(&run->tree, pid);
}

/* A manager may be of a process that was born since the last look. */
static bool follow_wanted(void *ctx, pid_t pid, const char *program)
{
	struct run *run = ctx;

	if (!in_tree(run, pid))
		tree_update(&run->tree);
	return in_tree(run, pid);
}

static int on_told(void *ctx, const struct told *told)
{
	struct run *run = ctx;

	if (told->kind != TOLD_NOTE)
		return 0;
	return keep_note(&run->keep, told->pid, told->program, &told->note);
}

static void on_closed(void *ctx, const struct subflow *sf)
{
	struct run *run = ctx;

	keep_closed(&run->keep, sf);
}

static int64_t cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/*
 * The next look comes later the longer it all takes, and the more this one took: of the
 * processor, since on a busy machine it is not our doing that it takes longer.
 */
static void plan_look(struct run *run, int64_t cpu_used)
{
	int64_t now = clock_ms(), pause = LOOK_SHARE * cpu_used;

	if (pause < (now - run->started_ms) / LOOK_SHARE)
		pause = (now - run->started_ms) / LOOK_SHARE;
	if (pause < LOOK_FIRST_MS)
		pause = LOOK_FIRST_MS;
	if (pause > LOOK_MAX_MS)
		pause = LOOK_MAX_MS;
	run->next_look_ms = now + pause;
}

static int look(struct run *run)
{
	struct filter filter = run->o->filter;
	struct snapshot snap = { 0 };
	int64_t began = cpu_ms();
	int r;

	filter.process = NULL; /* it is the program's processes that are looked for */
	run->follow.next_scan_ms = 0; /* a manager may be as short-lived as its program */
	tree_update(&run->tree);
	r = collect(&filter, &snap);
	if (r == 0)
		r = keep_merge(&run->keep, &snap, in_tree, run);
	snapshot_free(&snap);
	/* Only now: what is told as closed must be kept already. */
	closed_serve(&run->closed);
	plan_look(run, cpu_ms() - began);
	return r;
}

static int wait_for_more(struct run *run, int64_t until_ms)
{
	struct pollfd fds[3] = {
		{ .fd = run->child.sigfd, .events = POLLIN },
		{ .fd = follow_fd(&run->follow), .events = POLLIN },
		{ .fd = closed_fd(&run->closed), .events = POLLIN },
	};
	int64_t now = clock_ms();
	int timeout = follow_timeout(&run->follow);

	if (until_ms <= now + timeout)
		timeout = until_ms > now ? (int)(until_ms - now) : 0;
	if (poll(fds, 3, timeout) < 0 && errno != EINTR)
		return -errno;
	if (fds[0].revents)
		child_signals(&run->child);
	/* First who came, then who went. */
	follow_serve(&run->follow);
	closed_serve(&run->closed);
	return 0;
}

/* While it runs. What cannot be looked at now may be at the next look. */
static void accompany(struct run *run)
{
	int r = 0;

	while (!run->child.ended && r == 0) {
		if (clock_ms() >= run->next_look_ms)
			look(run);
		r = wait_for_more(run, run->next_look_ms);
	}
}

/* Sockets outlive their program for as long as the peer has not said goodbye. */
static void linger(struct run *run)
{
	int64_t until = clock_ms() + LINGER_MS;

	look(run);
	while (run->closed.sk && keep_open_paths(&run->keep) && clock_ms() < until) {
		if (wait_for_more(run, until) < 0)
			return;
		if (clock_ms() >= run->next_look_ms)
			look(run);
	}
}

static int by_pid_and_token(const void *pa, const void *pb)
{
	const struct connection *a = pa, *b = pb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->token > b->token) - (a->token < b->token);
}

static void close_connections(struct snapshot *snap)
{
	struct connection *conn;
	size_t i, j, open;

	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		for (j = 0, open = 0; j < conn->subflows.n; j++)
			open += snap->subflows[conn->subflows.first + j].state !=
				TCP_CLOSE;
		if (!open)
			conn->state = TCP_CLOSE;
	}
	if (snap->n_connections)
		qsort(snap->connections, snap->n_connections, sizeof(*snap->connections),
		      by_pid_and_token);
}

static uint64_t counter_of(const struct snapshot *snap, const char *name)
{
	size_t i;

	for (i = 0; i < snap->n_counters; i++) {
		if (strcmp(snap->counters[i].name, name) == 0)
			return snap->counters[i].value;
	}
	return 0;
}

/* What nobody could see is still counted by the kernel. */
static void note_missed(struct snapshot *snap)
{
	uint64_t opened = counter_of(snap, "MPCapableSYNTX");

	if (opened > snap->n_connections)
		snapshot_note(snap,
			      "%llu MPTCP connections were opened in this namespace "
			      "meanwhile, %zu are shown: the others were too short to be "
			      "seen, or are other programs'",
			      (unsigned long long)opened, snap->n_connections);
}

/* The kernel's counters are the namespace's: what they have moved by meanwhile. */
static void count_namespace(struct run *run)
{
	struct snapshot now = { 0 }, *snap = &run->keep.snap;
	size_t i;

	namespace_read(&now);
	for (i = 0; i < now.n_counters && i < run->n_before; i++) {
		if (strcmp(now.counters[i].name, run->before[i].name) == 0)
			now.counters[i].value -= run->before[i].value;
	}
	free(snap->counters);
	snap->counters = now.counters;
	snap->n_counters = now.n_counters;
	memcpy(snap->path_manager, now.path_manager, sizeof(snap->path_manager));
	now.counters = NULL;
	snapshot_free(&now);
}

static void report(struct run *run)
{
	struct snapshot *snap = &run->keep.snap;
	struct options o = *run->o;
	int r;

	/* Nobody to read it: the exit status is the program's all the same. */
	signal(SIGPIPE, SIG_IGN);
	count_namespace(run);
	close_connections(snap);
	note_missed(snap);
	if (keep_open_paths(&run->keep))
		snapshot_note(snap, "%zu paths as they were when last seen",
			      keep_open_paths(&run->keep));
	o.watch = true; /* JSON in one line: the program writes to stderr, too */
	o.colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	r = write_view(&o, snap, stderr);
	if (r == 0 && o.format == FORMAT_TABLE && !o.counters) {
		fputc('\n', stderr);
		r = write_counters(snap, o.colour, stderr);
	}
	snapshot_say(snap, r);
}

static int open_all(struct run *run)
{
	struct snapshot snap = { 0 };
	int r;

	namespace_read(&snap);
	run->before = snap.counters;
	run->n_before = snap.n_counters;
	snap.counters = NULL;
	snapshot_free(&snap);
	r = follow_open(&run->follow, SCAN_MS, follow_wanted, on_told, run);
	/* Without it, paths are shown as they were when last seen. */
	closed_open(&run->closed, on_closed, run);
	return r;
}

int run_main(const struct options *o, char **argv)
{
	struct run run = { .o = o, .started_ms = clock_ms() };
	int r;

	r = open_all(&run);
	if (r < 0) {
		fprintf(stderr, "mptcpinfo: %s\n", strerror(-r));
		return EXIT_FAILED;
	}
	r = child_start(&run.child, argv);
	if (r == 0)
		r = tree_start(&run.tree, getpid());
	if (r == 0) {
		accompany(&run);
		linger(&run);
		report(&run);
	}
	follow_close(&run.follow);
	closed_close(&run.closed);
	tree_free(&run.tree);
	keep_free(&run.keep);
	free(run.before);
	return run.child.status;
}
