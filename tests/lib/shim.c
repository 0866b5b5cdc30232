// SPDX-License-Identifier: MIT
/*
 * shim.c - the environment of a program that runs under the shim
 */
#include "shim.h"

#include <stdio.h>

#include "proc.h"

const char *const *shim_env(struct shim_env *e, const char *pool_file)
{
	char path[PATH_MAX];

	*e = (struct shim_env){ .count = 0 };
	snprintf(e->preload, sizeof(e->preload), "LD_PRELOAD=%s",
		 built("libmptcpaddr.so", path, sizeof(path)));
	e->list[e->count++] = e->preload;
	if (pool_file) {
		snprintf(e->config, sizeof(e->config), "MPTCPADDR_CONFIG=%s", pool_file);
		e->list[e->count++] = e->config;
	}
#ifdef __SANITIZE_ADDRESS__
	/*
	 * The sanitizer's runtime is preloaded too; its dlopen() ignores the caller's
	 * RUNPATH.
	 */
	e->list[e->count++] = "ASAN_OPTIONS=verify_asan_link_order=0";
	snprintf(e->search, sizeof(e->search), "LD_LIBRARY_PATH=%s",
		 built("", path, sizeof(path)));
	e->list[e->count++] = e->search;
#endif
	return e->list;
}
