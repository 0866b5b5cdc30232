// SPDX-License-Identifier: MIT
/*
 * collect.c - fill a snapshot, source by source
 *
 * The order matters: connections come first, since all that follows is looked up by
 * their tokens and inodes; managers come before the scan of /proc, since they name the
 * process of their connections and so spare it.
 */
#include "collect.h"

#include "connections.h"
#include "managers.h"
#include "namespace.h"
#include "owners.h"
#include "process.h"
#include "remote.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel fills its own limits only where its own path manager is in charge. */
static bool has_kernel_limits(const struct connection *conn)
{
	const struct mptcpaddr_info *info = &conn->info;

	return info->subflows_max || info->add_addr_signal_max ||
	       info->add_addr_accepted_max || info->local_addr_max ||
	       info->endp_laminar_max || info->endp_fullmesh_max;
}

/* Whether a manager that did not answer may be the one of @conn. */
static bool silent_manager(const struct snapshot *snap, const struct connection *conn)
{
	const struct manager *manager;
	size_t i;

	for (i = 0; i < snap->n_managers; i++) {
		manager = &snap->managers[i];
		if (!manager->answered && (!conn->pid || conn->pid == manager->pid))
			return true;
	}
	return false;
}

/*
 * A manager may have a connection in its table that the kernel's path manager was given
 * (the type is fixed at socket()): it can do nothing for it, so `kernel` it is.
 */
static void name_other_managers(struct snapshot *snap)
{
	bool kernel = strcmp(snap->path_manager, "kernel") == 0;
	struct connection *conn;
	size_t i;

	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		if (has_kernel_limits(conn) || (kernel && conn->manager == MANAGER_NONE))
			conn->manager = MANAGER_KERNEL;
		else if (conn->manager == MANAGER_NONE && silent_manager(snap, conn))
			conn->manager = MANAGER_UNKNOWN;
	}
}

/* Any path counts: a peer's announced addresses are as much it as the first one. */
static bool leads_to(const struct snapshot *snap, const struct connection *conn,
		     const struct remote *remote)
{
	size_t i;

	if (remote_matches(remote, &conn->remote))
		return true;
	for (i = 0; i < conn->subflows.n; i++) {
		if (remote_matches(remote,
				   &snap->subflows[conn->subflows.first + i].remote))
			return true;
	}
	return false;
}

static bool wanted(const struct snapshot *snap, const struct filter *filter,
		   const struct connection *conn)
{
	char pid[16];

	if (filter->has_token && filter->token != conn->token)
		return false;
	if (filter->has_remote && !leads_to(snap, conn, &filter->remote))
		return false;
	if (!filter->process)
		return true;
	snprintf(pid, sizeof(pid), "%d", conn->pid);
	return (conn->pid && strcmp(filter->process, pid) == 0) ||
	       strcmp(filter->process, conn->program) == 0;
}

static void apply_filter(const struct filter *filter, struct snapshot *snap)
{
	size_t i, kept = 0;

	for (i = 0; i < snap->n_connections; i++) {
		if (wanted(snap, filter, &snap->connections[i]))
			snap->connections[kept++] = snap->connections[i];
	}
	snap->n_connections = kept;
}

static int compare_connections(const void *pa, const void *pb)
{
	const struct connection *a = pa, *b = pb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->token > b->token) - (a->token < b->token);
}

/* They are in the order of their PIDs by now: each process is looked at once. */
static void read_processes(struct snapshot *snap)
{
	const struct connection *before = NULL;
	struct connection *conn;
	size_t i;

	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		if (conn->manager == MANAGER_OURS || !conn->pid)
			continue;
		if (before && before->pid == conn->pid)
			conn->process = before->process;
		else
			process_read(conn->pid, &conn->process);
		before = conn;
	}
}

static void note_error(struct snapshot *snap, const char *what, int error)
{
	if (error < 0)
		snapshot_note(snap, "%s: %s", what, strerror(-error));
}

int collect(const struct filter *filter, struct snapshot *snap)
{
	int r;

	namespace_read(snap);
	r = connections_read(snap);
	if (r < 0)
		return r;
	note_error(snap, "subflows", subflows_read(snap));
	note_error(snap, "managers", managers_read(snap));
	note_error(snap, "programs", owners_read(snap, filter->process));
	name_other_managers(snap);
	apply_filter(filter, snap);
	if (snap->n_connections)
		qsort(snap->connections, snap->n_connections, sizeof(*snap->connections),
		      compare_connections);
	read_processes(snap);
	return 0;
}

void snapshot_say(const struct snapshot *snap, int r)
{
	size_t i;

	for (i = 0; i < snap->n_notes; i++)
		fprintf(stderr, "mptcpinfo: %s\n", snap->notes[i]);
	if (r == -ENOENT)
		fputs("mptcpinfo: this kernel cannot list MPTCP connections "
		      "(module mptcp_diag)\n",
		      stderr);
	else if (r < 0)
		fprintf(stderr, "mptcpinfo: MPTCP connections: %s\n", strerror(-r));
}
