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
