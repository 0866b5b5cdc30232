// SPDX-License-Identifier: MIT
/*
 * privileged.c - whether the kernel will start a program in secure mode (AT_SECURE)
 *
 * As bprm_fill_uid() and cap_bprm_creds_from_file() decide: a mode bit is not enough, as
 * root gains nothing from a setuid-root program.
 */
#include "program.h"

#include <endian.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CAPABLE "a program with file capabilities"

/* An owner that is unknown in our user namespace gives no rights. */
static bool is_mapped(const char *map, unsigned int id)
{
	FILE *file = fopen(map, "re");
	unsigned int first, outside, count;
	bool found = false;

	if (!file)
		return true;
	while (!found && fscanf(file, "%u %u %u", &first, &outside, &count) == 3)
		found = id >= first && id - first < count;
	fclose(file);
	return found;
}

/* A hexadecimal line of /proc/self/status: "CapBnd:". */
static uint64_t read_status(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	const size_t len = strlen(name);
	uint64_t value = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len))
			value = strtoull(line + len, NULL, 16);
	if (file)
		fclose(file);
	return value;
}

/* Whether the file's capabilities count for a user that is not root, and give any. */
static bool gains_capabilities(const char *path)
{
	/* Revision 1 has only the first 32 capabilities. */
	struct vfs_ns_cap_data data = { 0 };
	uint64_t permitted, inheritable;
	uint32_t magic;
	ssize_t n = getxattr(path, "security.capability", &data, sizeof(data));

	if (n < (ssize_t)XATTR_CAPS_SZ_1)
		return false;
	magic = le32toh(data.magic_etc);
	/* Revision 3 is for the root of another user namespace. */
	if ((magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3)
		return false;
	if (magic & VFS_CAP_FLAGS_EFFECTIVE)
		return true;
	permitted = le32toh(data.data[0].permitted) |
		    (uint64_t)le32toh(data.data[1].permitted) << 32;
	inheritable = le32toh(data.data[0].inheritable) |
		      (uint64_t)le32toh(data.data[1].inheritable) << 32;
	permitted &= read_status("CapBnd:");
	permitted |= inheritable & read_status("CapInh:");
	if (read_status("NoNewPrivs:"))
		permitted &= read_status("CapPrm:");
	return permitted;
}

const char *secure_reason_of_user(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL;
	if (st.st_mode & S_ISUID)
		return "setuid";
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP))
		return "setgid";
	return getxattr(path, "security.capability", NULL, 0) > 0 ? CAPABLE : NULL;
}

const char *secure_reason(const char *path)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct statvfs mount;
	struct stat st;
	bool bits;

	if (stat(path, &st) < 0 || statvfs(path, &mount) < 0)
		return NULL;
	/* An owner or a group that is not mapped disables both bits. */
	bits = !(mount.f_flag & ST_NOSUID) && !read_status("NoNewPrivs:") &&
	       is_mapped("/proc/self/uid_map", st.st_uid) &&
	       is_mapped("/proc/self/gid_map", st.st_gid);
	if (bits && (st.st_mode & S_ISUID))
		uid = st.st_uid;
	if (bits && (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP))
		gid = st.st_gid;
	/* The kernel compares with the former real IDs, and since 6.18 with the effective
	 * user ID. */
	if (uid != getuid() || uid != geteuid())
		return uid == geteuid() ? "started with another effective user ID"
					: "setuid";
	if (gid != getgid())
		return gid == getegid() ? "started with another effective group ID"
					: "setgid";
	if (!(mount.f_flag & ST_NOSUID) && getuid() != 0 && gains_capabilities(path))
		return CAPABLE;
	return NULL;
}
