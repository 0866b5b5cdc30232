// SPDX-License-Identifier: MIT
/*
 * journal.c - write to the state file which connection is whose
 *
 * A file of root's that grows until most of it is about connections that have ended; then
 * it is written anew. Nothing is written at the end, so SIGKILL loses nothing.
 */
#include "journal.h"
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

static int journal_write(int fd, const struct journal_entry *entry,
			 const struct client *client, uint64_t *size)
{
	struct journal_names names = { 0 };
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
	const struct journal_entry entry = { .magic = JOURNAL_MAGIC,
					     .kind = JOURNAL_CLIENT,
					     .client = client->number,
					     .len = client->text_len,
					     .uid = client->user->uid };

	return journal_write(fd, &entry, client, size);
}

static int journal_write_conn(int fd, const struct client_conn *conn, uint64_t *size)
{
	const struct journal_entry entry = { .magic = JOURNAL_MAGIC,
					     .kind = JOURNAL_CONN,
					     .flags = conn->v6only,
					     .client = conn->client->number,
					     .uid = conn->client->user->uid,
					     .token = conn->token,
					     .cookie = conn->cookie };

	return journal_write(fd, &entry, NULL, size);
}

/* What holds now, in a new file that takes the old one's place as a whole. */
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
