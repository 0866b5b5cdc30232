// SPDX-License-Identifier: MIT
/*
 * status.c - mptcpaddr status: one screen about this network namespace
 *
 * Who manages paths, the uplinks, the programs, what went wrong last, and what to type
 * next. The connections are those of mptcpinfo, the problems those of doctor.
 */
#include "status.h"

#include "shim/common/str.h"
#include "tools/common/ctl.h"
#include "tools/mptcpinfo/print/print.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROGRAMS_MAX 8 /* rows; the others are counted */
#define PROBLEMS_MAX 5
#define PROBLEM_MAX  (NOTE_TEXT_MAX + PROGRAM_MAX + 32)

bool status_is_problem(const struct pm_note *note)
{
	switch (note->what) {
	case PM_NOTE_JOIN_FAILED:
	case PM_NOTE_UNANSWERED:
	case PM_NOTE_SILENT:
	case PM_NOTE_ENDPOINT_DOWN:
	case PM_NOTE_OVERRUN:
		return true;
	case PM_NOTE_POOL:
		return note->error || note->reason;
	case PM_NOTE_SUBFLOW_CLOSED:
		return note->error;
	}
	return false;
}

static int compare_notes(const void *a, const void *b)
{
	const int64_t x = ((const struct status_note *)a)->note.time_ns;
	const int64_t y = ((const struct status_note *)b)->note.time_ns;

	return (x > y) - (x < y);
}

static void read_notes(struct status *status)
{
	const struct manager *manager;
	struct ctl_budget budget = { .n = 0 };
	struct pm_note *notes;
	struct ctl ctl;
	size_t n, i;

	for_each_in (manager, &status->snap, managers) {
		if (!manager->answered || ctl_open(manager->name, &budget, &ctl) < 0)
			continue;
		if (ctl_read(&ctl, CTL_OP_NOTES, sizeof(*notes), &notes, &n) == 0) {
			for (i = 0; i < n; i++)
				*array_add(status, notes) =
					(struct status_note){ notes[i],
							      manager->program };
			free(notes);
		} else {
			ctl_charge(&budget, &ctl);
		}
		ctl_close(&ctl);
	}
	if (status->n_notes)
		qsort(status->notes, status->n_notes, sizeof(*status->notes),
		      compare_notes);
}

static void print_head(struct status *status, bool any_pool)
{
	const bool broker = find_broker();

	if (!strcmp(status->backend, "broker"))
		puts("paths     managed by the broker, mptcpaddrd");
	else if (!strcmp(status->backend, "direct"))
		puts("paths     managed by each program itself (CAP_NET_ADMIN)");
	else
		puts("paths     not managed by mptcpaddr: pools have no effect");
	printf("broker    %s\n", broker ? "running" : "not running");
	if (status->files.on || !any_pool)
		printf("pools     %u file%s%s\n", status->files.on,
		       PLURAL(status->files.on),
		       any_pool ? "" : ": programs have MPTCP without a pool");
	else
		puts("pools     none in force");
}

/* Whether @a and @b are in one row. */
static bool is_same_row(const struct connection *a, const struct connection *b)
{
	return a->pid == b->pid && a->manager == b->manager &&
	       a->manager_index == b->manager_index && !strcmp(a->program, b->program);
}

struct row {
	const struct connection *first;
	unsigned int connections, paths, plain;
	char why[EXPLAIN_MAX];
};

static void row_add(const struct status *status, struct row *row,
		    const struct connection *conn)
{
	const struct subflow *sf;

	row->connections++;
	row->plain += conn->fallback;
	for_each_in (sf, conn, subflows)
		row->paths += sf->state == TCP_ESTABLISHED;
	if (!row->why[0])
		explain_connection(&status->snap, conn, row->why);
}

static void print_program(const char *name, pid_t pid, const char *manager)
{
	char text[PROGRAM_MAX + 48];

	snprintf(text, sizeof(text), pid ? "%s[%d]" : "%s", *name ? name : "?", pid);
	printf("  %-24s %-8s ", text, *manager ? manager : "?");
}

/* The broker serves all programs of a name and user, with one pool. */
static void print_manager(const struct manager *manager)
{
	char name[PROGRAM_MAX + 32];

	snprintf(name, sizeof(name), "%s of user %u", manager->program,
		 manager->info.uid);
	print_program(manager_is_broker(manager) ? name : manager->program,
		      manager_is_broker(manager) ? 0 : manager->pid,
		      manager->answered ? manager->info.backend : "");
}

static void print_row(const struct status *status, const struct row *row)
{
	const struct connection *conn = row->first;
	const struct manager *manager = connection_manager(&status->snap, conn);

	print_program(conn->program, conn->pid, manager_text(&status->snap, conn));
	printf("%u connection%s, %u path%s", row->connections, PLURAL(row->connections),
	       row->paths, PLURAL(row->paths));
	if (row->plain)
		printf(", %u plain TCP", row->plain);
	printf("%s%s\n", manager && manager->info.pool_file[0] ? "  " : "",
	       manager ? manager->info.pool_file : "");
	if (row->why[0])
		printf("    why: %s\n", row->why);
}

/* Whether it has a row already, or is the broker itself */
static bool is_shown(const struct snapshot *snap, const struct manager *manager)
{
	const struct connection *conn;

	for_each_in (conn, snap, connections)
		if (manager->pid && conn->pid == manager->pid)
			return true;
	if (!manager->answered)
		return !manager->pid;
	return manager->info.connections ||
	       (manager_is_broker(manager) && !manager->info.pool_file[0]);
}

