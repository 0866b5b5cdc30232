/* SPDX-License-Identifier: MIT */
/*
 * env.h - name, environment, auxiliary vector and standard error at the start
 *
 * Only env_stderr_is_original() and env_copy() change errno.
 */
#pragma once

#include <stdbool.h>

/* env_is_secure() - AT_SECURE: setuid, setgid or file capabilities. */
bool env_is_secure(void);

enum env_variable {
	ENV_HOME,
	ENV_XDG_CONFIG_HOME,
	ENV_CONFIG, /* MPTCPADDR_CONFIG and so on */
	ENV_DISABLE,
	ENV_BACKEND,
	ENV_LOG,
	ENV_XDG_STATE_HOME,
	ENV_VARIABLES
};

/* env_get() - like secure_getenv(), but from the environment at the start. */
const char *env_get(enum env_variable variable);

/* env_copy() - copy the environment again: for tools that change theirs. */
void env_copy(void);

/* env_program_name() - program_invocation_short_name as it was at the start; never NULL.
 */
const char *env_program_name(void);

/* env_on_sockets() - of accept.c: called at load if the program is given sockets. */
__attribute__((weak)) void env_on_sockets(void);

/*
 * env_stderr_is_original() - descriptor 2 still is the standard error at the start
 *
 * A program may close it, and its next open() gets the number: no log may go there.
 * False without MPTCPADDR_LOG.
 */
bool env_stderr_is_original(void);
