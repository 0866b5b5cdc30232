/* SPDX-License-Identifier: MIT */
/*
 * collect.h - fill a snapshot
 */
#ifndef MPTCPINFO_COLLECT_H
#define MPTCPINFO_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

struct snapshot;

/* Which connections are wanted; all if nothing is set. */
struct filter {
	const char *process; /* PID or name */
	bool has_token;
	uint32_t token;
};

/*
 * collect() - one look at everything
 *
 * Whatever can be had is in @snap afterwards, whatever cannot is in its notes.
 * Return: 0; -errno if not even the connections could be listed.
 */
int collect(const struct filter *filter, struct snapshot *snap);

#endif
