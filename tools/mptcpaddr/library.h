/* SPDX-License-Identifier: MIT */
/*
 * library.h - the library that programs are run under
 */
#ifndef MPTCPADDR_LIBRARY_H
#define MPTCPADDR_LIBRARY_H

#include <limits.h>

#define LIBRARY "libmptcpaddr.so"

/*
 * library_find() - beside this tool, as it is built, or where it is installed
 *
 * Return: 0; -ENOENT; -EINVAL: LD_PRELOAD cannot name the path, *@ret_path.
 */
int library_find(char ret_path[PATH_MAX]);

/*
 * library_preload() - put @path behind what LD_PRELOAD has, unless it is there
 *
 * Return: 0, 1: it was there already; -errno.
 */
int library_preload(const char *path);

#endif
