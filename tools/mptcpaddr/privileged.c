// SPDX-License-Identifier: MIT
/*
 * privileged.c - whether the kernel will start a program in secure mode (AT_SECURE)
 *
 * The rules of bprm_fill_uid() and cap_bprm_creds_from_file(): a bit in the file's mode
 * is not enough. A setuid-root program that root starts is an ordinary one.
 */
#include "privileged.h"

#include <endian.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAP_LINES_MAX 340 /* the kernel's limit */

/* An owner that our user namespace does not know gives nobody any right here. */
static bool is_mapped(const char *map, unsigned int id)
{
	FILE *file = fopen(map, "re");
	unsigned int first, outside, count;
	bool found = false;
	int line;

	if (!file)
		return true; /* no /proc: no way to tell */
	for (line = 0; line < MAP_LINES_MAX && !found &&
		       fscanf(file, "%u %u %u", &first, &outside, &count) == 3;
	     line++)
		found = id >= first && id - first < count;
	fclose(file);
	return found;
}

struct capabilities {
	uint64_t permitted, inheritable;
};

static struct capabilities capabilities_now(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	syscall(SYS_capget, &head, sets);
	return (struct capabilities){
		.permitted = sets[0].permitted | (uint64_t)sets[1].permitted << 32,
		.inheritable = sets[0].inheritable | (uint64_t)sets[1].inheritable << 32,
	};
}

static uint64_t bounding_now(void)
{
	uint64_t set = 0;
	int cap;

	for (cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		set |= (uint64_t)(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0) << cap;
	return set;
}

static bool no_new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0;
}

/* Whether the file's capabilities count for a user that is not root, and give any. */
static bool gives_capabilities(const char *path)
{
	struct capabilities now = capabilities_now();
	uint64_t permitted = 0, inheritable = 0;
	struct vfs_ns_cap_data data = { 0 };
	unsigned int words, i;
	uint32_t magic;
	ssize_t n = getxattr(path, "security.capability", &data, sizeof(data));

	if (n < (ssize_t)XATTR_CAPS_SZ_1)
		return false;
	magic = le32toh(data.magic_etc);
	/* One that is for another user namespace's root is shown as revision 3. */
	if ((magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3)
		return false;
	if (magic & VFS_CAP_FLAGS_EFFECTIVE)
		return true;
	words = n > (ssize_t)XATTR_CAPS_SZ_1 ? 2 : 1;
	for (i = 0; i < words; i++) {
		permitted |= (uint64_t)le32toh(data.data[i].permitted) << (32 * i);
		inheritable |= (uint64_t)le32toh(data.data[i].inheritable) << (32 * i);
	}
	permitted = (permitted & bounding_now()) | (inheritable & now.inheritable);
	if (no_new_privileges())
		permitted &= now.permitted;
	return permitted;
}

/* Whether the bits in the file's mode count: it takes both owners for either. */
static bool mode_counts(const struct stat *st)
{
	return !no_new_privileges() && is_mapped("/proc/self/uid_map", st->st_uid) &&
	       is_mapped("/proc/self/gid_map", st->st_gid);
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
	bits = !(mount.f_flag & ST_NOSUID) && mode_counts(&st);
	if (bits && (st.st_mode & S_ISUID))
		uid = st.st_uid;
	if (bits && (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP))
		gid = st.st_gid;
	/* It compares with the real IDs of before; Linux 6.18 with the effective user ID
	 * too. */
	if (uid != getuid() || uid != geteuid())
		return uid == geteuid() ? "started with another effective user ID"
					: "setuid";
	if (gid != getgid())
		return gid == getegid() ? "started with another effective group ID"
					: "setgid";
	if (!(mount.f_flag & ST_NOSUID) && getuid() != 0 && gives_capabilities(path))
		return "a program with file capabilities";
	return NULL;
}
