// SPDX-License-Identifier: MIT
/*
 * accept.c - announced addresses and the [accept] filter
 */
#include "mptcpaddr/pool.h"
#include "play.h"

#include <criterion/criterion.h>

struct decision {
	const char *peer, *announced;
	bool accepted;
};

static void decides(const char *accept, const struct decision *v, size_t n)
{
	struct pool *pool = pool_from(accept);
	struct mpaddr peer, announced;

	for (; n; n--, v++) {
		peer = at(v->peer);
		announced = at(v->announced);
		cr_expect_eq(!pool_refusal(pool, &peer, &announced), v->accepted,
			     "%s from %s with %s", v->announced, v->peer, accept);
	}
	pool_free(pool);
}

#define CASES(accept, ...)                                         \
	decides(accept, (const struct decision[]){ __VA_ARGS__ },  \
		sizeof((const struct decision[]){ __VA_ARGS__ }) / \
			sizeof(struct decision))

Test(accept, without_a_filter_ordinary_addresses_pass)
{
	CASES("", { "10.0.1.1", "10.0.2.1", true }, { "10.0.1.1", "192.0.2.1", true },
	      { "10.0.1.1", "[2001:db8::1]", true }, { "10.0.1.1", "[fd00::1]", true },
	      { "10.0.1.1", "1.0.0.0", true }, { "10.0.1.1", "223.255.255.255", true },
	      { "10.0.1.1", "126.255.255.255", true }, { "10.0.1.1", "128.0.0.1", true },
	      { "10.0.1.1", "169.253.255.255", true }, { "10.0.1.1", "[fec0::1]", true });
}

Test(accept, unspecified_multicast_and_broadcast_never_pass)
{
	static const struct decision never[] = {
		{ "10.0.1.1", "0.0.0.0", false },
		{ "10.0.1.1", "0.255.0.1", false },
		{ "10.0.1.1", "224.0.0.1", false },
		{ "10.0.1.1", "239.1.2.3", false },
		{ "10.0.1.1", "255.255.255.255", false },
		{ "10.0.1.1", "[::]", false },
		{ "10.0.1.1", "[ff02::1]", false },
		{ "224.0.0.1", "224.0.0.1", false },
		{ "10.0.1.1", "[::ffff:0.0.0.0]", false },
	};

	decides("", never, 9);
	decides("[accept]\nallow=0.0.0.0/0 ::/0\n", never, 9);
	decides("[accept]\nallow=224.0.0.1 0.0.0.0 ff02::1 :: 255.255.255.255\n", never,
		9);
}

Test(accept, loopback_and_link_local_pass_on_a_connection_of_that_kind_only)
{
	CASES("", { "10.0.1.1", "127.0.0.1", false },
	      { "10.0.1.1", "[::ffff:127.0.0.1]", false },
	      { "10.0.1.1", "169.254.1.1", false }, { "10.0.1.1", "[::1]", false },
	      { "10.0.1.1", "[fe80::1]", false }, { "10.0.1.1", "[febf::1]", false },
	      { "127.0.0.1", "127.1.2.3", true }, { "127.0.0.1", "169.254.1.1", false },
	      { "127.0.0.1", "[::1]", false }, { "169.254.9.9", "169.254.1.1", true },
	      { "[fe80::2]", "[fe80::1]", true }, { "[::1]", "[fe80::1]", false });
}

Test(accept, loopback_passes_if_allowed_by_name_only)
{
	CASES("[accept]\nallow=0.0.0.0/0 ::/0\n", { "10.0.1.1", "127.0.0.1", false },
	      { "10.0.1.1", "[::1]", false }, { "10.0.1.1", "10.0.2.1", true });
	CASES("[accept]\nallow=127.0.0.0/8 fe80::/64\n",
	      { "10.0.1.1", "127.9.0.1", true }, { "10.0.1.1", "[fe80::1]", true },
	      { "10.0.1.1", "[fe80:0:0:1::1]", false },
	      { "10.0.1.1", "10.0.2.1", false });
	CASES("[accept]\nallow=127.0.0.2 10.0.0.0/8\n",
	      { "10.0.1.1", "127.0.0.1", false }, { "10.0.1.1", "127.0.0.2", true },
	      { "10.0.1.1", "10.0.2.1", true });
}

