// SPDX-License-Identifier: MIT
/*
 * reuse.c - C(a), C(b), C(c): which address serves when several have been announced
 *
 * C(a) is 10.0.1.2, the address of the first subflow, and so on; S(a) likewise.
 */
#include <netinet/tcp.h>
#include <stdlib.h>

#include "net.h"

static const struct net_spec abc = {
	.pool = { { "10.0.1.2" }, { "10.0.2.2" }, { "10.0.3.2" } }
};

static void third(enum net_side side)
{
	struct net n;

	net_start(&n, &abc, side);
	net_announce(&n, "10.0.2.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	net_announce(&n, "10.0.3.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_announce(&n, "10.0.4.1"); /* C(a) is taken: nobody is left */
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_carries_data(&n);
	net_close(&n);
}
NET_TEST(third_announcement_takes_c_and_not_b_again, third)

static void withdrawn(enum net_side side)
{
	struct net n;

	net_start(&n, &abc, side);
	net_announce(&n, "10.0.2.1");
	net_settle(&n);
	net_announce(&n, "10.0.3.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_withdraw(&n, "10.0.2.1");
	net_pairs_are(&n, "10.0.3.2-10.0.3.1");
	net_announce(&n, "10.0.4.1");
	net_pairs_are(&n, "10.0.2.2-10.0.4.1 10.0.3.2-10.0.3.1");
	net_carries_data(&n);
	net_close(&n);
}
NET_TEST(address_serves_again_after_its_subflow_was_withdrawn, withdrawn)

/* Resets the server's end of the subflow from @from, as a middlebox would. */
static void reset_subflow(struct net *n, const char *from)
{
	const char *argv[] = { "ss", "-K", "-tn", "dst", from, NULL };

	cr_assert_eq(proc_run(&n->world.server, NULL, argv), 0);
}

static void closed(enum net_side side)
{
	struct net n;

	net_start(&n, &abc, side);
	net_announce(&n, "10.0.2.1");
	net_settle(&n);
	net_announce(&n, "10.0.3.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	reset_subflow(&n, "10.0.2.2");
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 1));
	net_announce(&n, "10.0.4.1");
	net_pairs_are(&n, "10.0.2.2-10.0.4.1 10.0.3.2-10.0.3.1");
	net_close(&n);
}
NET_TEST(address_serves_again_after_the_server_closed_its_subflow, closed)

static void again(enum net_side side)
{
	struct net n;

	net_start(&n, &abc, side);
	net_announce(&n, "10.0.2.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	net_withdraw(&n, "10.0.2.1");
	net_pairs_are(&n, "");
	net_announce(&n, "10.0.2.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	net_carries_data(&n);
	net_close(&n);
}
NET_TEST(address_announced_again_after_its_withdrawal_is_joined_again, again)

static void never_first(enum net_side side)
{
	static const struct net_spec spec = { .pool = { { "10.0.1.2" } } };
	struct net n;

	net_start(&n, &spec, side);
	net_announce(&n, "10.0.2.1");
	net_announce(&n, "10.0.3.1");
	net_pairs_are(&n, "");
	cr_assert_eq(net_joins_sent(&n), 0);
	capture_read(&n.wire);
	cr_assert_eq(capture_count(&n.wire, SEEN_MP_JOIN), 0);
	net_close(&n);
}
NET_TEST(pool_of_the_first_address_alone_sends_no_join, never_first)

/* What the kernel does not do: an announcement that found nothing free waits. */
Test(pool, waiting_announcement_is_served_when_an_address_becomes_free)
{
	struct net n;

	net_start(&n, &abc, FROM_POOL);
	net_announce(&n, "10.0.2.1");
	net_settle(&n);
	net_announce(&n, "10.0.3.1");
	net_settle(&n);
	net_announce(&n, "10.0.4.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_withdraw(&n, "10.0.2.1");
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 2));
	net_pairs_are(&n, "10.0.2.2-10.0.4.1 10.0.3.2-10.0.3.1");
	net_close(&n);
}

Test(pool, waiting_announcement_that_is_withdrawn_is_forgotten)
{
	struct net n;

	net_start(&n, &abc, FROM_POOL);
	net_announce(&n, "10.0.2.1");
	net_settle(&n);
	net_announce(&n, "10.0.3.1");
	net_settle(&n);
	net_announce(&n, "10.0.4.1");
	net_settle(&n);
	net_withdraw(&n, "10.0.4.1");
	net_withdraw(&n, "10.0.2.1");
	net_pairs_are(&n, "10.0.3.2-10.0.3.1");
	cr_assert_eq(net_joins_sent(&n), 2);
	net_close(&n);
}
