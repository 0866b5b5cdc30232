// SPDX-License-Identifier: MIT
/*
 * managers.c - find all managers of this namespace and read their reports
 *
 * Any process in the namespace can bind a name like a manager's. So a manager's identity
 * is what the kernel says (SO_PEERCRED), and its reports count only for connections of
 * its own user, unless it is root's.
 */
#include "collect.h"
#include "shim/common/unix_name.h"
#include "tools/common/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES 3

/* All reports of one manager, not yet checked against its user. */
struct reports {
	struct ctl_endpoint *endpoints, *endpoints_after, *configured;
	struct ctl_section *sections;
	struct pm_conn_report *connections;
	struct pm_announced_report *announced;
	size_t n_endpoints, n_endpoints_after, n_configured;
	size_t n_sections, n_connections, n_announced;
};

static void free_reports(struct reports *reports)
{
	free(reports->endpoints);
	free(reports->endpoints_after);
	free(reports->configured);
	free(reports->sections);
	free(reports->connections);
	free(reports->announced);
	memset(reports, 0, sizeof(*reports));
}

/* The connections' masks refer to the list of endpoints at that moment. */
static bool has_pool_changed(const struct reports *reports)
{
	const struct ctl_endpoint *a, *b = reports->endpoints_after;

	if (reports->n_endpoints != reports->n_endpoints_after)
		return true;
	for_each_in (a, reports, endpoints) {
		if (!mpaddr_equal(&a->addr, &b->addr) || a->local_id != b->local_id ||
		    a->section != b->section)
			return true;
		b++;
	}
	return false;
}

