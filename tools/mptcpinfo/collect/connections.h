/* SPDX-License-Identifier: MIT */
/*
 * connections.h - the MPTCP sockets and their subflows, as the kernel lists them
 */
#pragma once

#include <sys/types.h>

struct snapshot;

/* Fills connections, without owner and manager. Return: 0 or -errno. */
int connections_read(struct snapshot *snap);

/*
 * subflows_read() - fills subflows, grouped, each group ordered by local ID
 *
 * Return: 0 or -errno; the snapshot is whole either way.
 */
int subflows_read(struct snapshot *snap);
