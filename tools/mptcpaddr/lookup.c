// SPDX-License-Identifier: MIT
/*
 * lookup.c - which pool file a program will find (DESIGN.md, 5)
 *
 * The search is the library's own, shim/preload/pool_file.c. What it asks about the
 * program that it is in is answered here for one that is not started yet.
 */
#include "lookup.h"

#include "shim/preload/env.h"
#include "shim/preload/pool_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *called = "";

const char *env_get(const char *name)
{
	return getenv(name);
}

const char *env_program(void)
{
	return called;
}

int lookup_pool(const char *name, char ret_path[PATH_MAX])
{
	char path[POOL_FILE_PATH_MAX] = "";
	int fd;

	called = name;
	fd = pool_file_open(path);
	snprintf(ret_path, PATH_MAX, "%s", path);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

void lookup_folders(char ret_user[PATH_MAX], char ret_system[PATH_MAX])
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	*ret_user = '\0';
	if (config && *config)
		snprintf(ret_user, PATH_MAX, "%s/mptcpaddr",
			 *config == '/' ? config : "");
	else if (home && *home == '/')
		snprintf(ret_user, PATH_MAX, "%s/.config/mptcpaddr", home);
	if (config && *config && *config != '/')
		*ret_user = '\0';
	snprintf(ret_system, PATH_MAX, "/etc/mptcpaddr");
}
