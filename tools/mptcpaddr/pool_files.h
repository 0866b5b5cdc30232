/* SPDX-License-Identifier: MIT */
/*
 * pool_files.h - find and check pool files
 */
#pragma once

#include "checks.h"
#include "mptcpaddr/pool.h"
#include "shim/netlink/rtnl.h"

#include <limits.h>

struct pool_files {
	struct findings findings;
	/* Set by check_pool_files(): */
	struct rtnl_table machine;
	struct devices devices;
	unsigned int on, off; /* mptcp = yes, no */
	char off_path[256];   /* one of the latter */
};

/*
 * check_pool_files() - check @path; NULL: every file that programs may find
 *
 * Return: -errno if the addresses of this machine cannot be read; else 0, or the number
 * of files found.
 */
int check_pool_files(struct pool_files *files, const char *path);

/*
 * require_pool_file() - take @file of an option --pool, which must be valid
 * @consequence: for the message if it is not: "the program is not started"
 *
 * Return: 0 with the absolute path; -1 after every error was printed on stderr.
 */
int require_pool_file(const char *file, const char *consequence, char ret_path[PATH_MAX]);
