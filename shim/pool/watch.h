/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the pool in force: a file that may change, on a machine that changes
 */
#pragma once

#include "mptcpaddr/pool.h"
#include "shim/netlink/rtnl.h"

#include <poll.h>
#include <sys/stat.h>

#define WATCH_FDS 2

struct pool_watch {
	const char *path;  /* borrowed */
	struct pool *spec; /* as the file and edits have it */
	struct pool *pool; /* as it is now; the engine's */
	struct rtnl_table table;
	struct stat seen;     /* the file, when it was read last */
	int rtnl_fd, file_fd; /* negative: not to be had */
	bool stale;	      /* `table`: something has changed since */
	int64_t next_read_ms; /* of `table`, at the earliest */
	uint64_t loads;
	struct pool_error error; /* of the last reading; "": none */
};

/*
 * watch_open() - read the file, and follow it and the machine's addresses
 *
 * Return: 0; -errno with watch->error filled, and nothing to be closed.
 */
int watch_open(struct pool_watch *watch, const char *path);

/* watch_reopen() - in a forked child: the pool is there, descriptors are not. */
void watch_reopen(struct pool_watch *watch);
void watch_close(struct pool_watch *watch);
void watch_fill_fds(const struct pool_watch *watch, struct pollfd fds[WATCH_FDS]);

/*
 * watch_update() - look at what changed
 *
 * Return: NULL: nothing did. Otherwise the pool that was in force, to be freed once the
 * engine has the new one.
 */
struct pool *watch_update(struct pool_watch *watch, const struct pollfd fds[WATCH_FDS],
			  int64_t now_ms);

/* watch_wait_ms() - milliseconds until it has something to do by itself; -1: nothing. */
int watch_wait_ms(const struct pool_watch *watch, int64_t now_ms);

/*
 * watch_edit() - change the pool as @words say
 *
 * "endpoint add|del|change WORDS", "endpoint flush", "limits subflows N
 * add_addr_accepted N". A later change of the file replaces all of it. Return: 0 and
 * *@ret_old as from watch_update(); -EINVAL, -ENOENT, -ENOMEM with @why filled.
 */
int watch_edit(struct pool_watch *watch, char *words, struct pool **ret_old,
	       struct pool_error *why);
