// SPDX-License-Identifier: MIT
/*
 * run.c - mptcpinfo run: a program's paths and their traffic, shown when it has ended
 *
 * A connection's counts go with it, so snapshots are taken while the program runs: often
 * at first, since many programs are short, and never so often that they take more than
 * a small part of the time. Events of the managers and destroyed TCP sockets fill the
 * gaps between two snapshots.
 */
#include "monitor.h"
#include "result.h"
#include "shim/common/clock.h"
#include "shim/common/str.h"
#include "tools/mptcpinfo/collect/collect.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
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
	int closed; /* closed_open(): if it failed, subflows are shown as last seen */
	/* All connections of the program as they were when last seen, by token */
	struct snapshot seen;
	struct index by_path; /* connections, by their subflows that are not destroyed */
	struct result result;
	FILE *page;
	int64_t started_ms;
	int64_t next_ms;
};

static bool run_wants_manager(void *ctx, pid_t pid, const char *program)
{
	const struct run *run = ctx;

	/* 0: the broker, whose events matter to the page alone */
	return pid ? program_has_process(pid) : run->result.keeps_events;
}

/* Moves the manager's arrays, which are in @from only once. */
static uint32_t merge_manager(struct snapshot *to, struct manager *from)
{
	struct manager *copy;

	for_each_in (copy, to, managers) {
		if (strcmp(copy->name, from->name) == 0 && copy->pid == from->pid)
			break;
	}
	if (copy == to->managers + to->n_managers)
		copy = array_add(to, managers);
	if (from->answered) {
		manager_release(copy);
		*copy = *from;
		from->endpoints = NULL;
		from->sections = NULL;
		from->configured = NULL;
		from->answered = false;
	}
	return copy - to->managers;
}

/* The position of connection @token; a new one has the state 0. */
static size_t seen_token(struct run *run, uint32_t token)
{
	ssize_t pos = index_find(&run->seen.by_token, &token);
	struct connection *conn;

	if (pos >= 0)
		return pos;
	index_add(&run->seen.by_token, &token, run->seen.n_connections);
	conn = array_add(&run->seen, connections);
	conn->token = token;
	return conn - run->seen.connections;
}

/*
 * The subflow of connection @pos with the ends @path, which a later connection may use
 * again; a new one has the state 0.
 */
static struct subflow *seen_path(struct run *run, const struct path *path, size_t pos)
{
	struct connection *conn = &run->seen.connections[pos];

	if (index_find(&run->by_path, path) == (ssize_t)pos)
		return connection_subflow(conn, path);
	index_remove(&run->by_path, path);
	index_add(&run->by_path, path, pos);
	return array_add(conn, subflows);
}

/*
 * The kernel's data is always taken from @from. A closed socket that lingers has no
 * holder any more, and a closing connection no reason to miss paths: then the previous
 * holder and report stay.
 */
static void merge_connection(struct run *run, struct snapshot *fresh,
			     struct connection *from)
{
	struct traffic *traffic = &run->result.traffic;
	size_t pos = seen_token(run, from->token);
	struct subflow *seen;
	struct connection *to = &run->seen.connections[pos], old = *to;
	const struct subflow *sf;

	if (old.pid && (!from->pid || (old.manager == MANAGER_OURS &&
				       (from->manager != MANAGER_OURS ||
					from->state != TCP_ESTABLISHED)))) {
		to->uid = from->uid;
		to->path = from->path;
		to->state = from->state;
		to->fallback = from->fallback;
		to->info = from->info;
		to->info_len = from->info_len;
	} else {
		*to = *from;
		to->subflows = old.subflows;
		to->n_subflows = old.n_subflows;
		free(old.announced);
		from->announced = NULL; /* moved */
		if (to->manager == MANAGER_OURS)
			to->manager_index = merge_manager(
				&run->seen, &fresh->managers[from->manager_index]);
	}
	for_each_in (sf, from, subflows) {
		seen = seen_path(run, &sf->path, pos);
		traffic_add(traffic, seen, sf, fresh->time_us);
		*seen = *sf;
	}
}

/* Add the program's connections, and update known ones, whoever holds them now. */
static void merge_snapshot(struct run *run, struct snapshot *fresh)
{
	struct connection *conn;
	struct manager *manager;
	bool is_ours = false;
	pid_t last = -1;

	for_each_in (manager, fresh, managers) {
		if (manager->answered && program_has_process(manager->pid))
			merge_manager(&run->seen, manager);
	}
	for_each_in (conn, fresh, connections) {
		if (conn->pid != last) /* they are sorted by PID */
			is_ours = program_has_process(conn->pid);
		last = conn->pid;
		if (is_ours || index_find(&run->seen.by_token, &conn->token) >= 0)
			merge_connection(run, fresh, conn);
	}
}

