// SPDX-License-Identifier: MIT
/*
 * collect.c - fill a snapshot, source by source
 *
 * The order matters: connections come first, since everything else is looked up by
 * their tokens and inodes. Managers come before the scan of /proc, which is not needed
 * for connections whose manager names their process.
 */
#include "collect.h"

#include <string.h>

/* The kernel fills these limits only for connections of its own path manager. */
static bool has_kernel_limits(const struct connection *conn)
{
	const struct mptcpaddr_info *info = &conn->info;

	return info->subflows_max || info->add_addr_signal_max ||
	       info->add_addr_accepted_max || info->local_addr_max ||
	       info->endp_laminar_max || info->endp_fullmesh_max;
}

/* Whether a manager that did not answer may have @conn. */
static bool has_silent_manager(const struct snapshot *snap, const struct connection *conn)
{
	const struct manager *manager;

	for_each_in (manager, snap, managers) {
		if (!manager->answered && (!conn->pid || conn->pid == manager->pid))
			return true;
	}
	return false;
}

/*
 * The type is fixed at socket(). A userspace manager can do nothing for a connection of
 * the kernel's path manager, even if its table has it: `kernel` wins.
 */
static void set_other_managers(struct snapshot *snap)
{
	bool kernel = strcmp(snap->path_manager, "kernel") == 0;
	struct connection *conn;

	for_each_in (conn, snap, connections) {
		if (has_kernel_limits(conn) || (kernel && conn->manager == MANAGER_NONE))
			conn->manager = MANAGER_KERNEL;
		else if (conn->manager == MANAGER_NONE && has_silent_manager(snap, conn))
			conn->manager = MANAGER_UNKNOWN;
	}
}

/* Any path counts: a peer's announced addresses are as good as its first one. */
static bool has_remote(const struct connection *conn, const struct remote *remote)
{
	const struct subflow *sf;

	if (remote_matches(remote, &conn->path.remote))
		return true;
	for_each_in (sf, conn, subflows) {
		if (remote_matches(remote, &sf->path.remote))
			return true;
	}
	return false;
}

static bool filter_has_connection(const struct filter *filter,
				  const struct connection *conn)
{
	return (!filter->has_token || filter->token == conn->token) &&
	       (!filter->has_remote || has_remote(conn, &filter->remote)) &&
	       filter_has_process(filter, conn->pid, conn->program);
}

static void apply_filter(const struct filter *filter, struct snapshot *snap)
{
	struct connection *conn;
	size_t kept = 0;

	for_each_in (conn, snap, connections) {
		if (filter_has_connection(filter, conn))
			snap->connections[kept++] = *conn;
		else
			connection_free(conn);
	}
	snap->n_connections = kept;
}

/* The connections are in the order of their PIDs: each process is read once. */
static void read_processes(struct snapshot *snap)
{
	const struct connection *before = NULL;
	struct connection *conn;

	for_each_in (conn, snap, connections) {
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

int collect_snapshot(const struct filter *filter, struct snapshot *snap)
{
	int r;

	collect_namespace(snap);
	r = collect_connections(snap);
	if (r < 0)
		return r;
	note_error(snap, "subflows", collect_subflows(snap));
	note_error(snap, "managers", collect_managers(snap));
	note_error(snap, "programs", collect_owners(snap, filter->process));
	index_free(&snap->by_token);
	set_other_managers(snap);
	apply_filter(filter, snap);
	snapshot_sort(snap);
	read_processes(snap);
	return 0;
}
