// SPDX-License-Identifier: MIT
/*
 * process.c - the processes that hold connections, from /proc
 *
 * sock_diag has a socket's inode; /proc/PID/fd shows who has it open. Processes are
 * visited in the order of their PIDs, so the first holder found is the eldest.
 */
#include "collect.h"

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

void text_clean(char *dst, size_t dst_size, const char *src, size_t src_size)
{
	size_t i, len = strnlen(src, src_size);
	unsigned char c, before = 0;

	if (len >= dst_size)
		len = dst_size - 1;
	for (i = 0; i < len; i++) {
		c = src[i];
		if (c < 0x20 || c == 0x7f || (before == 0xc2 && c >= 0x80 && c < 0xa0))
			dst[i] = '?';
		else
			dst[i] = c;
		before = c;
	}
	dst[len] = '\0';
}

int read_file_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	int r = 0;

	if (!f)
		return -errno;
	if (!fgets(out, size, f)) {
		out[0] = '\0';
		r = ferror(f) ? -EIO : 0;
	}
	out[strcspn(out, "\n")] = '\0';
	fclose(f);
	return r;
}

bool process_program(pid_t pid, char out[static PROGRAM_MAX])
{
	char path[64], comm[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (read_file_line(path, comm, sizeof(comm)) < 0)
		return false;
	text_clean(out, PROGRAM_MAX, comm, sizeof(comm));
	return true;
}

/*
 * The first line of /proc/@pid/@name with @text in it
 *
 * Return: 1; 0 if there is none; -1 if the file is unreadable or empty.
 */
static int find_proc_line(pid_t pid, const char *name, const char *text, char *out,
			  size_t size)
{
	char path[64];
	int found = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "re");
	while (f && found < 1 && fgets(out, size, f))
		found = strstr(out, text) != NULL;
	if (f)
		fclose(f);
	return found;
}

/*
 * Whether @pid is in the user namespace that owns our network namespace: the kernel
 * requires a manager to have CAP_NET_ADMIN there.
 */
static bool in_owner_namespace(pid_t pid)
{
	struct stat owner, its;
	char path[64];
	bool is = false;
	int net, user;

	net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (net < 0)
		return false;
	user = ioctl(net, NS_GET_USERNS);
	if (user >= 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		is = fstat(user, &owner) == 0 && stat(path, &its) == 0 &&
		     owner.st_dev == its.st_dev && owner.st_ino == its.st_ino;
		close(user);
	}
	close(net);
	return is;
}

void process_read(pid_t pid, struct process *ret_process)
{
	static const enum preload preloads[] = { PRELOAD_UNKNOWN, PRELOAD_NO,
						 PRELOAD_YES };
	char line[PATH_MAX + 256];
	uint64_t effective;
	bool has;

	*ret_process = (struct process){ 0 };
	ret_process->preload =
		preloads[find_proc_line(pid, "maps", LIBRARY, line, sizeof(line)) + 1];
	if (find_proc_line(pid, "status", "CapEff:", line, sizeof(line)) != 1 ||
	    sscanf(line, "CapEff: %" SCNx64, &effective) != 1)
		return;
	has = effective & (1ull << CAP_NET_ADMIN);
	/* A capability in a user namespace of its own does not apply to ours. */
	ret_process->rights_known = !has || in_owner_namespace(pid);
	ret_process->rights = ret_process->rights_known && has;
}

struct owner_scan {
	struct snapshot *snap;
	const struct filter filter; /* its process only */
	struct index by_inode;
	size_t wanted;	   /* connections without a known holder */
	size_t unreadable; /* processes whose files we may not read */
};

static void set_owner(struct owner_scan *scan, uint32_t inode, pid_t pid,
		      const char *program)
{
	struct connection *conn;
	ssize_t pos;

	pos = index_find(&scan->by_inode, &inode);
	if (pos < 0)
		return;
	conn = &scan->snap->connections[pos];
	if (conn->pid && !scan->filter.process)
		return;
	if (!conn->pid)
		scan->wanted--;
	conn->pid = pid;
	snprintf(conn->program, sizeof(conn->program), "%s", program);
}

static int scan_fds(struct owner_scan *scan, pid_t pid, const char *program)
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
	while ((scan->filter.process || scan->wanted) && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0) {
			/* Our own, with more rights: only the links are unreadable. */
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

static void scan_process(struct owner_scan *scan, pid_t pid)
{
	char program[PROGRAM_MAX];
	int r;

	if (!process_program(pid, program) ||
	    !filter_has_process(&scan->filter, pid, program))
		return;
	r = scan_fds(scan, pid, program);
	if (r == -EACCES || r == -EPERM)
		scan->unreadable++;
}

static int scan_processes(struct owner_scan *scan)
{
	struct dirent *entry;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while ((scan->filter.process || scan->wanted) && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_process(scan, atoi(entry->d_name));
	}
	closedir(dir);
	if (scan->unreadable && scan->filter.process)
		snapshot_note(scan->snap, "%s: its open files are readable by root only",
			      scan->filter.process);
	else if (scan->wanted && scan->unreadable)
		snapshot_note(scan->snap,
			      "no program for %zu of %zu connections: the open files of "
			      "%zu processes are readable by root only",
			      scan->wanted, scan->snap->n_connections, scan->unreadable);
	return 0;
}

int collect_owners(struct snapshot *snap, const char *process)
{
	struct owner_scan scan = { .snap = snap,
				   .filter.process = process,
				   .by_inode.key_size = sizeof(uint32_t) };
	struct connection *conn;
	int r = 0;

	for_each_in (conn, snap, connections) {
		if (!conn->inode)
			continue;
		index_add(&scan.by_inode, &conn->inode, conn - snap->connections);
		scan.wanted += !conn->pid;
	}
	if (process || scan.wanted)
		r = scan_processes(&scan);
	index_free(&scan.by_inode);
	return r;
}
