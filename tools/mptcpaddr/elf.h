/* SPDX-License-Identifier: MIT */
/*
 * elf.h - read from an ELF file which libraries its program can load
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct binary {
	int class, data, machine; /* as in the ELF header; class 0: no ELF file */
	bool loads_libraries;	  /* it has a dynamic linker, or is one */
	bool go;
	char linker[PATH_MAX]; /* its dynamic linker; "": none */
};

/* binary_read() - of the file @path. Return: 0; -errno; -ENOEXEC: not an ELF file. */
int binary_read(const char *path, struct binary *ret);

/* binary_same_kind() - whether code of both can be in one process. */
bool binary_same_kind(const struct binary *a, const struct binary *b);

#define BINARY_KIND_MAX 48

/* binary_kind() - "64-bit x86-64". Return: @text. */
const char *binary_kind(const struct binary *binary, char text[static BINARY_KIND_MAX]);

/* binary_foreign_libc() - a C library other than glibc, or NULL. */
const char *binary_foreign_libc(const struct binary *binary);
