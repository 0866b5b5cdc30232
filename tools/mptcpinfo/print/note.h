/* SPDX-License-Identifier: MIT */
/*
 * note.h - the words for notes and reasons in the JSON
 */
#pragma once

#include "mptcpaddr/note.h"

/* The word of the JSON for an enum pm_note_what; NULL for one that is not known. */
const char *note_word(uint16_t what);
/* The word of the JSON for an enum pm_reason; NULL for none, or one not known. */
const char *note_reason_word(uint8_t reason);
