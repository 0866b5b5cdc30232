// SPDX-License-Identifier: MIT
/*
 * cgroup.c - the IDs of control groups
 *
 * A cgroup's ID is the inode number of its folder. A service gets another one each time
 * that it starts, so it is looked for when a connection asks for it.
 */
#include "cgroup.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX   6	 /* slices within slices */
#define FOLDERS_MAX 2000 /* slices looked at for one unit */

/* cgroup 2 alone, or beside cgroup 1 ("hybrid"). */
static const char *cgroup_root(void)
{
	struct stat st;

	return stat("/sys/fs/cgroup/cgroup.controllers", &st) < 0 &&
			       stat("/sys/fs/cgroup/unified", &st) == 0
		       ? "/sys/fs/cgroup/unified"
		       : "/sys/fs/cgroup";
}

static bool dir_has_inode(uint64_t id, const char *path)
{
	struct stat st;

	return id && stat(path, &st) == 0 && st.st_ino == id;
}

bool cgroup_matches_path(uint64_t id, const char *path)
{
	char full[512];

	return snprintf(full, sizeof(full), "%s%s", cgroup_root(), path) <
		       (int)sizeof(full) &&
	       dir_has_inode(id, full);
}

struct search {
	const char *unit;
	uint64_t id;
	unsigned int folders;
};

/* Only slices are gone into: what is below a service is the service's own to name. */
static bool search_slice(struct search *search, const char *path, int depth)
{
	const struct dirent *entry;
	char below[512];
	bool found;
	size_t len;
	DIR *dir;

	if (snprintf(below, sizeof(below), "%s/%s", path, search->unit) <
		    (int)sizeof(below) &&
	    dir_has_inode(search->id, below))
		return true;
	if (depth == DEPTH_MAX || search->folders++ == FOLDERS_MAX)
		return false;
	dir = opendir(path);
	found = false;
	while (dir && !found && (entry = readdir(dir))) {
		len = strlen(entry->d_name);
		if (entry->d_type != DT_DIR || len < 7 ||
		    strcmp(entry->d_name + len - 6, ".slice") != 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
		    (int)sizeof(below))
			found = search_slice(search, below, depth + 1);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool cgroup_matches_unit(uint64_t id, const char *unit)
{
	struct search search = { .unit = unit, .id = id };

	return id && search_slice(&search, cgroup_root(), 0);
}
