// SPDX-License-Identifier: MIT
/*
 * connects.c - every way in which a program opens a connection
 */
#include "net.h"

/* Another announcement, once the pool is exhausted. */
static void is_managed(struct net *n)
{
	struct ctl_manager m;

	net_carries_data(n);
	net_announce(n, "10.0.3.1");
	net_pairs_are(n, "10.0.3.2-10.0.2.1");
	if (n->spec->fastopen) /* the data came back, and did not leave with the SYN */
		cr_assert_eq(counter(&n->world.client, "TCPFastOpenActive"), 0);
	net_manager(n, &m);
	cr_assert_eq(m.registrations, 1);
}

/* A connection of tests/apps/tcpclient with these options. */
#define CONNECT_TEST(name, fast, ...)                         \
	POOL_CASE(name,                                       \
		  .spec = { .pool = { { "10.0.3.2" } },       \
			    .announced = { { "10.0.2.1" } },  \
			    .fastopen = fast,                 \
			    .client_args = { __VA_ARGS__ } }, \
		  .pairs = "10.0.3.2-10.0.2.1", .check = is_managed)

CONNECT_TEST(nonblocking_connect_is_served, false, "-b")
CONNECT_TEST(connection_from_a_thread_that_has_ended_is_served, false, "-t")
CONNECT_TEST(fastopen_by_sendto_is_served, true, "-o", "sendto")
CONNECT_TEST(fastopen_by_sendmsg_is_served, true, "-o", "sendmsg")
CONNECT_TEST(fastopen_by_sendmmsg_is_served, true, "-o", "sendmmsg")
CONNECT_TEST(nonblocking_fastopen_is_served, true, "-b", "-o", "sendto")
CONNECT_TEST(fastopen_on_the_first_write_is_served, true, "-o", "firstwrite")
