/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the pool in force: a file that may change, on a machine that changes
 */
#pragma once

#include "shim/netlink/rtnl.h"

#include <poll.h>
#include <sys/stat.h>

#define POOLWATCH_FDS 2

struct poolwatch {
	const char *path;  /* borrowed */
	struct pool *spec; /* as the file and edits have it */
	struct pool *pool; /* as it is now; the engine's */
	struct netif_table table;
	struct stat seen;      /* the file, when it was read last */
	int netif_fd, file_fd; /* negative: not to be had */
	bool stale;	       /* `table`: something has changed since */
	int64_t next_read_ms;  /* of `table`, at the earliest */
	uint64_t loads;
	struct pool_error error; /* of the last reading; "": none */
};

/*
 * poolwatch_open() - read the file, and follow it and the machine's addresses
 *
 * Return: 0; -errno with watch->error filled, and nothing to be closed.
 */
int poolwatch_open(struct poolwatch *watch, const char *path);

/* poolwatch_reopen() - in a forked child: the pool is there, descriptors are not. */
void poolwatch_reopen(struct poolwatch *watch);
void poolwatch_close(struct poolwatch *watch);
void poolwatch_fds(const struct poolwatch *watch, struct pollfd fds[POOLWATCH_FDS]);

/*
 * poolwatch_serve() - look at what changed
 *
 * Return: NULL: nothing did. Otherwise the pool that was in force, to be freed once the
 * engine has the new one.
 */
struct pool *poolwatch_serve(struct poolwatch *watch,
			     const struct pollfd fds[POOLWATCH_FDS], int64_t now_ms);

/* poolwatch_wait() - milliseconds until it has something to do by itself; -1: nothing. */
int poolwatch_wait(const struct poolwatch *watch, int64_t now_ms);

/*
 * poolwatch_edit() - change the pool as @words say
 *
 * "endpoint add|del|change WORDS", "endpoint flush", "limits subflows N
 * add_addr_accepted N". A later change of the file replaces all of it. Return: 0 and
 * *@ret_old as from poolwatch_serve(); -EINVAL, -ENOENT, -ENOMEM with @why filled.
 */
int poolwatch_edit(struct poolwatch *watch, char *words, struct pool **ret_old,
		   struct pool_error *why);
