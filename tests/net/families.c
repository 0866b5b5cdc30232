// SPDX-License-Identifier: MIT
/*
 * families.c - IPv6, v4-mapped and v6-only sockets
 */
#include "net.h"

#define BOTH                                              \
	.pool = { { "10.0.3.2" }, { "dead:beef:4::2" } }, \
	.announced = { { "10.0.2.1" }, { "dead:beef:3::1" } }

NET_CASE(v6_connection_is_joined_over_v6,
	 .spec = { .connect = "dead:beef:1::1",
		   .pool = { { "dead:beef:2::2" }, { "dead:beef:3::2" } },
		   .announced = { { "dead:beef:2::1" }, { "dead:beef:3::1" } } },
	 .pairs = "dead:beef:2::2-dead:beef:2::1 dead:beef:3::2-dead:beef:3::1")

NET_CASE(v4_socket_takes_v4_pairs_only, .spec = { BOTH }, .pairs = "10.0.3.2-10.0.2.1")

NET_CASE(v4_mapped_connection_takes_pairs_of_either_family,
	 .spec = { .connect = "::ffff:10.0.1.1", BOTH },
	 .pairs = "10.0.3.2-10.0.2.1 dead:beef:4::2-dead:beef:3::1")

NET_CASE(first_address_of_a_v4_mapped_connection_is_not_taken_again,
	 .spec = { .connect = "::ffff:10.0.1.1",
		   .pool = { { "10.0.1.2" }, { "10.0.3.2" } },
		   .announced = { { "10.0.2.1" } } },
	 .pairs = "10.0.3.2-10.0.2.1")

NET_CASE(dual_stack_v6_connection_takes_pairs_of_either_family,
	 .spec = { .connect = "dead:beef:1::1", BOTH },
	 .pairs = "10.0.3.2-10.0.2.1 dead:beef:4::2-dead:beef:3::1")

NET_CASE(v6_only_socket_takes_v6_pairs_only,
	 .spec = { .connect = "dead:beef:1::1", .client_args = { "-6" }, BOTH },
	 .pairs = "dead:beef:4::2-dead:beef:3::1")

/* Without laminar endpoints routing picks the address, in either family. */
NET_CASE(empty_pool_leaves_both_families_to_routing,
	 .spec = { .connect = "::ffff:10.0.1.1",
		   .announced = { { "10.0.2.1" }, { "dead:beef:3::1" } } },
	 .pairs = "10.0.2.2-10.0.2.1 dead:beef:3::2-dead:beef:3::1")