static int read_reports(struct ctl *ctl, struct reports *reports)
{
#define READ(op, list) \
	ctl_read(ctl, op, sizeof(*reports->list), &reports->list, &reports->n_##list)
	int i, r;

	for (i = 0; i < TRIES; i++) {
		free_reports(reports);
		r = READ(CTL_OP_ENDPOINTS, endpoints)
			    ?: READ(CTL_OP_SECTIONS, sections)
			    ?: READ(CTL_OP_CONFIGURED, configured)
			    ?: READ(CTL_OP_CONNECTIONS, connections)
			    ?: READ(CTL_OP_ANNOUNCED, announced)
			    ?: READ(CTL_OP_ENDPOINTS, endpoints_after);
		if (r < 0 || !has_pool_changed(reports))
			return r;
	}
	return -ESTALE;
#undef READ
}

/* The connection @token, if @manager may report on it. */
static struct connection *manager_connection(struct snapshot *snap,
					     const struct manager *manager,
					     uint32_t token)
{
	ssize_t pos = index_find(&snap->by_token, &token);
	struct connection *conn = pos < 0 ? NULL : &snap->connections[pos];

	return conn && (manager->uid == 0 || manager->uid == conn->uid) ? conn : NULL;
}

/* If two managers report on a connection, the last one counts. */
static void add_reports(struct snapshot *snap, struct manager *manager,
			struct reports *reports)
{
	uint32_t index = manager - snap->managers;
	const struct pm_announced_report *announced;
	const struct pm_conn_report *report;
	struct connection *conn;

	manager->answered = true;
	manager->endpoints = reports->endpoints;
	manager->n_endpoints = reports->n_endpoints;
	manager->sections = reports->sections;
	manager->n_sections = reports->n_sections;
	manager->configured = reports->configured;
	manager->n_configured = reports->n_configured;
	reports->endpoints = NULL;
	reports->sections = NULL;
	reports->configured = NULL;
	for_each_in (report, reports, connections) {
		conn = manager_connection(snap, manager, report->token);
		if (!conn)
			continue;
		conn->manager = MANAGER_OURS;
		conn->manager_index = index;
		conn->record = *report;
		conn->n_announced = 0;
		/* If it is not the holder, collect_owners() finds that. */
		conn->pid = manager_holds(manager) ? manager->pid : 0;
		memcpy(conn->program, manager->program, sizeof(conn->program));
	}
	for_each_in (announced, reports, announced) {
		conn = manager_connection(snap, manager, announced->token);
		if (conn && conn->manager == MANAGER_OURS && conn->manager_index == index)
			*(struct pm_announced_report *)array_add(conn, announced) =
				*announced;
	}
}

bool manager_is_broker(const struct manager *manager)
{
	const struct ctl_manager *info = &manager->info;

	return !manager->uid && !strncmp(info->backend, "broker", sizeof(info->backend));
}

bool manager_holds(const struct manager *manager)
{
	return !manager_is_broker(manager) && !manager->stands_in;
}

int manager_ask(struct manager *manager, struct ctl *ctl)
{
	struct ctl_manager *info = &manager->info;
	int r;

	manager->pid = ctl->pid;
	manager->uid = ctl->uid;
	process_program(manager->pid, manager->program);
	manager->stands_in = ctl_is_stand_in(manager->pid);
	r = ctl_ask(ctl, CTL_OP_MANAGER, 0, offsetof(struct ctl_manager, options));
	if (r < 0)
		return r;
	if (ctl_answer(ctl)->count != 1)
		return -EBADMSG;
	info->options[0] = '\0';
	ctl_record(ctl, 0, info,
		   ctl_answer(ctl)->record_size < sizeof(*info)
			   ? offsetof(struct ctl_manager, options)
			   : sizeof(*info));
	text_clean(info->backend, sizeof(info->backend));
	text_clean(info->program, sizeof(info->program));
	text_clean(info->pool_file, sizeof(info->pool_file));
	text_clean(info->pool_error, sizeof(info->pool_error));
	text_clean(info->options, sizeof(info->options));
	if (!manager->program[0] || !manager_holds(manager))
		snprintf(manager->program, sizeof(manager->program), "%s", info->program);
	return 0;
}

const char *manager_error_text(const struct ctl *ctl, int error,
			       char out[static MANAGER_ERROR_MAX])
{
	const char *text = error == -ETIMEDOUT ? "it does not answer"
			   : error == -EAGAIN  ? "its backlog is full"
			   : error == -ECONNRESET
				   ? "it hung up: it answers only its own user and root"
			   : error == -EBADMSG || error == -E2BIG ? "invalid answer"
			   : error == -ESTALE ? "its pool keeps changing"
					      : strerror(-error);

	if (error == -EPROTO && ctl->version)
		snprintf(out, MANAGER_ERROR_MAX,
			 "PID %d speaks version %u of the control protocol, this "
			 "mptcpinfo version %u",
			 ctl->pid, ctl->version, CTL_VERSION);
	else
		snprintf(out, MANAGER_ERROR_MAX, "%s", text);
	return out;
}

static const char *user_text(uid_t uid, char out[static 32])
{
	out[0] = '\0';
	if (uid != geteuid())
		snprintf(out, 32, " of user %d", (int)uid);
	return out;
}

static void collect_manager(struct snapshot *snap, struct manager *manager,
			    struct ctl_budget *budget, unsigned int *foreign)
{
	struct ctl ctl;
	struct reports reports = { 0 };
	char text[MANAGER_ERROR_MAX], user[32];
	int r;

	r = ctl_open(manager->name, budget, &ctl)
		    ?: manager_ask(manager, &ctl)
		    ?: read_reports(&ctl, &reports);
	if (r == 0)
		add_reports(snap, manager, &reports);
	else if (r == -EPERM || (r == -ECONNRESET && ctl.uid != geteuid()))
		*foreign += 1;
	/* -ECONNREFUSED before it is known: it has just ended. */
	else if (r != -EUSERS && (r != -ECONNREFUSED || manager->pid) &&
		 (ctl_charge(budget, &ctl)->failed == 1 || ctl.uid == geteuid()))
		snapshot_note(snap, "manager %s (%s%s): %s", manager->name,
			      manager->program[0] ? manager->program : "unknown program",
			      user_text(ctl.uid, user),
			      manager_error_text(&ctl, r, text));
	free_reports(&reports);
	ctl_close(&ctl);
	if (!manager->pid && r < 0 && ctl.uid != geteuid())
		snap->n_managers--; /* passed over */
}

/* In one line for each user, or for all: one user can have thousands. */
static void note_unanswered(struct snapshot *snap, const struct ctl_budget *budget,
			    unsigned int foreign)
{
	const struct ctl_user *user;
	char of[32];

	if (foreign)
		snapshot_note(snap,
			      "managers of other users, which answer only these and "
			      "root: %u",
			      foreign);
	for (user = budget->users; user < budget->users + budget->n; user++) {
		snprintf(of, sizeof(of),
			 user->uid == UNIX_NAME_UNKNOWN ? "somebody" : "user %u",
			 user->uid);
		if (user->failed > 1 && user->uid != geteuid())
			snapshot_note(snap, "%s: %u more managers failed", of,
				      user->failed - 1);
		if (user->unasked)
			snapshot_note(snap,
				      "%s: too many managers do not answer: %u not asked",
				      of, user->unasked);
	}
}

void collect_managers(struct snapshot *snap)
{
	char(*names)[NAME_TEXT_MAX] = NULL;
	struct ctl_budget budget = { .n = 0 };
	struct manager *manager;
	unsigned int foreign = 0;
	size_t i, n = 0;
	int r;

	r = ctl_find_names(&names, &n);
	if (r == -E2BIG)
		snapshot_note(snap, "only the first %d managers are asked", NAMES_MAX);
	else if (r < 0)
		snapshot_note(snap, "managers: %s", strerror(-r));
	for (i = 0; i < n; i++) {
		manager = array_add(snap, managers);
		strcpy(manager->name, names[i]);
		collect_manager(snap, manager, &budget, &foreign);
	}
	free(names);
	note_unanswered(snap, &budget, foreign);
}
