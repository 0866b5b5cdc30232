// SPDX-License-Identifier: MIT
/*
 * restore.c - connections from before this broker's start, and after lost events
 *
 * A connection of the state file counts only if its token still has the same socket
 * cookie in the kernel.
 */
#include "broker.h"
#include "journal.h"
#include "mptcpaddr/diag.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* @number: in the state file. An earlier client may have been dropped for a later one. */
static struct client *find_restored(const struct broker *b, uint32_t number)
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if (client->restored == number)
			return client;
	return NULL;
}

static void restore_client(struct broker *b, const struct journal_entry *entry,
			   const char *data)
{
	struct user *user = user_get(&b->users, entry->uid);
	struct pool_error why = { "" };
	struct journal_names names;
	struct client *client;
	int r;

	if (!user)
		return;
	memcpy(&names, data, sizeof(names));
	names.program[sizeof(names.program) - 1] = '\0';
	names.path[sizeof(names.path) - 1] = '\0';
	user->loading.full_us = 0; /* replays days of changes at once */
	client = client_get(b, user, names.program, names.path, data + sizeof(names),
			    entry->len, NULL, &why, &r);
	if (client)
		client->restored = entry->client;
}

static void restore_conn(struct broker *b, const struct journal_entry *entry)
{
	struct client *client = find_restored(b, entry->client);
	struct diag_owner owner;

	if (client && !client_conn_find(b, entry->token) &&
	    diag_read_owner(b->diag_fd, entry->token, &owner) == 0 &&
	    owner.cookie == entry->cookie)
		client_register(b, client, entry->token, entry->flags & 1, entry->cookie);
}

/* The last entry is incomplete if the process was killed while writing it. */
static void restore_entries(struct broker *b, const char *data, size_t size)
{
	struct journal_entry entry;
	size_t at = 0, len;

	while (size - at >= sizeof(entry)) {
		memcpy(&entry, data + at, sizeof(entry));
		len = sizeof(entry);
		if (entry.magic != JOURNAL_MAGIC || entry.len > BROKER_POOL_MAX)
			break;
		if (entry.kind == JOURNAL_CLIENT)
			len += sizeof(struct journal_names) + entry.len;
		if (size - at < len)
			break;
		if (entry.kind == JOURNAL_CLIENT)
			restore_client(b, &entry, data + at + sizeof(entry));
		else if (entry.kind == JOURNAL_CONN)
			restore_conn(b, &entry);
		at += len;
	}
}

void restore_clients(struct broker *b)
{
	const int fd = b->journal_fd;
	size_t size;
	char *data = journal_read(b, &size);

	if (data) {
		b->journal_fd = -1; /* append nothing meanwhile */
		restore_entries(b, data, size);
		b->journal_fd = fd;
		free(data);
	}
	if (b->journal_fd >= 0)
		journal_compact(b);
}

/* Count the subflows of each connection, besides its first one. */
static void recount_subflows(struct broker *b, const struct diag_subflows *all)
{
	struct client_conn *conn, *next;
	unsigned int i;

	HASH_ITER (hh, b->conns, conn, next)
		dispatch_count_subflows(conn, -(int)conn->subflows);
	for (i = 0; i < all->n; i++) {
		conn = all->v[i].initial ? NULL
					 : client_conn_find(b, all->v[i].sub.token);
		if (conn)
			dispatch_count_subflows(conn, 1);
	}
}

int resync_clients(struct broker *b)
{
	struct client *client;
	struct diag_subflows all;
	unsigned int i;
	int r;

	r = diag_read_subflows(&all);
	if (r < 0)
		return r;
	if (b->policy.adopt)
		for (i = 0; i < all.n; i++)
			if (all.v[i].initial && !client_conn_find(b, all.v[i].sub.token))
				adopt_connection(b, all.v[i].sub.token, !all.v[i].active);
	for (client = b->clients; client; client = client->next) {
		engine_set_clock(client->engine, clock_ms());
		diag_resync_from(&all, client->engine);
		client_conn_sweep(b, client);
		client->due_ms = 0;
	}
	recount_subflows(b, &all);
	diag_free_subflows(&all);
	return 0;
}
