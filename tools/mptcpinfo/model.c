// SPDX-License-Identifier: MIT
/*
 * model.c - the arrays of a snapshot
 */
#include "model.h"

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
}
