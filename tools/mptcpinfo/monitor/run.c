// SPDX-License-Identifier: MIT
/*
 * run.c - mptcpinfo run: a program's subflows and counters, shown when it has ended
 *
 * A connection's counts go with it, so snapshots are taken while the program runs: often
 * at first, since many programs are short, and never so often that they take more than
 * a small part of the time. Events of the managers and destroyed TCP sockets fill the
 * gaps between two snapshots.
 */
#include "monitor.h"
#include "shim/common/clock.h"
#include "tools/mptcpinfo/collect/collect.h"
#include "tools/mptcpinfo/options.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MIN_MS 2
#define PAUSE_MAX_MS 250
#define PAUSE_SHARE  10	 /* one part of the time goes into snapshots */
#define SCAN_MS	     20	 /* for new managers */
#define LINGER_MS    300 /* after the end, for sockets that are still closing */

struct run {
	const struct options *o;
	struct child child;
	struct follow follow;
	struct closed closed;
	struct history history;
	struct snapshot before; /* the namespace's counters at the start */
	int64_t started_ms;
	int64_t next_ms;
};

static bool run_wants_manager(void *ctx, pid_t pid, const char *program)
{
	return program_has_process(pid);
}

static int64_t process_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/*
 * The pause grows with the running time of the program and with the processor time of
 * this snapshot; elapsed time would also count the load of a busy machine.
 */
static void plan_snapshot(struct run *run, int64_t cpu_used)
{
	int64_t now = clock_ms(), pause = PAUSE_SHARE * cpu_used;

	if (pause < (now - run->started_ms) / PAUSE_SHARE)
		pause = (now - run->started_ms) / PAUSE_SHARE;
	if (pause < PAUSE_MIN_MS)
		pause = PAUSE_MIN_MS;
	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS;
	run->next_ms = now + pause;
}

static void run_snapshot(struct run *run)
{
	struct filter filter = run->o->filter;
	struct snapshot snap = { 0 };
	int64_t began = process_cpu_ms();

	/* The program's processes are wanted, whatever their name. */
	filter.process = NULL;
	run->follow.next_scan_ms = 0; /* a manager ends as soon as its program */
	/* On failure the next snapshot may succeed. */
	if (collect_snapshot(&filter, &snap) == 0)
		history_merge(&run->history, &snap);
	snapshot_free(&snap);
	/* Only now: destroyed sockets must be in the history already. */
	closed_serve(&run->closed);
	plan_snapshot(run, process_cpu_ms() - began);
}

static int run_wait(struct run *run, int64_t until_ms)
{
	struct pollfd fds[3] = {
		{ .fd = run->child.sigfd, .events = POLLIN },
		{ .fd = run->follow.epoll, .events = POLLIN },
		{ .fd = closed_fd(&run->closed), .events = POLLIN },
	};
	int64_t now = clock_ms();
	int timeout = follow_timeout(&run->follow);

	if (until_ms <= now + timeout)
		timeout = until_ms > now ? (int)(until_ms - now) : 0;
	if (poll(fds, 3, timeout) < 0 && errno != EINTR)
		return -errno;
	if (fds[0].revents)
		child_handle_signals(&run->child);
	/* New subflows first, then destroyed ones. */
	follow_serve(&run->follow);
	closed_serve(&run->closed);
	return 0;
}

/* Sockets outlive their program until the peer has closed, too. */
static void run_linger(struct run *run)
{
	int64_t until = clock_ms() + LINGER_MS;

	run_snapshot(run);
	while (run->closed.sk && history_open_paths(&run->history) &&
	       clock_ms() < until) {
		if (run_wait(run, until) < 0)
			return;
		if (clock_ms() >= run->next_ms)
			run_snapshot(run);
	}
}

/* The kernel also counts connections that no snapshot has. */
static void note_missed_connections(struct snapshot *snap)
{
	const struct counter *counter;

	for_each_in (counter, snap, counters) {
		if (strcmp(counter->name, "MPCapableSYNTX") == 0 &&
		    counter->value > snap->n_connections)
			snapshot_note(
				snap,
				"%" PRIu64 " MPTCP connections were opened in this "
				"namespace meanwhile, %zu are shown: the others were too "
				"short, or belong to other programs",
				counter->value, snap->n_connections);
	}
}

/* The kernel counts for the whole namespace: show the changes since the start. */
static void count_namespace_changes(struct run *run)
{
	struct snapshot now = { 0 }, *snap = &run->history.snap;
	size_t i;

	collect_namespace(&now);
	for (i = 0; i < now.n_counters && i < run->before.n_counters; i++) {
		if (strcmp(now.counters[i].name, run->before.counters[i].name) == 0)
			now.counters[i].value -= run->before.counters[i].value;
	}
	free(snap->counters);
	snap->counters = now.counters;
	snap->n_counters = now.n_counters;
	memcpy(snap->path_manager, now.path_manager, sizeof(snap->path_manager));
	now.counters = NULL;
	snapshot_free(&now);
}

static void run_report(struct run *run)
{
	struct snapshot *snap = &run->history.snap;
	struct options o = *run->o;
	int r;

	/* Without a reader the exit status is still the program's. */
	signal(SIGPIPE, SIG_IGN);
	count_namespace_changes(run);
	history_finish(&run->history);
	note_missed_connections(snap);
	if (history_open_paths(&run->history))
		snapshot_note(snap, "%zu paths as they were when last seen",
			      history_open_paths(&run->history));
	o.colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	/* JSON in one line: the program writes to stderr, too. */
	r = write_view(&o, snap, true, stderr);
	if (r == 0 && o.format == FORMAT_TABLE && !o.counters) {
		fputc('\n', stderr);
		write_counters(snap, o.colour, stderr);
	}
	snapshot_report(snap, r);
}

int run_main(const struct options *o, char **argv)
{
	struct run run = {
		.o = o,
		.started_ms = clock_ms(),
		.history = HISTORY_INIT,
		.follow = { .scan_ms = SCAN_MS,
			    .wanted = run_wants_manager,
			    .on_event = history_add_event,
			    .ctx = &run.history },
	};
	int r;

	collect_namespace(&run.before);
	/* On failure, subflows are shown as they were when last seen. */
	closed_open(&run.closed, history_close_path, &run.history);
	r = follow_open(&run.follow);
	if (r < 0) {
		fprintf(stderr, "mptcpinfo: %s\n", strerror(-r));
		return EXIT_FAILED;
	}
	r = child_start(&run.child, argv);
	if (r == 0) {
		while (!run.child.ended && r == 0) {
			if (clock_ms() >= run.next_ms)
				run_snapshot(&run);
			r = run_wait(&run, run.next_ms);
		}
		run_linger(&run);
		run_report(&run);
	}
	follow_close(&run.follow);
	closed_close(&run.closed);
	history_free(&run.history);
	snapshot_free(&run.before);
	return run.child.status;
}
