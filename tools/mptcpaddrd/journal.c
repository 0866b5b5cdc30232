// SPDX-License-Identifier: MIT
/*
 * journal.c - append clients and their connections to the state file
 *
 * The file grows until most of its connections have ended, then it is rewritten. Nothing
 * is written at exit, so SIGKILL loses nothing.
 */
#include "journal.h"
#include "broker.h"
#include "mptcpaddr/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define JOURNAL_MAX (64 << 20)
#define GROW_FREELY (1 << 20)

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
	b->journal_fd =
		openat(b->state_dir, journal_name,
		       O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
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
	const struct journal_entry entry = {
		.magic = JOURNAL_MAGIC,
		.kind = conn ? JOURNAL_CONN : JOURNAL_CLIENT,
		.flags = conn && conn->v6only,
		.client = client->number,
		.len = conn ? 0 : client->text_len,
		.uid = client->user->uid,
		.token = conn ? conn->token : 0,
		.cookie = conn ? conn->cookie : 0,
	};
	struct journal_names names = { 0 };
	const struct iovec v[] = {
		{ (void *)(uintptr_t)&entry, sizeof(entry) },
		{ &names, sizeof(names) },
		{ client->text, client->text_len },
	};
	const size_t len = sizeof(entry) + (conn ? 0 : sizeof(names) + client->text_len);

	if (client->adopts.line)
		return 0;
	strcpy(names.program, client->program);
	strcpy(names.path, client->path);
	*size += len;
	return writev(fd, v, conn ? 1 : 3) == (ssize_t)len ? 0 : -1;
}

/* Write a new file, then replace the old one at once. */
void journal_compact(struct broker *b)
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
		if (!r)
			r = journal_write(fd, client, NULL, &size);
	HASH_ITER (hh, b->conns, conn, next)
		if (!r)
			r = journal_write(fd, conn->client, conn, &size);
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

char *journal_read(struct broker *b, size_t *ret_size)
{
	struct stat st;
	char *data;

	if (b->journal_fd < 0)
		return NULL;
	if (fstat(b->journal_fd, &st) < 0 || st.st_size > JOURNAL_MAX) {
		errno = EFBIG;
		journal_abandon(b, journal_name);
		return NULL;
	}
	data = malloc(st.st_size ?: 1);
	if (data && pread(b->journal_fd, data, st.st_size, 0) == st.st_size) {
		*ret_size = st.st_size;
		return data;
	}
	free(data);
	return NULL;
}
