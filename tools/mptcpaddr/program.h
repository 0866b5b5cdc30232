/* SPDX-License-Identifier: MIT */
/*
 * program.h - which file runs when a program is started, and whether it takes a library
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct program {
	char path[PATH_MAX];   /* of the ELF file: of a script, that of its interpreter */
	char script[PATH_MAX]; /* "": none */
	char name[PATH_MAX];   /* its pool file's */
};

/*
 * program_resolve() - follow "#!" lines from @file to what the kernel loads
 *
 * "#!/usr/bin/env PROGRAM" is followed too. Return: false if one is not executable.
 */
bool program_resolve(const char *file, struct program *ret);

/* Why a program cannot be served. */
struct obstacle {
	char text[PATH_MAX + 128]; /* after its path */
	const char *remedies;	   /* for report_problem() */
	bool refuses_library; /* its dynamic linker would complain, or not start it */
};

/*
 * program_check() - whether the library can hook the program at @path
 * @library: of library_find(); @other_kinds: or one of its library_variant()s
 *
 * Return: false with the obstacle. True also if the file cannot be read.
 */
bool program_check(const char *path, const char *library, bool other_kinds,
		   struct obstacle *ret);

/*
 * secure_reason() - why @path, started by us, would ignore LD_PRELOAD
 * secure_reason_of_user() - why it would if a service starts it as a user other than root
 *
 * Return: "setuid", "started with another effective user ID"..., or NULL: it would not.
 */
const char *secure_reason(const char *path);
const char *secure_reason_of_user(const char *path);
