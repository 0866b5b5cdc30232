// SPDX-License-Identifier: MIT
/*
 * poolfile.c - which pool file is this program's
 *
 * Runs inside the first socket() of every program: no heap, no stdio, and as few
 * system calls and first calls of libc functions as can be (text.h).
 */
#include "poolfile.h"
#include "rawcall.h"
#include "text.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct folder {
	char path[PATH_MAX]; /* ".../mptcpaddr/" */
	size_t len;	     /* 0: there is none */
};

static int open_pool(const char *path)
{
	/* A FIFO under that name must not block the application. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	return raw_call(SYS_openat, AT_FDCWD, (long)path, flags);
}

/* One look at a folder that is not there saves two at files. */
static void find_folder(struct folder *ret_folder, const char *dir, const char *sub)
{
	size_t len;

	ret_folder->len = 0;
	if (!dir || dir[0] != '/')
		return;
	len = text_append(ret_folder->path, 0, PATH_MAX, dir);
	len = text_append(ret_folder->path, len, PATH_MAX, sub);
	len = text_append(ret_folder->path, len, PATH_MAX, "/mptcpaddr/");
	if (len < PATH_MAX &&
	    !raw_call(SYS_faccessat, AT_FDCWD, (long)ret_folder->path, F_OK))
		ret_folder->len = len;
}

/* @path receives FOLDER/NAME.conf. */
static int open_in(const struct folder *folder, const char *name, char path[PATH_MAX])
{
	size_t len;

	if (!folder->len)
		return -ENOENT;
	text_append(path, 0, PATH_MAX, folder->path);
	len = text_append(path, folder->len, PATH_MAX, name);
	len = text_append(path, len, PATH_MAX, ".conf");
	return len < PATH_MAX ? open_pool(path) : -ENOENT;
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

int poolfile_open(char path[PATH_MAX])
{
	const char *names[] = { NULL, "default" };
	const char *explicit = secure_getenv("MPTCPADDR_CONFIG");
	const char *dir, *sub = "";
	struct folder user, host;
	int i, fd = -ENOENT;

	if (explicit && *explicit) {
		if (text_append(path, 0, PATH_MAX, explicit) == PATH_MAX)
			return -ENAMETOOLONG;
		return open_pool(path);
	}
	dir = secure_getenv("XDG_CONFIG_HOME");
	if (!dir || !*dir) {
		dir = secure_getenv("HOME");
		sub = "/.config";
	}
	find_folder(&user, dir, sub);
	find_folder(&host, "/etc", "");
	if (!user.len && !host.len)
		return -ENOENT;
	names[0] = poolfile_program();
	for (i = 0; i < 2; i++) {
		fd = open_in(&user, names[i], path);
		if (fd < 0)
			fd = open_in(&host, names[i], path);
		if (fd >= 0)
			break;
	}
	return fd;
}
