/* SPDX-License-Identifier: MIT */
/*
 * env.h - what the program was started with
 */
#pragma once

#include <stdbool.h>

/* env_is_secure() - AT_SECURE: setuid, setgid or file capabilities. Keeps errno. */
bool env_is_secure(void);

/* env_get() - as secure_getenv(): NULL in such a program. Keeps errno. */
const char *env_get(const char *name);

/*
 * env_program() - the name that the program was started by, never NULL
 *
 * program_invocation_short_name, unless the program has given itself another.
 */
const char *env_program(void);
