/* SPDX-License-Identifier: MIT */
/*
 * hazards.h - what will not work for a program under the library
 */
#pragma once

#include "program.h"

#include <stdbool.h>

struct hazards {
	struct program program;
	char library[PATH_MAX];
	bool cannot_load; /* out: the library must not be preloaded at all */
};

/*
 * hazards_tell() - a warning on stderr for each, with what to do about it
 *
 * With @verbose also which files and endpoints are used. MPTCPADDR_CONFIG and the like
 * are to be in the environment as the program will have them.
 */
void hazards_tell(struct hazards *hazards, bool verbose);
