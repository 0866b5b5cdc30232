// SPDX-License-Identifier: MIT
/*
 * conn.c - the engine's tables: connections by token, used local IDs by connection
 *
 * Look-ups and storage; select.c and its like decide.
 */
#include "conn.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct conn *conn_find(const struct conn_table *table, uint32_t token)
{
	struct conn *conn;

	HASH_FIND(hh, table->conns, &token, sizeof(token), conn);
	return conn;
}

struct conn *conn_add(struct conn_table *table, const struct pm_registration *reg)
{
	struct conn *conn;

	conn = HASH_COUNT(table->conns) < ENGINE_CONNS_MAX ? calloc(1, sizeof(*conn))
							   : NULL;
	if (!conn)
		return NULL;
	conn->table = table;
	conn->token = reg->token;
	conn->v6only = reg->v6only;
	conn->first_why = reg->first;
	conn->inherited = reg->inherited;
	conn->registered = reg->when;
	HASH_ADD(hh, table->conns, token, sizeof(conn->token), conn);
	if (!conn->hh.tbl) { /* uthash had no memory */
		free(conn);
		return NULL;
	}
	DL_APPEND(table->unconfirmed, conn);
	table->n_unconfirmed++;
	return conn;
}

void conn_confirm(struct conn *conn)
{
	if (conn->confirmed)
		return;
	DL_DELETE(conn->table->unconfirmed, conn);
	conn->table->n_unconfirmed--;
	conn->confirmed = true;
}

void conn_free(struct conn *conn)
{
	struct conn_table *table = conn->table;

	conn_confirm(conn); /* out of the list of unconfirmed ones */
	conn_stop_timer(conn);
	if (table->cursor == conn)
		table->cursor = conn->hh.next;
	HASH_DELETE(hh, table->conns, conn);
	table->n_ids -= conn->n_ids;
	free(conn->subflows);
	free(conn->announced);
	free(conn->ids);
	free(conn);
}

static bool timer_is_before(const struct conn_timer *a, const struct conn_timer *b)
{
	return (int32_t)(a->due - b->due) < 0;
}

static void timer_put(struct conn_timer *heap, uint32_t slot, struct conn_timer timer)
{
	heap[slot] = timer;
	timer.conn->slot = slot;
}

/* Put @timer where it belongs in the heap, of which @slot is free. */
static void timer_sift(struct conn_table *table, uint32_t slot, struct conn_timer timer)
{
	struct conn_timer *heap = table->timed;
	uint32_t child;

	for (; slot > 1 && timer_is_before(&timer, &heap[slot / 2]); slot /= 2)
		timer_put(heap, slot, heap[slot / 2]);
	for (; (child = 2 * slot) <= table->n_timed; slot = child) {
		child += child < table->n_timed &&
			 timer_is_before(&heap[child + 1], &heap[child]);
		if (!timer_is_before(&heap[child], &timer))
			break;
		timer_put(heap, slot, heap[child]);
	}
	timer_put(heap, slot, timer);
}

void conn_set_timer(struct conn *conn, uint32_t due)
{
	struct conn_table *table = conn->table;
	const uint32_t n = table->n_timed + 1;
	struct conn_timer *grown;

	if (conn->slot && table->timed[conn->slot].due == due)
		return;
	if (!conn->slot && !(n & (n - 1))) {
		grown = realloc(table->timed, 2 * n * sizeof(*grown));
		if (!grown)
			return;
		table->timed = grown;
	}
	timer_sift(table, conn->slot ?: ++table->n_timed,
		   (struct conn_timer){ due, conn });
}

void conn_stop_timer(struct conn *conn)
{
	struct conn_table *table = conn->table;
	const uint32_t slot = conn->slot;
	struct conn_timer last;

	if (!slot)
		return;
	conn->slot = 0;
	last = table->timed[table->n_timed--];
	if (last.conn != conn)
		timer_sift(table, slot, last);
}

void conn_table_free(struct conn_table *table)
{
	struct conn *conn, *tmp;

	HASH_ITER (hh, table->conns, conn, tmp)
		conn_free(conn);
	free(table->timed);
	ref_table_free(&table->refs);
}

void conn_table_sweep(struct conn_table *table)
{
	struct ref_table *refs = &table->refs;
	const struct announcement *ann;
	const struct subflow *s;
	const struct used_id *id;
	const struct conn *conn;

	if (!ref_table_is_full(refs))
		return;
	ref_table_mark(refs);
	for (conn = table->conns; conn; conn = conn->hh.next) {
		ref_keep(refs, conn->first);
		ref_keep(refs, conn->peer);
		for_each_subflow (conn, s) {
			ref_keep(refs, s->local);
			ref_keep(refs, s->remote);
		}
		for_each_announcement (conn, ann)
			ref_keep(refs, ann->addr);
		for_each_used_id (conn, id)
			ref_keep(refs, id->addr);
	}
	ref_table_sweep(refs);
}

/* Append @item of @size bytes to *@array. Return: its place; NULL: no memory, or full. */
static void *array_add(void *array, uint8_t *n, unsigned int max, const void *item,
		       size_t size)
{
	char *grown, **base = array;

	if (*n >= max)
		return NULL;
	grown = realloc(*base, (*n + 1) * size);
	if (!grown)
		return NULL;
	*base = grown;
	return memcpy(grown + (*n)++ * size, item, size);
}

struct subflow *conn_subflow_add(struct conn *conn, const struct subflow *subflow)
{
	return array_add(&conn->subflows, &conn->n_subflows, ENGINE_SUBFLOWS_MAX, subflow,
			 sizeof(*subflow));
}

