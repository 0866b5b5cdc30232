// SPDX-License-Identifier: MIT
/*
 * history.c - all connections of some processes, as they were when last seen
 */
#include "monitor.h"
#include "tools/mptcpinfo/collect/collect.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* Replace the @old elements of @array if the number is the same, else append them. */
static struct span merge_span(void *array, size_t *n, struct span old, const void *from,
			      struct span span, size_t size)
{
	struct span to = old;
	char *mem;

	from = span.n ? (const char *)from + span.first * size : NULL;
	if (old.n != span.n) {
		to = (struct span){ *n, span.n };
		array_append(array, n, from, span.n, size);
	} else if (span.n) {
		memcpy(&mem, array, sizeof(mem));
		memcpy(mem + old.first * size, from, span.n * size);
	}
	return to;
}

static uint32_t merge_manager(struct snapshot *to, const struct snapshot *from,
			      size_t pos)
{
	const struct manager *manager = &from->managers[pos];
	struct span endpoints, sections;
	struct manager *copy;
	size_t i;

	for (i = 0; i < to->n_managers; i++) {
		if (strcmp(to->managers[i].name, manager->name) == 0 &&
		    to->managers[i].pid == manager->pid)
			break;
	}
	if (i == to->n_managers)
		array_grow(&to->managers, &to->n_managers, sizeof(*copy));
	copy = &to->managers[i];
	endpoints =
		merge_span(&to->endpoints, &to->n_endpoints, copy->endpoints,
			   from->endpoints, manager->endpoints, sizeof(*to->endpoints));
	sections = merge_span(&to->sections, &to->n_sections, copy->sections,
			      from->sections, manager->sections, sizeof(*to->sections));
	*copy = *manager;
	copy->endpoints = endpoints;
	copy->sections = sections;
	return i;
}

/* The subflow with the ends @path of connection @conn, new if there is none. */
static struct subflow *merge_path(struct history *h, const struct path *path, size_t conn)
{
	ssize_t pos = index_find(&h->by_path, path);
	struct snapshot *snap = &h->snap;
	struct subflow *sf;

	if (pos >= 0 && snap->subflows[pos].connection == conn)
		return &snap->subflows[pos];
	/* A later connection may use the same ends. */
	index_remove(&h->by_path, path);
	index_add(&h->by_path, path, snap->n_subflows);
	sf = array_grow(&snap->subflows, &snap->n_subflows, sizeof(*sf));
	sf->connection = conn;
	sf->path = *path;
	return sf;
}

/* The connection @token, new if there is none. */
static size_t merge_token(struct history *h, uint32_t token)
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
 * Return: whether holder and manager are those of @from.
 */
static bool merge_connection(struct history *h, const struct snapshot *fresh,
			     const struct connection *from, size_t pos)
{
	struct connection *to = &h->snap.connections[pos], old = *to;
	const struct subflow *sf;
	bool keep_holder = old.pid && (!from->pid || (from->manager != MANAGER_OURS &&
						      old.manager == MANAGER_OURS));
	struct subflow *copy;

	*to = *from;
	if (keep_holder) {
		to->inode = old.inode;
		to->pid = old.pid;
		memcpy(to->program, old.program, sizeof(to->program));
		to->manager = old.manager;
		to->manager_index = old.manager_index;
		to->record = old.record;
		to->process = old.process;
	} else if (to->manager == MANAGER_OURS) {
		to->manager_index = merge_manager(&h->snap, fresh, from->manager_index);
	}
	for (sf = fresh->subflows + from->subflows.first;
	     sf < fresh->subflows + from->subflows.first + from->subflows.n; sf++) {
		copy = merge_path(h, &sf->path, pos);
		*copy = *sf;
		copy->connection = pos;
	}
	return !keep_holder;
}

