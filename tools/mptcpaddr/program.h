/* SPDX-License-Identifier: MIT */
/*
 * program.h - which file really runs when a program is started
 */
#pragma once

#include <limits.h>

struct program {
	char path[PATH_MAX];   /* of the ELF file: of a script, that of its interpreter */
	char script[PATH_MAX]; /* "": none */
	char name[PATH_MAX];   /* what it will be called: its pool file's name */
};

/*
 * program_find() - where execvp(3) would find @file
 *
 * Return: 0; -ENOENT; -EACCES: there are files of that name, none is executable.
 */
int program_find(const char *file, char ret_path[PATH_MAX]);

/*
 * program_resolve() - follow "#!" lines from @file to what the kernel loads
 *
 * "#!/usr/bin/env PROGRAM" is followed too. Return: 0; -ENOENT, -EACCES of
 * program_find(), of @file or of an interpreter: ret->path tells which; -ELOOP.
 */
int program_resolve(const char *file, struct program *ret);
