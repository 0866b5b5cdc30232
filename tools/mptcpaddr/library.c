// SPDX-License-Identifier: MIT
/*
 * library.c - the library that programs are run under
 */
#include "program.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef LIBDIR
#define LIBDIR "/usr/local/lib"
#endif

#define SEPARATORS " :" /* of LD_PRELOAD; there is no way to quote them */

const char *library_find(char ret_path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	n = snprintf(ret_path, PATH_MAX, "%.*s" LIBRARY, (int)(basename(self) - self),
		     self);
	if (n >= PATH_MAX || access(ret_path, R_OK) < 0)
		snprintf(ret_path, PATH_MAX, "%s/" LIBRARY, LIBDIR);
	if (access(ret_path, R_OK) < 0)
		return "is missing, and so is " LIBRARY " next to this tool";
	return strpbrk(ret_path, SEPARATORS)
		       ? "has a blank or a colon in its name: LD_PRELOAD cannot name it"
		       : NULL;
}

/* Values of $LIB in dynamic linkers: Debian's, and those of other systems. */
static const char *const lib_directories[] = {
	"lib/x86_64-linux-gnu",
	"lib/i386-linux-gnu",
	"lib/x86_64-linux-gnux32",
	"lib/aarch64-linux-gnu",
	"lib/arm-linux-gnueabihf",
	"lib/powerpc64-linux-gnu",
	"lib/s390x-linux-gnu",
	"lib/mips64el-linux-gnuabi64",
	"lib64",
	"lib32",
	"libx32",
	"lib",
};

#define LIB_DIRECTORIES (sizeof(lib_directories) / sizeof(lib_directories[0]))

/* The length of @path before the directory that is $LIB for this tool; 0: none is. */
static int find_prefix(const char *path)
{
	size_t len = strlen(path) - strlen("/" LIBRARY), n, i;

	for (i = 0; i < LIB_DIRECTORIES; i++) {
		n = strlen(lib_directories[i]);
		if (len > n + 1 && path[len - n - 1] == '/' &&
		    !strncmp(path + len - n, lib_directories[i], n))
			return len - n;
	}
	return 0;
}

bool library_variant(const char *path, unsigned int i, char ret_path[PATH_MAX])
{
	const int n = find_prefix(path);
	size_t k;

	for (k = 0; n && k < LIB_DIRECTORIES; k++)
		if (snprintf(ret_path, PATH_MAX, "%.*s%s/" LIBRARY, n, path,
			     lib_directories[k]) < PATH_MAX &&
		    !access(ret_path, R_OK) && !i--)
			return true;
	return false;
}

void library_name(const char *path, char ret_name[PATH_MAX])
{
	char other[PATH_MAX];
	void *library;

	/* Only the dynamic linker knows its value of $LIB: let it try. */
	if (library_variant(path, 1, other) &&
	    snprintf(ret_name, PATH_MAX, "%.*s$LIB/" LIBRARY, find_prefix(path), path) <
		    PATH_MAX) {
		library = dlopen(ret_name, RTLD_LAZY | RTLD_LOCAL);
		if (library && dlclose(library) == 0)
			return;
	}
	snprintf(ret_name, PATH_MAX, "%s", path);
}

bool library_is_listed(const char *preload)
{
	const char *at = preload;

	for (; (at = strstr(at, LIBRARY)); at += strlen(LIBRARY))
		if ((at == preload || strchr("/" SEPARATORS, at[-1])) &&
		    strchr(SEPARATORS, at[strlen(LIBRARY)]))
			return true;
	return false;
}
