// SPDX-License-Identifier: MIT
/*
 * first.c - the table of endpoints for first paths, and its key in the pool file
 */
#include "play.h"
#include "shim/netlink/request.h"
#include "shim/pool/endpoint.h"
#include "shim/preload/mode.h"

#include <criterion/criterion.h>
#include <string.h>

static struct rtnl_iface links[] = {
	{ .if_idx = 1, .up = true, .inner = true, .dev = "lo" },
	{ .if_idx = 2, .up = true, .dev = "eth0" },
	{ .if_idx = 3, .up = true, .dev = "wwan0" },
	{ .if_idx = 4, .dev = "eth9" }
};
static struct rtnl_address addrs[5];
static struct rtnl_table machine = {
	.known = true, .n_links = 4, .links = links, .n_addrs = 5, .addrs = addrs
};
static struct first_table table;

static void publish(const char *text)
{
	static const char *const own[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3",
					   "2001:db8::3", "10.0.0.9" };
	static const int where[] = { 1, 2, 3, 3, 4 };
	struct pool *spec = pool_from(text), pool;

	for (int i = 0; i < 5; i++)
		addrs[i] = (struct rtnl_address){ .addr = at(own[i]),
						  .if_idx = where[i],
						  .ready = true };
	pool_resolve(spec, &machine, NULL, &pool);
	first_publish(&table, &pool, &machine);
	pool_free(spec);
}

/* Endpoint @i of the table. */
static void is(unsigned int i, const char *addr, int if_idx, bool from_dev)
{
	const struct first_endpoint *ep = &table.endpoints[i];
	const struct mpaddr want = at(addr);

	cr_assert_lt(i, table.n_endpoints, "%u endpoints", table.n_endpoints);
	cr_expect(mpaddr_same_ip(&ep->addr, &want), "%u is not %s", i, addr);
	cr_expect_eq(ep->if_idx, if_idx, "%s: interface %d", addr, ep->if_idx);
	cr_expect_eq(ep->from_dev, from_dev);
}

Test(first, only_usable_endpoints_for_joins_are_listed)
{
	publish("[pool]\nendpoint=10.0.0.2 nofirst\nendpoint=dev wwan0\nendpoint=dev "
		"eth9\n"
		"endpoint=10.0.0.9\nendpoint=10.0.0.1 backup\nendpoint=10.0.7.7 subflow\n"
		"[pool \"10.1.0.0/16\"]\nendpoint=10.0.0.3 signal\nendpoint=10.0.0.2 "
		"fullmesh\n"
		"[app]\nfirst = race\n");
	cr_assert_eq(table.mode, FIRST_RACE);
	cr_assert_eq(table.n_endpoints, 5);
	is(0, "10.0.0.3", 3, true);
	is(1, "2001:db8::3", 3, true);
	is(2, "10.0.0.1", 0, false); /* on lo: routing knows */
	is(3, "10.0.7.7", 0, false); /* on no interface */
	is(4, "10.0.0.2", 2, false);
	cr_assert_eq(table.endpoints[4].section, 1);
	cr_assert_eq(table.version, 2);
}

Test(first, routing_has_no_table)
{
	publish("[pool]\nendpoint=10.0.0.2\n");
	cr_assert_eq(table.mode, FIRST_ROUTING);
	cr_assert_eq(table.n_endpoints, 0);
}

Test(first, failures_are_kept_over_changes_and_end_with_an_answer)
{
	struct first_table other = { .version = 0 };
	struct mpaddr addr = at("10.0.0.3");

	publish("[pool]\nendpoint=10.0.0.2\nendpoint=10.0.0.3\n[app]\nfirst=pool\n");
	addr.port = 80;
	first_avoid(&table, &addr, 1000);
	cr_assert_eq(table.endpoints[0].avoid, 0);
	cr_assert_eq(table.endpoints[1].avoid, 1000 + FIRST_AVOID_S);
	first_avoid(&table, &addr, 1010); /* at the same time */
	cr_assert_eq(table.endpoints[1].avoid, 1000 + FIRST_AVOID_S);
	memcpy(&other, &table, sizeof(other));
	publish("[pool]\nendpoint=10.0.0.3\n[app]\nfirst=pool\n");
	cr_assert_eq(table.endpoints[0].avoid, 1000 + FIRST_AVOID_S);
	first_avoid(&table, &addr, 1100); /* again, after a minute */
	cr_assert_eq(table.endpoints[0].avoid, 1100 + FIRST_AVOID_AGAIN_S);
	first_worked(&table, &addr);
	cr_assert_eq(table.endpoints[0].avoid, 0);
	first_inherit(&table, &other);
	cr_assert_eq(table.endpoints[0].avoid, 1000 + FIRST_AVOID_S);
}

Test(first, nofirst_is_a_word_of_endpoints)
{
	char words[] = "dev eth0 backup nofirst", text[256];
	struct pool_error why;
	struct endpoint ep;

	cr_assert_eq(endpoint_parse(words, &ep, &why), 0);
	cr_assert_str_eq(endpoint_format(&ep, text), "dev eth0 laminar backup nofirst");
}

Test(first, preload_library_sees_only_whether_there_is_a_choice)
{
	static const struct {
		const char *text;
		bool chosen;
	} files[] = { { "[app]\nfirst = race\n", true },
		      { "[app]\nfirst : pool ; or race\n", true },
		      { "[app]\nfirst = pool\nfirst = routing\n", false },
		      { "[retry]\nfirst = 1s\n[app]\nmptcp = yes\n", false },
		      { "", false } };

	for (unsigned int i = 0; i < sizeof(files) / sizeof(*files); i++) {
		mode_read_first(files[i].text, strlen(files[i].text));
		cr_expect_eq(mode_first(), files[i].chosen, "%s", files[i].text);
	}
}
