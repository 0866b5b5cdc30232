// SPDX-License-Identifier: MIT
/*
 * poolfile.c - which pool file is this program's
 *
 * Runs inside the first socket() of every program, perhaps on a small stack or in a
 * signal handler: no heap, no stdio, one path that the caller has room for, and as few
 * system calls and first calls of libc functions as can be (text.h).
 */
#include "poolfile.h"
#include "rawcall.h"
#include "text.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static int open_pool(const char *path)
{
	/* A FIFO under that name must not block the application. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	return raw_call(SYS_openat, AT_FDCWD, (long)path, flags);
}

static size_t folder_text(char path[POOLFILE_PATH_MAX], const char *dir, const char *sub)
{
	size_t len;

	len = text_append(path, 0, POOLFILE_PATH_MAX, dir);
	len = text_append(path, len, POOLFILE_PATH_MAX, sub);
	return text_append(path, len, POOLFILE_PATH_MAX, "/mptcpaddr/");
}

/*
 * folder_path() - write DIR SUB/mptcpaddr/ to @path, if there is such a folder
 *
 * One look at a folder that is not there saves two at files. Return: the length of its
 * path; 0: there is none.
 */
static size_t folder_path(char path[POOLFILE_PATH_MAX], const char *dir, const char *sub)
{
	size_t len;

	if (!dir || dir[0] != '/')
		return 0;
	len = folder_text(path, dir, sub);
	if (len == POOLFILE_PATH_MAX ||
	    raw_call(SYS_faccessat, AT_FDCWD, (long)path, F_OK) < 0)
		return 0;
	return len;
}

/* Behind the folder's path, of @len bytes: NAME.conf. */
static int open_in(char path[POOLFILE_PATH_MAX], size_t len, const char *name)
{
	len = text_append(path, len, POOLFILE_PATH_MAX, name);
	len = text_append(path, len, POOLFILE_PATH_MAX, ".conf");
	return len < POOLFILE_PATH_MAX ? open_pool(path) : -ENOENT;
}

/*
 * Looked up by name: an imported variable would cost every exec a relocation, and with
 * it the search for a symbol.
 */
const char *poolfile_program(void)
{
	char **name = dlsym(RTLD_DEFAULT, "program_invocation_short_name");

	return name && *name ? *name : "";
}

int poolfile_open(char path[POOLFILE_PATH_MAX])
{
	const char *explicit = secure_getenv("MPTCPADDR_CONFIG");
	const char *dirs[2], *sub = "";
	size_t len[2];
	int i, fd = -ENOENT;

	if (explicit && *explicit) {
		if (text_append(path, 0, POOLFILE_PATH_MAX, explicit) ==
		    POOLFILE_PATH_MAX)
			return -ENAMETOOLONG;
		fd = open_pool(path);
		return fd == -ENOENT ? -ENODATA : fd;
	}
	dirs[0] = secure_getenv("XDG_CONFIG_HOME");
	dirs[1] = "/etc";
	if (!dirs[0] || !*dirs[0]) {
		dirs[0] = secure_getenv("HOME");
		sub = "/.config";
	}
	for (i = 0; i < 2; i++)
		len[i] = folder_path(path, dirs[i], i ? "" : sub);
	/* The program's own file in either folder, then the default in either. */
	for (i = 0; i < 4 && fd < 0; i++) {
		if (!len[i % 2])
			continue;
		folder_text(path, dirs[i % 2], i % 2 ? "" : sub);
		fd = open_in(path, len[i % 2], i < 2 ? poolfile_program() : "default");
	}
	return fd;
}
