// SPDX-License-Identifier: MIT
/*
 * collect.c - fill a snapshot, source by source
 *
 * The order matters: connections come first, since everything else is looked up by
 * their tokens and inodes. Managers come before the scan of /proc, which is not needed
 * for connections whose manager names their process.
 */
#include "collect.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* As /proc/net, of the network namespace of the process that opens it */
#define SYSCTL "/proc/sys/net/mptcp/"

static void read_path_manager(struct snapshot *snap)
{
	char *pm = snap->path_manager;
	size_t size = sizeof(snap->path_manager);
	char line[16];

	if (file_line(SYSCTL "enabled", "", line, sizeof(line)) < 1) {
		snapshot_note(snap, "this kernel has no MPTCP");
		return;
	}
	if (strcmp(line, "0") == 0)
		snapshot_note(snap, "MPTCP is disabled (net.mptcp.enabled=0)");
	if (file_line(SYSCTL "path_manager", "", pm, size) == 1)
		return; /* since 6.15 */
	if (file_line(SYSCTL "pm_type", "", line, sizeof(line)) < 1 ||
	    strcmp(line, "0") == 0)
		strcpy(pm, "kernel"); /* the only one before 5.19 */
	else if (strcmp(line, "1") == 0)
		strcpy(pm, "userspace");
	else
		snprintf(pm, size, "type %s", line);
}

/* The length of mptcp_info is no help: the fields replaced padding. */
static void read_kernel_version(struct snapshot *snap)
{
	struct utsname name;
	int major, minor;

	if (uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2)
		snap->has_endpoint_maxima = major > 6 || (major == 6 && minor >= 18);
}

/* Two lines a table: its name and the names, then its name and the values. */
void collect_counters(struct snapshot *snap)
{
	char *names = NULL, *values = NULL, *name, *value, *save_name, *save_value;
	size_t names_size = 0, values_size = 0;
	FILE *f = fopen("/proc/net/netstat", "re");
	struct counter *counter;

	if (!f) {
		snapshot_note(snap, "counters of the namespace: %s", strerror(errno));
		return;
	}
	while (getline(&names, &names_size, f) > 0 &&
	       getline(&values, &values_size, f) > 0) {
		name = strtok_r(names, " \n", &save_name);
		if (!name || strcmp(name, "MPTcpExt:") != 0)
			continue;
		strtok_r(values, " \n", &save_value);
		while ((name = strtok_r(NULL, " \n", &save_name)) &&
		       (value = strtok_r(NULL, " \n", &save_value))) {
			counter = array_add(snap, counters);
			snprintf(counter->name, sizeof(counter->name), "%s", name);
			counter->value = strtoull(value, NULL, 10);
		}
	}
	free(names);
	free(values);
	fclose(f);
}

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
	return token_matches(filter, conn->token) &&
	       (!filter->has_remote || has_remote(conn, &filter->remote)) &&
	       process_matches(filter->process, conn->pid, conn->program);
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

/* The manager that noticed it first knows best when it began. */
static void collect_blackhole(struct snapshot *snap)
{
	const struct counter *counter;
	const struct manager *manager;
	int64_t noticed_s = 0, its;

	for_each_in (manager, snap, managers) {
		its = manager->answered ? manager->info.blackhole_s : 0;
		if (its && (!noticed_s || its < noticed_s))
			noticed_s = its;
	}
	for_each_in (counter, snap, counters)
		if (!strcmp(counter->name, "MPTcpExtBlackhole") ||
		    !strcmp(counter->name, "Blackhole"))
			blackhole_read(counter->value, noticed_s, &snap->blackhole);
}

int collect_snapshot(const struct filter *filter, struct snapshot *snap)
{
	int r;

	snap->time_us = clock_us();
	snap->time_ns = clock_real_ns();
	read_kernel_version(snap);
	read_path_manager(snap);
	collect_counters(snap);
	r = collect_sockets(snap);
	if (r < 0)
		return r;
	collect_managers(snap);
	collect_blackhole(snap);
	collect_owners(snap, filter->process);
	index_free(&snap->by_token);
	set_other_managers(snap);
	apply_filter(filter, snap);
	snapshot_sort(snap);
	collect_routes(snap);
	read_processes(snap);
	return 0;
}
