// SPDX-License-Identifier: MIT
/*
 * nosetenv.c - preloaded: setenv() has no memory for the variable that NOSETENV names
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int setenv(const char *name, const char *value, int replace)
{
	int (*real)(const char *, const char *, int) = dlsym(RTLD_NEXT, "setenv");
	const char *wanted = getenv("NOSETENV");

	if (!wanted || strcmp(wanted, name))
		return real(name, value, replace);
	errno = ENOMEM;
	return -1;
}
