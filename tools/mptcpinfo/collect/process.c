// SPDX-License-Identifier: MIT
/*
 * process.c - what can be seen of a program that has no manager
 *
 * Whether the library is in it, and whether it may do what a manager does: the kernel
 * wants CAP_NET_ADMIN in the user namespace that owns the network namespace.
 */
#include "process.h"

#include "tools/mptcpinfo/snapshot.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY "/libmptcpaddr.so"

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

static enum preload read_preload(pid_t pid)
{
	enum preload preload = PRELOAD_UNKNOWN;
	char *line = NULL;
	size_t size = 0;
	FILE *f;

	f = open_proc(pid, "maps");
	if (!f)
		return PRELOAD_UNKNOWN;
	while (preload != PRELOAD_YES && getline(&line, &size, f) > 0)
		preload = strstr(line, LIBRARY) ? PRELOAD_YES : PRELOAD_NO;
	free(line);
	fclose(f);
	return preload;
}

static bool read_capability(pid_t pid, bool *ret_has)
{
	uint64_t effective;
	char line[256];
	bool known = false;
	FILE *f;

	f = open_proc(pid, "status");
	if (!f)
		return false;
	while (!known && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapEff: %" SCNx64, &effective) != 1)
			continue;
		*ret_has = effective & (1ull << CAP_NET_ADMIN);
		known = true;
	}
	fclose(f);
	return known;
}

/* Whether @pid is in the user namespace that owns our network namespace. */
static bool in_owner(pid_t pid)
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
	struct process process = { .preload = read_preload(pid) };
	bool has = false;

	/* A capability in a user namespace of its own says nothing about this one. */
	if (read_capability(pid, &has)) {
		process.rights_known = !has || in_owner(pid);
		process.rights = process.rights_known && has;
	}
	*ret_process = process;
}