Test(accept, only_allowed_addresses_pass)
{
	CASES("[accept]\nallow=10.0.0.0/8\nallow=2001:db8::/32\n",
	      { "10.0.1.1", "10.255.0.1", true }, { "10.0.1.1", "11.0.0.1", false },
	      { "10.0.1.1", "[2001:db8:ffff::1]", true },
	      { "10.0.1.1", "[2001:db9::1]", false },
	      { "10.0.1.1", "[::ffff:10.1.1.1]", true });
}

Test(accept, deny_wins_over_allow)
{
	CASES("[accept]\ndeny=10.0.5.0/24\nallow=10.0.0.0/8 "
	      "127.0.0.1\ndeny=127.0.0.1\n",
	      { "10.0.1.1", "10.0.5.1", false }, { "10.0.1.1", "10.0.4.255", true },
	      { "10.0.1.1", "10.0.6.0", true }, { "127.0.0.1", "127.0.0.1", false });
	CASES("[accept]\ndeny=0.0.0.0/0\n", { "10.0.1.1", "10.0.5.1", false },
	      { "10.0.1.1", "[2001:db8::1]", true });
}

#define EACH_PRIVATE(from, accepted)                                                    \
	{ from, "10.0.5.1", accepted }, { from, "172.31.255.255", accepted },           \
		{ from, "192.168.0.1", accepted },                                      \
		{ from, "100.127.255.255", accepted }, { from, "240.0.0.1", accepted }, \
		{ from, "[fdff::1]", accepted },                                        \
	{                                                                               \
		from, "[::ffff:10.0.5.1]", accepted                                     \
	}
#define EACH_PUBLIC(from)                                                     \
	{ from, "11.0.0.1", true }, { from, "172.32.0.1", true },             \
		{ from, "192.169.0.1", true }, { from, "100.128.0.1", true }, \
		{ from, "[2001:db8::2]", true },                              \
	{                                                                     \
		from, "[fe00::1]", true                                       \
	}

Test(accept, private_addresses_pass_from_a_private_peer_only)
{
	CASES("", EACH_PRIVATE("198.51.100.1", false),
	      EACH_PRIVATE("[2001:db8::1]", false),
	      EACH_PRIVATE("[64:ff9b::c633:6401]", false), EACH_PUBLIC("198.51.100.1"),
	      EACH_PUBLIC("10.0.1.1"), EACH_PRIVATE("192.168.9.9", true),
	      EACH_PRIVATE("100.64.0.1", true), EACH_PRIVATE("[fd00::9]", true),
	      EACH_PRIVATE("127.0.0.1", true), EACH_PRIVATE("[fe80::9]", true));
	CASES("[accept]\nprivate=same\n", EACH_PRIVATE("198.51.100.1", false),
	      EACH_PRIVATE("10.0.1.1", true));
}

Test(accept, private_addresses_pass_from_any_peer_or_from_none)
{
	CASES("[accept]\nprivate=all\n", EACH_PRIVATE("198.51.100.1", true),
	      EACH_PRIVATE("10.0.1.1", true), EACH_PUBLIC("198.51.100.1"));
	CASES("[accept]\nprivate=none\nallow=10.0.0.0/8 0.0.0.0/0 ::/0\n",
	      EACH_PRIVATE("198.51.100.1", false), EACH_PRIVATE("10.0.1.1", false),
	      EACH_PUBLIC("10.0.1.1"));
}

Test(accept, private_addresses_pass_if_allowed_by_name)
{
	CASES("[accept]\nallow=0.0.0.0/0 10.0.0.0/8\n",
	      { "198.51.100.1", "10.0.5.1", true },
	      { "198.51.100.1", "192.168.5.1", false });
}
