// SPDX-License-Identifier: MIT
/*
 * library.c - the library that programs are run under
 */
#include "library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef LIBDIR
#define LIBDIR "/usr/local/lib"
#endif

#define SEPARATORS " :" /* of LD_PRELOAD; there is no way to quote them */

int library_find(char ret_path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	int len;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	len = slash ? snprintf(ret_path, PATH_MAX, "%.*s/" LIBRARY, (int)(slash - self),
			       self)
		    : -1;
	if (len < 0 || len >= PATH_MAX || access(ret_path, R_OK) < 0)
		snprintf(ret_path, PATH_MAX, "%s/" LIBRARY, LIBDIR);
	if (access(ret_path, R_OK) < 0)
		return -ENOENT;
	return strpbrk(ret_path, SEPARATORS) ? -EINVAL : 0;
}

/* Two copies of the library would hook each other: one of that name is enough. */
static int is_listed(const char *list)
{
	size_t len;

	for (; *list; list += len + !!list[len]) {
		len = strcspn(list, SEPARATORS);
		if (len >= strlen(LIBRARY) &&
		    !strncmp(list + len - strlen(LIBRARY), LIBRARY, strlen(LIBRARY)) &&
		    (len == strlen(LIBRARY) || list[len - strlen(LIBRARY) - 1] == '/'))
			return 1;
	}
	return 0;
}

int library_preload(const char *path)
{
	const char *before = getenv("LD_PRELOAD") ?: "";
	char *list;
	int r;

	if (is_listed(before))
		return 1;
	if (asprintf(&list, "%s%s%s", before, *before ? ":" : "", path) < 0)
		return -ENOMEM;
	r = setenv("LD_PRELOAD", list, 1) < 0 ? -errno : 0;
	free(list);
	return r;
}
