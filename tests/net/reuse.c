// SPDX-License-Identifier: MIT
/*
 * reuse.c - C(a), C(b), C(c): which endpoint joins which of several announcements
 *
 * C(a) is 10.0.1.2, the address of the first subflow, and so on; S(a) likewise.
 */
#include <netinet/tcp.h>
#include <stdlib.h>

#include "net.h"

static const struct net_spec abc = {
	.no_retry = true, .pool = { { "10.0.1.2" }, { "10.0.2.2" }, { "10.0.3.2" } }
};

enum step_kind {
	ANNOUNCE,
	WITHDRAW,
	RESET, /* the server's end of the subflow from there, as a middlebox would */
};

struct step {
	enum step_kind kind;
	const char *addr;
	const char *pairs; /* afterwards; NULL: not compared */
};

static void reset_subflow(struct net *n, const char *from)
{
	const char *argv[] = { "ss", "-K", "-tn", "dst", from, NULL };

	cr_assert_eq(proc_run(&n->world.server, NULL, argv), 0);
}

static void play_step(struct net *n, const struct step *s)
{
	int joins = 0;

	switch (s->kind) {
	case ANNOUNCE:
		net_announce(n, s->addr);
		break;
	case WITHDRAW:
		net_withdraw(n, s->addr);
		break;
	case RESET:
		reset_subflow(n, s->addr);
		break;
	}
	if (!s->pairs) {
		net_settle(n);
		return;
	}
	for (const char *c = s->pairs; *c; c++)
		joins += *c == '-';
	cr_assert(WAIT_FOR(joined_count(&n->world.client) == joins), "%d joins, not %s",
		  joined_count(&n->world.client), s->pairs);
	net_pairs_are(n, s->pairs);
}

static void play(const struct step *steps, int joins_sent, enum net_side side)
{
	struct net n;

	net_start(&n, &abc, side);
	for (const struct step *s = steps; s->addr; s++)
		play_step(&n, s);
	if (joins_sent)
		cr_assert_eq(net_joins_sent(&n), joins_sent);
	net_carries_data(&n);
	net_close(&n);
}

#define NET_STEPS(name, ...)                                               \
	static void name(enum net_side side)                               \
	{                                                                  \
		static const struct step steps[] = { __VA_ARGS__, { 0 } }; \
		play(steps, 0, side);                                      \
	}                                                                  \
	NET_TEST(name, name)

#define FIRST                                             \
	{                                                 \
		ANNOUNCE, "10.0.2.1", "10.0.2.2-10.0.2.1" \
	}
#define SECOND                                                              \
	{                                                                   \
		ANNOUNCE, "10.0.3.1", "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1" \
	}
/* C(a) is in use: no endpoint is left. */
#define THIRD                                                               \
	{                                                                   \
		ANNOUNCE, "10.0.4.1", "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1" \
	}
#define B_AGAIN "10.0.2.2-10.0.4.1 10.0.3.2-10.0.3.1"

NET_STEPS(third_announcement_takes_c_and_not_b_again, FIRST, SECOND, THIRD)

NET_STEPS(address_serves_again_after_its_subflow_was_withdrawn, FIRST, SECOND,
	  { WITHDRAW, "10.0.2.1", "10.0.3.2-10.0.3.1" },
	  { ANNOUNCE, "10.0.4.1", B_AGAIN })

NET_STEPS(address_serves_again_after_the_server_closed_its_subflow, FIRST, SECOND,
	  { RESET, "10.0.2.2", "10.0.3.2-10.0.3.1" }, { ANNOUNCE, "10.0.4.1", B_AGAIN })

NET_STEPS(address_announced_again_after_its_withdrawal_is_joined_again, FIRST,
	  { WITHDRAW, "10.0.2.1", "" }, FIRST)

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

/* Unlike the kernel, the pool lets an announcement wait for a free address. */
Test(pool, waiting_announcement_is_served_when_an_address_becomes_free)
{
	static const struct step steps[] = {
		FIRST, SECOND, THIRD, { WITHDRAW, "10.0.2.1", B_AGAIN }, { 0 }
	};

	play(steps, 3, FROM_POOL);
}

Test(pool, waiting_announcement_that_is_withdrawn_is_forgotten)
{
	static const struct step steps[] = { FIRST,
					     SECOND,
					     THIRD,
					     { WITHDRAW, "10.0.4.1", NULL },
					     { WITHDRAW, "10.0.2.1",
					       "10.0.3.2-10.0.3.1" },
					     { 0 } };

	play(steps, 2, FROM_POOL);
}
