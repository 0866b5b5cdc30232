/* SPDX-License-Identifier: MIT */
/*
 * stderr.h - whether descriptor 2 still is the standard error that the program began with
 */
#pragma once

#include <stdbool.h>

/* env_keep_stderr() - what descriptor 2 is now is what the program began with. */
void env_keep_stderr(void);

bool env_stderr_is_original(void);
