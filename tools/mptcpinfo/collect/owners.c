// SPDX-License-Identifier: MIT
/*
 * owners.c - which process holds a connection
 *
 * The kernel gives a socket's inode; /proc/PID/fd says who has it open. Processes are
 * visited in the order of their PIDs, so the first holder found is the eldest.
 */
#include "owners.h"

#include "index.h"
#include "tools/mptcpinfo/print/text.h"
#include "tools/mptcpinfo/snapshot.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scan {
	struct snapshot *snap;
	const char *process;
	struct index *by_inode;
	size_t wanted;	   /* connections whose holder is not known yet */
	size_t unreadable; /* processes that we may not look into */
};

static void set_owner(struct scan *scan, uint32_t inode, pid_t pid, const char *program)
{
	struct connection *conn;
	ssize_t pos;

	pos = index_find(scan->by_inode, &inode);
	if (pos < 0)
		return;
	conn = &scan->snap->connections[pos];
	if (conn->pid && !scan->process)
		return;
	if (!conn->pid)
		scan->wanted--;
	conn->pid = pid;
	snprintf(conn->program, sizeof(conn->program), "%s", program);
}

static int scan_fds(struct scan *scan, pid_t pid, const char *program)
{
	char path[64], target[64];
	struct dirent *entry;
	unsigned int inode;
	int r = 0;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((scan->process || scan->wanted) && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0) {
			/* One's own, but of more rights: only its links are closed. */
			if (errno == EACCES)
				r = -EACCES;
			continue;
		}
		target[n] = '\0';
		if (sscanf(target, "socket:[%u]", &inode) == 1)
			set_owner(scan, inode, pid, program);
	}
	closedir(dir);
	return r;
}

static bool is_wanted(const struct scan *scan, const char *pid, const char *program)
{
	return !scan->process || strcmp(scan->process, pid) == 0 ||
	       strcmp(scan->process, program) == 0;
}

static void scan_process(struct scan *scan, const char *pid)
{
	char path[64], comm[32], program[PROGRAM_MAX];
	int r;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	if (read_line(path, comm, sizeof(comm)) < 0)
		return; /* gone */
	text_clean(program, sizeof(program), comm, sizeof(comm));
	if (!is_wanted(scan, pid, program))
		return;
	r = scan_fds(scan, atoi(pid), program);
	if (r == -EACCES || r == -EPERM)
		scan->unreadable++;
}

static int scan_all(struct scan *scan)
{
	struct dirent *entry;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while ((scan->process || scan->wanted) && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_process(scan, entry->d_name);
	}
	closedir(dir);
	if (scan->wanted && scan->unreadable && !scan->process)
		snapshot_note(
			scan->snap,
			"no program for %zu of %zu connections: %zu processes cannot "
			"be looked into (root can)",
			scan->wanted, scan->snap->n_connections, scan->unreadable);
	else if (scan->unreadable && scan->process)
		snapshot_note(scan->snap, "%s cannot be looked into (root can)",
			      scan->process);
	return 0;
}

int owners_read(struct snapshot *snap, const char *process)
{
	struct scan scan = { .snap = snap, .process = process };
	struct connection *conn;
	int r = 0;
	size_t i;

	scan.by_inode = index_new(snap->n_connections, sizeof(uint32_t));
	if (!scan.by_inode)
		return -ENOMEM;
	for (i = 0; i < snap->n_connections && r == 0; i++) {
		conn = &snap->connections[i];
		if (!conn->inode)
			continue;
		r = index_add(scan.by_inode, &conn->inode, i);
		scan.wanted += !conn->pid;
	}
	if (r == 0 && (process || scan.wanted))
		r = scan_all(&scan);
	index_free(scan.by_inode);
	return r;
}
