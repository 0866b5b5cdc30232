/* SPDX-License-Identifier: MIT */
/*
 * keep.h - connections that are gone, as they were when last seen
 */
#pragma once

#include "tools/mptcpinfo/snapshot.h"

struct index;
struct path_ends;
struct pm_note;

/* Zeros to start with. */
struct keep {
	struct snapshot snap; /* all connections so far, and the managers that had them */
	struct index *by_ends; /* of the subflows in it */
	struct path_ends *ends;
};

/* Whether a process is one of those whose connections are kept. */
typedef bool (*keep_fn)(void *ctx, pid_t pid);

/*
 * keep_merge() - take over what @fresh has of the processes that are @wanted, and of
 * connections that are kept already, whoever holds them by now
 *
 * Return: 0; -ENOMEM, then nothing has changed.
 */
int keep_merge(struct keep *keep, const struct snapshot *fresh, keep_fn wanted,
	       void *ctx);

/* A path that a manager tells of may end before it is ever seen. Return: as above. */
int keep_note(struct keep *keep, pid_t pid, const char *program,
	      const struct pm_note *note);

/* The last that the kernel says of the path with the ends of @sf, if it is kept. */
void keep_closed(struct keep *keep, const struct subflow *sf);

/* How many kept paths there are of which the kernel has not said the last. */
size_t keep_open_paths(const struct keep *keep);

void keep_free(struct keep *keep);
