// SPDX-License-Identifier: MIT
/*
 * addr.c - addresses, prefixes and their text
 */
#include "mptcpaddr/addr.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct mpprefix prefix(const char *text)
{
	struct mpprefix p;

	cr_assert_eq(mpprefix_parse(text, &p), 0, "%s", text);
	return p;
}

Test(addr, addresses_are_printed_as_they_are_read)
{
	static const char *const same[] = { "10.0.1.2",	   "10.0.1.2:4444",
					    "0.0.0.0",	   "[2001:db8::1]:4444",
					    "2001:db8::1", "::",
					    "::1",	   "255.255.255.255:65535" };
	char text[MPADDR_TEXT_MAX];
	struct mpaddr addr;
	unsigned int i;

	for (i = 0; i < sizeof(same) / sizeof(*same); i++) {
		if (*same[i] != '[' && strchr(same[i], ':') != strrchr(same[i], ':'))
			cr_assert_eq(mpaddr_parse(same[i], &addr), 0);
		else
			addr = at(same[i]);
		cr_expect_str_eq(mpaddr_text(&addr, text), same[i]);
	}
	addr = (struct mpaddr){ 0 };
	cr_assert_str_eq(mpaddr_text(&addr, text), "any");
}

Test(addr, longest_text_fits)
{
	struct mpaddr addr = at("[abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd]:65535");
	char text[MPADDR_TEXT_MAX + 1] = { 0 };

	text[MPADDR_TEXT_MAX] = 'x';
	cr_assert_str_eq(mpaddr_text(&addr, text),
			 "[abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd]:65535");
	cr_assert_eq(text[MPADDR_TEXT_MAX], 'x');
}

Test(addr, mapped_addresses_are_stored_as_ipv4)
{
	struct mpaddr mapped = at("[::ffff:10.0.1.2]:5"), v4 = at("10.0.1.2:5");

	cr_assert_eq(mapped.family, AF_INET);
	cr_assert(mpaddr_equal(&mapped, &v4));
}

Test(addr, bad_addresses_are_refused)
{
	static const char *const bad[] = { "",		"10.0.1",	 "10.0.1.256",
					   "10.0.1.2 ", " 10.0.1.2",	 "10.0.1.2/8",
					   "::g",	"1:2:3:4:5:6:7", "fe80::1%lo",
					   "[::1]",	"localhost",	 "0x7f.0.0.1",
					   "010.0.0.1" };
	struct mpaddr addr = at("10.9.9.9");
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(mpaddr_parse(bad[i], &addr), -EINVAL, "\"%s\"", bad[i]);
	cr_assert_eq(addr.v6.s6_addr[3], 9);
}

Test(addr, addresses_differ_by_port_and_family)
{
	struct mpaddr a = at("10.0.1.2:5"), b = at("10.0.1.2:6"), c = at("10.0.1.3:5");
	struct mpaddr v6 = at("[a00:102::]:5"); /* the same first bytes as 10.0.1.2 */

	cr_assert(mpaddr_same_ip(&a, &b));
	cr_assert_not(mpaddr_equal(&a, &b));
	cr_assert_not(mpaddr_same_ip(&a, &c));
	cr_assert_not(mpaddr_same_ip(&a, &v6));
}

Test(addr, zero_address_of_either_family_is_any)
{
	struct mpaddr a = at("0.0.0.0"), b = at("[::]"), c = at("10.0.0.0"),
		      d = at("[::1]");

	cr_assert(mpaddr_is_any(&a));
	cr_assert(mpaddr_is_any(&b));
	cr_assert_not(mpaddr_is_any(&c));
	cr_assert_not(mpaddr_is_any(&d));
}

Test(addr, prefix_covers_to_the_last_bit)
{
	static const struct {
		const char *prefix, *addr;
		bool covers;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/9", "10.127.255.255", true },
		{ "10.0.0.0/9", "10.128.0.0", false },
		{ "10.0.0.4/31", "10.0.0.5", true },
		{ "10.0.0.4/31", "10.0.0.6", false },
		{ "10.0.0.4", "10.0.0.4", true },
		{ "10.0.0.4", "10.0.0.5", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "[::]", false },
		{ "::/0", "[ffff::]", true },
		{ "::/0", "10.0.0.1", false },
		{ "2001:db8::/33", "[2001:db8:7fff::]", true },
		{ "2001:db8::/33", "[2001:db8:8000::]", false },
		{ "2001:db8::1", "[2001:db8::1]", true },
		{ "2001:db8::1/127", "[2001:db8::]", true },
		{ "10.1.2.3/8", "10.0.0.0", true }, /* host bits */
		{ "::ffff:10.0.0.0/104", "10.1.0.0", true },
		{ "::ffff:10.0.0.0/104", "11.0.0.0", false },
		{ "::ffff:0:0/96", "192.0.2.1", true },
	};
	struct mpprefix p;
	struct mpaddr a;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		p = prefix(cases[i].prefix);
		a = at(cases[i].addr);
		cr_expect_eq(mpprefix_covers(&p, &a), cases[i].covers, "%s and %s",
			     cases[i].prefix, cases[i].addr);
	}
}

Test(addr, bad_prefixes_are_refused)
{
	static const char *const bad[] = {
		"",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"10.0.0.0/ 8",
		"10.0.0.0/8/8",
		"::/129",
		"10.0.0/8",
		"10.0.0.0/+8",
		"::ffff:10.0.0.0/95",
		"10.0.0.0/99999999999999999999",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8",
	};
	struct mpprefix p = { .len = 77 };
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(mpprefix_parse(bad[i], &p), -EINVAL, "\"%s\"", bad[i]);
	cr_assert_eq(p.len, 77);
}

Test(addr, prefix_is_within_a_shorter_one_only)
{
	struct mpprefix wide = prefix("10.0.0.0/8"), part = prefix("10.1.0.0/16");
	struct mpprefix other = prefix("11.0.0.0/16"), v6 = prefix("a00::/16");

	cr_assert(mpprefix_within(&part, &wide));
	cr_assert_not(mpprefix_within(&wide, &part));
	cr_assert(mpprefix_within(&wide, &wide));
	cr_assert_not(mpprefix_within(&other, &wide));
	cr_assert_not(mpprefix_within(&v6, &wide));
}
