/* SPDX-License-Identifier: MIT */
/*
 * env.h - what the program was started with
 */
#pragma once

#include <stdbool.h>

/* guest_is_secure() - AT_SECURE: setuid, setgid or file capabilities. Keeps errno. */
bool guest_is_secure(void);

/* guest_env() - as secure_getenv(): NULL in such a program. Keeps errno. */
const char *guest_env(const char *name);

/*
 * guest_program() - the name that the program was started by, never NULL
 *
 * program_invocation_short_name, unless the program has given itself another.
 */
const char *guest_program(void);
