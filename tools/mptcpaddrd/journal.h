/* SPDX-License-Identifier: MIT */
/*
 * journal.h - append clients and their connections to the state file
 */
#pragma once

#include "broker.h"

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

/* journal_open() - in the directory @dir. Return: 0; -errno: then nothing is written. */
int journal_open(struct broker *b, const char *dir);
/* journal_add() - append a client with its pool, or @conn if not NULL. */
void journal_add(struct broker *b, const struct client *client,
		 const struct client_conn *conn);

/* journal_read() - the whole file, for free(). Return: NULL: none, or unreadable. */
char *journal_read(struct broker *b, size_t *ret_size);

/* journal_compact() - rewrite the file with the current clients and connections. */
void journal_compact(struct broker *b);
