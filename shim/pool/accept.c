// SPDX-License-Identifier: MIT
/*
 * accept.c - what a pool accepts
 */
#include "mptcpaddr/pool.h"

struct special {
	struct mpprefix prefix;
	bool never; /* nothing lifts it */
};

#define V4(a, b, c, d, bits)                                                             \
	{                                                                                \
		.addr = { .family = AF_INET, .v6.s6_addr = { a, b, c, d } }, .len = bits \
	}
#define V6(a, b, bits)                                                              \
	{                                                                           \
		.addr = { .family = AF_INET6, .v6.s6_addr = { a, b } }, .len = bits \
	}

/* What a server has no business to announce to its clients. */
static const struct special specials[] = {
	{ V4(0, 0, 0, 0, 8), true },	      /* "this network", RFC 791 */
	{ V4(224, 0, 0, 0, 4), true },	      /* multicast */
	{ V4(255, 255, 255, 255, 32), true }, /* broadcast */
	{ V6(0, 0, 128), true },	      /* unspecified */
	{ V6(0xff, 0, 8), true },	      /* multicast */
	{ V4(127, 0, 0, 0, 8), false },	      /* loopback */
	{ V4(169, 254, 0, 0, 16), false },    /* link-local */
	{ V6(0xfe, 0x80, 10), false },	      /* link-local */
	{ { .addr = { .family = AF_INET6, .v6.s6_addr = { [15] = 1 } }, .len = 128 },
	  false }, /* loopback */
};

static bool list_covers(const struct prefix_list *list, const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (mpprefix_covers(&list->v[i], addr))
			return true;
	return false;
}

/* An `allow` prefix that names a special range, or a part of it, is meant. */
static bool special_lifted(const struct pool *pool, const struct special *special,
			   const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < pool->allow.n; i++)
		if (mpprefix_within(&pool->allow.v[i], &special->prefix) &&
		    mpprefix_covers(&pool->allow.v[i], addr))
			return true;
	return false;
}

bool pool_accepts(const struct pool *pool, const struct mpaddr *peer,
		  const struct mpaddr *announced)
{
	const struct special *s;

	for (s = specials; s < specials + sizeof(specials) / sizeof(*specials); s++) {
		if (!mpprefix_covers(&s->prefix, announced))
			continue;
		if (s->never)
			return false;
		if (!mpprefix_covers(&s->prefix, peer) &&
		    !special_lifted(pool, s, announced))
			return false;
	}
	if (list_covers(&pool->deny, announced))
		return false;
	return !pool->allow.n || list_covers(&pool->allow, announced);
}

unsigned int pool_section(const struct pool *pool, const struct mpaddr *peer)
{
	unsigned int i, best = 0;

	for (i = 1; i < pool->n_sections; i++)
		if (mpprefix_covers(&pool->sections[i].prefix, peer) &&
		    (!best ||
		     pool->sections[i].prefix.len > pool->sections[best].prefix.len))
			best = i;
	return best;
}
