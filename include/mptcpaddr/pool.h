/* SPDX-License-Identifier: MIT */
/*
 * pool.h - the endpoints, limits and filter of one application
 */
#ifndef MPTCPADDR_POOL_H
#define MPTCPADDR_POOL_H

#include "mptcpaddr/mpaddr.h"

#include <net/if.h>
#include <stddef.h>

#define POOL_ENDPOINTS_MAX 64 /* the kernel's own list takes 8; see endpoint_bit() */
#define POOL_PREFIXES_MAX  64 /* of [accept] allow and of deny, each */

/* `ip mptcp limits` caps at 8; the userspace path manager has no such cap. */
#define POOL_LIMIT_MAX	   64
#define POOL_LIMIT_DEFAULT 8

struct endpoint {
	struct mpaddr addr; /* port 0 */
	uint8_t local_id;   /* 1-255; unique in the pool */
	uint32_t flags;	    /* MPTCP_PM_ADDR_FLAG_* */
	char dev[IFNAMSIZ]; /* "": not bound to an interface */
};

struct prefix_list {
	unsigned int n;
	struct mpprefix v[POOL_PREFIXES_MAX];
};

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

struct pool {
	unsigned int n_endpoints;
	struct endpoint endpoints[POOL_ENDPOINTS_MAX]; /* in the order of the file */
	unsigned int subflows;		/* beside the first one, as `ip mptcp limits` */
	unsigned int add_addr_accepted; /* likewise */
	struct prefix_list allow, deny;
	bool mptcp; /* [app] mptcp */
	enum log_level log;
};

/* What is wrong with a pool file: "curl.conf:12: local id 300 is not in 1-255". */
struct pool_error {
	char text[512];
};

/*
 * pool_load() - read a pool file (DESIGN.md, 5)
 *
 * Only a whole, valid pool is returned; the caller frees it with pool_free().
 *
 * Return: 0; -errno from opening or reading; -EINVAL with @why filled for a bad line.
 * @why is filled in every case of failure.
 */
int pool_load(const char *path, struct pool **ret_pool, struct pool_error *why);
void pool_free(struct pool *pool); /* accepts NULL */

/*
 * pool_accepts() - whether the [accept] filter lets an announced address through
 *
 * Beside `allow` and `deny`, addresses that a server has no business to announce are
 * refused: unspecified, multicast and broadcast always; loopback and link-local unless
 * the connection's own peer @peer is of that kind, or an `allow` prefix lies within it.
 */
bool pool_accepts(const struct pool *pool, const struct mpaddr *peer,
		  const struct mpaddr *announced);

#endif
