/* SPDX-License-Identifier: MIT */
/*
 * note.h - what a manager noted, for people and for programs
 */
#pragma once

#include "mptcpaddr/control.h"

#include <stdio.h>

/* The word of the JSON for an enum pm_note_what; NULL for one that is not known. */
const char *note_word(uint16_t what);
/* The word of the JSON for an enum pm_reason; NULL for none, or one not known. */
const char *note_reason_word(uint8_t reason);

/* "10.0.2.1 announced (id 1) -> joined from 10.0.2.2 (id 2)"; no newline. */
void note_write(const struct pm_note *note, FILE *out);