/* A manager may report a subflow that no snapshot shows. */
static int run_event(void *ctx, const struct event *event)
{
	const struct pm_note *note = &event->note;
	const struct path path = { .local = note->local, .remote = note->remote };
	struct run *run = ctx;
	struct connection *conn;
	struct subflow *sf;
	size_t pos;

	result_add_event(&run->result, event);
	if (event->kind != EVENT_NOTE || !event->pid ||
	    (note->what != PM_NOTE_ESTABLISHED && note->what != PM_NOTE_JOINED &&
	     note->what != PM_NOTE_SUBFLOW_FOREIGN) ||
	    !note->local.port || !note->remote.port)
		return 0;
	pos = seen_token(run, note->token);
	conn = &run->seen.connections[pos];
	if (!conn->state) {
		conn->pid = event->pid;
		memcpy(conn->program, event->program, sizeof(conn->program));
		conn->path = path;
		conn->state = TCP_ESTABLISHED;
		conn->manager = MANAGER_UNKNOWN;
	}
	sf = seen_path(run, &path, pos);
	if (!sf->state) /* else the kernel's data is better */
		*sf = (struct subflow){ .path = path,
					.state = TCP_ESTABLISHED,
					.local_id = note->local_id,
					.remote_id = note->remote_id };
	return 0;
}

/* The last counts of a destroyed socket, which has no IDs and flags any more */
static void run_close_path(void *ctx, struct subflow *sf)
{
	struct run *run = ctx;
	ssize_t pos = index_find(&run->by_path, &sf->path);
	struct subflow *to;

	if (pos < 0)
		return;
	to = connection_subflow(&run->seen.connections[pos], &sf->path);
	if (sf->has_tcp) {
		traffic_add(&run->result.traffic, to, sf, clock_us());
		sf->local_id = to->local_id;
		sf->remote_id = to->remote_id;
		sf->has_flags = to->has_flags;
		sf->backup = to->backup;
		*to = *sf;
	}
	to->state = TCP_CLOSE;
	index_remove(&run->by_path, &sf->path);
}

static int64_t process_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static void run_snapshot(struct run *run)
{
	struct filter filter = run->o->filter;
	struct snapshot *seen = &run->seen, snap = { 0 };
	int64_t began = process_cpu_ms(), now, pause;

	/* The program's processes are wanted, whatever their name. */
	filter.process = NULL;
	run->follow.next_scan_ms = 0; /* a manager ends as soon as its program */
	/* On failure the next snapshot may succeed. */
	if (collect_snapshot(&filter, &snap) == 0) {
		merge_snapshot(run, &snap);
		traffic_seen(&run->result.traffic, snap.time_us);
	}
	seen->has_endpoint_maxima = snap.has_endpoint_maxima;
	memcpy(seen->path_manager, snap.path_manager, sizeof(seen->path_manager));
	seen->blackhole = snap.blackhole;
	snapshot_free(&snap);
	/* Only now: destroyed sockets must have been seen already. */
	closed_read(run->closed, run_close_path, run);
	/*
	 * The pause grows with the running time of the program and with the processor
	 * time of this snapshot; elapsed time would also count the load of a busy
	 * machine.
	 */
	now = clock_ms();
	pause = PAUSE_SHARE * (process_cpu_ms() - began);
	if (pause < (now - run->started_ms) / PAUSE_SHARE)
		pause = (now - run->started_ms) / PAUSE_SHARE;
	if (pause < PAUSE_MIN_MS)
		pause = PAUSE_MIN_MS;
	run->next_ms = now + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
}

/* Wait, take a snapshot when it is due. */
static void run_step(struct run *run, int64_t until_ms)
{
	struct pollfd fds[3] = {
		[1] = { .fd = run->child.sigfd, .events = POLLIN },
		[2] = { .fd = run->closed, .events = POLLIN },
	};

	if (clock_ms() >= run->next_ms)
		run_snapshot(run);
	/* New subflows first, then destroyed ones. A later search may succeed. */
	follow_poll(&run->follow, fds, 3,
		    until_ms < run->next_ms ? until_ms : run->next_ms);
	closed_read(run->closed, run_close_path, run);
	if (fds[1].revents)
		child_handle_signals(&run->child);
}

