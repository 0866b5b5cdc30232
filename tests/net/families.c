// SPDX-License-Identifier: MIT
/*
 * families.c - IPv6, v4-mapped and v6-only sockets
 */
#include "net.h"

#define BOTH                                              \
	.pool = { { "10.0.3.2" }, { "dead:beef:4::2" } }, \
	.announced = { { "10.0.2.1" }, { "dead:beef:3::1" } }

static void run(const struct net_spec *spec, const char *pairs, enum net_side side)
{
	struct net n;

	net_start(&n, spec, side);
	net_pairs_are(&n, pairs);
	net_carries_data(&n);
	net_close(&n);
}

static void v6(enum net_side side)
{
	static const struct net_spec spec = {
		.connect = "dead:beef:1::1",
		.pool = { { "dead:beef:2::2" }, { "dead:beef:3::2" } },
		.announced = { { "dead:beef:2::1" }, { "dead:beef:3::1" } },
	};

	run(&spec,
	    "dead:beef:2::2-dead:beef:2::1 "
	    "dead:beef:3::2-dead:beef:3::1",
	    side);
}
NET_TEST(v6_connection_is_joined_over_v6, v6)

static void v4_socket(enum net_side side)
{
	static const struct net_spec spec = { BOTH };

	run(&spec, "10.0.3.2-10.0.2.1", side);
}
NET_TEST(v4_socket_takes_v4_pairs_only, v4_socket)

static void mapped(enum net_side side)
{
	static const struct net_spec spec = { .connect = "::ffff:10.0.1.1", BOTH };

	run(&spec, "10.0.3.2-10.0.2.1 dead:beef:4::2-dead:beef:3::1", side);
}
NET_TEST(v4_mapped_connection_takes_pairs_of_either_family, mapped)

static void mapped_first(enum net_side side)
{
	static const struct net_spec spec = {
		.connect = "::ffff:10.0.1.1",
		.pool = { { "10.0.1.2" }, { "10.0.3.2" } },
		.announced = { { "10.0.2.1" } },
	};

	run(&spec, "10.0.3.2-10.0.2.1", side);
}
NET_TEST(first_address_of_a_v4_mapped_connection_is_not_taken_again, mapped_first)

static void dual(enum net_side side)
{
	static const struct net_spec spec = { .connect = "dead:beef:1::1", BOTH };

	run(&spec, "10.0.3.2-10.0.2.1 dead:beef:4::2-dead:beef:3::1", side);
}
NET_TEST(dual_stack_v6_connection_takes_pairs_of_either_family, dual)

static void v6_only(enum net_side side)
{
	static const struct net_spec spec = { .connect = "dead:beef:1::1",
					      .client_args = { "-6" },
					      BOTH };

	run(&spec, "dead:beef:4::2-dead:beef:3::1", side);
}
NET_TEST(v6_only_socket_takes_v6_pairs_only, v6_only)

/* Without laminar endpoints routing picks the address, in either family. */
static void routed(enum net_side side)
{
	static const struct net_spec spec = {
		.connect = "::ffff:10.0.1.1",
		.announced = { { "10.0.2.1" }, { "dead:beef:3::1" } },
	};

	run(&spec, "10.0.2.2-10.0.2.1 dead:beef:3::2-dead:beef:3::1", side);
}
NET_TEST(empty_pool_leaves_both_families_to_routing, routed)
