/* SPDX-License-Identifier: MIT */
/*
 * pool_file.h - which pool file is this program's
 */
#pragma once

#include <stddef.h>

/* A longer path is not found: it would have to fit on any thread's stack. */
#define POOL_FILE_PATH_MAX 1024

/*
 * pool_file_open() - open the first file of @program's look-up order (DESIGN.md, 5)
 *
 * @ret_path receives its path, absolute or as MPTCPADDR_CONFIG gives it, even if it
 * cannot be opened. A file that is
 * named by MPTCPADDR_CONFIG is the only candidate.
 *
 * Return: a close-on-exec descriptor; -ENOENT: there is no candidate; -ENODATA: no file
 * where MPTCPADDR_CONFIG says; other -errno of the last candidate.
 */
int pool_file_open(const char *program, char ret_path[POOL_FILE_PATH_MAX]);

/*
 * pool_file_user_folder() - the user's folder of pool files, with a slash at the end
 *
 * Return: its length; 0 if the user has none.
 */
size_t pool_file_user_folder(char ret_path[POOL_FILE_PATH_MAX]);
