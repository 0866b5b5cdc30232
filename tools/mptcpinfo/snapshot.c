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

static _Noreturn void memory_die(void)
{
	fputs("mptcpinfo: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

#define uthash_fatal(msg) memory_die()
#include <uthash.h>

void *array_alloc(size_t n, size_t size)
{
	void *mem = calloc(n + 1, size); /* not NULL for none */

	if (!mem)
		memory_die();
	return mem;
}

/* The capacity is the next power of two, so it need not be stored. */
void *array_grow(void *array, size_t *n, size_t size)
{
	char *mem;

	/* Each caller has a pointer of another type: copy it, do not alias it. */
	memcpy(&mem, array, sizeof(mem));
	if ((*n & (*n - 1)) == 0) {
		mem = reallocarray(mem, *n ? *n * 2 : 1, size);
		if (!mem)
			memory_die();
		memcpy(array, &mem, sizeof(mem));
	}
	return memset(mem + size * (*n)++, 0, size);
}

void array_append(void *array, size_t *array_n, const void *more, size_t n, size_t size)
{
	for (size_t i = 0; i < n; i++)
		memcpy(array_grow(array, array_n, size), (const char *)more + i * size,
		       size);
}

/* A counting sort. */
struct span *array_group(void *array, size_t n, size_t size, size_t n_groups)
{
	struct span *groups = array_alloc(n_groups, sizeof(*groups)), *group;
	char *from, *to;
	uint32_t g;
	size_t i, next = 0;

	if (n == 0)
		return groups;
	memcpy(&from, array, sizeof(from));
	/* array_grow() takes the next power of two for the room that there is. */
	for (i = 1; i < n; i *= 2)
		;
	to = array_alloc(i, size);
	for (i = 0; i < n; i++) {
		memcpy(&g, from + i * size, sizeof(g));
		groups[g].n++;
	}
	for (i = 0; i < n_groups; i++) {
		groups[i].first = next;
		next += groups[i].n;
		groups[i].n = 0;
	}
	for (i = 0; i < n; i++) {
		memcpy(&g, from + i * size, sizeof(g));
		group = &groups[g];
		memcpy(to + (group->first + group->n++) * size, from + i * size, size);
	}
	free(from);
	memcpy(array, &to, sizeof(to));
	return groups;
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

void index_fill(struct index *index, const void *first_key, size_t n, size_t size)
{
	for (size_t i = 0; i < n; i++)
		index_add(index, (const char *)first_key + i * size, i);
}

static struct index_node *index_node(const struct index *index, const void *key)
{
	struct index_node *node;

	HASH_FIND(hh, index->head, key, index->key_size, node);
	return node;
}

ssize_t index_find(const struct index *index, const void *key)
{
	const struct index_node *node = index_node(index, key);

	return node ? (ssize_t)node->pos : -1;
}

void index_remove(struct index *index, const void *key)
{
	struct index_node *node = index_node(index, key);

	if (!node)
		return;
	HASH_DEL(index->head, node);
	free(node);
}

void index_free(struct index *index)
{
	struct index_node *node, *next;

	HASH_ITER (hh, index->head, node, next) {
		HASH_DEL(index->head, node);
		free(node);
	}
}

struct index snapshot_index_tokens(const struct snapshot *snap)
{
	struct index index = { .key_size = sizeof(uint32_t) };

	if (snap->n_connections)
		index_fill(&index, &snap->connections->token, snap->n_connections,
			   sizeof(*snap->connections));
	return index;
}

void snapshot_group(struct snapshot *snap)
{
	size_t i, n = snap->n_connections;
	struct span *subflows, *announced;

	subflows = array_group(&snap->subflows, snap->n_subflows, sizeof(*snap->subflows),
			       n);
	announced = array_group(&snap->announced, snap->n_announced,
				sizeof(*snap->announced), n);
	for (i = 0; i < n; i++) {
		snap->connections[i].subflows = subflows[i];
		snap->connections[i].announced = announced[i];
	}
	free(subflows);
	free(announced);
}

static int compare_connections(const void *pa, const void *pb)
{
	const struct connection *a = pa, *b = pb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->token > b->token) - (a->token < b->token);
}

void snapshot_sort(struct snapshot *snap)
{
	if (snap->n_connections)
		qsort(snap->connections, snap->n_connections, sizeof(*snap->connections),
		      compare_connections);
}

void snapshot_note(struct snapshot *snap, const char *fmt, ...)
{
	char *text, **slot;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		memory_die();
	va_end(ap);
	slot = array_grow(&snap->notes, &snap->n_notes, sizeof(*slot));
	*slot = text;
}

void snapshot_report(const struct snapshot *snap, int r)
{
	size_t i;

	for (i = 0; i < snap->n_notes; i++)
		fprintf(stderr, "mptcpinfo: %s\n", snap->notes[i]);
	if (r == -ENOENT)
		fputs("mptcpinfo: this kernel cannot list MPTCP connections "
		      "(module mptcp_diag)\n",
		      stderr);
	else if (r < 0)
		fprintf(stderr, "mptcpinfo: MPTCP connections: %s\n", strerror(-r));
}

void snapshot_free(struct snapshot *snap)
{
	size_t i;

	for (i = 0; i < snap->n_notes; i++)
		free(snap->notes[i]);
	free(snap->notes);
	free(snap->counters);
	free(snap->managers);
	free(snap->connections);
	free(snap->subflows);
	free(snap->announced);
	free(snap->endpoints);
	free(snap->sections);
}

#define END_OF(field)                             \
	(offsetof(struct mptcpaddr_info, field) + \
	 sizeof(((struct mptcpaddr_info *)NULL)->field))

size_t info_length(size_t len)
{
	/* The last fields of 6.10, 6.8, 6.5, and of the kernels before. */
	static const size_t ends[] = { END_OF(last_ack_recv), END_OF(subflows_total),
				       END_OF(bytes_acked), END_OF(csum_enabled) };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (len >= ends[i])
			return ends[i];
	}
	return len;
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

bool connection_endpoint(const struct snapshot *snap, const struct connection *conn,
			 size_t i, enum endpoint_state *ret_state)
{
	const struct manager *manager = connection_manager(snap, conn);
	uint64_t bit = i < 64 ? 1ull << i : 0;

	if (!manager || i >= manager->endpoints.n || !(conn->record.endpoints_mine & bit))
		return false;
	if (conn->record.endpoints_used & bit)
		*ret_state = ENDPOINT_USED;
	else if (conn->record.endpoints_pending & bit)
		*ret_state = ENDPOINT_PENDING;
	else if (snap->endpoints[manager->endpoints.first + i].state !=
		 CTL_ENDPOINT_USABLE)
		*ret_state = ENDPOINT_UNAVAILABLE;
	else
		*ret_state = ENDPOINT_FREE;
	return true;
}

/* One whose subflow has closed waits for its peer to announce it again. */
enum announced_state announced_state(const struct pm_announced_report *record)
{
	switch ((enum pm_announced_state)record->state) {
	case PM_ANNOUNCED_JOINED:
		return ANNOUNCED_JOINED;
	case PM_ANNOUNCED_REFUSED:
		return ANNOUNCED_REFUSED;
	case PM_ANNOUNCED_WAITING:
	case PM_ANNOUNCED_PENDING:
	case PM_ANNOUNCED_CLOSED:
		break;
	}
	return ANNOUNCED_WAITING;
}
