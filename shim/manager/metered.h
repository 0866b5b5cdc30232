/* SPDX-License-Identifier: MIT */
/*
 * metered.h - what the `metered` endpoints of a user have carried: [policy] quota
 */
#pragma once

#include "mptcpaddr/pool.h"

#define METERED_DIR "/var/lib/mptcpaddr/" /* root's: files "metered.UID" */

/* Of one user; all zero at first. */
struct metered {
	unsigned int date;	    /* YYYYMMDD, UTC */
	uint64_t today, this_month; /* bytes up to @date, as in the file if any */
	uint64_t more;		    /* bytes not yet in the file */
	int64_t next_ms;	    /* earliest time of the next file access */
	bool warned;		    /* about the file */
};

/*
 * metered_serve() - count @bytes more, and share the sum with the user's other managers
 *
 * @path: of the file; "": none. Return: whether the quota of @pool is used up.
 */
bool metered_serve(struct metered *m, const struct pool *pool, uint64_t bytes,
		   const char *path);

/* metered_date() - YYYYMMDD (UTC) of @seconds since 1970. */
unsigned int metered_date(int64_t seconds);

/* metered_wait() - milliseconds until metered_serve() is due; -1: never. */
int metered_wait(const struct metered *m, const struct pool *pool);
