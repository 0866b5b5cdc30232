/* SPDX-License-Identifier: MIT */
/*
 * stderr.h - whether descriptor 2 still is the standard error that the program began with
 */
#pragma once

#include <stdbool.h>

/* errout_note() - what descriptor 2 is now is what the program began with. */
void errout_note(void);

bool errout_is_original(void);
