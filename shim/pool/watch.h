/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the pool in force: follow its file and the machine's addresses
 */
#pragma once

#include "mptcpaddr/pool.h"
#include "shim/netlink/request.h"

#include <poll.h>
#include <sys/stat.h>

#define WATCH_FDS 2

struct pool_watch {
	const char *path;  /* borrowed */
	struct pool *spec; /* from the file, as edited */
	struct pool *pool; /* `spec` resolved; the engine's */
	struct rtnl_table table;
	struct stat seen;     /* of the file read last */
	int rtnl_fd, file_fd; /* negative: none */
	bool is_fixed;	      /* the file cannot be read any more */
	bool stale;	      /* `table`: notifications wait */
	int64_t next_read_ms; /* not before, notifications */
	uint64_t loads;
	bool spent;		 /* quota used up, see pool_spend() */
	struct pool_error error; /* of the last read; "": none */
};

/*
 * watch_open() - read the file, and follow it and the machine's addresses
 *
 * @text: not NULL: its @len bytes are the file, which cannot be read any more.
 * Return: 0; -errno with watch->error filled and nothing to close.
 */
int watch_open(struct pool_watch *watch, const char *path, const char *text, size_t len);

/* watch_reopen() - open new descriptors in a forked child. */
void watch_reopen(struct pool_watch *watch);
void watch_close(struct pool_watch *watch);
void watch_fill_fds(const struct pool_watch *watch, struct pollfd fds[WATCH_FDS]);

/*
 * watch_update() - read changes, and resolve the pool again
 *
 * Return: NULL: no change. Otherwise the previous pool, for the caller to free once the
 * engine has watch->pool.
 */
struct pool *watch_update(struct pool_watch *watch, const struct pollfd fds[WATCH_FDS],
			  int64_t now_ms);

/* watch_set_spent() - likewise, when the quota is used up, or available again. */
struct pool *watch_set_spent(struct pool_watch *watch, bool spent);

/* watch_wait_ms() - milliseconds until watch_update() is due; -1: never. */
int watch_wait_ms(const struct pool_watch *watch, int64_t now_ms);

/*
 * watch_edit() - change the pool by pool_edit(), until the file changes
 *
 * Return: 0 and *@ret_old as from watch_update(); -EINVAL, -ENOENT, -ENOMEM with @why
 * filled.
 */
int watch_edit(struct pool_watch *watch, char *words, struct pool **ret_old,
	       struct pool_error *why);
