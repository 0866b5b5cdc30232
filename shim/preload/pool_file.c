// SPDX-License-Identifier: MIT
/*
 * pool_file.c - find a program's pool file
 *
 * Runs inside the first socket() of every program, perhaps on a small stack or in a
 * signal handler: no heap, no stdio, one path in the caller's buffer, and as few system
 * calls and libc symbols (str.h) as possible.
 */
#include "pool_file.h"
#include "env.h"
#include "shim/common/str.h"
#include "syscall.h"

static char own[POOL_FILE_PATH_MAX];
static _Atomic bool own_claimed, own_known, frozen;

#define SYSTEM_DIR "/etc/mptcpaddr/"

static int open_pool(const char *path)
{
	/* A FIFO under that name must not block the application. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	return sys_call(SYS_openat, AT_FDCWD, (long)path, flags);
}

/* Append "PROGRAM.conf" to the directory in @path, @len bytes, and open it. */
static int open_named(char path[POOL_FILE_PATH_MAX], size_t len, const char *program)
{
	len = str_append(path, len, POOL_FILE_PATH_MAX, program);
	len = STR_APPEND(path, len, POOL_FILE_PATH_MAX, ".conf");
	return len < POOL_FILE_PATH_MAX ? open_pool(path) : -ENOENT;
}

static int open_default(char path[POOL_FILE_PATH_MAX], size_t len)
{
	len = STR_APPEND(path, len, POOL_FILE_PATH_MAX, "default.conf");
	return len < POOL_FILE_PATH_MAX ? open_pool(path) : -ENOENT;
}

static bool dir_exists(const char *dir)
{
	return sys_call(SYS_faccessat, AT_FDCWD, (long)dir, F_OK) == 0;
}

size_t pool_file_user_dir(char ret_path[POOL_FILE_PATH_MAX])
{
	const char *dir = env_get(ENV_XDG_CONFIG_HOME);
	bool home = !dir || !*dir;
	size_t len;

	if (home)
		dir = env_get(ENV_HOME);
	if (!dir || dir[0] != '/')
		return 0;
	len = str_append(ret_path, 0, POOL_FILE_PATH_MAX, dir);
	if (home)
		len = STR_APPEND(ret_path, len, POOL_FILE_PATH_MAX, "/.config");
	len = STR_APPEND(ret_path, len, POOL_FILE_PATH_MAX, "/mptcpaddr/");
	return len < POOL_FILE_PATH_MAX ? len : 0;
}

/* Continue if the program's own file is not in the user's directory. */
static int search_both(char path[POOL_FILE_PATH_MAX], const char *program, bool user)
{
	const size_t system = STR_APPEND(path, 0, POOL_FILE_PATH_MAX, SYSTEM_DIR);
	int fd = open_named(path, system, program);

	if (fd < 0 && user)
		fd = open_default(path, pool_file_user_dir(path));
	if (fd < 0) {
		STR_APPEND(path, 0, POOL_FILE_PATH_MAX, SYSTEM_DIR);
		fd = open_default(path, system);
	}
	return fd;
}

/*
 * The program's own file in either directory, then the default in either. A file in the
 * user's directory is found by one system call; without any file it takes three.
 */
static int search_dirs(char path[POOL_FILE_PATH_MAX], const char *program)
{
	size_t user = pool_file_user_dir(path);
	int fd = -ENOENT;

	if (user)
		fd = open_named(path, user, program);
	if (fd >= 0)
		return fd;
	if (fd != -ENOENT) {
		/* A directory that cannot be searched counts as missing. */
		path[user] = '\0';
		if (!dir_exists(path))
			user = 0;
	}
	if (dir_exists(SYSTEM_DIR))
		return search_both(path, program, user);
	return user ? open_default(path, user) : -ENOENT;
}

int pool_file_open(const char *program, char ret_path[POOL_FILE_PATH_MAX])
{
	const char *explicit = env_get(ENV_CONFIG);
	int fd;

	if (!explicit || !*explicit)
		return search_dirs(ret_path, program);
	if (str_append(ret_path, 0, POOL_FILE_PATH_MAX, explicit) == POOL_FILE_PATH_MAX)
		return -ENAMETOOLONG;
	fd = open_pool(ret_path);
	return fd == -ENOENT ? -ENODATA : fd;
}

void pool_file_freeze(void)
{
	atomic_store(&frozen, true);
}

bool pool_file_is_frozen(void)
{
	return atomic_load(&frozen);
}

/* Racing threads find the same file; one of them keeps its path. */
int pool_file_open_own(char ret_path[POOL_FILE_PATH_MAX])
{
	int fd;

	if (atomic_load(&own_known)) {
		str_append(ret_path, 0, POOL_FILE_PATH_MAX, own);
		return pool_file_is_frozen() ? -ENOENT : open_pool(own);
	}
	fd = pool_file_open(env_program_name(), ret_path);
	if (fd >= 0 && !atomic_exchange(&own_claimed, true)) {
		str_append(own, 0, sizeof(own), ret_path);
		atomic_store(&own_known, true);
	}
	return fd;
}
