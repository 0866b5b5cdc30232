// SPDX-License-Identifier: MIT
/*
 * snapshot.c - the arrays of a snapshot
 */
#include "snapshot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Capacity is the next power of two, so it need not be kept beside the count. */
void *array_grow(void *array, size_t *n, size_t size)
{
	char *mem;

	/* Each caller has a pointer of another type: copy it, do not alias it. */
	memcpy(&mem, array, sizeof(mem));
	if ((*n & (*n - 1)) == 0) {
		mem = reallocarray(mem, *n ? *n * 2 : 1, size);
		if (!mem)
			return NULL;
		memcpy(array, &mem, sizeof(mem));
	}
	return memset(mem + size * (*n)++, 0, size);
}

int array_append(void *array, size_t *array_n, const void *more, size_t n, size_t size)
{
	size_t i;
	void *slot;

	for (i = 0; i < n; i++) {
		slot = array_grow(array, array_n, size);
		if (!slot)
			return -ENOMEM;
		memcpy(slot, (const char *)more + i * size, size);
	}
	return 0;
}

/* A counting sort. */
int array_group(void *array, size_t n, size_t size, size_t n_groups,
		struct stretch *ret_groups)
{
	char *from, *to;
	struct stretch *group;
	uint32_t g;
	size_t i, next = 0;

	memset(ret_groups, 0, n_groups * sizeof(*ret_groups));
	if (n == 0)
		return 0;
	memcpy(&from, array, sizeof(from));
	to = calloc(n, size);
	if (!to)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		memcpy(&g, from + i * size, sizeof(g));
		ret_groups[g].n++;
	}
	for (i = 0; i < n_groups; i++) {
		ret_groups[i].first = next;
		next += ret_groups[i].n;
		ret_groups[i].n = 0;
	}
	for (i = 0; i < n; i++) {
		memcpy(&g, from + i * size, sizeof(g));
		group = &ret_groups[g];
		memcpy(to + (group->first + group->n++) * size, from + i * size, size);
	}
	free(from);
	memcpy(array, &to, sizeof(to));
	return 0;
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

void snapshot_note(struct snapshot *snap, const char *fmt, ...)
{
	char *text, **slot;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0)
		return;
	slot = array_grow(&snap->notes, &snap->n_notes, sizeof(*slot));
	if (!slot) {
		free(text);
		return;
	}
	*slot = text;
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
