// SPDX-License-Identifier: MIT
/*
 * keep.c - connections that are gone, as they were when last seen
 *
 * After each look a new snapshot is made out of the one before and the fresh one, so
 * that what is kept always is a snapshot like any other, for any writer.
 */
#include "keep.h"

#include "tools/mptcpinfo/collect/index.h"
#include "tools/mptcpinfo/print/text.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct path_ends {
	struct inet_addr local;
	struct inet_addr remote;
};

_Static_assert(sizeof(struct path_ends) == 2 * sizeof(struct inet_addr),
	       "compared as memory: no padding");

/* A connection, and the snapshot that its positions are about; NULL: none. */
struct source {
	const struct snapshot *snap;
	const struct connection *conn;
};

static int add_manager(struct snapshot *to, const struct snapshot *from, size_t pos,
		       uint32_t *ret_pos)
{
	const struct manager *manager = &from->managers[pos];
	struct manager *copy;
	size_t i;
	int r;

	for (i = 0; i < to->n_managers; i++) {
		if (strcmp(to->managers[i].name, manager->name) == 0 &&
		    to->managers[i].pid == manager->pid) {
			*ret_pos = i;
			return 0;
		}
	}
	copy = array_grow(&to->managers, &to->n_managers, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *manager;
	copy->endpoints.first = to->n_endpoints;
	copy->sections.first = to->n_sections;
	*ret_pos = i;
	r = array_append(&to->endpoints, &to->n_endpoints,
			 from->endpoints + manager->endpoints.first, manager->endpoints.n,
			 sizeof(*to->endpoints));
	if (r == 0)
		r = array_append(&to->sections, &to->n_sections,
				 from->sections + manager->sections.first,
				 manager->sections.n, sizeof(*to->sections));
	return r;
}

static bool same_path(const struct subflow *a, const struct subflow *b)
{
	return memcmp(&a->local, &b->local, sizeof(a->local)) == 0 &&
	       memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0;
}

static bool has_path(const struct snapshot *snap, const struct stretch *among,
		     const struct subflow *sf)
{
	size_t i;

	for (i = 0; i < among->n; i++) {
		if (same_path(&snap->subflows[among->first + i], sf))
			return true;
	}
	return false;
}

/* Those of @from that the connection at the end of @to does not have. */
static int add_paths(struct snapshot *to, const struct source *from)
{
	struct connection *conn = &to->connections[to->n_connections - 1];
	const struct subflow *sf;
	struct subflow *copy;
	size_t i;

	for (i = 0; from->conn && i < from->conn->subflows.n; i++) {
		sf = &from->snap->subflows[from->conn->subflows.first + i];
		if (has_path(to, &conn->subflows, sf))
			continue;
		copy = array_grow(&to->subflows, &to->n_subflows, sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = *sf;
		copy->connection = to->n_connections - 1;
		conn->subflows.n++;
	}
	return 0;
}

static int add_announced(struct snapshot *to, const struct source *from)
{
	struct connection *conn = &to->connections[to->n_connections - 1];
	struct announced *copy;
	size_t i;

	for (i = 0; i < from->conn->announced.n; i++) {
		copy = array_grow(&to->announced, &to->n_announced, sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = from->snap->announced[from->conn->announced.first + i];
		copy->connection = to->n_connections - 1;
		copy->manager = conn->manager_index;
		conn->announced.n++;
	}
	return 0;
}

/*
 * The kernel's part is @fresh's if there is one. A socket that is closed already, and
 * lingers, has no holder any more: then holder and manager are @old's.
 */
static int add_connection(struct snapshot *to, const struct source *fresh,
			  const struct source *old)
{
	const struct source *kernel = fresh->conn ? fresh : old;
	const struct source *holder = kernel;
	struct connection *conn;
	int r = 0;

	if (old->conn && (!kernel->conn->pid || (kernel->conn->manager != MANAGER_OURS &&
						 old->conn->manager == MANAGER_OURS)))
		holder = old;
	conn = array_grow(&to->connections, &to->n_connections, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	*conn = *kernel->conn;
	conn->inode = holder->conn->inode;
	conn->pid = holder->conn->pid;
	memcpy(conn->program, holder->conn->program, sizeof(conn->program));
	conn->manager = holder->conn->manager;
	conn->record = holder->conn->record;
	conn->process = holder->conn->process;
	conn->subflows = (struct stretch){ .first = to->n_subflows };
	conn->announced = (struct stretch){ .first = to->n_announced };
	if (conn->manager == MANAGER_OURS)
		r = add_manager(to, holder->snap, holder->conn->manager_index,
				&conn->manager_index);
	if (r == 0)
		r = add_paths(to, fresh);
	if (r == 0)
		r = add_paths(to, old);
	return r < 0 ? r : add_announced(to, holder);
}

static struct index *index_tokens(const struct snapshot *snap)
{
	struct index *index = index_new(snap->n_connections, sizeof(uint32_t));
	size_t i;

	for (i = 0; index && i < snap->n_connections; i++) {
		if (index_add(index, &snap->connections[i].token, i) < 0) {
			index_free(index);
			return NULL;
		}
	}
	return index;
}

static struct source source_of(const struct snapshot *snap, const struct index *by_token,
			       uint32_t token)
{
	ssize_t pos = index_find(by_token, &token);

	return (struct source){ snap, pos < 0 ? NULL : &snap->connections[pos] };
}

/* Managers first, even those that have no connection yet, fresh before old. */
static int merge(struct snapshot *to, const struct snapshot *old,
		 const struct snapshot *fresh, const bool *wanted)
{
	struct index *old_tokens = index_tokens(old), *tokens = index_tokens(fresh);
	struct source a, b;
	size_t i;
	int r = old_tokens && tokens ? 0 : -ENOMEM;

	for (i = 0; i < fresh->n_connections && r == 0; i++) {
		a = (struct source){ fresh, &fresh->connections[i] };
		b = source_of(old, old_tokens, a.conn->token);
		if (wanted[i] || b.conn)
			r = add_connection(to, &a, &b);
	}
	for (i = 0; i < old->n_connections && r == 0; i++) {
		b = (struct source){ old, &old->connections[i] };
		a = source_of(fresh, tokens, b.conn->token);
		if (!a.conn)
			r = add_connection(to, &a, &b);
	}
	index_free(old_tokens);
	index_free(tokens);
	return r;
}

static int add_managers(struct snapshot *to, const struct snapshot *from, keep_fn wanted,
			void *ctx)
{
	uint32_t pos;
	size_t i;
	int r = 0;

	for (i = 0; i < from->n_managers && r == 0; i++) {
		if (from->managers[i].answered &&
		    (!wanted || wanted(ctx, from->managers[i].pid)))
			r = add_manager(to, from, i, &pos);
	}
	return r;
}

static int index_paths(struct keep *keep)
{
	const struct snapshot *snap = &keep->snap;
	size_t i;
	int r;

	index_free(keep->by_ends);
	free(keep->ends);
	keep->ends = calloc(snap->n_subflows + 1, sizeof(*keep->ends));
	keep->by_ends = index_new(snap->n_subflows, sizeof(*keep->ends));
	r = keep->ends && keep->by_ends ? 0 : -ENOMEM;
	/* Ends that come again are the later path's: what is closed is told of no more.
	 */
	for (i = 0; i < snap->n_subflows && r == 0; i++) {
		if (snap->subflows[i].state == TCP_CLOSE)
			continue;
		keep->ends[i].local = snap->subflows[i].local;
		keep->ends[i].remote = snap->subflows[i].remote;
		r = index_add(keep->by_ends, &keep->ends[i], i);
	}
	return r;
}

static void take_namespace(struct snapshot *to, const struct snapshot *from)
{
	to->has_endpoint_maxima = from->has_endpoint_maxima;
	memcpy(to->path_manager, from->path_manager, sizeof(to->path_manager));
}

int keep_merge(struct keep *keep, const struct snapshot *fresh, keep_fn wanted, void *ctx)
{
	bool *is_wanted = calloc(fresh->n_connections + 1, sizeof(*is_wanted));
	struct snapshot to = { 0 };
	size_t i;
	int r = is_wanted ? 0 : -ENOMEM;

	for (i = 0; i < fresh->n_connections && r == 0; i++)
		is_wanted[i] = fresh->connections[i].pid &&
			       wanted(ctx, fresh->connections[i].pid);
	if (r == 0)
		r = add_managers(&to, fresh, wanted, ctx);
	if (r == 0)
		r = add_managers(&to, &keep->snap, NULL, NULL);
	if (r == 0)
		r = merge(&to, &keep->snap, fresh, is_wanted);
	free(is_wanted);
	if (r < 0) {
		snapshot_free(&to);
		return r;
	}
	take_namespace(&to, fresh);
	snapshot_free(&keep->snap);
	keep->snap = to;
	return index_paths(keep);
}

/* A connection as a manager's note tells of it: no sock_diag was there to see it. */
static int fresh_connection(struct snapshot *fresh, pid_t pid, const char *program,
			    const struct pm_note *note)
{
	struct connection *conn;
	struct subflow *sf;

	conn = array_grow(&fresh->connections, &fresh->n_connections, sizeof(*conn));
	sf = array_grow(&fresh->subflows, &fresh->n_subflows, sizeof(*sf));
	if (!conn || !sf)
		return -ENOMEM;
	conn->token = note->token;
	conn->pid = pid;
	snprintf(conn->program, sizeof(conn->program), "%s", program);
	ctl_addr_take(&note->local, &sf->local);
	ctl_addr_take(&note->remote, &sf->remote);
	conn->local = sf->local;
	conn->remote = sf->remote;
	conn->state = TCP_ESTABLISHED;
	conn->subflows.n = 1;
	conn->manager = MANAGER_UNKNOWN;
	sf->state = TCP_ESTABLISHED;
	sf->local_id = note->local_id;
	sf->remote_id = note->remote_id;
	return 0;
}

/* What the kernel said of it is better than a note: only the path is new then. */
static int merge_note(struct keep *keep, struct snapshot *fresh)
{
	struct index *tokens = index_tokens(&keep->snap);
	struct source old;
	struct stretch path = fresh->connections[0].subflows;

	if (!tokens)
		return -ENOMEM;
	old = source_of(&keep->snap, tokens, fresh->connections[0].token);
	index_free(tokens);
	if (old.conn && has_path(old.snap, &old.conn->subflows, &fresh->subflows[0]))
		return 1;
	if (!old.conn)
		return 0;
	fresh->connections[0] = *old.conn;
	fresh->connections[0].pid = 0; /* holder and manager stay as they are */
	fresh->connections[0].manager = MANAGER_UNKNOWN;
	fresh->connections[0].subflows = path;
	fresh->connections[0].announced = (struct stretch){ 0 };
	return 0;
}

static bool always(void *ctx, pid_t pid)
{
	return true;
}

int keep_note(struct keep *keep, pid_t pid, const char *program,
	      const struct pm_note *note)
{
	struct snapshot fresh = { 0 };
	int r;

	if ((note->what != PM_NOTE_ESTABLISHED && note->what != PM_NOTE_JOINED &&
	     note->what != PM_NOTE_SUBFLOW_FOREIGN) ||
	    !note->local.port || !note->remote.port)
		return 0;
	r = fresh_connection(&fresh, pid, program, note);
	if (r == 0)
		r = merge_note(keep, &fresh);
	if (r == 0) {
		take_namespace(&fresh, &keep->snap);
		r = keep_merge(keep, &fresh, always, NULL);
	}
	snapshot_free(&fresh);
	return r < 0 ? r : 0;
}

void keep_closed(struct keep *keep, const struct subflow *sf)
{
	struct path_ends ends = { sf->local, sf->remote };
	struct subflow *kept;
	ssize_t pos;

	pos = keep->by_ends ? index_find(keep->by_ends, &ends) : -1;
	if (pos < 0)
		return;
	kept = &keep->snap.subflows[pos];
	kept->state = TCP_CLOSE;
	if (!sf->has_tcp)
		return;
	kept->has_tcp = true;
	kept->bytes_sent = sf->bytes_sent;
	kept->bytes_received = sf->bytes_received;
	kept->rtt_us = sf->rtt_us;
	kept->cwnd = sf->cwnd;
	kept->delivery_rate = sf->delivery_rate;
	kept->retransmits = sf->retransmits;
}

size_t keep_open_paths(const struct keep *keep)
{
	size_t i, n = 0;

	for (i = 0; i < keep->snap.n_subflows; i++)
		n += keep->snap.subflows[i].state != TCP_CLOSE;
	return n;
}

void keep_free(struct keep *keep)
{
	snapshot_free(&keep->snap);
	index_free(keep->by_ends);
	free(keep->ends);
	*keep = (struct keep){ 0 };
}
