/* SPDX-License-Identifier: MIT */
/*
 * env.h - arguments, environment, auxiliary vector and standard error at the start
 *
 * Only env_stderr_is_original() changes errno.
 */
#pragma once

#include <stdbool.h>

/* env_is_secure() - AT_SECURE: setuid, setgid or file capabilities. */
bool env_is_secure(void);

/* env_get() - like secure_getenv(): NULL in such a program. */
const char *env_get(const char *name);

/* env_program_name() - program_invocation_short_name as it was at the start; never NULL.
 */
const char *env_program_name(void);

/*
 * env_stderr_is_original() - descriptor 2 still is the standard error at the start
 *
 * A program may close it, and its next open() gets the number: no log may go there.
 * False without MPTCPADDR_LOG.
 */
bool env_stderr_is_original(void);
