/* SPDX-License-Identifier: MIT */
/*
 * pool.h - the endpoints, limits and filter of one application
 */
#pragma once

#include "mptcpaddr/first.h"
#include "mptcpaddr/note.h"

#include <net/if.h>
#include <stddef.h>

#define POOL_ENDPOINTS_MAX 64 /* the kernel's own list takes 8; see struct conn */
#define POOL_PREFIXES_MAX  64 /* of [accept] allow and of deny, each */
#define POOL_SECTIONS_MAX  32 /* [pool], [pool "PREFIX"] and excluded prefixes */

/* `ip mptcp limits` caps at 8; the userspace path manager has no such cap. */
#define POOL_LIMIT_MAX	   64
#define POOL_LIMIT_DEFAULT 8

/* In endpoint.flags, and never sent to the kernel: not for first paths. */
#define ENDPOINT_NOFIRST 0x80000000u

enum endpoint_state {
	ENDPOINT_USABLE,
	ENDPOINT_UNSEEN,  /* never seen on this machine: left to the kernel */
	ENDPOINT_WAITING, /* tentative or deprecated: keeps subflows, gets no new ones */
	ENDPOINT_DOWN,	  /* likewise; its link is down */
	ENDPOINT_REMOVED, /* from its link */
	ENDPOINT_SPENT,	  /* `metered`, and the quota is used up: loses its subflows */
};

/* endpoint_is_usable() - for new subflows */
#define endpoint_is_usable(ep) ((ep)->state <= ENDPOINT_UNSEEN)

struct endpoint {
	/* port: of `signal` endpoints; AF_UNSPEC: every address of `dev` (pool file) */
	struct mpaddr addr;
	uint8_t local_id; /* 1-255; 0: the lowest free one (pool file) */
	uint8_t section;
	uint8_t state;	    /* enum endpoint_state */
	bool from_dev;	    /* one of the addresses of `dev` */
	uint32_t flags;	    /* MPTCP_PM_ADDR_FLAG_* */
	unsigned int line;  /* of the pool file; 0: none */
	int if_idx;	    /* of `dev`; 0: not bound; -1: no such interface */
	int link;	    /* that has, or had, the address; 0: unknown */
	uint32_t downs;	    /* how often that link has gone down, or the address */
	char dev[IFNAMSIZ]; /* "": not bound to an interface */
};

/* The endpoints for connections to the servers of one prefix. */
struct section {
	struct mpprefix prefix; /* AF_UNSPEC: [pool], for all others */
	bool excluded;		/* connections to it have no pool */
	unsigned int line;
	uint32_t kinds; /* MPTCP_PM_ADDR_FLAG_* of its lines, resolved or not */
};

struct prefix_list {
	unsigned int n;
	struct mpprefix v[POOL_PREFIXES_MAX];
};

/* [accept] private: announced private addresses */
enum pool_private {
	POOL_PRIVATE_SAME, /* only from a peer that is not public itself */
	POOL_PRIVATE_ALL,
	POOL_PRIVATE_NONE,
};

/* [policy] mode */
enum policy_mode {
	POLICY_AGGREGATE,   /* all uplinks of the lowest cost */
	POLICY_HANDOVER,    /* one, in the order of the file */
	POLICY_INTERACTIVE, /* the fastest one */
};

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

struct pool_retry {
	uint32_t first_ms, max_ms; /* delays double from first to max */
	unsigned int tries;	   /* 0: failed joins are not retried */
};

/* From a file, or resolved: pool_resolve() replaces devices by their addresses. */
struct pool {
	unsigned int n_endpoints;
	struct endpoint endpoints[POOL_ENDPOINTS_MAX]; /* in the order of the file */
	unsigned int n_sections;
	struct section sections[POOL_SECTIONS_MAX]; /* the first is [pool] */
	unsigned int subflows, add_addr_accepted;   /* as in `ip mptcp limits` */
	struct pool_retry retry;
	uint32_t keepalive_ms; /* for the preload library; 0: none */
	struct prefix_list allow, deny;
	enum pool_private private;
	enum policy_mode policy;
	uint64_t quota;	       /* bytes over all `metered` endpoints, per user; 0: none */
	bool daily;	       /* quota per day, not per month */
	enum first_mode first; /* [app] first */
	bool mptcp;	       /* [app] mptcp */
	enum log_level log;
};

#define for_each_endpoint(pool, ep) \
	for (ep = (pool)->endpoints; ep < (pool)->endpoints + (pool)->n_endpoints; ep++)

/* "curl.conf:12: local id 300 is not in 1-255" */
struct pool_error {
	char text[512];
};

/*
 * pool_load() - read a pool file (mptcpaddr.conf(5)); pool_free() frees it
 *
 * Return: 0; -EINVAL for a bad line; other -errno. @why is filled on failure.
 */
int pool_load(const char *path, struct pool **ret_pool, struct pool_error *why);
/* pool_load_text() - likewise, from the @len bytes of @path that the caller has. */
int pool_load_text(const char *text, size_t len, const char *path, struct pool **ret_pool,
		   struct pool_error *why);
void pool_free(struct pool *pool); /* accepts NULL */

typedef void (*pool_report_fn)(void *user, const char *text);
/*
 * pool_check() - report every error of a pool file as "FILE:LINE: error"
 *
 * @ret_pool: from the valid lines; the caller frees it. Return: the number of errors;
 * -errno, also reported, if the file cannot be read.
 */
int pool_check(const char *path, struct pool **ret_pool, pool_report_fn report,
	       void *user);

/* pool_find_same() - @old, of @old_pool, in @pool: same address and section. Or NULL. */
const struct endpoint *pool_find_same(const struct pool *pool,
				      const struct pool *old_pool,
				      const struct endpoint *old);

/* pool_has_policy() - whether some paths are in reserve by [policy], `metered`, `cost` */
bool pool_has_policy(const struct pool *pool);

/* pool_spend() - the quota is used up: mark the `metered` endpoints of resolved @pool. */
void pool_spend(struct pool *pool);

/* prefix_list_covers() - whether a prefix, within @range unless it is NULL, has @addr */
bool prefix_list_covers(const struct prefix_list *list, const struct mpprefix *range,
			const struct mpaddr *addr);

/*
 * pool_refusal() - why the [accept] filter refuses an announced address
 *
 * Apart from `allow` and `deny`, unspecified, multicast and broadcast addresses are
 * always refused; loopback and link-local ones unless the connection's @peer is in the
 * same range, or an `allow` prefix is within it; private ones as `private` says, where
 * `allow` has the same effect with POOL_PRIVATE_SAME. Return: PM_REASON_NONE: accepted.
 */
enum pm_reason pool_refusal(const struct pool *pool, const struct mpaddr *peer,
			    const struct mpaddr *announced);

/* pool_section() - the section for connections to @peer, by the longest prefix. */
unsigned int pool_section(const struct pool *pool, const struct mpaddr *peer);