/* The kernel counts for the whole namespace: show the changes since the start. */
static void count_changes(struct snapshot *snap)
{
	struct snapshot now = { 0 };
	struct counter *counter;
	size_t i;

	collect_counters(&now);
	for (i = 0; i < now.n_counters && i < snap->n_counters; i++) {
		counter = &snap->counters[i];
		counter->value = now.counters[i].value - counter->value;
		/* It also counts connections that no snapshot has. */
		if (strcmp(counter->name, "MPCapableSYNTX") == 0 &&
		    counter->value > snap->n_connections)
			snapshot_note(snap,
				      "MPTCP connections opened in this namespace "
				      "meanwhile: %" PRIu64
				      "; shown: %zu; the others were "
				      "too short, or belong to other programs",
				      counter->value, snap->n_connections);
	}
	snapshot_free(&now);
}

/* Marks connections without an open path as closed. Return: the open paths of all. */
static size_t end_connections(struct snapshot *snap)
{
	size_t open, all_open = 0;
	struct connection *conn;
	struct subflow *sf;

	for_each_in (conn, snap, connections) {
		open = 0;
		for_each_in (sf, conn, subflows)
			open += sf->state != TCP_CLOSE;
		if (!open)
			conn->state = TCP_CLOSE;
		all_open += open;
		sort_subflows(conn);
	}
	return all_open;
}

static int write_end(const struct run *run)
{
	const struct options *o = run->o;
	bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");

	/* JSON in one line: the program writes to stderr, too. */
	if (o->json || o->prometheus)
		return write_view(o, &run->seen, true, stderr);
	result_write(&run->result, colour, stderr);
	if (o->wide) {
		fputc('\n', stderr);
		write_table(&run->seen, true, colour, stderr);
	}
	if (o->counters) {
		fputc('\n', stderr);
		write_counters(&run->seen, colour, stderr);
	}
	return 0;
}

/* Opened before the run, so that errors come first; emptied only now. */
static void write_page(struct run *run)
{
	if (!run->page)
		return;
	if (ftruncate(fileno(run->page), 0) < 0 && errno != EINVAL)
		warn("%s", run->o->report);
	report_write(&run->result, run->page);
	if (ferror(run->page) | fclose(run->page))
		warn("%s", run->o->report);
}

static void run_report(struct run *run)
{
	struct snapshot *snap = &run->seen;
	size_t open;

	/* Without a reader the exit status is still the program's. */
	signal(SIGPIPE, SIG_IGN);
	traffic_seen(&run->result.traffic, clock_us());
	snap->time_us = clock_us();
	snap->time_ns = clock_real_ns();
	open = end_connections(snap);
	snapshot_sort(snap);
	count_changes(snap);
	if (open)
		snapshot_note(snap,
			      "the end of %zu path%s was not seen: totals may be low",
			      open, PLURAL(open));
	result_end(&run->result);
	snapshot_report(snap, write_end(run));
	write_page(run);
}

int run_main(const struct options *o, char **argv)
{
	struct run run = {
		.o = o,
		.started_ms = clock_ms(),
		.closed = closed_open(),
		.seen.by_token.key_size = sizeof(uint32_t),
		.by_path.key_size = sizeof(struct path),
		.follow = { .scan_ms = SCAN_MS,
			    .wanted = run_wants_manager,
			    .on_event = run_event,
			    .ctx = &run },
	};
	int64_t until;
	int r;

	if (o->report && !(run.page = fopen(o->report, "ae")))
		err(EXIT_FAILURE, "%s", o->report);
	result_begin(&run.result, argv, &run.seen);
	run.result.keeps_events = o->report;
	r = follow_open(&run.follow);
	if (r < 0) {
		fprintf(stderr, "mptcpinfo: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	collect_counters(&run.seen);
	if (child_start(&run.child, argv) == 0) {
		while (!run.child.ended)
			run_step(&run, INT64_MAX);
		run.result.ended_us = clock_us();
		/* Sockets outlive their program until the peer has closed, too. */
		until = clock_ms() + LINGER_MS;
		run_snapshot(&run);
		while (run.closed >= 0 && run.by_path.head && clock_ms() < until)
			run_step(&run, until);
		run_report(&run);
	}
	follow_close(&run.follow);
	close(run.closed);
	result_free(&run.result);
	snapshot_free(&run.seen);
	index_free(&run.by_path);
	return run.child.status;
}
