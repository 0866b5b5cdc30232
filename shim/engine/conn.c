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

	if (HASH_COUNT(table->conns) >= ENGINE_CONNS_MAX)
		return NULL;
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return NULL;
	conn->table = table;
	conn->token = reg->token;
	conn->v6only = reg->v6only;
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
	conn_set_timed(conn, false);
	if (table->cursor == conn)
		table->cursor = conn->hh.next;
	HASH_DELETE(hh, table->conns, conn);
	table->n_ids -= conn->n_ids;
	free(conn->ids);
	free(conn->subflows);
	free(conn->announced);
	free(conn);
}

void conn_set_timed(struct conn *conn, bool timed)
{
	if (timed && !conn->timed)
		DL_APPEND(conn->table->timed, conn);
	else if (!timed && conn->timed)
		DL_DELETE(conn->table->timed, conn);
	conn->timed = timed;
}

void conn_table_free(struct conn_table *table)
{
	struct conn *conn, *tmp;

	HASH_ITER (hh, table->conns, conn, tmp)
		conn_free(conn);
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

static void array_del(void *array, uint8_t *n, void *item, size_t size)
{
	char *next = (char *)item + size;

	memmove(item, next, (char *)array + (*n)-- * size - next);
}

struct subflow *conn_subflow_add(struct conn *conn, const struct subflow *subflow)
{
	return array_add(&conn->subflows, &conn->n_subflows, ENGINE_SUBFLOWS_MAX, subflow,
			 sizeof(*subflow));
}

void conn_subflow_del(struct conn *conn, struct subflow *subflow)
{
	array_del(conn->subflows, &conn->n_subflows, subflow, sizeof(*subflow));
}

struct subflow *conn_subflow_find(struct conn *conn, const struct mpaddr *local,
				  const struct mpaddr *remote)
{
	struct subflow *pending = NULL, *s;

	for_each_subflow (conn, s) {
		if (!mpaddr_equal(&s->remote, remote) || s->state == SUBFLOW_RETRY)
			continue;
		if (mpaddr_equal(&s->local, local))
			return s;
		if ((s->state != SUBFLOW_PENDING && s->state != SUBFLOW_DOOMED) ||
		    s->local.port || pending)
			continue;
		if (mpaddr_is_any(&s->local) || mpaddr_same_ip(&s->local, local))
			pending = s;
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
		     (!local || mpaddr_same_ip(&s->local, local)) &&
		     (!remote || mpaddr_equal(&s->remote, remote));
	return n;
}

unsigned int conn_extra_subflows(const struct conn *conn)
{
	const struct subflow *s;
	unsigned int n = 0;

	for_each_subflow (conn, s)
		n += !s->initial && 1U << s->state & SUBFLOW_HOLDING;
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
	array_del(conn->announced, &conn->n_announced, ann, sizeof(*ann));
}

static struct used_id *used_id_find(const struct conn *conn, uint8_t local_id)
{
	struct used_id *id;

	for_each_used_id (conn, id)
		if (id->local_id == local_id)
			return id;
	return NULL;
}

static int used_id_add(struct conn *conn, const struct mpaddr *addr, uint8_t local_id,
		       bool ours)
{
	const struct used_id id = { .addr = *addr, .local_id = local_id, .ours = ours };

	if (!array_add(&conn->ids, &conn->n_ids, UINT8_MAX, &id, sizeof(id)))
		return -ENOMEM;
	conn->table->n_ids++;
	return 0;
}

static void used_id_del(struct conn *conn, struct used_id *id)
{
	array_del(conn->ids, &conn->n_ids, id, sizeof(*id));
	conn->table->n_ids--;
}

struct used_id *conn_id_of(const struct conn *conn, const struct mpaddr *addr)
{
	struct used_id *id;

	for_each_used_id (conn, id)
		if (mpaddr_equal(&id->addr, addr))
			return id;
	return NULL;
}

uint8_t conn_id_for(struct conn *conn, const struct mpaddr *addr, uint8_t wanted)
{
	struct used_id *id = conn_id_of(conn, addr);
	unsigned int n;

	if (id)
		return id->local_id;
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
	old = conn_id_of(conn, &ip);
	if (old)
		used_id_del(conn, old);
	used_id_add(conn, &ip, local_id, false);
}
