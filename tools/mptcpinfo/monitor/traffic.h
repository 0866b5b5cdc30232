/* SPDX-License-Identifier: MIT */
/*
 * traffic.h - the bytes of a run, by path and time
 */
#pragma once

#include "tools/mptcpinfo/snapshot.h"

#include <net/if.h>

#define TRAFFIC_SLOTS 240
#define TRAFFIC_PAIRS 8

enum traffic_way {
	TRAFFIC_RECEIVED,
	TRAFFIC_SENT,
};

/* All subflows between two addresses; from a local address, if there are too many pairs.
 */
struct traffic_path {
	struct mpaddr local, remote; /* ports 0; family of remote 0: any */
	char device[IF_NAMESIZE];    /* of `local`, "": unknown */
	uint64_t bytes[2];	     /* by enum traffic_way */
	double slots[2][TRAFFIC_SLOTS];
};

struct traffic {
	int64_t began_us; /* as clock_us() */
	int64_t seen_us;  /* until then all is counted */
	int64_t slot_us;
	struct traffic_path *paths;
	size_t n_paths;
};

void traffic_begin(struct traffic *t);

/* traffic_add() - what @after has more than @before, evenly from seen_us to @now_us */
void traffic_add(struct traffic *t, const struct subflow *before,
		 const struct subflow *after, int64_t now_us);

/* traffic_seen() - all that came until @now_us has been added */
void traffic_seen(struct traffic *t, int64_t now_us);

/* traffic_sum() - of all paths */
uint64_t traffic_sum(const struct traffic *t, enum traffic_way way);

#define TRAFFIC_TEXT_MAX 192

/* "10.0.1.2 > 10.0.1.1 (eth1)". Return: @out. */
const char *traffic_text(const struct traffic_path *path,
			 char out[static TRAFFIC_TEXT_MAX]);
