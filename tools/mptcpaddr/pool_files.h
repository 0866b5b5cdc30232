/* SPDX-License-Identifier: MIT */
/*
 * pool_files.h - find and check pool files
 */
#pragma once

#include "mptcpaddr/pool.h"

#include <limits.h>

enum pool_line {
	POOL_LINE_BAD,	    /* an error: the program of that file has no pool */
	POOL_DIRECTORY_BAD, /* cannot be read: none of its files is found */
	POOL_LINE_UNUSABLE, /* an endpoint that is not on this machine now */
	POOL_FILE_GOOD,
};

struct pool_reader {
	/* @text: "FILE:LINE: what is wrong", "DIRECTORY: why", or a whole sentence */
	void (*on_line)(void *ctx, enum pool_line what, const char *text);
	/* May be NULL: called with what the valid lines of @path say. */
	void (*on_pool)(void *ctx, const char *path, const struct pool *pool);
	void *ctx;
};

/*
 * check_pool_files() - check @path; NULL: every file that programs may find
 *
 * Return: -errno if the addresses of this machine cannot be read; else 0, or the number
 * of files found.
 */
int check_pool_files(const struct pool_reader *reader, const char *path);

/*
 * require_pool_file() - take @file of an option --pool, which must be valid
 * @consequence: for the message if it is not: "the program is not started"
 *
 * Return: 0 with the absolute path; -EINVAL after every error was printed on stderr.
 */
int require_pool_file(const char *file, const char *consequence, char ret_path[PATH_MAX]);
