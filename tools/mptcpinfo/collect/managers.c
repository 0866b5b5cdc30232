// SPDX-License-Identifier: MIT
/*
 * managers.c - find every manager of this namespace and ask it
 *
 * Anybody in the namespace may bind a name like a manager's. So a manager is who the
 * kernel says it is (SO_PEERCRED), and it is believed about its own user's connections
 * only, unless it is root's.
 */
#include "managers.h"

#include "index.h"
#include "shim/common/clock.h"
#include "tools/common/ctl.h"
#include "tools/common/names.h"
#include "tools/mptcpinfo/print/text.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_TIMEOUT_MS 3000 /* for those that do not answer, taken together */
#define TRIES	       3

/* All that one manager says, before it is believed. */
struct dump {
	struct ctl_endpoint *endpoints, *endpoints_after;
	struct ctl_section *sections;
	struct pm_conn_report *connections;
	struct pm_announced_report *announced;
	size_t n_endpoints, n_after, n_sections, n_connections, n_announced;
};

int managers_find(struct snapshot *snap)
{
	char(*names)[NAME_TEXT_MAX] = NULL;
	struct manager *manager;
	size_t i, n = 0;
	int r;

	r = names_find(&names, &n);
	if (r == -E2BIG) {
		snapshot_note(snap, "only the first %d managers are asked", NAMES_MAX);
		r = 0;
	}
	for (i = 0; i < n && r == 0; i++) {
		manager =
			array_grow(&snap->managers, &snap->n_managers, sizeof(*manager));
		if (manager)
			strcpy(manager->name, names[i]);
		else
			r = -ENOMEM;
	}
	free(names);
	return r;
}

static void dump_free(struct dump *dump)
{
	free(dump->endpoints);
	free(dump->endpoints_after);
	free(dump->sections);
	free(dump->connections);
	free(dump->announced);
	memset(dump, 0, sizeof(*dump));
}

/* The masks of the connections are about the list of endpoints that was in force then. */
static bool pool_changed(const struct dump *dump)
{
	const struct ctl_endpoint *a, *b;
	size_t i;

	if (dump->n_endpoints != dump->n_after)
		return true;
	for (i = 0; i < dump->n_endpoints; i++) {
		a = &dump->endpoints[i];
		b = &dump->endpoints_after[i];
		if (memcmp(&a->addr, &b->addr, sizeof(a->addr)) != 0 ||
		    a->local_id != b->local_id || a->section != b->section)
			return true;
	}
	return false;
}

static int read_once(struct ctl *ctl, struct dump *dump)
{
#define READ(op, array, n) ctl_read(ctl, op, sizeof(*(array)), &(array), &(n))
	int r;

	r = READ(CTL_OP_ENDPOINTS, dump->endpoints, dump->n_endpoints);
	if (r == 0)
		r = READ(CTL_OP_SECTIONS, dump->sections, dump->n_sections);
	if (r == 0)
		r = READ(CTL_OP_CONNECTIONS, dump->connections, dump->n_connections);
	if (r == 0)
		r = READ(CTL_OP_ANNOUNCED, dump->announced, dump->n_announced);
	if (r == 0)
		r = READ(CTL_OP_ENDPOINTS, dump->endpoints_after, dump->n_after);
	return r;
#undef READ
}

static int read_dump(struct ctl *ctl, struct dump *dump)
{
	int r = -EAGAIN, i;

	for (i = 0; i < TRIES && r == -EAGAIN; i++) {
		dump_free(dump);
		r = read_once(ctl, dump);
		if (r == 0 && pool_changed(dump))
			r = -EAGAIN;
	}
	return r == -EAGAIN ? -ESTALE : r;
}

/* Only what it may speak for: see above. */
static struct connection *spoken_for(struct snapshot *snap, const struct manager *manager,
				     const struct index *by_token, uint32_t token)
{
	struct connection *conn;
	ssize_t pos;

	pos = index_find(by_token, &token);
	if (pos < 0)
		return NULL; /* closed, or made since the dump */
	conn = &snap->connections[pos];
	return manager->uid == 0 || manager->uid == conn->uid ? conn : NULL;
}

static int believe(struct snapshot *snap, struct manager *manager,
		   const struct dump *dump, const struct index *by_token)
{
	struct announced *announced;
	struct connection *conn;
	size_t i;
	int r;

	manager->endpoints = (struct stretch){ snap->n_endpoints, dump->n_endpoints };
	manager->sections = (struct stretch){ snap->n_sections, dump->n_sections };
	r = array_append(&snap->endpoints, &snap->n_endpoints, dump->endpoints,
			 dump->n_endpoints, sizeof(*dump->endpoints));
	if (r == 0)
		r = array_append(&snap->sections, &snap->n_sections, dump->sections,
				 dump->n_sections, sizeof(*dump->sections));
	if (r < 0) {
		manager->endpoints.n = manager->sections.n = 0;
		return r;
	}
	for (i = 0; i < dump->n_connections; i++) {
		conn = spoken_for(snap, manager, by_token, dump->connections[i].token);
		if (!conn)
			continue;
		conn->manager = MANAGER_OURS;
		conn->manager_index = manager - snap->managers;
		conn->record = dump->connections[i];
		/* Who holds it is for owners_read() to find, if it is not the manager. */
		conn->pid = manager_is_broker(manager->uid, &manager->info)
				    ? 0
				    : manager->pid;
		memcpy(conn->program, manager->program, sizeof(conn->program));
	}
	for (i = 0; i < dump->n_announced; i++) {
		conn = spoken_for(snap, manager, by_token, dump->announced[i].token);
		if (!conn)
			continue;
		announced = array_grow(&snap->announced, &snap->n_announced,
				       sizeof(*announced));
		if (!announced)
			return -ENOMEM;
		announced->connection = conn - snap->connections;
		announced->manager = manager - snap->managers;
		announced->record = dump->announced[i];
	}
	return 0;
}

