/* SPDX-License-Identifier: MIT */
/*
 * library.h - the library that programs are run under
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#define LIBRARY "libmptcpaddr.so"

/*
 * library_find() - next to this tool, or where it is installed
 *
 * Return: NULL, or what is wrong with it: for a message, after the path.
 */
const char *library_find(char ret_path[PATH_MAX]);

/*
 * library_variant() - the library for programs of each word size and ABI, number @i
 *
 * They differ from @path, of library_find(), in the directory that the dynamic linker
 * puts for $LIB (ld.so(8)). Return: false: there are no more.
 */
bool library_variant(const char *path, unsigned int i, char ret_path[PATH_MAX]);

/*
 * library_name() - @path for LD_PRELOAD
 *
 * With $LIB in it if there are two library_variant()s: each program gets its own.
 */
void library_name(const char *path, char ret_name[PATH_MAX]);

/*
 * library_is_listed() - whether @preload, an LD_PRELOAD, has the library
 *
 * Any copy: two would hook each other.
 */
bool library_is_listed(const char *preload);
