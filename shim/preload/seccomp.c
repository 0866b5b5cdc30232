// SPDX-License-Identifier: MIT
/*
 * seccomp.c - seccomp_load() of libseccomp: a filter that kills for calls it has not
 *
 * Such a program (chronyd -F 1) expects the calls that it makes itself. A manager, or
 * registering a connection, makes others. A filter that lets calls fail does no harm.
 */
#include "log_request.h"
#include "mode.h"
#include "real.h"
#include "symver.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#define ATTR_DEFAULT_ACTION 1	       /* SCMP_FLTATR_ACT_DEFAULT */
#define ACTION_ERRNO	    0x00050000 /* SCMP_ACT_ERRNO(0); kill and trap are below */

typedef int (*attr_get_fn)(const void *, int, uint32_t *);

HOOK int seccomp_load(const void *filter);

/* Return: whether a call that the filter does not name ends the program. */
static bool kills_by_default(const void *filter)
{
	const attr_get_fn attr_get = (attr_get_fn)dlsym(RTLD_NEXT, "seccomp_attr_get");
	uint32_t action = ACTION_ERRNO;

	if (attr_get)
		attr_get(filter, ATTR_DEFAULT_ACTION, &action);
	return (int32_t)action < ACTION_ERRNO;
}

HOOK int seccomp_load(const void *filter)
{
	const int saved = errno;

	if (mode_get() != MODE_OFF && kills_by_default(filter)) {
		LOG_REQUEST_ONCE(LOG_LEVEL_WARNING,
				 "no MPTCP: the program's seccomp filter kills it for "
				 "the library's system calls",
				 "");
		mode_turn_off();
	}
	errno = saved;
	return REAL(seccomp_load)(filter);
}
