/* SPDX-License-Identifier: MIT */
/*
 * diag_resync.h - bring an engine in line with the kernel after events were lost
 */
#pragma once

#include "mptcpaddr/pm.h"

struct engine;

struct resync_subflow {
	struct pm_event sub; /* as of a SUB_ESTABLISHED */
	bool live, initial;
	bool active; /* this side sent MP_CAPABLE */
};

/* All subflows of the namespace. */
struct resync {
	struct resync_subflow *v;
	unsigned int n, size;
};

/*
 * resync() - read all subflows of the namespace and give them to @engine
 *
 * engine_tick() is to follow. Return: 0; -errno, with nothing changed if the kernel
 * cannot tell.
 */
int resync(struct engine *engine);

/* The same in parts, for more than one engine. resync_free() what was read. */
int resync_read(struct resync *ret_all);
void resync_apply(const struct resync *all, struct engine *engine);
void resync_free(struct resync *all);