bool manager_is_broker(uint32_t uid, const struct ctl_manager *info)
{
	return !uid && !strncmp(info->backend, "broker", sizeof(info->backend));
}

/* Text that somebody else chose, made fit for a terminal where it stands. */
static void clean(char *field, size_t size)
{
	char copy[sizeof(((struct ctl_manager *)NULL)->pool_file)];

	memcpy(copy, field, size);
	text_clean(field, size, copy, size);
}

static void take_manager(struct manager *manager, const struct ctl *ctl)
{
	struct ctl_manager *info = &manager->info;

	ctl_record(ctl, 0, info, sizeof(*info));
	clean(info->backend, sizeof(info->backend));
	clean(info->program, sizeof(info->program));
	clean(info->pool_file, sizeof(info->pool_file));
	clean(info->pool_error, sizeof(info->pool_error));
	if (!manager->program[0] || manager_is_broker(manager->uid, info))
		snprintf(manager->program, sizeof(manager->program), "%.*s",
			 PROGRAM_MAX - 1, info->program);
}

static int ask_manager(struct snapshot *snap, struct manager *manager,
		       const struct index *by_token, struct ctl *ctl)
{
	struct dump dump = { 0 };
	char path[64], comm[32] = "";
	int r;

	r = ctl_open(manager->name, ctl);
	if (r < 0)
		return r;
	manager->pid = ctl->pid;
	manager->uid = ctl->uid;
	snprintf(path, sizeof(path), "/proc/%d/comm", manager->pid);
	if (read_line(path, comm, sizeof(comm)) == 0)
		text_clean(manager->program, sizeof(manager->program), comm,
			   sizeof(comm));

	r = ctl_ask(ctl, CTL_OP_MANAGER, 0, sizeof(manager->info));
	if (r == 0 && ctl_answer(ctl)->count != 1)
		r = -EBADMSG;
	if (r == 0) {
		take_manager(manager, ctl);
		r = read_dump(ctl, &dump);
	}
	if (r == 0) {
		manager->answered = true;
		r = believe(snap, manager, &dump, by_token);
	}
	dump_free(&dump);
	return r;
}

/* After all have spoken: of a connection that two claim, only the last one's word. */
static int group_announced(struct snapshot *snap)
{
	struct stretch *groups;
	struct connection *conn;
	size_t i, kept = 0;
	int r;

	for (i = 0; i < snap->n_announced; i++) {
		conn = &snap->connections[snap->announced[i].connection];
		if (conn->manager_index == snap->announced[i].manager)
			snap->announced[kept++] = snap->announced[i];
	}
	snap->n_announced = kept;
	groups = calloc(snap->n_connections, sizeof(*groups));
	if (!groups && snap->n_connections)
		return -ENOMEM;
	r = array_group(&snap->announced, snap->n_announced, sizeof(*snap->announced),
			snap->n_connections, groups);
	for (i = 0; i < snap->n_connections && r == 0; i++)
		snap->connections[i].announced = groups[i];
	free(groups);
	return r;
}

static void note_failure(struct snapshot *snap, const struct manager *manager,
			 const struct ctl *ctl, int error)
{
	const char *why = strerror(-error);
	char version[96];

	if (error == -ECONNREFUSED && !manager->pid)
		return; /* it has just ended */
	if (error == -ETIMEDOUT)
		why = "it does not answer";
	else if (error == -EAGAIN)
		why = "it takes nobody in";
	else if (error == -ECONNRESET)
		why = "it hung up: it answers only its own user and root";
	else if (error == -EBADMSG || error == -E2BIG)
		why = "its answer makes no sense";
	else if (error == -ESTALE)
		why = "its pool changes all the time";
	if (error == -EPROTO && ctl->version) {
		snprintf(version, sizeof(version),
			 "PID %d speaks version %u of the control protocol, this "
			 "mptcpinfo version %u",
			 manager->pid, ctl->version, CTL_VERSION);
		why = version;
	}
	snapshot_note(snap, "manager %s (%s): %s", manager->name,
		      manager->program[0] ? manager->program : "unknown program", why);
}

static void ask_all(struct snapshot *snap, const struct index *by_token)
{
	uint64_t start, lost = 0;
	struct ctl ctl;
	size_t i;
	int r;

	for (i = 0; i < snap->n_managers; i++) {
		if (lost > ALL_TIMEOUT_MS) {
			snapshot_note(snap,
				      "too many managers do not answer: %zu not asked",
				      snap->n_managers - i);
			return;
		}
		ctl = (struct ctl){ .fd = -1 };
		start = clock_ms();
		r = ask_manager(snap, &snap->managers[i], by_token, &ctl);
		if (r < 0) {
			note_failure(snap, &snap->managers[i], &ctl, r);
			lost += clock_ms() - start;
		}
		ctl_close(&ctl);
	}
}

int managers_read(struct snapshot *snap)
{
	struct index *by_token;
	size_t i;
	int r;

	r = managers_find(snap);
	if (r < 0)
		return r;
	by_token = index_new(snap->n_connections, sizeof(uint32_t));
	if (!by_token)
		return -ENOMEM;
	for (i = 0; i < snap->n_connections && r == 0; i++)
		r = index_add(by_token, &snap->connections[i].token, i);
	if (r == 0) {
		ask_all(snap, by_token);
		r = group_announced(snap);
	}
	index_free(by_token);
	return r;
}
