/* SPDX-License-Identifier: MIT */
/*
 * shim.h - the environment of a program that runs under the shim
 */
#pragma once

#include <limits.h>

struct shim_env {
	char preload[PATH_MAX + 16];
	char config[PATH_MAX + 32];
	char search[PATH_MAX + 32];
	const char *list[8]; /* for proc_start(); room for two of the caller's own */
	int count;
};

/*
 * shim_env() - preload the library that was built, with @pool_file (NULL: none)
 *
 * Also what a build with sanitizers needs. Return: @e->list.
 */
const char *const *shim_env(struct shim_env *e, const char *pool_file);
