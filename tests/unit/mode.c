// SPDX-License-Identifier: MIT
/*
 * mode.c - the small parser of the preload library and the full one (shim/pool/parse.c)
 * agree about `[app] mptcp = no`
 */
#include "shim/preload/mode.h"
#include "mptcpaddr/pool.h"
#include "shim/common/sockopt.h"
#include "shim/preload/env.h"
#include "shim/preload/pool_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURES "tests/unit/fixtures/mode/"

static void change_variable(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
	env_copy(); /* the library knows the environment of the start */
}

/* A process decides once: ask in a child. */
static enum mode mode_with(const char *config)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (config)
			change_variable("MPTCPADDR_CONFIG", config);
		errno = 4711;
		status = mode_get();
		_exit(errno == 4711 && (int)mode_known() == status ? status : 100);
	}
	waitpid(pid, &status, 0);
	cr_assert(WIFEXITED(status));
	cr_assert_neq(WEXITSTATUS(status), 100, "errno was changed");
	return WEXITSTATUS(status);
}

static void both_agree(const char *path)
{
	enum mode mode = mode_with(path), expected = MODE_POOL;
	struct pool_error why;
	struct pool *pool;

	if (pool_load(path, &pool, &why) < 0) {
		/* Invalid: as without a pool, but the manager must log why. */
		cr_expect_neq(mode, MODE_PLAIN, "%s", path);
		return;
	}
	if (!pool->mptcp)
		expected = MODE_OFF;
	cr_expect_eq(mode, expected, "%s: mode %d where parse.c reads mptcp = %s", path,
		     mode, pool->mptcp ? "yes" : "no");
	pool_free(pool);
}

static unsigned int all_agree(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned int n = 0;
	char path[512];

	cr_assert(dir, "%s", folder);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 5, ".conf"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		both_agree(path);
		n++;
	}
	closedir(dir);
	return n;
}

Test(mode, both_readers_agree_on_who_is_left_alone)
{
	cr_assert_gt(all_agree(FIXTURES), 30);
	cr_assert_gt(all_agree("tests/unit/fixtures"), 30);
	cr_assert_gt(all_agree("config"), 0);
}

Test(mode, file_that_says_no_turns_the_library_off)
{
	cr_assert_eq(mode_with(FIXTURES "plain.conf"), MODE_OFF);
	cr_assert_eq(mode_with(FIXTURES "yes.conf"), MODE_POOL);
}

Test(mode, every_tolerate_line_of_app_counts)
{
	static const char *const wanted[] = { "TCP_QUICKACK", "SO_OOBINLINE",
					      "TCP_USER_TIMEOUT" };
	unsigned int found = 0;

	change_variable("MPTCPADDR_CONFIG", FIXTURES "tolerate.conf");
	cr_assert_eq(mode_get(), MODE_POOL);
	for (size_t i = 0; i < n_sockopts; i++)
		found += mode_tolerates(&sockopts[i]);
	cr_assert_eq(found, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect(mode_tolerates(sockopt_named(wanted[i],
						       wanted[i] + strlen(wanted[i]))),
			  "%s", wanted[i]);
}

Test(mode, variable_turns_the_library_off)
{
	cr_assert_eq(mode_known(), MODE_UNKNOWN);
	change_variable("MPTCPADDR_DISABLE", "1");
	cr_assert_eq(mode_with(FIXTURES "yes.conf"), MODE_OFF);
	change_variable("MPTCPADDR_DISABLE", "0");
	cr_assert_eq(mode_with(FIXTURES "yes.conf"), MODE_POOL);
	change_variable("MPTCPADDR_DISABLE", "");
	cr_assert_eq(mode_with(FIXTURES "yes.conf"), MODE_POOL);
}

Test(mode, fifo_and_folder_do_not_block, .timeout = 10)
{
	char dir[] = "/tmp/mptcpaddr-unit.XXXXXX", path[64];

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(mode_with(path), MODE_POOL);
	cr_assert_eq(mode_with(dir), MODE_POOL);
	unlink(path);
	/* Named, but missing: the manager must log that. */
	cr_assert_eq(mode_with(path), MODE_POOL);
	rmdir(dir);
}

static void touch(const char *dir, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/mptcpaddr", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/mptcpaddr/%s.conf", dir, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	cr_assert_geq(fd, 0, "%s", path);
	close(fd);
}

static void is_found(const char *expected)
{
	char path[PATH_MAX];
	int fd = pool_file_open(program_invocation_short_name, path);

	cr_assert_geq(fd, 0, "%s is not found: %s", expected, strerror(-fd));
	cr_assert_str_eq(path, expected);
	close(fd);
}

Test(mode, pool_file_is_looked_for_in_the_order_of_the_manual)
{
	char dir[] = "/tmp/mptcpaddr-unit.XXXXXX", path[PATH_MAX], config[64];
	char own[128], other[128];

	cr_assert(mkdtemp(dir));
	snprintf(config, sizeof(config), "%s/.config", dir);
	mkdir(config, 0700);
	change_variable("MPTCPADDR_CONFIG", NULL);
	change_variable("XDG_CONFIG_HOME", NULL);
	change_variable("HOME", dir);
	cr_assert_eq(pool_file_open(program_invocation_short_name, path), -ENOENT);

	touch(config, "default");
	snprintf(other, sizeof(other), "%s/mptcpaddr/default.conf", config);
	is_found(other);
	touch(config, program_invocation_short_name);
	snprintf(own, sizeof(own), "%s/mptcpaddr/%s.conf", config,
		 program_invocation_short_name);
	is_found(own);

	change_variable("XDG_CONFIG_HOME", "/nonexistent");
	cr_assert_eq(pool_file_open(program_invocation_short_name, path), -ENOENT,
		     "HOME counts without XDG only");
	change_variable("XDG_CONFIG_HOME", "relative");
	cr_assert_eq(pool_file_open(program_invocation_short_name, path), -ENOENT);
	change_variable("XDG_CONFIG_HOME", config);
	is_found(own);

	change_variable("MPTCPADDR_CONFIG", other);
	is_found(other);
	change_variable("MPTCPADDR_CONFIG", "/nonexistent.conf");
	cr_assert_eq(pool_file_open(program_invocation_short_name, path), -ENODATA,
		     "it is the only candidate");
	change_variable("MPTCPADDR_CONFIG", "");
	is_found(own);
	unlink(own);
	unlink(other);
	snprintf(own, sizeof(own), "%s/mptcpaddr", config);
	rmdir(own);
	rmdir(config);
	rmdir(dir);
}

Test(mode, over_long_path_is_no_candidate)
{
	char path[PATH_MAX], huge[2 * PATH_MAX];

	memset(huge, 'x', sizeof(huge));
	huge[0] = '/';
	huge[sizeof(huge) - 1] = '\0';
	change_variable("MPTCPADDR_CONFIG", huge);
	cr_assert_eq(pool_file_open(program_invocation_short_name, path), -ENAMETOOLONG);
	change_variable("MPTCPADDR_CONFIG", NULL);
	change_variable("XDG_CONFIG_HOME", huge);
	cr_assert_lt(pool_file_open(program_invocation_short_name, path), 0);
}
