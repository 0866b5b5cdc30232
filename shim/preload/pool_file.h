/* SPDX-License-Identifier: MIT */
/*
 * pool_file.h - find a program's pool file
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longer paths are not found: the buffer must fit on any thread's stack. */
#define POOL_FILE_PATH_MAX 1024

/*
 * pool_file_open() - open the first file of @program's look-up order (mptcpaddr.conf(5))
 *
 * @ret_path receives its path, absolute or as in MPTCPADDR_CONFIG, even if open() fails.
 * A file named by MPTCPADDR_CONFIG is the only candidate.
 *
 * Return: a close-on-exec descriptor; -ENOENT: no candidate; -ENODATA: the file named by
 * MPTCPADDR_CONFIG is missing; other -errno of the last candidate.
 */
int pool_file_open(const char *program, char ret_path[POOL_FILE_PATH_MAX]);

/*
 * pool_file_open_own() - the same for this program
 *
 * Once found, it is the only candidate. Return: as pool_file_open().
 */
int pool_file_open_own(char ret_path[POOL_FILE_PATH_MAX]);

/* pool_file_freeze() - its path means another file now: pool_file_open_own() fails. */
void pool_file_freeze(void);
bool pool_file_is_frozen(void);

/* pool_file_user_dir() - the user's directory, with a slash. Return: its length, or 0. */
size_t pool_file_user_dir(char ret_path[POOL_FILE_PATH_MAX]);
