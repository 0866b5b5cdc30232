// SPDX-License-Identifier: MIT
/*
 * note.c - the words for notes and reasons in the JSON
 */
#include "note.h"

#include <stddef.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

const char *note_word(uint16_t what)
{
	static const char *const words[] = {
		[PM_NOTE_ESTABLISHED] = "established",
		[PM_NOTE_CLOSED] = "closed",
		[PM_NOTE_ANNOUNCED] = "announced",
		[PM_NOTE_REPEATED] = "repeated",
		[PM_NOTE_REMOVED] = "removed",
		[PM_NOTE_JOINING] = "joining",
		[PM_NOTE_JOINED] = "joined",
		[PM_NOTE_JOIN_FAILED] = "join_failed",
		[PM_NOTE_SUBFLOW_CLOSED] = "subflow_closed",
		[PM_NOTE_SUBFLOW_FOREIGN] = "subflow_foreign",
		[PM_NOTE_PRIORITY] = "priority",
		[PM_NOTE_SIGNALLED] = "signalled",
		[PM_NOTE_WITHDRAWN] = "withdrawn",
		[PM_NOTE_ENDPOINT_DOWN] = "endpoint_gone",
		[PM_NOTE_ENDPOINT_UP] = "endpoint_back",
		[PM_NOTE_POOL] = "pool",
		[PM_NOTE_OVERRUN] = "overrun",
		[PM_NOTE_BACKUP] = "backup",
	};

	return what < N(words) ? words[what] : NULL;
}

const char *note_reason_word(uint8_t reason)
{
	static const char *const words[] = {
		[PM_REASON_EXHAUSTED] = "exhausted",
		[PM_REASON_FAMILY] = "family",
		[PM_REASON_LIMIT_SUBFLOWS] = "limit_subflows",
		[PM_REASON_LIMIT_ACCEPTED] = "limit_accepted",
		[PM_REASON_FILTER] = "filter",
		[PM_REASON_ERROR] = "error",
		[PM_REASON_PROHIBITED] = "prohibited",
		[PM_REASON_UNAVAILABLE] = "absent",
		[PM_REASON_EXCLUDED] = "excluded",
		[PM_REASON_INHERITED] = "inherited",
		[PM_REASON_REMOVED] = "removed",
		[PM_REASON_ENDPOINT_DOWN] = "endpoint_gone",
		[PM_REASON_TOO_MANY] = "too_many",
	};

	return reason < N(words) ? words[reason] : NULL;
}
