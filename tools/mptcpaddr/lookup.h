/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - which pool file a program will find (DESIGN.md, 5)
 */
#pragma once

#include <limits.h>

/*
 * lookup_pool() - do what the library will do in the program called @name
 *
 * Return: 0 and the path; -ENOENT: there is none; -ENODATA: there is none where
 * MPTCPADDR_CONFIG says; other -errno: @ret_path cannot be opened.
 */
int lookup_pool(const char *name, char ret_path[PATH_MAX]);

/*
 * lookup_folders() - where pool files are: the user's folder, then the system's
 *
 * @ret_user is "" if the user has none.
 */
void lookup_folders(char ret_user[PATH_MAX], char ret_system[PATH_MAX]);
