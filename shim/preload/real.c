// SPDX-License-Identifier: MIT
/*
 * real.c - find the hooked functions of the next library
 */
#include "real.h"
#include "symver.h"

#include <dlfcn.h>
#include <errno.h>

/* In place of any hooked function: all return int or ssize_t. */
static long real_missing(void)
{
	errno = ENOSYS;
	return -1;
}

void *real_resolve(_Atomic(void *) *ret_real, const char *name)
{
	int saved = errno;
	void *real = dlsym(RTLD_NEXT, name);

	if (!real)
		real = (void *)real_missing;
	atomic_store_explicit(ret_real, real, memory_order_relaxed);
	errno = saved;
	return real;
}
