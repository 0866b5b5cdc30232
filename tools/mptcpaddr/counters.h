/* SPDX-License-Identifier: MIT */
/*
 * counters.h - what the kernel's MPTCP counters say
 */
#pragma once

#include "command.h"

struct blackhole;
/* find_blackhole() - whether the kernel has switched MPTCP off */
bool find_blackhole(struct blackhole *ret);

/*
 * check_counters() - judge them, as a client and as a server
 * @since_ms: count for so long from now on; 0: since the namespace was created
 * @laminar_path: a pool file whose endpoints join announced addresses alone; "": none;
 * NULL: nobody manages paths, so missing joins need no other cause
 * @has_subflow: a pool has `subflow` endpoints
 *
 * Return: whether any MPTCP connection was tried in that time.
 */
bool check_counters(struct findings *findings, unsigned int since_ms,
		    const char *laminar_path, bool has_subflow);
