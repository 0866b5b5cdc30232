/* SPDX-License-Identifier: MIT */
/*
 * rates.h - what each path carries a second, from one snapshot to the next
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct snapshot;
struct index;
struct path_key;

/* Bytes per second; NAN where there is nothing to compare with. */
struct rate {
	double sent;
	double received;
};

/* Zeros to start with. */
struct rates {
	struct rate *at; /* one for each subflow of the last snapshot, in its order */
	size_t n;
	/* The snapshot that comes next is compared with this. */
	struct path_key *keys;
	uint64_t *sent, *received;
	struct index *index;
	int64_t taken_us;
};

/* @taken_us: when the byte counts were read, of a clock that never goes back. */
int rates_update(struct rates *rates, const struct snapshot *snap, int64_t taken_us);
void rates_free(struct rates *rates);