/* Programs without a connection now, and those that do not answer */
static unsigned int print_idle(const struct status *status, unsigned int rows)
{
	const struct manager *manager;

	for_each_in (manager, &status->snap, managers) {
		if (is_shown(&status->snap, manager))
			continue;
		if (++rows > PROGRAMS_MAX)
			continue;
		print_manager(manager);
		printf("%s%s%s\n",
		       manager->answered ? "no connection" : "does not answer",
		       manager->info.pool_file[0] ? "  " : "", manager->info.pool_file);
	}
	return rows;
}

static void print_programs(const struct status *status)
{
	const struct snapshot *snap = &status->snap;
	const struct connection *conn, *end = snap->connections + snap->n_connections;
	unsigned int rows = 0;
	struct row row;

	printf("\n  %-24s %-8s %s\n", "PROGRAM", "MANAGER", "CONNECTIONS");
	for (conn = snap->connections; conn < end;) {
		row = (struct row){ .first = conn };
		while (conn < end && is_same_row(conn, row.first))
			row_add(status, &row, conn++);
		if (++rows <= PROGRAMS_MAX)
			print_row(status, &row);
	}
	rows = print_idle(status, rows);
	if (!rows)
		puts("  none: no program has an MPTCP connection");
	else if (rows > PROGRAMS_MAX)
		printf("  and %u more: type mptcpinfo\n", rows - PROGRAMS_MAX);
}

/* "curl: 10.0.2.1 announced (id 1) -> join failed: ..." */
static void write_note(const struct status_note *noted, char text[static PROBLEM_MAX])
{
	const bool pool = noted->note.what == PM_NOTE_POOL;
	const bool its = pool || noted->note.token;
	char what[NOTE_TEXT_MAX];

	note_text(&noted->note, what);
	str_clean(what, strlen(what));
	/* All programs have an endpoint that is down. */
	snprintf(text, PROBLEM_MAX, "%s%s%s%s", its ? noted->program : "",
		 its ? ": " : "", what, pool ? "; type: mptcpaddr check" : "");
}

static void print_notes(const struct status *status)
{
	char text[PROBLEMS_MAX][PROBLEM_MAX], at[32];
	int64_t times[PROBLEMS_MAX];
	size_t i, n = 0, k;
	time_t seconds;
	struct tm tm;

	for (i = status->n_notes; i-- && n < PROBLEMS_MAX;) {
		if (!status_is_problem(&status->notes[i].note))
			continue;
		write_note(&status->notes[i], text[n]);
		times[n] = status->notes[i].note.time_ns;
		for (k = 0; strcmp(text[k], text[n]) != 0;)
			k++;
		n += k == n;
	}
	if (n)
		puts("\n  LAST PROBLEMS");
	while (n--) {
		seconds = times[n] / 1000000000;
		strftime(at, sizeof(at), "%T", localtime_r(&seconds, &tm));
		printf("  %s  %s\n", at, text[n]);
	}
}

/* The one command that helps most */
static void print_next(const struct status *status)
{
	const struct connection *conn, *plain = NULL;
	char to[ADDR_TEXT_MAX];

	for_each_in (conn, &status->snap, connections)
		if (conn->fallback)
			plain = conn;
	if (status->files.findings.problems)
		puts("\nnext: fix the problems above, then type: mptcpaddr doctor");
	else if (!status->files.on)
		puts("\nnext: mptcpaddr init    # write a pool file with these uplinks");
	else if (!status->snap.n_connections)
		puts("\nnext: mptcpaddr run PROGRAM    # or: mptcpaddr probe HOST");
	else if (plain)
		printf("\nnext: mptcpaddr probe %s    # does that server speak MPTCP?\n",
		       remote_text(&plain->path, to));
	else if (status->path_fails)
		printf("\nnext: mptcpaddr probe %s    # which uplinks reach the "
		       "server?\n",
		       remote_text(&status->snap.connections->path, to));
	else
		puts("\nnext: mptcpinfo --watch    # the paths and their rates, live");
}

int cmd_status(int argc, char *argv[])
{
	static const struct option options[] = { { 0 } };
	struct status status = { .files.findings.by = FOUND_BY_DOCTOR };
	const struct filter filter = { 0 };
	bool any_pool;
	size_t i;
	int r;

	if (command_option(argc, argv, ":", options) != -1)
		return EXIT_USAGE;
	if (optind < argc)
		return print_usage_error("status", "unexpected argument %s",
					 argv[optind]);
	r = collect_snapshot(&filter, &status.snap);
	read_notes(&status);
	status.backend = find_backend();
	any_pool = check_pools(&status.files);
	print_head(&status, any_pool);
	check_machine(&status.files.findings, NULL);
	rtnl_read_table(&status.files.machine);
	status_print_uplinks(&status);
	print_programs(&status);
	print_notes(&status);
	for (i = 0; i < status.snap.n_notes; i++)
		printf("\nnote: %s\n", status.snap.notes[i]);
	if (r < 0)
		printf("\ncannot list the connections: %s\n", strerror(-r));
	print_next(&status);
	rtnl_free_table(&status.files.machine);
	free(status.notes);
	snapshot_free(&status.snap);
	return r < 0 || fflush(stdout) || ferror(stdout);
}
