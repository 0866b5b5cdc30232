// SPDX-License-Identifier: MIT
/*
 * conn.c - the engine's tables: connections by token, used local IDs by connection
 *
 * Look-ups and storage; select.c and its like decide.
 */
#include "conn.h"

#include <errno.h>
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

static void used_id_del(struct conn *conn, struct used_id *id)
{
	LL_DELETE(conn->ids, id);
	HASH_DELETE(hh, conn->table->ids, id);
	free(id);
}

void conn_free(struct conn *conn)
{
	struct conn_table *table = conn->table;

	conn_confirm(conn); /* out of the list of unconfirmed ones */
	conn_stop_timer(conn);
	if (table->cursor == conn)
		table->cursor = conn->hh.next;
	HASH_DELETE(hh, table->conns, conn);
	while (conn->ids)
		used_id_del(conn, conn->ids);
	free(conn->subflows);
	free(conn->announced);
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

struct subflow *conn_subflow_find(struct conn *conn, const struct mpaddr *local,
				  const struct mpaddr *remote)
{
	struct subflow *pending = NULL, *s;
	int rank, best = -1;

	for_each_subflow (conn, s) {
		if (!(remote->port ? mpaddr_equal(&s->remote, remote)
				   : mpaddr_same_ip(&s->remote, remote)) ||
		    s->state == SUBFLOW_RETRY)
			continue;
		if (mpaddr_equal(&s->local, local) && remote->port)
			return s;
		if (!(1U << s->state & SUBFLOW_CONNECTING) || s->local.port)
			continue;
		/* Rather from this address than by routing; a doomed one ends first. */
		rank = 2 * mpaddr_same_ip(&s->local, local) +
		       (s->state == SUBFLOW_DOOMED ||
			(s->state == SUBFLOW_PROBE && s->unanswered));
		if (rank > best && (rank > 1 || mpaddr_is_any(&s->local))) {
			pending = s;
			best = rank;
		}
	}
	return pending;
}

unsigned int conn_count(const struct conn *conn, unsigned int states,
			const struct mpaddr *local, const struct mpaddr *remote)
{
	const struct subflow *s;
	unsigned int n = 0;

	for_each_subflow (conn, s)
		n += 1U << s->state & states &&
		     !(s->initial && states & SUBFLOW_JOINED) &&
		     (!local || mpaddr_same_ip(&s->local, local)) &&
		     (!remote || mpaddr_equal(&s->remote, remote));
	return n;
}

struct announcement *conn_announced(struct conn *conn, int remote_id,
				    const struct mpaddr *addr)
{
	struct announcement *ann;

	for_each_announcement (conn, ann)
		if ((remote_id < 0 || ann->remote_id == remote_id) &&
		    mpaddr_equal(&ann->addr, addr))
			return ann;
	return NULL;
}

struct announcement *conn_announced_add(struct conn *conn, uint8_t remote_id,
					const struct mpaddr *addr)
{
	const struct announcement ann = { .addr = *addr, .remote_id = remote_id };

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
	struct used_id key = { .key = { conn->token, local_id } }, *found;

	HASH_FIND(hh, conn->table->ids, &key.key, sizeof(key.key), found);
	return found;
}

static int used_id_add(struct conn *conn, const struct mpaddr *addr, uint8_t local_id,
		       bool ours)
{
	struct used_id *id = calloc(1, sizeof(*id));

	if (!id)
		return -ENOMEM;
	id->key.token = conn->token;
	id->key.local_id = local_id;
	id->addr = *addr;
	id->ours = ours;
	HASH_ADD(hh, conn->table->ids, key, sizeof(id->key), id);
	if (!id->hh.tbl) {
		free(id);
		return -ENOMEM;
	}
	LL_PREPEND(conn->ids, id);
	return 0;
}

struct used_id *conn_id_of(const struct conn *conn, const struct mpaddr *addr)
{
	struct used_id *id;

	for (id = conn->ids; id && !mpaddr_equal(&id->addr, addr); id = id->next)
		;
	return id;
}

uint8_t conn_id_for(struct conn *conn, const struct mpaddr *addr, uint8_t wanted)
{
	struct used_id *id = conn_id_of(conn, addr);
	unsigned int n;

	if (id)
		return id->key.local_id;
	if (!wanted || used_id_find(conn, wanted)) {
		for (n = 1; n <= UINT8_MAX && used_id_find(conn, n); n++)
			;
		if (n > UINT8_MAX)
			return 0;
		wanted = n;
	}
	return used_id_add(conn, addr, wanted, true) < 0 ? 0 : wanted;
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
	struct used_id *id = used_id_find(conn, local_id), *old;
	struct mpaddr ip = *addr;

	ip.port = 0;
	old = conn_id_of(conn, &ip);
	if (!local_id || (id && id == old))
		return;
	/* The unspecified address stands for routing's choice. */
	if (id && (mpaddr_is_any(&id->addr) || conn_uses(conn, &id->addr)))
		return;
	/* The kernel is right: it kept no ID of a refused request. */
	if (id)
		used_id_del(conn, id);
	if (old)
		used_id_del(conn, old);
	used_id_add(conn, &ip, local_id, false);
}
