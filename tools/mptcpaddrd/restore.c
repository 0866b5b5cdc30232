// SPDX-License-Identifier: MIT
/*
 * restore.c - which connection is whose, for the broker that comes after this one
 *
 * A file of root's that only grows, until most of it is about connections that are gone;
 * then it is written anew. Nothing needs to be done at the end, so SIGKILL costs nothing.
 * What it says is checked when it is read: a token counts only if the kernel has the
 * same socket by it.
 */
#include "daemon.h"
#include "mptcpaddr/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define JOURNAL_MAGIC 0x4d504453u /* "MPDS" */
#define JOURNAL_MAX   (64 << 20)
#define GROW_FREELY   (1 << 20)

enum entry_kind {
	ENTRY_CLIENT = 1,
	ENTRY_CONN = 2,
};

struct entry {
	uint32_t magic;
	uint16_t kind, flags; /* HELD: 1 for v6only */
	uint32_t client;
	uint32_t len; /* of what follows; CLIENT: the pool */
	uint32_t uid;
	uint32_t token;
	uint64_t cookie;
};

struct client_names {
	char program[64], path[1024];
};

static char journal_name[64], fresh_name[72];

int journal_open(struct broker *b, const char *folder)
{
	struct stat st;

	/* A network namespace has a broker; /run may be shared. */
	if (stat("/proc/self/ns/net", &st) < 0)
		return -errno;
	snprintf(journal_name, sizeof(journal_name), "broker.%llu",
		 (unsigned long long)st.st_ino);
	snprintf(fresh_name, sizeof(fresh_name), "%s.new", journal_name);
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	b->state_dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->state_dir < 0 || fstat(b->state_dir, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM; /* others could write what we believe */
	b->journal_fd =
		openat(b->state_dir, journal_name,
		       O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	return b->journal_fd < 0 ? -errno : 0;
}

/* Without it we go on: only a restart would lose connections. */
static void journal_abandon(struct broker *b, const char *what)
{
	log_error("the state file: %s: %s; a restart will not know the connections", what,
		  strerror(errno));
	if (b->journal_fd >= 0)
		close(b->journal_fd);
	b->journal_fd = -1;
}

static int journal_write(int fd, const struct entry *entry, const struct client *client,
			 uint64_t *size)
{
	struct client_names names = { 0 };
	struct iovec v[3] = { { (void *)(uintptr_t)entry, sizeof(*entry) } };
	size_t len = sizeof(*entry);
	int n = 1;

	if (client) {
		strcpy(names.program, client->program);
		strcpy(names.path, client->path);
		v[1] = (struct iovec){ &names, sizeof(names) };
		v[2] = (struct iovec){ client->text, client->text_len };
		len += sizeof(names) + client->text_len;
		n = 3;
	}
	*size += len;
	return writev(fd, v, n) == (ssize_t)len ? 0 : -1;
}

static int journal_write_client(int fd, const struct client *client, uint64_t *size)
{
	const struct entry entry = { .magic = JOURNAL_MAGIC,
				     .kind = ENTRY_CLIENT,
				     .client = client->number,
				     .len = client->text_len,
				     .uid = client->user->uid };

	return journal_write(fd, &entry, client, size);
}

static int journal_write_conn(int fd, const struct client_conn *conn, uint64_t *size)
{
	const struct entry entry = { .magic = JOURNAL_MAGIC,
				     .kind = ENTRY_CONN,
				     .flags = conn->v6only,
				     .client = conn->client->number,
				     .uid = conn->client->user->uid,
				     .token = conn->token,
				     .cookie = conn->cookie };

	return journal_write(fd, &entry, NULL, size);
}

/* What holds now, in a new file that takes the old one's place as a whole. */
static void journal_compact(struct broker *b)
{
	const struct client *client;
	struct client_conn *conn, *next;
	uint64_t size = 0;
	int fd, r = 0;

	fd = openat(b->state_dir, fresh_name,
		    O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		journal_abandon(b, fresh_name);
		return;
	}
	for (client = b->clients; client; client = client->next)
		if (!r && !client->adopts.line)
			r = journal_write_client(fd, client, &size);
	HASH_ITER (hh, b->conns, conn, next)
		if (!r && !conn->client->adopts.line)
			r = journal_write_conn(fd, conn, &size);
	if (!r)
		r = renameat(b->state_dir, fresh_name, b->state_dir, journal_name);
	if (r) {
		close(fd);
		journal_abandon(b, journal_name);
		return;
	}
	close(b->journal_fd);
	b->journal_fd = fd;
	b->journal_size = b->journal_compacted = size;
}

static void journal_check(struct broker *b, int r)
{
	if (r < 0)
		journal_abandon(b, journal_name);
	else if (b->journal_size > GROW_FREELY + 2 * b->journal_compacted)
		journal_compact(b);
}

void journal_add_client(struct broker *b, const struct client *client)
{
	if (b->journal_fd >= 0 && !client->adopts.line)
		journal_check(
			b, journal_write_client(b->journal_fd, client, &b->journal_size));
}

void journal_add_conn(struct broker *b, const struct client_conn *conn)
{
	if (b->journal_fd >= 0 && conn)
		journal_check(b,
			      journal_write_conn(b->journal_fd, conn, &b->journal_size));
}

/* Clients by the number that they had. */
struct restored {
	uint32_t number, now; /* `now`: 0 if it could not be made */
	UT_hash_handle hh;
};

/* By its number: an earlier one may have had to make room for a later one. */
static struct client *client_by_number(const struct broker *b, uint32_t number)
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if (client->number == number)
			return client;
	return NULL;
}

static void restore_client(struct broker *b, struct restored **known,
			   const struct entry *entry, const char *data)
{
	struct user *user = user_get(&b->users, entry->uid);
	struct pool_error why = { "" };
	struct client_names names;
	struct client *client;
	struct restored *k;
	int r;

	memcpy(&names, data, sizeof(names));
	names.program[sizeof(names.program) - 1] = '\0';
	names.path[sizeof(names.path) - 1] = '\0';
	HASH_FIND(hh, *known, &entry->client, sizeof(entry->client), k);
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k || !user) {
			free(k);
			return;
		}
		k->number = entry->client;
		HASH_ADD(hh, *known, number, sizeof(k->number), k);
	}
	if (!user)
		return;
	user->loading.full_us = 0; /* what took days comes back at once */
	client = client_get(b, user, names.program, names.path, data + sizeof(names),
			    entry->len, NULL, &why, &r);
	k->now = client ? client->number : 0;
}

