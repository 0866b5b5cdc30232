// SPDX-License-Identifier: MIT
/*
 * lookup.c - which pool file a program will find (DESIGN.md, 5)
 *
 * The search is the library's own (shim/preload/pool_file.c), in our own environment.
 */
#include "lookup.h"

#include "shim/preload/pool_file.h"

#include <stdio.h>
#include <unistd.h>

int lookup_pool(const char *name, char ret_path[PATH_MAX])
{
	int fd;

	*ret_path = '\0';
	fd = pool_file_open(name, ret_path);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

void lookup_folders(char ret_user[PATH_MAX], char ret_system[PATH_MAX])
{
	size_t len = pool_file_user_folder(ret_user);

	ret_user[len ? len - 1 : 0] = '\0'; /* without the slash */
	snprintf(ret_system, PATH_MAX, "/etc/mptcpaddr");
}
