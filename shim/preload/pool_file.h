/* SPDX-License-Identifier: MIT */
/*
 * pool_file.h - which pool file is this program's
 */
#pragma once

/* A longer path is not found: it would have to fit on any thread's stack. */
#define POOL_FILE_PATH_MAX 1024

/*
 * pool_file_open() - open the first file of the look-up order (DESIGN.md, 5)
 *
 * @path receives its path, absolute or as MPTCPADDR_CONFIG gives it. A file that is
 * named by MPTCPADDR_CONFIG is the only candidate.
 *
 * Return: a close-on-exec descriptor; -ENOENT: there is no candidate; -ENODATA: no file
 * where MPTCPADDR_CONFIG says; other -errno of the last candidate.
 */
int pool_file_open(char path[POOL_FILE_PATH_MAX]);
