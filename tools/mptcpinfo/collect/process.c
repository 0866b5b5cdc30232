// SPDX-License-Identifier: MIT
/*
 * process.c - the processes that hold connections, from /proc
 *
 * sock_diag has a socket's inode; /proc/PID/fd shows who has it open. Processes are
 * visited in the order of their PIDs, so the first holder found is the eldest.
 */
#include "collect.h"
#include "shim/common/str.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY "/libmptcpaddr.so"

void text_clean(char *text, size_t size)
{
	text[size - 1] = '\0';
	str_clean(text, strlen(text));
}

int file_line(const char *path, const char *text, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	int found = -1;

	while (f && found < 1 && fgets(out, size, f))
		found = strstr(out, text) != NULL;
	if (f)
		fclose(f);
	if (found == 1)
		out[strcspn(out, "\n")] = '\0';
	return found;
}

static int proc_line(pid_t pid, const char *name, const char *text, char *out,
		     size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return file_line(path, text, out, size);
}

void process_program(pid_t pid, char out[static PROGRAM_MAX])
{
	if (proc_line(pid, "comm", "", out, PROGRAM_MAX) < 1)
		out[0] = '\0';
	text_clean(out, PROGRAM_MAX);
}

/*
 * Whether @pid is in the user namespace that owns our network namespace: the kernel
 * requires a manager to have CAP_NET_ADMIN there.
 */
static bool in_owner_namespace(pid_t pid)
{
	int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int user = ioctl(net, NS_GET_USERNS);
	struct stat owner, its;
	char path[64];
	bool is;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	is = fstat(user, &owner) == 0 && stat(path, &its) == 0 &&
	     owner.st_dev == its.st_dev && owner.st_ino == its.st_ino;
	close(user);
	close(net);
	return is;
}

void process_read(pid_t pid, struct process *ret_process)
{
	char line[PATH_MAX + 256];
	uint64_t effective;
	int found;
	bool has;

	found = proc_line(pid, "maps", LIBRARY, line, sizeof(line));
	*ret_process = (struct process){ .preload = found < 0	? PRELOAD_UNKNOWN
						    : found > 0 ? PRELOAD_YES
								: PRELOAD_NO };
	if (proc_line(pid, "status", "CapEff:", line, sizeof(line)) < 1 ||
	    sscanf(line, "CapEff: %" SCNx64, &effective) != 1)
		return;
	has = effective & (1ull << CAP_NET_ADMIN);
	/* A capability in a user namespace of its own does not apply to ours. */
	ret_process->rights_known = !has || in_owner_namespace(pid);
	ret_process->rights = ret_process->rights_known && has;
}

struct owner_scan {
	struct snapshot *snap;
	const char *process; /* visit only this one; NULL: until all are known */
	struct index by_inode;
	size_t wanted;	   /* connections without a known holder */
	size_t unreadable; /* processes whose files we may not read */
};

static bool is_scan_done(const struct owner_scan *scan)
{
	return !scan->process && !scan->wanted;
}

static void set_owner(struct owner_scan *scan, uint32_t inode, pid_t pid,
		      const char *program)
{
	ssize_t pos = index_find(&scan->by_inode, &inode);
	struct connection *conn;

	if (pos < 0)
		return;
	conn = &scan->snap->connections[pos];
	if (conn->pid && !scan->process)
		return;
	scan->wanted -= !conn->pid;
	conn->pid = pid;
	strcpy(conn->program, program);
}

static void scan_process(struct owner_scan *scan, pid_t pid)
{
	char path[64], target[64], program[PROGRAM_MAX];
	struct dirent *entry;
	unsigned int inode;
	bool unreadable;
	ssize_t n;
	DIR *dir;

	process_program(pid, program);
	if (!process_matches(scan->process, pid, program))
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	unreadable = !dir && (errno == EACCES || errno == EPERM);
	while (dir && !is_scan_done(scan) && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		/* Our own, with more rights: only the links are unreadable. */
		unreadable |= n < 0 && errno == EACCES;
		target[n < 0 ? 0 : n] = '\0';
		if (sscanf(target, "socket:[%u]", &inode) == 1)
			set_owner(scan, inode, pid, program);
	}
	if (dir)
		closedir(dir);
	scan->unreadable += unreadable;
}

static void scan_processes(struct owner_scan *scan)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir) {
		snapshot_note(scan->snap, "programs: %s", strerror(errno));
		return;
	}
	while (!is_scan_done(scan) && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_process(scan, atoi(entry->d_name));
	}
	closedir(dir);
	if (scan->unreadable && scan->process)
		snapshot_note(scan->snap, "%s: its open files are readable by root only",
			      scan->process);
	else if (scan->wanted && scan->unreadable)
		snapshot_note(scan->snap,
			      "no program for %zu of %zu connection%s: the open files of "
			      "%zu process%s are readable by root only",
			      scan->wanted, scan->snap->n_connections,
			      PLURAL(scan->snap->n_connections), scan->unreadable,
			      scan->unreadable == 1 ? "" : "es");
}

void collect_owners(struct snapshot *snap, const char *process)
{
	struct owner_scan scan = { .snap = snap,
				   .process = process,
				   .by_inode.key_size = sizeof(uint32_t) };
	struct connection *conn;

	for_each_in (conn, snap, connections) {
		if (!conn->inode)
			continue;
		index_add(&scan.by_inode, &conn->inode, conn - snap->connections);
		scan.wanted += !conn->pid;
	}
	if (!is_scan_done(&scan))
		scan_processes(&scan);
	index_free(&scan.by_inode);
}
