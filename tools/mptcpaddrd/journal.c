// SPDX-License-Identifier: MIT
/*
 * journal.c - write clients and connections to the state file, and restore them
 *
 * The file grows until most of its connections have ended, then it is rewritten. Nothing
 * is written at exit, so SIGKILL loses nothing. A connection of the file counts only if
 * its token still has the same socket cookie in the kernel.
 */
#include "broker.h"
#include "mptcpaddr/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define JOURNAL_MAGIC	 0x4d504453u /* "MPDS" */
#define JOURNAL_CLIENT	 1
#define JOURNAL_CONN	 2
#define JOURNAL_LISTENER 3 /* like a CONN; its token is the socket's inode */

struct journal_entry {
	uint32_t magic;
	uint16_t kind, flags; /* CONN: 1 for v6only */
	uint32_t client;
	uint32_t len; /* CLIENT: of the pool; it follows a struct broker_program */
	uint32_t uid;
	uint32_t token;
	uint64_t cookie;
};

#define JOURNAL_FLAGS (O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
#define GROW_FREELY   (1 << 20)

static char journal_name[64], fresh_name[72];

int journal_open(struct broker *b, const char *folder)
{
	struct stat st;

	snprintf(journal_name, sizeof(journal_name), "broker.%llu", b->netns);
	snprintf(fresh_name, sizeof(fresh_name), "%s.new", journal_name);
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	b->state_dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->state_dir < 0 || fstat(b->state_dir, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM; /* others could write to it */
	b->journal_fd = openat(b->state_dir, journal_name, JOURNAL_FLAGS, 0600);
	return b->journal_fd < 0 ? -errno : 0;
}

/* The broker continues without it. */
static void journal_abandon(struct broker *b, const char *what)
{
	log_error("%s: %s; a restart will lose the connections", what, strerror(errno));
	if (b->journal_fd >= 0)
		close(b->journal_fd);
	b->journal_fd = -1;
}

/* @conn NULL: the client. Adopted connections are looked up in the kernel instead. */
static int journal_write(int fd, const struct client *client,
			 const struct client_conn *conn, uint64_t *size)
{
	const uint32_t pool_len = conn ? 0 : client->record->head.pool_len;
	const struct journal_entry entry = {
		.magic = JOURNAL_MAGIC,
		.kind = !conn		 ? JOURNAL_CLIENT
			: conn->listener ? JOURNAL_LISTENER
					 : JOURNAL_CONN,
		.flags = conn && conn->v6only,
		.client = client->number,
		.len = pool_len,
		.uid = client->user->uid,
		.token = conn ? conn->token : 0,
		.cookie = conn ? conn->cookie : 0,
	};
	const struct iovec v[] = {
		{ (void *)(uintptr_t)&entry, sizeof(entry) },
		{ &client->record->program,
		  conn ? 0 : sizeof(client->record->program) + pool_len },
	};
	const size_t len = v[0].iov_len + v[1].iov_len;

	if (client->adopted)
		return 0;
	*size += len;
	return writev(fd, v, 2) == (ssize_t)len ? 0 : -1;
}

static struct client_conn listener_as_conn(const struct listener *l)
{
	return (struct client_conn){ .token = l->inode,
				     .cookie = l->cookie,
				     .listener = true };
}

/* Write a new file, then replace the old one at once. */
static void journal_compact(struct broker *b)
{
	int fd = openat(b->state_dir, fresh_name, JOURNAL_FLAGS | O_TRUNC, 0600);
	int r = fd < 0 ? -1 : 0;
	const struct client *client;
	struct client_conn *conn, *next, as_conn;
	struct listener *l, *next_l;
	uint64_t size = 0;

	for (client = b->clients; client && !r; client = client->next)
		if (!client->ended)
			r = journal_write(fd, client, NULL, &size);
	HASH_ITER (hh, b->conns, conn, next)
		if (!r)
			r = journal_write(fd, conn->client, conn, &size);
	HASH_ITER (hh, b->listeners, l, next_l) {
		as_conn = listener_as_conn(l);
		if (!r)
			r = journal_write(fd, l->client, &as_conn, &size);
	}
	if (!r)
		r = renameat(b->state_dir, fresh_name, b->state_dir, journal_name);
	if (r) {
		journal_abandon(b, fd < 0 ? fresh_name : journal_name);
		close(fd);
		return;
	}
	close(b->journal_fd);
	b->journal_fd = fd;
	b->journal_size = b->journal_compacted = size;
}

void journal_add(struct broker *b, const struct client *client,
		 const struct client_conn *conn)
{
	if (b->journal_fd < 0)
		return;
	if (journal_write(b->journal_fd, client, conn, &b->journal_size) < 0)
		journal_abandon(b, journal_name);
	else if (b->journal_size > GROW_FREELY + 2 * b->journal_compacted)
		journal_compact(b);
}

void journal_add_listener(struct broker *b, const struct listener *listener)
{
	const struct client_conn as_conn = listener_as_conn(listener);

	journal_add(b, listener->client, &as_conn);
}

static void restore_client(struct broker *b, const struct journal_entry *entry,
			   struct record *record)
{
	struct user *user = user_get(b, entry->uid);
	struct pool_error why = { "" };
	struct client *client;

	if (!user)
		return;
	record->head.pool_len = entry->len;
	record->program.program[sizeof(record->program.program) - 1] = '\0';
	record->program.path[sizeof(record->program.path) - 1] = '\0';
	user->loading_us = 0; /* replays days of changes at once */
	client = client_get(b, user, record, false, &why);
	if (client)
		client->restored = entry->client;
}

static void restore_conn(struct broker *b, const struct journal_entry *entry)
{
	struct client *client = b->clients;
	struct diag_owner owner;

	/* It may have been dropped for a later one. */
	while (client && client->restored != entry->client)
		client = client->next;
	if (client && entry->kind == JOURNAL_LISTENER)
		listener_register(b, client, entry->token, entry->cookie);
	else if (client && !client_conn_find(b, entry->token) &&
		 diag_read_owner(b->pump.diag_fd, entry->token, &owner) == 0 &&
		 owner.cookie == entry->cookie)
		client_register(b, client, entry->token, entry->flags & 1, 0,
				entry->cookie);
}

/* The last entry is incomplete if the process was killed while writing it. */
static void restore_entries(struct broker *b, int fd)
{
	struct journal_entry entry;
	struct record record;
	ssize_t len;

	while (read(fd, &entry, sizeof(entry)) == sizeof(entry) &&
	       entry.magic == JOURNAL_MAGIC && entry.len <= sizeof(record.pool)) {
		if (entry.kind == JOURNAL_CONN || entry.kind == JOURNAL_LISTENER)
			restore_conn(b, &entry);
		if (entry.kind != JOURNAL_CLIENT)
			continue;
		len = sizeof(record.program) + entry.len;
		if (read(fd, &record.program, len) != len)
			return;
		restore_client(b, &entry, &record);
	}
}

void restore_clients(struct broker *b)
{
	const int fd = b->journal_fd;

	if (fd < 0)
		return;
	b->journal_fd = -1; /* append nothing meanwhile */
	restore_entries(b, fd);
	clients_drop_ended(b, true);
	b->journal_fd = fd;
	journal_compact(b);
}
