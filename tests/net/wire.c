// SPDX-License-Identifier: MIT
/*
 * wire.c - port, ID and backup flag of an MP_JOIN; and when none is sent
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "net.h"

/* The only join that the client has sent. */
static const struct seen *the_join(struct net *n)
{
	const struct seen *s;

	cr_assert_eq(capture_read(&n->wire), 0, "the capture missed packets");
	if (capture_count(&n->wire, SEEN_MP_JOIN) != 1)
		net_show(n);
	cr_assert_eq(capture_count(&n->wire, SEEN_MP_JOIN), 1);
	s = capture_nth(&n->wire, SEEN_MP_JOIN, 0);
	cr_assert(s->outgoing);
	return s;
}

static void port_is_10100(struct net *n)
{
	cr_assert_eq(the_join(n)->dst.port, 10100);
}
NET_CASE(announced_port_is_the_port_that_is_joined,
	 .spec = { .pool = { { "10.0.3.2" } },
		   .announced = { { "10.0.2.1", .port = 10100 } } },
	 .pairs = "10.0.3.2-10.0.2.1", .check = port_is_10100)

/* Before 6.9 SUBFLOW_CREATE ignores flags, and the engine sends MP_PRIO afterwards. */
static bool create_takes_flags(void)
{
	struct utsname u;
	int major, minor;

	cr_assert_eq(uname(&u), 0);
	cr_assert_eq(sscanf(u.release, "%d.%d", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 9);
}

static bool server_sees_backup(struct net *n)
{
	struct subflows s = { 0 };
	bool seen = false;

	cr_assert_eq(subflows_read(&n->world.server, &s), 0);
	for (size_t i = 0; i < s.count; i++)
		seen |= s.at[i].joined && s.at[i].backup_remote;
	subflows_free(&s);
	return seen;
}

static void join_is_backup(struct net *n)
{
	cr_assert(WAIT_FOR(server_sees_backup(n)));
	if (n->side == FROM_POOL && !create_takes_flags()) {
		cr_assert(!the_join(n)->backup);
		cr_assert_eq(counter(&n->world.server, "MPPrioRx"), 1);
	} else {
		cr_assert(the_join(n)->backup);
		cr_assert_eq(counter(&n->world.server, "MPPrioRx"), 0);
	}
}
NET_CASE(backup_endpoint_has_the_flag_on_the_wire,
	 .spec = { .pool = { { "10.0.3.2", EP_BACKUP } },
		   .announced = { { "10.0.2.1" } } },
	 .pairs = "10.0.3.2-10.0.2.1", .check = join_is_backup)

static void join_is_plain(struct net *n)
{
	cr_assert(!the_join(n)->backup);
	cr_assert_geq(the_join(n)->address_id, 1);
}
NET_CASE(join_has_an_address_id_and_no_backup_flag_by_default,
	 .spec = { .pool = { { "10.0.3.2" } }, .announced = { { "10.0.2.1" } } },
	 .pairs = "10.0.3.2-10.0.2.1", .check = join_is_plain)

static void id_is_77(struct net *n)
{
	cr_assert_eq(the_join(n)->address_id, 77);
}
NET_CASE(configured_id_is_the_id_on_the_wire,
	 .spec = { .pool = { { "10.0.3.2", .id = 77 } },
		   .announced = { { "10.0.2.1" } } },
	 .pairs = "10.0.3.2-10.0.2.1", .check = id_is_77)

NET_CASE(endpoint_bound_to_its_device_joins,
	 .spec = { .pool = { { "10.0.3.2", .dev = "c3" } },
		   .announced = { { "10.0.3.1" } } },
	 .pairs = "10.0.3.2-10.0.3.1")

/* Echoes never arrive: the server announces the address again, a second later. */
static void repeated(enum net_side side)
{
	static const char drop_echoes[] =
		"table inet t { chain out { type filter hook output priority 0;"
		" tcp option mptcp subtype 3 drop; }; }";
	static const struct net_spec spec = {
		.pool = { { "10.0.3.2" }, { "10.0.4.2" } },
		.announced = { { "10.0.2.1" } },
	};
	struct net n;

	net_open(&n, &spec, side);
	cr_assert_eq(host_nft(&n.world.client, drop_echoes), 0);
	n.announced = 0; /* to wait for */
	net_connect(&n, 1);
	cr_assert(WAIT_FOR(counter(&n.world.client, "AddAddr") >= 2));
	net_pairs_are(&n, "10.0.3.2-10.0.2.1");
	the_join(&n);
	net_close(&n);
}
NET_TEST(repeated_announcement_opens_no_second_subflow, repeated)

#define FOUR                                                        \
	.pool = { { "10.0.2.2" }, { "10.0.3.2" }, { "10.0.4.2" } }, \
	.announced = { { "10.0.2.1" }, { "10.0.3.1" }, { "10.0.4.1" } }

static void one_join_was_sent(struct net *n)
{
	cr_assert_eq(net_joins_sent(n), 1);
}

static void two_joins_were_sent(struct net *n)
{
	cr_assert_eq(net_joins_sent(n), 2);
}

NET_CASE(no_more_subflows_than_the_limit, .spec = { FOUR, .subflows = 2 },
	 .pairs = "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1", .check = two_joins_were_sent)

/* One after the other: at once, the kernel itself may accept one too many. */
static void accept_limit(enum net_side side)
{
	static const struct net_spec spec = { .pool = { { "10.0.2.2" }, { "10.0.3.2" } },
					      .accepted = 1 };
	struct net n;

	net_start(&n, &spec, side);
	net_announce(&n, "10.0.2.1");
	net_settle(&n);
	net_announce(&n, "10.0.3.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	cr_assert_eq(net_joins_sent(&n), 1);
	net_close(&n);
}
NET_TEST(no_more_announcements_accepted_than_the_limit, accept_limit)

POOL_CASE(announcements_at_once_are_held_to_the_limit, .spec = { FOUR, .accepted = 1 },
	  .pairs = "10.0.2.2-10.0.2.1", .check = one_join_was_sent)

static void one_was_filtered(struct net *n)
{
	struct ctl_manager m;

	net_manager(n, &m);
	cr_assert_eq(m.counters.add_addr_filtered, 1);
}
POOL_CASE(
	address_that_the_filter_denies_is_not_joined,
	.spec = { FOUR,
		  .pool_text = "[accept]\nallow = 0.0.0.0/0 ::/0\ndeny = 10.0.3.0/24\n" },
	.pairs = "10.0.2.2-10.0.2.1 10.0.3.2-10.0.4.1", .check = one_was_filtered)

POOL_CASE(filter_that_allows_one_prefix_refuses_the_rest,
	  .spec = { FOUR, .pool_text = "[accept]\nallow = 10.0.4.0/24\n" },
	  .pairs = "10.0.2.2-10.0.4.1")

static void no_join(struct net *n)
{
	struct ctl_manager m;

	cr_assert_eq(capture_read(&n->wire), 0, "the capture missed packets");
	if (capture_count(&n->wire, SEEN_MP_JOIN))
		net_show(n);
	cr_assert_eq(capture_count(&n->wire, SEEN_MP_JOIN), 0);
	cr_assert_eq(net_joins_sent(n), 0);
	net_manager(n, &m);
	cr_assert_eq(m.counters.add_addr_rx, 1);
	cr_assert_eq(m.counters.add_addr_filtered, 1);
}

/* The server announces @addr. */
#define REFUSED_ADDRESS(name, addr)                                           \
	POOL_CASE(name,                                                       \
		  .spec = { .pool = { { "10.0.2.2" }, { "dead:beef:2::2" } }, \
			    .connect = "::ffff:10.0.1.1",                     \
			    .announced = { { addr } } },                      \
		  .pairs = "", .check = no_join)

REFUSED_ADDRESS(server_cannot_point_its_client_at_v4_loopback, "127.0.0.1")
REFUSED_ADDRESS(server_cannot_point_its_client_at_v6_loopback, "::1")
REFUSED_ADDRESS(server_cannot_point_its_client_at_mapped_loopback, "::ffff:127.0.0.1")
REFUSED_ADDRESS(server_cannot_point_its_client_at_a_link_local_address, "169.254.1.1")
REFUSED_ADDRESS(server_cannot_point_its_client_at_a_multicast_address, "224.0.0.5")
REFUSED_ADDRESS(server_cannot_point_its_client_at_the_broadcast_address,
		"255.255.255.255")
