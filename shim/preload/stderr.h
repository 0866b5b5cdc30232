/* SPDX-License-Identifier: MIT */
/*
 * errout.h - whether descriptor 2 still is the standard error that the program began with
 */
#ifndef MPTCPADDR_ERROUT_H
#define MPTCPADDR_ERROUT_H

#include <stdbool.h>

/* errout_note() - what descriptor 2 is now is what the program began with. */
void errout_note(void);

bool errout_is_original(void);

#endif
