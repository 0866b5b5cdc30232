// SPDX-License-Identifier: MIT
/*
 * history.c - all connections of some processes, as they were when last seen
 */
#include "monitor.h"
#include "tools/mptcpinfo/collect/collect.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* Moves the manager's arrays, which are in @from only once. */
static uint32_t merge_manager(struct snapshot *to, struct manager *from)
{
	struct manager *copy;
	size_t i;

	for (i = 0; i < to->n_managers; i++) {
		if (strcmp(to->managers[i].name, from->name) == 0 &&
		    to->managers[i].pid == from->pid)
			break;
	}
	if (i == to->n_managers)
		array_grow(&to->managers, &to->n_managers, sizeof(*copy));
	if (from->answered) {
		copy = &to->managers[i];
		manager_release(copy);
		*copy = *from;
		from->endpoints = NULL;
		from->sections = NULL;
		from->answered = false;
	}
	return i;
}

/*
 * The subflow with the ends @path of connection @pos; a later connection may use the same
 * ends. Return: NULL if there is none; then history_add_path() adds it.
 */
static struct subflow *history_path(struct history *h, const struct path *path,
				    size_t pos)
{
	if (index_find(&h->by_path, path) != (ssize_t)pos)
		return NULL;
	return connection_subflow(&h->snap.connections[pos], path);
}

static struct subflow *history_add_path(struct history *h, const struct path *path,
					size_t pos)
{
	struct connection *conn = &h->snap.connections[pos];

	index_remove(&h->by_path, path);
	index_add(&h->by_path, path, pos);
	return array_grow(&conn->subflows, &conn->n_subflows, sizeof(*conn->subflows));
}

/* The position of connection @token, which is new if there is none. */
static size_t history_token(struct history *h, uint32_t token)
{
	ssize_t pos = index_find(&h->by_token, &token);
	struct connection *conn;

	if (pos >= 0)
		return pos;
	index_add(&h->by_token, &token, h->snap.n_connections);
	conn = array_grow(&h->snap.connections, &h->snap.n_connections, sizeof(*conn));
	conn->token = token;
	return conn - h->snap.connections;
}

/*
 * The kernel's data is always taken from @from. A closed socket that lingers has no
 * holder any more: then the previous holder and manager stay.
 */
static void merge_connection(struct history *h, struct snapshot *fresh,
			     struct connection *from)
{
	size_t i, pos = history_token(h, from->token);
	struct connection *to = &h->snap.connections[pos], old = *to;
	struct subflow *sf;

	*to = *from;
	to->subflows = old.subflows;
	to->n_subflows = old.n_subflows;
	if (old.pid && (!from->pid ||
			(from->manager != MANAGER_OURS && old.manager == MANAGER_OURS))) {
		to->inode = old.inode;
		to->pid = old.pid;
		memcpy(to->program, old.program, sizeof(to->program));
		to->manager = old.manager;
		to->manager_index = old.manager_index;
		to->record = old.record;
		to->process = old.process;
		to->announced = old.announced;
		to->n_announced = old.n_announced;
	} else {
		free(old.announced);
		from->announced = NULL; /* moved */
		if (to->manager == MANAGER_OURS)
			to->manager_index = merge_manager(
				&h->snap, &fresh->managers[from->manager_index]);
	}
	for (i = 0; i < from->n_subflows; i++) {
		sf = history_path(h, &from->subflows[i].path, pos);
		if (!sf)
			sf = history_add_path(h, &from->subflows[i].path, pos);
		*sf = from->subflows[i];
	}
}

void history_merge(struct history *h, struct snapshot *fresh,
		   bool (*wanted)(void *ctx, pid_t pid), void *ctx)
{
	struct connection *conn;
	size_t i;

	h->snap.has_endpoint_maxima = fresh->has_endpoint_maxima;
	for (i = 0; i < fresh->n_managers; i++) {
		if (fresh->managers[i].answered && wanted(ctx, fresh->managers[i].pid))
			merge_manager(&h->snap, &fresh->managers[i]);
	}
	for (i = 0; i < fresh->n_connections; i++) {
		conn = &fresh->connections[i];
		if (index_find(&h->by_token, &conn->token) >= 0 ||
		    (conn->pid && wanted(ctx, conn->pid)))
			merge_connection(h, fresh, conn);
	}
}

void history_add_note(struct history *h, pid_t pid, const char *program,
		      const struct pm_note *note)
{
	const struct path path = { .local = note->local, .remote = note->remote };
	size_t pos, n = h->snap.n_connections;
	struct connection *conn;
	struct subflow *sf;

	if ((note->what != PM_NOTE_ESTABLISHED && note->what != PM_NOTE_JOINED &&
	     note->what != PM_NOTE_SUBFLOW_FOREIGN) ||
	    !note->local.port || !note->remote.port)
		return;
	pos = history_token(h, note->token);
	if (pos == n) { /* new: sock_diag has not shown it */
		conn = &h->snap.connections[pos];
		conn->pid = pid;
		snprintf(conn->program, sizeof(conn->program), "%s", program);
		conn->path = path;
		conn->state = TCP_ESTABLISHED;
		conn->manager = MANAGER_UNKNOWN;
	}
	if (history_path(h, &path, pos))
		return; /* the kernel's data is better */
	sf = history_add_path(h, &path, pos);
	sf->path = path;
	sf->state = TCP_ESTABLISHED;
	sf->local_id = note->local_id;
	sf->remote_id = note->remote_id;
}

void history_close_path(struct history *h, const struct subflow *sf)
{
	ssize_t pos = index_find(&h->by_path, &sf->path);
	struct subflow *to, old;

	if (pos < 0)
		return;
	to = connection_subflow(&h->snap.connections[pos], &sf->path);
	if (sf->has_tcp) {
		old = *to;
		*to = *sf; /* which has no IDs and flags */
		to->local_id = old.local_id;
		to->remote_id = old.remote_id;
		to->has_flags = old.has_flags;
		to->backup = old.backup;
	}
	to->state = TCP_CLOSE;
	index_remove(&h->by_path, &sf->path);
}

static size_t open_subflows(const struct connection *conn)
{
	size_t i, n = 0;

	for (i = 0; i < conn->n_subflows; i++)
		n += conn->subflows[i].state != TCP_CLOSE;
	return n;
}

size_t history_open_paths(const struct history *h)
{
	size_t i, n = 0;

	for (i = 0; i < h->snap.n_connections; i++)
		n += open_subflows(&h->snap.connections[i]);
	return n;
}

void history_finish(struct history *h)
{
	struct connection *conn;
	size_t i;

	for (i = 0; i < h->snap.n_connections; i++) {
		conn = &h->snap.connections[i];
		sort_subflows(conn);
		if (!open_subflows(conn))
			conn->state = TCP_CLOSE;
	}
	snapshot_sort(&h->snap);
}

void history_free(struct history *h)
{
	snapshot_free(&h->snap);
	index_free(&h->by_token);
	index_free(&h->by_path);
}
