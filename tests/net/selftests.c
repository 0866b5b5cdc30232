// SPDX-License-Identifier: MIT
/*
 * selftests.c - the kernel's own laminar scenarios, from a pool and from the kernel
 *
 * As in the kernel's mptcp_join.sh: limits "2 2" on the client, and a server that
 * refuses joins from 10.0.2.2.
 */
#include "net.h"

/*
 * With an ICMP error, as there: it comes while the kernel still holds the socket and
 * ends the join only when the SYN is repeated, a second later.
 */
#define FIREWALL(verdict)                                              \
	"table inet t { chain in { type filter hook input priority 0;" \
	" ip saddr 10.0.2.2 meta l4proto tcp " verdict "; }; }"
#define REFUSE_2_2 FIREWALL("reject")
#define RESET_2_2  FIREWALL("reject with tcp reset")

#define LIMITS .subflows = 2, .accepted = 2, .server_nft = REFUSE_2_2

NET_CASE(announced_address_is_joined_from_the_pool,
	 .spec = { LIMITS, .announced = { { "10.0.2.1" } }, .pool = { { "10.0.3.2" } } },
	 .pairs = "10.0.3.2-10.0.2.1", .joins = 1, .add_addrs = 1, .echoes = 1)

NET_CASE(endpoint_of_the_other_family_is_skipped,
	 .spec = { LIMITS, .announced = { { "10.0.2.1" }, { "10.0.3.1" } },
		   .pool = { { "dead:beef:3::2" }, { "10.0.3.2" }, { "10.0.4.2" } } },
	 .pairs = "10.0.3.2-10.0.2.1 10.0.4.2-10.0.3.1", .joins = 2, .add_addrs = 2,
	 .echoes = 2)

NET_CASE(exhausted_pool_sends_no_second_join,
	 .spec = { LIMITS, .announced = { { "10.0.2.1" }, { "10.0.3.1" } },
		   .pool = { { "10.0.3.2" } } },
	 .pairs = "10.0.3.2-10.0.2.1", .joins = 1, .add_addrs = 2, .echoes = 2)

NET_CASE(endpoint_that_is_subflow_and_laminar_is_used_once,
	 .spec = { LIMITS, .announced = { { "10.0.2.1" } },
		   .pool = { { "10.0.1.2", EP_SUBFLOW | EP_LAMINAR },
			     { "10.0.3.2", EP_SUBFLOW | EP_LAMINAR } } },
	 .pairs = "10.0.3.2-10.0.2.1", .joins = 1, .add_addrs = 1, .echoes = 1)

NET_CASE(address_of_the_first_subflow_is_not_taken_again,
	 .spec = { LIMITS, .announced = { { "10.0.2.1" }, { "10.0.3.1" } },
		   .pool = { { "10.0.1.2" }, { "10.0.3.2" } } },
	 .pairs = "10.0.3.2-10.0.2.1", .joins = 1, .add_addrs = 2, .echoes = 2)

static void one_join_from_4_2(const struct net_spec *spec, enum net_side side)
{
	struct net n;
	char *pairs;

	net_start(&n, spec, side);
	net_settle(&n);
	pairs = pairs_text(&n.world.client, 0, false);
	/* The kernel does not retry an announcement. */
	cr_assert(!strcmp(pairs, "10.0.4.2-10.0.4.1") ||
			  (side == FROM_POOL && !strcmp(pairs, "10.0.4.2-10.0.3.1")),
		  "%s", pairs);
	free(pairs);
	net_counters_are(&n, 1, 2, 2);
	net_carries_data(&n);
	net_close(&n);
}

#define REFUSED_POOL                                                                   \
	.subflows = 2, .accepted = 2, .announced = { { "10.0.3.1" }, { "10.0.4.1" } }, \
	.pool = { { "10.0.2.2" }, { "10.0.4.2" } }

static void refused(enum net_side side)
{
	static const struct net_spec spec = { REFUSED_POOL, .server_nft = REFUSE_2_2 };

	one_join_from_4_2(&spec, side);
}
NET_TEST(refused_join_leaves_exactly_one_from_the_next_address, refused)

/*
 * A reset arrives before the second announcement: the kernel then uses the refused
 * address again for that one and ends without a join.
 */
Test(pool, reset_join_is_retried_from_the_next_address)
{
	static const struct net_spec spec = { REFUSED_POOL, .server_nft = RESET_2_2 };

	one_join_from_4_2(&spec, FROM_POOL);
}
