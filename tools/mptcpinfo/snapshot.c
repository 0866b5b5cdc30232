// SPDX-License-Identifier: MIT
/*
 * snapshot.c - the arrays of a snapshot, and hash tables for them
 */
#include "snapshot.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define uthash_fatal(msg) memory_die()
#include <uthash.h>

void *array_alloc(size_t n, size_t size)
{
	void *mem = calloc(n ? n : 1, size);

	if (!mem)
		memory_die();
	return mem;
}

/* The capacity is the next power of two, so it need not be stored. */
void *array_grow(void *array, size_t *n, size_t size)
{
	if ((*n & (*n - 1)) == 0) {
		array = reallocarray(array, *n ? *n * 2 : 1, size);
		if (!array)
			memory_die();
	}
	memset((char *)array + size * (*n)++, 0, size);
	return array;
}

struct index_node {
	size_t pos;
	UT_hash_handle hh;
	char key[];
};

void index_add(struct index *index, const void *key, size_t pos)
{
	struct index_node *node;

	if (index_find(index, key) >= 0)
		return;
	node = array_alloc(1, sizeof(*node) + index->key_size);
	node->pos = pos;
	memcpy(node->key, key, index->key_size);
	HASH_ADD_KEYPTR(hh, index->head, node->key, index->key_size, node);
}

ssize_t index_find(const struct index *index, const void *key)
{
	struct index_node *node;

	HASH_FIND(hh, index->head, key, index->key_size, node);
	return node ? (ssize_t)node->pos : -1;
}

void index_remove(struct index *index, const void *key)
{
	struct index_node *node;

	HASH_FIND(hh, index->head, key, index->key_size, node);
	if (!node)
		return;
	HASH_DEL(index->head, node);
	free(node);
}

void index_free(struct index *index)
{
	struct index_node *node;

	while ((node = index->head)) {
		HASH_DEL(index->head, node);
		free(node);
	}
}

static int compare_connections(const void *pa, const void *pb)
{
	const struct connection *a = pa, *b = pb;

	return a->pid - b->pid ?: (a->token > b->token) - (a->token < b->token);
}

void snapshot_sort(struct snapshot *snap)
{
	if (snap->n_connections)
		qsort(snap->connections, snap->n_connections, sizeof(*snap->connections),
		      compare_connections);
}

void snapshot_note(struct snapshot *snap, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		memory_die();
	va_end(ap);
	*array_add(snap, notes) = text;
}

void snapshot_report(const struct snapshot *snap, int r)
{
	char **note;

	for_each_in (note, snap, notes)
		fprintf(stderr, "mptcpinfo: %s\n", *note);
	if (r == -ENOENT)
		fputs("mptcpinfo: this kernel cannot list MPTCP connections "
		      "(module mptcp_diag)\n",
		      stderr);
	else if (r < 0)
		fprintf(stderr, "mptcpinfo: MPTCP connections: %s\n", strerror(-r));
}

void connection_free(struct connection *conn)
{
	struct subflow *sf;

	for_each_in (sf, conn, subflows)
		free(sf->history);
	free(conn->subflows);
	free(conn->announced);
}

void manager_release(struct manager *manager)
{
	free(manager->endpoints);
	free(manager->sections);
	free(manager->configured);
}

void snapshot_free(struct snapshot *snap)
{
	struct connection *conn;
	struct manager *manager;
	char **note;

	for_each_in (note, snap, notes)
		free(*note);
	for_each_in (manager, snap, managers)
		manager_release(manager);
	for_each_in (conn, snap, connections)
		connection_free(conn);
	index_free(&snap->by_token);
	free(snap->notes);
	free(snap->counters);
	free(snap->managers);
	free(snap->connections);
}

size_t info_length(size_t len)
{
	/* 5.19 and 6.8 end in 4 bytes of padding, where later kernels have a field. */
	if (len == 48 || len == 88)
		return len - 4;
	return len < sizeof(struct mptcpaddr_info) ? len : sizeof(struct mptcpaddr_info);
}

/* Here because libnl's headers include the C library's tcp_info, without byte counts. */
void subflow_fill_tcp(struct subflow *sf, const void *data, size_t len)
{
	struct tcp_info info = { 0 };

	if (len < offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof(uint64_t))
		return;
	memcpy(&info, data, len < sizeof(info) ? len : sizeof(info));
	sf->has_tcp = true;
	sf->bytes_sent = info.tcpi_bytes_sent;
	sf->bytes_received = info.tcpi_bytes_received;
	sf->rtt_us = info.tcpi_rtt;
	sf->cwnd = info.tcpi_snd_cwnd;
	sf->retransmits = info.tcpi_total_retrans;
	sf->delivery_rate = info.tcpi_delivery_rate;
}

const struct manager *connection_manager(const struct snapshot *snap,
					 const struct connection *conn)
{
	return conn->manager == MANAGER_OURS ? &snap->managers[conn->manager_index]
					     : NULL;
}

struct subflow *connection_subflow(const struct connection *conn, const struct path *path)
{
	struct subflow *sf = conn->subflows + conn->n_subflows;

	while (sf != conn->subflows) {
		sf--;
		if (mpaddr_equal(&sf->path.local, &path->local) &&
		    mpaddr_equal(&sf->path.remote, &path->remote) &&
		    sf->path.ifindex == path->ifindex)
			return sf;
	}
	return NULL;
}

uint64_t connection_bytes(const struct connection *conn)
{
	const struct subflow *sf;
	uint64_t sum = 0;

	for_each_in (sf, conn, subflows)
		sum += subflow_bytes(sf);
	return sum;
}
