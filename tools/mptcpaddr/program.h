/* SPDX-License-Identifier: MIT */
/*
 * program.h - which file runs when a program is started, and whether it takes the library
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

struct binary {
	int class, data, machine; /* as in the ELF header */
	bool loads_libraries;	  /* it has a dynamic linker, or is one */
	bool go;
	bool sets_groups;      /* initgroups(), setgroups(): it may drop root's rights */
	char linker[PATH_MAX]; /* its dynamic linker; "": none */
};

/* binary_read() - of the file @path. Return: 0; -errno; -ENOEXEC: not an ELF file. */
int binary_read(const char *path, struct binary *ret);

/* binary_same_kind() - whether code of both can be in one process. */
bool binary_same_kind(const struct binary *a, const struct binary *b);

/* binary_runs_beside() - a 32-bit program for the machine of @other. */
bool binary_runs_beside(const struct binary *binary, const struct binary *other);

#define BINARY_KIND_MAX 48

/* binary_kind() - "64-bit x86-64". Return: @text. */
const char *binary_kind(const struct binary *binary, char text[static BINARY_KIND_MAX]);

#ifdef __GLIBC__
#define OWN_LIBC "glibc"
#else
#define OWN_LIBC "musl"
#endif

/* binary_foreign_libc() - a C library other than this tool's and the library's, or NULL.
 */
const char *binary_foreign_libc(const struct binary *binary);

struct program {
	char path[PATH_MAX];   /* of the ELF file: of a script, that of its interpreter */
	char script[PATH_MAX]; /* "": none */
	bool is_wrapped;       /* the script executes @path in its place */
	char name[PATH_MAX];   /* its pool file's */
};

/*
 * program_resolve() - follow "#!" lines from @file to what the kernel loads
 *
 * "#!/usr/bin/env PROGRAM" and wrapper_read() are followed too. Return: false if one is
 * not executable.
 */
bool program_resolve(const char *file, struct program *ret);

/*
 * wrapper_read() - the program that the shell script executes in its place
 *
 * Return: false if there is none, or only the shell knows its name.
 */
bool wrapper_read(const char *script, char ret_file[PATH_MAX], char ret_name[PATH_MAX]);

/* Why a program cannot be served. */
struct obstacle {
	char text[PATH_MAX + 128]; /* after its path */
	const char *remedies;	   /* for report_problem() */
	bool refuses_library; /* its dynamic linker would complain, or not start it */
	bool is_supervisable; /* its system calls are those of this machine */
	bool is_go;
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
