// SPDX-License-Identifier: MIT
/*
 * history.c - all connections of the program, as they were when last seen
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

	for_each_in (copy, to, managers) {
		if (strcmp(copy->name, from->name) == 0 && copy->pid == from->pid)
			break;
	}
	if (copy == to->managers + to->n_managers)
		copy = array_add(to, managers);
	if (from->answered) {
		manager_release(copy);
		*copy = *from;
		from->endpoints = NULL;
		from->sections = NULL;
		from->answered = false;
	}
	return copy - to->managers;
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
	return array_add(conn, subflows);
}

/* The position of connection @token, which is new if there is none. */
static size_t history_token(struct history *h, uint32_t token)
{
	ssize_t pos = index_find(&h->by_token, &token);
	struct connection *conn;

	if (pos >= 0)
		return pos;
	index_add(&h->by_token, &token, h->snap.n_connections);
	conn = array_add(&h->snap, connections);
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
	size_t pos = history_token(h, from->token);
	struct connection *to = &h->snap.connections[pos], old = *to;
	const struct subflow *seen;
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
	for_each_in (seen, from, subflows) {
		sf = history_path(h, &seen->path, pos);
		if (!sf)
			sf = history_add_path(h, &seen->path, pos);
		*sf = *seen;
	}
}

/* Connections are sorted by PID, so a cache of one is enough. */
static bool is_of_program(pid_t pid, pid_t *last_pid, bool *last)
{
	if (pid != *last_pid)
		*last = program_has_process(pid);
	*last_pid = pid;
	return *last;
}

void history_merge(struct history *h, struct snapshot *fresh)
{
	struct connection *conn;
	struct manager *manager;
	pid_t last_pid = -1;
	bool last = false;

	h->snap.has_endpoint_maxima = fresh->has_endpoint_maxima;
	for_each_in (manager, fresh, managers) {
		if (manager->answered && is_of_program(manager->pid, &last_pid, &last))
			merge_manager(&h->snap, manager);
	}
	for_each_in (conn, fresh, connections) {
		if (index_find(&h->by_token, &conn->token) >= 0 ||
		    (conn->pid && is_of_program(conn->pid, &last_pid, &last)))
			merge_connection(h, fresh, conn);
	}
}

int history_add_event(void *history, const struct event *event)
{
	const struct pm_note *note = &event->note;
	const struct path path = { .local = note->local, .remote = note->remote };
	struct history *h = history;
	size_t pos, n = h->snap.n_connections;
	struct connection *conn;
	struct subflow *sf;

	if (event->kind != EVENT_NOTE ||
	    (note->what != PM_NOTE_ESTABLISHED && note->what != PM_NOTE_JOINED &&
	     note->what != PM_NOTE_SUBFLOW_FOREIGN) ||
	    !note->local.port || !note->remote.port)
		return 0;
	pos = history_token(h, note->token);
	if (pos == n) { /* new: sock_diag has not shown it */
		conn = &h->snap.connections[pos];
		conn->pid = event->pid;
		memcpy(conn->program, event->program, sizeof(conn->program));
		conn->path = path;
		conn->state = TCP_ESTABLISHED;
		conn->manager = MANAGER_UNKNOWN;
	}
	if (history_path(h, &path, pos))
		return 0; /* the kernel's data is better */
	sf = history_add_path(h, &path, pos);
	sf->path = path;
	sf->state = TCP_ESTABLISHED;
	sf->local_id = note->local_id;
	sf->remote_id = note->remote_id;
	return 0;
}

void history_close_path(void *history, const struct subflow *sf)
{
	struct history *h = history;
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
	const struct subflow *sf;
	size_t n = 0;

	for_each_in (sf, conn, subflows)
		n += sf->state != TCP_CLOSE;
	return n;
}

size_t history_open_paths(const struct history *h)
{
	const struct connection *conn;
	size_t n = 0;

	for_each_in (conn, &h->snap, connections)
		n += open_subflows(conn);
	return n;
}

void history_finish(struct history *h)
{
	struct connection *conn;

	for_each_in (conn, &h->snap, connections) {
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
