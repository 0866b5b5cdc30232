/* SPDX-License-Identifier: MIT */
/*
 * library.h - the library that programs are run under
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#define LIBRARY "libmptcpaddr.so"

/*
 * library_find() - beside this tool, as it is built, or where it is installed
 *
 * Return: 0; -ENOENT; -EINVAL: LD_PRELOAD cannot name the path, *@ret_path.
 */
int library_find(char ret_path[PATH_MAX]);

/* library_error() - what is to be said behind the path for an error of library_find() */
const char *library_error(int error);

/*
 * library_other() - the same library for programs of another word size or ABI
 * @path: of library_find()
 * @i:    from 0 upwards, until there is none
 *
 * In the folder that such a program's dynamic linker puts for $LIB (ld.so(8)), where the
 * one for this tool is in that of its own. Return: false: there are no more.
 */
bool library_other(const char *path, unsigned int i, char ret_path[PATH_MAX]);

/*
 * library_name() - what LD_PRELOAD is to have for @path: with $LIB in it if there is a
 * library_other(), so that each program of a family gets its own; else @path
 */
void library_name(const char *path, char ret_name[PATH_MAX]);

/*
 * library_preload() - put @path behind what LD_PRELOAD has, unless it is there
 *
 * Return: 0, 1: it was there already; -errno.
 */
int library_preload(const char *path);
