// SPDX-License-Identifier: MIT
/*
 * namespace.c - the path manager's type and the MPTcpExt counters
 *
 * /proc/net and /proc/sys/net show the network namespace of the process that opens
 * them.
 */
#include "collect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define SYSCTL	      "/proc/sys/net/mptcp/"
#define COUNTER_TABLE "MPTcpExt:"

static void read_path_manager(struct snapshot *snap)
{
	char *pm = snap->path_manager;
	size_t size = sizeof(snap->path_manager);
	char line[16];

	if (read_file_line(SYSCTL "enabled", line, sizeof(line)) < 0) {
		snapshot_note(snap, "this kernel has no MPTCP");
		return;
	}
	if (strcmp(line, "0") == 0)
		snapshot_note(snap, "MPTCP is disabled (net.mptcp.enabled=0)");
	if (read_file_line(SYSCTL "path_manager", pm, size) == 0)
		return; /* since 6.15 */
	if (read_file_line(SYSCTL "pm_type", line, sizeof(line)) < 0 ||
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
static void parse_counters(struct snapshot *snap, char *names, char *values)
{
	char *save_name, *save_value, *name, *value;
	struct counter *counter;

	strtok_r(names, " \n", &save_name);
	strtok_r(values, " \n", &save_value);
	while ((name = strtok_r(NULL, " \n", &save_name)) &&
	       (value = strtok_r(NULL, " \n", &save_value))) {
		counter = array_add(snap, counters);
		snprintf(counter->name, sizeof(counter->name), "%s", name);
		counter->value = strtoull(value, NULL, 10);
	}
}

static void read_netstat_counters(struct snapshot *snap)
{
	char *names = NULL, *values = NULL;
	size_t names_size = 0, values_size = 0;
	FILE *f;

	f = fopen("/proc/net/netstat", "re");
	if (!f) {
		snapshot_note(snap, "counters of the namespace: %s", strerror(errno));
		return;
	}
	while (getline(&names, &names_size, f) > 0 &&
	       getline(&values, &values_size, f) > 0) {
		if (strncmp(names, COUNTER_TABLE, strlen(COUNTER_TABLE)) == 0)
			parse_counters(snap, names, values);
	}
	free(names);
	free(values);
	fclose(f);
}

void collect_namespace(struct snapshot *snap)
{
	read_kernel_version(snap);
	read_path_manager(snap);
	read_netstat_counters(snap);
}
