// SPDX-License-Identifier: MIT
/*
 * poolfile.c - which pool file is this program's
 *
 * Runs inside the first socket() of every program: no heap, no stdio.
 */
#include "poolfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Append to a path that is being put together. Return: false when it gets too long. */
static bool append(char path[PATH_MAX], size_t *len, const char *text)
{
	size_t n = strlen(text);

	if (*len + n >= PATH_MAX)
		return false;
	memcpy(path + *len, text, n + 1);
	*len += n;
	return true;
}

static int open_pool(const char *path)
{
	/* A FIFO under that name must not block the application. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* DIR[SUB]/mptcpaddr/NAME.conf; no DIR: no such candidate. */
static int open_candidate(char path[PATH_MAX], const char *dir, const char *sub,
			  const char *name)
{
	size_t len = 0;

	if (!dir || dir[0] != '/')
		return -ENOENT;
	if (!append(path, &len, dir) || !append(path, &len, sub) ||
	    !append(path, &len, "/mptcpaddr/") || !append(path, &len, name) ||
	    !append(path, &len, ".conf"))
		return -ENAMETOOLONG;
	return open_pool(path);
}

int poolfile_open(char path[PATH_MAX])
{
	const char *names[] = { program_invocation_short_name, "default" };
	const char *explicit = secure_getenv("MPTCPADDR_CONFIG");
	const char *dir, *sub = "";
	size_t len = 0;
	int i, fd;

	if (explicit && *explicit) {
		if (!append(path, &len, explicit))
			return -ENAMETOOLONG;
		return open_pool(path);
	}
	dir = secure_getenv("XDG_CONFIG_HOME");
	if (!dir || !*dir) {
		dir = secure_getenv("HOME");
		sub = "/.config";
	}
	for (i = 0; i < 2; i++) {
		fd = open_candidate(path, dir, sub, names[i]);
		if (fd >= 0)
			return fd;
		fd = open_candidate(path, "/etc", "", names[i]);
		if (fd >= 0)
			return fd;
	}
	return fd;
}
