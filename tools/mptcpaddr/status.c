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

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Whether @a and @b are in one row. */
static bool is_same_row(const struct connection *a, const struct connection *b)
{
	return a->pid == b->pid && a->manager == b->manager &&
	       a->manager_index == b->manager_index && !strcmp(a->program, b->program);
}

static void row_add(const struct status *status, struct status_row *row,
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

/* Its program has closed it, or ended. */
static bool is_closed(const struct connection *conn)
{
	return !conn->pid && !conn->inode && conn->state != TCP_ESTABLISHED;
}

/* Programs without a connection now follow, and those that do not answer. */
static void find_rows(struct status *status)
{
	const struct snapshot *snap = &status->snap;
	const struct connection *conn, *end = snap->connections + snap->n_connections;
	const struct manager *manager;
	struct status_row *row;

	for (conn = snap->connections; conn < end;) {
		if (is_closed(conn)) {
			conn++;
			continue;
		}
		row = array_add(status, rows);
		row->first = conn;
		row->manager = connection_manager(snap, conn);
		while (conn < end && is_same_row(conn, row->first))
			row_add(status, row, conn++);
	}
	for_each_in (manager, snap, managers)
		if (!is_shown(snap, manager))
			array_add(status, rows)->manager = manager;
}

/* "curl: 10.0.2.1 announced (id 1) -> join failed: ..." */
static void write_note(const struct status_note *noted,
		       char text[static STATUS_PROBLEM_MAX])
{
	const bool pool = noted->note.what == PM_NOTE_POOL;
	const bool its = pool || noted->note.token;
	char what[NOTE_TEXT_MAX];

	note_text(&noted->note, what);
	str_clean(what, strlen(what));
	/* All programs have an endpoint that is down. */
	snprintf(text, STATUS_PROBLEM_MAX, "%s%s%s%s", its ? noted->program : "",
		 its ? ": " : "", what, pool ? "; type: mptcpaddr check" : "");
}

/* The last ones, each once */
static void find_problems(struct status *status)
{
	struct status_problem *problem = status->problems;
	size_t i = status->n_notes, k;

	while (i-- && status->n_problems < STATUS_PROBLEMS_MAX) {
		if (!status_is_problem(&status->notes[i].note))
			continue;
		write_note(&status->notes[i], problem->text);
		problem->time_ns = status->notes[i].note.time_ns;
		for (k = 0; strcmp(status->problems[k].text, problem->text) != 0;)
			k++;
		if (k < status->n_problems)
			continue;
		status->n_problems++;
		problem++;
	}
}

static bool any_is_usable(const struct status *status)
{
	const struct status_uplink *up = status->uplinks;
	unsigned int i;

	for (i = 0; i < status->n_uplinks; i++, up++)
		if (up->up && up->addrs && up->routed)
			return true;
	return false;
}

static bool any_fails(const struct status *status)
{
	unsigned int i;

	for (i = 0; i < status->n_uplinks; i++)
		if (status->uplinks[i].fails)
			return true;
	return false;
}

/* The one command that helps most */
static void find_next(struct status *status)
{
	const struct connection *conn, *probed = NULL;
	struct status_next *next = &status->next;
	const char *command = "mptcpinfo --watch";
	char to[ADDR_TEXT_MAX];

	*next = (struct status_next){ .advice = "",
				      .comment = "the paths and their rates, live" };
	for_each_in (conn, &status->snap, connections)
		if (conn->fallback)
			probed = conn;
	if (status->files.findings.problems) {
		next->advice = "fix the problems above, then type: ";
		next->comment = "";
		command = "mptcpaddr doctor";
	} else if (!status->files.on) {
		next->comment = "write a pool file with these uplinks";
		command = "mptcpaddr init";
	} else if (!status->n_rows && !any_is_usable(status)) {
		next->comment = "no uplink is up and has a default route";
		command = "ip route";
	} else if (!status->n_rows) {
		next->comment = "or: mptcpaddr probe HOST";
		command = "mptcpaddr run PROGRAM";
	} else if (probed) {
		next->comment = "does that server speak MPTCP?";
	} else if (any_fails(status)) {
		probed = status->snap.connections;
		next->comment = "which uplinks reach the server?";
	}
	if (probed && !strcmp(command, "mptcpinfo --watch"))
		snprintf(next->command, sizeof(next->command), "mptcpaddr probe %s",
			 remote_text(&probed->path, to));
	else
		snprintf(next->command, sizeof(next->command), "%s", command);
}

int cmd_status(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct status status = { .files.findings.by = FOUND_BY_DOCTOR };
	const struct filter filter = { 0 };
	bool any_pool;
	int c;

	while ((c = command_option(argc, argv, ":j", options)) != -1)
		if (c == '?')
			return EXIT_USAGE;
		else
			status.files.findings.json = true;
	if (optind < argc)
		return print_usage_error("status", "unexpected argument %s",
					 argv[optind]);
	if (status.files.findings.json)
		fputs("{\"findings\":[", stdout);
	status.error = -collect_snapshot(&filter, &status.snap);
	read_notes(&status);
	status.backend = find_backend();
	status.broker = find_broker();
	any_pool = check_pools(&status.files);
	if (!status.files.findings.json)
		status_print_head(&status, any_pool);
	check_machine(&status.files.findings, NULL);
	rtnl_read_table(&status.files.machine);
	status_read_uplinks(&status);
	find_rows(&status);
	find_problems(&status);
	find_next(&status);
	if (status.files.findings.json)
		status_print_json(&status);
	else
		status_print_text(&status);
	rtnl_free_table(&status.files.machine);
	free(status.files.bad_lines);
	free(status.notes);
	free(status.rows);
	snapshot_free(&status.snap);
	return status.error || fflush(stdout) || ferror(stdout);
}
