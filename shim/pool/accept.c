// SPDX-License-Identifier: MIT
/*
 * accept.c - decide by a peer's addresses: the [accept] filter, and [pool "PREFIX"]
 */
#include "mptcpaddr/pool.h"

bool prefix_list_covers(const struct prefix_list *list, const struct mpprefix *range,
			const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (mpprefix_covers(&list->v[i], addr) &&
		    (!range || mpprefix_within(&list->v[i], range)))
			return true;
	return false;
}

enum pm_reason pool_refusal(const struct pool *pool, const struct mpaddr *peer,
			    const struct mpaddr *announced)
{
	const struct mpaddr_range *range = mpaddr_range(announced);
	const bool named =
		range && prefix_list_covers(&pool->allow, &range->prefix, announced);

	if (prefix_list_covers(&pool->deny, NULL, announced) ||
	    (pool->allow.n && !prefix_list_covers(&pool->allow, NULL, announced)))
		return PM_REASON_FILTER;
	if (!range)
		return PM_REASON_NONE;
	switch (range->kind) {
	case MPADDR_NO_HOST:
		return PM_REASON_FILTER;
	case MPADDR_LOOPBACK:
	case MPADDR_LINK_LOCAL:
		if (!named && !mpprefix_covers(&range->prefix, peer))
			return PM_REASON_FILTER;
		break;
	case MPADDR_PRIVATE:
		if (pool->private == POOL_PRIVATE_NONE ||
		    (pool->private == POOL_PRIVATE_SAME && !named &&
		     mpaddr_is_public(peer)))
			return PM_REASON_PRIVATE;
		break;
	}
	return PM_REASON_NONE;
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
