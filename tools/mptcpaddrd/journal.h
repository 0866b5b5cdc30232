/* SPDX-License-Identifier: MIT */
/*
 * journal.h - the entries of the state file
 */
#pragma once

#include <stdint.h>

#define JOURNAL_MAGIC 0x4d504453u /* "MPDS" */

enum journal_kind {
	JOURNAL_CLIENT = 1,
	JOURNAL_CONN = 2,
};

struct journal_entry {
	uint32_t magic;
	uint16_t kind, flags; /* CONN: 1 for v6only */
	uint32_t client;
	uint32_t len; /* CLIENT: of the pool that follows */
	uint32_t uid;
	uint32_t token;
	uint64_t cookie;
};

struct journal_names {
	char program[64], path[1024];
};
