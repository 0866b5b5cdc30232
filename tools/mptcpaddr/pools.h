/* SPDX-License-Identifier: MIT */
/*
 * pools.h - look through pool files: every error, and what is not on this machine now
 */
#pragma once

#include "mptcpaddr/pool.h"

enum pools_what {
	POOLS_ERROR,  /* the program of that file has no pool */
	POOLS_FOLDER, /* one that cannot be read: no file of it is found */
	POOLS_ABSENT, /* an endpoint that cannot be used now */
	POOLS_GOOD,   /* neither, in a whole file */
};

struct pools_reader {
	/* @text: "FILE:LINE: what is wrong", "FOLDER: why", or a whole sentence */
	void (*tell)(void *ctx, enum pools_what what, const char *text);
	/* May be NULL: what the good lines of @path say. */
	void (*pool)(void *ctx, const char *path, const struct pool *pool);
	void *ctx;
};

/*
 * pools_check() - pool_check(), which says in plain words what is no file at all
 *
 * Return: as that; -EINVAL with the reason reported if @path is something else.
 */
int pools_check(const char *path, struct pool **ret_pool, pool_report_fn report,
		void *user);

/*
 * pools_file() - one pool file; pools_folders() - all that programs may find
 *
 * Return: 0; -errno: the addresses of this machine cannot be read. pools_folders() gives
 * the number of files.
 */
int pools_file(const struct pools_reader *reader, const char *path);
int pools_folders(const struct pools_reader *reader);
