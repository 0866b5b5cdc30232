/* SPDX-License-Identifier: MIT */
/*
 * collect.h - fill a snapshot
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct snapshot;

/* The peers that are wanted: ADDRESS[/LEN][:PORT]. */
struct remote {
	uint16_t family; /* 0: any address */
	uint16_t port;	 /* 0: any */
	uint8_t ip[16];	 /* network order */
	uint8_t len;	 /* leading bits that count */
};

/* Which connections are wanted; all if nothing is set. */
struct filter {
	const char *process; /* PID or name */
	bool has_token;
	uint32_t token;
	bool has_remote;
	struct remote remote; /* of any of a connection's paths */
};

/*
 * collect() - one look at everything
 *
 * Whatever can be had is in @snap, which is empty before, afterwards; whatever cannot is
 * in its notes. snapshot_free() frees it.
 * Return: 0; -errno if not even the connections could be listed.
 */
int collect(const struct filter *filter, struct snapshot *snap);

/* snapshot_say() - the notes, and collect()'s error @r, on standard error */
void snapshot_say(const struct snapshot *snap, int r);