/* Replace the announcements of the connections that are marked in @replace. */
static void merge_announced(struct history *h, const struct snapshot *fresh,
			    const bool *replace)
{
	struct snapshot *snap = &h->snap;
	const struct connection *conn;
	struct announced *copy;
	size_t i, j, kept = 0;
	ssize_t pos;

	for (i = 0; i < snap->n_announced; i++) {
		if (!replace[snap->announced[i].connection])
			snap->announced[kept++] = snap->announced[i];
	}
	snap->n_announced = kept;
	for (i = 0; i < fresh->n_connections; i++) {
		conn = &fresh->connections[i];
		pos = index_find(&h->by_token, &conn->token);
		for (j = 0; pos >= 0 && replace[pos] && j < conn->announced.n; j++) {
			copy = array_grow(&snap->announced, &snap->n_announced,
					  sizeof(*copy));
			*copy = fresh->announced[conn->announced.first + j];
			copy->connection = pos;
		}
	}
}

void history_merge(struct history *h, const struct snapshot *fresh,
		   bool (*wanted)(void *ctx, pid_t pid), void *ctx)
{
	bool *replace = array_alloc(h->snap.n_connections + fresh->n_connections,
				    sizeof(*replace));
	const struct connection *conn;
	size_t i, pos;

	h->snap.has_endpoint_maxima = fresh->has_endpoint_maxima;
	for (i = 0; i < fresh->n_managers; i++) {
		if (fresh->managers[i].answered && wanted(ctx, fresh->managers[i].pid))
			merge_manager(&h->snap, fresh, i);
	}
	for (i = 0; i < fresh->n_connections; i++) {
		conn = &fresh->connections[i];
		if (index_find(&h->by_token, &conn->token) < 0 &&
		    !(conn->pid && wanted(ctx, conn->pid)))
			continue;
		pos = merge_token(h, conn->token);
		replace[pos] = merge_connection(h, fresh, conn, pos);
	}
	merge_announced(h, fresh, replace);
	free(replace);
}

void history_add_note(struct history *h, pid_t pid, const char *program,
		      const struct pm_note *note)
{
	struct path path = { .local = note->local, .remote = note->remote };
	size_t pos, n = h->snap.n_connections;
	struct connection *conn;
	struct subflow *sf;

	if ((note->what != PM_NOTE_ESTABLISHED && note->what != PM_NOTE_JOINED &&
	     note->what != PM_NOTE_SUBFLOW_FOREIGN) ||
	    !note->local.port || !note->remote.port)
		return;
	pos = merge_token(h, note->token);
	if (pos == n) { /* new: sock_diag has not shown it */
		conn = &h->snap.connections[pos];
		conn->pid = pid;
		snprintf(conn->program, sizeof(conn->program), "%s", program);
		conn->path = path;
		conn->state = TCP_ESTABLISHED;
		conn->manager = MANAGER_UNKNOWN;
	}
	n = h->snap.n_subflows;
	sf = merge_path(h, &path, pos);
	if (h->snap.n_subflows == n)
		return; /* the kernel's data is better */
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
	to = &h->snap.subflows[pos];
	if (sf->has_tcp) {
		old = *to;
		*to = *sf; /* which has no connection, IDs and flags */
		to->connection = old.connection;
		to->local_id = old.local_id;
		to->remote_id = old.remote_id;
		to->has_flags = old.has_flags;
		to->backup = old.backup;
	}
	to->state = TCP_CLOSE;
	index_remove(&h->by_path, &sf->path);
}

size_t history_open_paths(const struct history *h)
{
	size_t i, n = 0;

	for (i = 0; i < h->snap.n_subflows; i++)
		n += h->snap.subflows[i].state != TCP_CLOSE;
	return n;
}

void history_finish(struct history *h)
{
	struct snapshot *snap = &h->snap;
	struct connection *conn;
	size_t i, j, open;

	snapshot_group(snap);
	sort_subflows(snap);
	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		for (j = 0, open = 0; j < conn->subflows.n; j++)
			open += snap->subflows[conn->subflows.first + j].state !=
				TCP_CLOSE;
		if (!open)
			conn->state = TCP_CLOSE;
	}
	snapshot_sort(snap);
}

void history_free(struct history *h)
{
	snapshot_free(&h->snap);
	index_free(&h->by_token);
	index_free(&h->by_path);
}