void conn_subflow_del(struct conn *conn, struct subflow *subflow)
{
	const struct subflow *end = conn->subflows + conn->n_subflows--;

	memmove(subflow, subflow + 1, (char *)end - (char *)(subflow + 1));
}

struct subflow *conn_subflow_find(struct conn *conn, const struct addr_ref *local,
				  const struct addr_ref *remote)
{
	struct subflow *pending = NULL, *s;
	int rank, best = -1;

	for_each_subflow (conn, s) {
		if (!ref_same_ip(s->remote, *remote) ||
		    (remote->port && s->remote.port != remote->port) ||
		    s->state == SUBFLOW_RETRY)
			continue;
		if (ref_equal(s->local, *local) && remote->port)
			return s;
		if (!(1U << s->state & SUBFLOW_CONNECTING) || s->local.port)
			continue;
		/* Rather from this address than by routing; a doomed one ends first. */
		rank = 2 * ref_same_ip(s->local, *local) +
		       (s->state == SUBFLOW_DOOMED ||
			(s->state == SUBFLOW_PROBE && s->unanswered));
		if (rank > best &&
		    (rank > 1 || mpaddr_is_any(conn_addr(conn, s->local)))) {
			pending = s;
			best = rank;
		}
	}
	return pending;
}

unsigned int conn_count(const struct conn *conn, unsigned int states,
			const struct addr_ref *local, const struct addr_ref *remote)
{
	const struct subflow *s;
	unsigned int n = 0;

	for_each_subflow (conn, s)
		n += 1U << s->state & states &&
		     !(s->initial && states & SUBFLOW_JOINED) &&
		     (!local || ref_same_ip(s->local, *local)) &&
		     (!remote || ref_equal(s->remote, *remote));
	return n;
}

struct announcement *conn_announced(struct conn *conn, int remote_id,
				    const struct addr_ref *addr)
{
	struct announcement *ann;

	for_each_announcement (conn, ann)
		if ((remote_id < 0 || ann->remote_id == remote_id) &&
		    ref_equal(ann->addr, *addr))
			return ann;
	return NULL;
}

struct announcement *conn_announced_add(struct conn *conn, uint8_t remote_id,
					const struct mpaddr *addr)
{
	struct announcement ann = { .remote_id = remote_id };

	if (!conn_ref(conn, addr, &ann.addr))
		return NULL;
	return array_add(&conn->announced, &conn->n_announced, ENGINE_ANNOUNCED_MAX, &ann,
			 sizeof(ann));
}

void conn_announced_del(struct conn *conn, struct announcement *ann)
{
	const struct announcement *end = conn->announced + conn->n_announced--;

	memmove(ann, ann + 1, (char *)end - (char *)(ann + 1));
}

static struct used_id *used_id_find(const struct conn *conn, uint8_t local_id)
{
	struct used_id *id;

	for_each_used_id (conn, id)
		if (id->local_id == local_id)
			return id;
	return NULL;
}

static struct used_id *used_id_of(const struct conn *conn, struct addr_ref addr)
{
	struct used_id *id;

	for_each_used_id (conn, id)
		if (ref_equal(id->addr, addr))
			return id;
	return NULL;
}

static bool used_id_add(struct conn *conn, const struct used_id *id)
{
	if (!array_add(&conn->ids, &conn->n_ids, UINT8_MAX, id, sizeof(*id)))
		return false;
	conn->table->n_ids++;
	return true;
}

static void used_id_del(struct conn *conn, struct used_id *id)
{
	const struct used_id *end = conn->ids + conn->n_ids--;

	conn->table->n_ids--;
	memmove(id, id + 1, (char *)end - (char *)(id + 1));
}

struct used_id *conn_id_of(const struct conn *conn, const struct mpaddr *addr)
{
	return used_id_of(conn, *conn_find_ref(conn, addr));
}

uint8_t conn_id_for(struct conn *conn, const struct mpaddr *addr, uint8_t wanted)
{
	struct used_id added = { .local_id = wanted, .ours = true };
	const struct used_id *id;
	unsigned int n;

	if (!conn_ref(conn, addr, &added.addr))
		return 0;
	id = used_id_of(conn, added.addr);
	if (id)
		return id->local_id;
	if (!wanted || used_id_find(conn, wanted)) {
		for (n = 1; n <= UINT8_MAX && used_id_find(conn, n); n++)
			;
		if (n > UINT8_MAX)
			return 0;
		added.local_id = n;
	}
	return used_id_add(conn, &added) ? added.local_id : 0;
}

uint8_t conn_id_from_top(struct conn *conn, const struct mpaddr *addr)
{
	/* 255 and 254 are for routing's unknown choice, see join_prepare(). */
	uint8_t wanted = UINT8_MAX - 2;

	while (wanted > 1 && used_id_find(conn, wanted))
		wanted--;
	return conn_id_for(conn, addr, wanted);
}

void conn_id_seen(struct conn *conn, const struct mpaddr *addr, uint8_t local_id)
{
	struct used_id seen = { .local_id = local_id };
	struct used_id *id, *old;

	if (!local_id || !conn_ref(conn, addr, &seen.addr))
		return;
	seen.addr.port = 0;
	id = used_id_find(conn, local_id);
	old = used_id_of(conn, seen.addr);
	if (id && id == old)
		return;
	/* The unspecified address stands for routing's choice. */
	if (id &&
	    (mpaddr_is_any(conn_addr(conn, id->addr)) || conn_uses(conn, &id->addr)))
		return;
	/* The kernel is right: it kept no ID of a refused request. */
	if (id) {
		used_id_del(conn, id);
		old = used_id_of(conn, seen.addr); /* where it is now */
	}
	if (old)
		used_id_del(conn, old);
	used_id_add(conn, &seen);
}