static void restore_conn(struct broker *b, struct restored *known,
			 const struct entry *entry)
{
	struct token_owner owner;
	struct client *client;
	struct restored *k;

	HASH_FIND(hh, known, &entry->client, sizeof(entry->client), k);
	client = k ? client_by_number(b, k->now) : NULL;
	if (!client || client_conn_find(b, entry->token) ||
	    token_ask(b->diag_fd, entry->token, &owner) < 0 ||
	    owner.cookie != entry->cookie)
		return;
	client_register(b, client, entry->token, entry->flags & 1, entry->cookie);
}

/* The last entry may be cut, where the process was killed: the file ends there. */
static void restore_entries(struct broker *b, const char *data, size_t size)
{
	struct restored *known = NULL, *k, *next;
	struct entry entry;
	size_t at = 0, len;

	while (size - at >= sizeof(entry)) {
		memcpy(&entry, data + at, sizeof(entry));
		len = sizeof(entry);
		if (entry.magic != JOURNAL_MAGIC || entry.len > BROKER_POOL_MAX)
			break;
		if (entry.kind == ENTRY_CLIENT)
			len += sizeof(struct client_names) + entry.len;
		if (size - at < len)
			break;
		if (entry.kind == ENTRY_CLIENT)
			restore_client(b, &known, &entry, data + at + sizeof(entry));
		else if (entry.kind == ENTRY_CONN)
			restore_conn(b, known, &entry);
		at += len;
	}
	HASH_ITER (hh, known, k, next) {
		HASH_DEL(known, k);
		free(k);
	}
}

void restore_clients(struct broker *b)
{
	const int fd = b->journal_fd;
	struct stat st;
	char *data = NULL;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || st.st_size > JOURNAL_MAX) {
		errno = EFBIG;
		journal_abandon(b, journal_name);
		return;
	}
	data = malloc(st.st_size ?: 1);
	if (data && pread(fd, data, st.st_size, 0) == st.st_size) {
		b->journal_fd = -1; /* nothing is added while it is read */
		restore_entries(b, data, st.st_size);
		b->journal_fd = fd;
	}
	free(data);
	journal_compact(b); /* those that are left */
}
