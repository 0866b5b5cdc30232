// SPDX-License-Identifier: MIT
/*
 * resolve.c - a pool file's endpoints with a machine's addresses
 */
#include "play.h"
#include "shim/netlink/request.h"
#include "shim/pool/endpoint.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define ADDRS 70

static struct rtnl_iface links[] = { { 1, true, 0, true, "lo" },
				     { 2, true, 0, false, "eth0" },
				     { 3, true, 0, false, "wwan0" } };
static struct rtnl_address addrs[ADDRS];
static struct rtnl_table table = {
	.known = true, .n_links = 3, .links = links, .addrs = addrs
};

static void has(const char *addr, int if_idx, bool ready)
{
	addrs[table.n_addrs++] = (struct rtnl_address){ .addr = at(addr),
							.if_idx = if_idx,
							.ready = ready };
}

static void resolved(const char *text, const struct pool *before, struct pool *ret)
{
	struct pool *spec = pool_from(text);

	pool_resolve(spec, &table, before, ret);
	pool_free(spec);
}

static void is(const struct pool *pool, unsigned int i, const char *addr, int local_id,
	       enum endpoint_state state)
{
	char text[MPADDR_TEXT_MAX];

	cr_assert_lt(i, pool->n_endpoints, "%u endpoints", pool->n_endpoints);
	mpaddr_text(&pool->endpoints[i].addr, text);
	cr_assert_str_eq(text, addr);
	cr_assert_eq(pool->endpoints[i].local_id, local_id, "%s has ID %u", addr,
		     pool->endpoints[i].local_id);
	cr_assert_eq(pool->endpoints[i].state, state, "%s is %u", addr,
		     pool->endpoints[i].state);
}

Test(resolve, device_is_replaced_by_its_usable_addresses)
{
	struct pool pool;

	has("10.0.0.1", 2, true);
	has("10.0.3.1", 3, true);
	has("2001:db8::3", 3, true);
	has("fe80::3", 3, false);
	resolved("[pool]\nendpoint=dev wwan0 laminar backup\nendpoint=10.0.0.1\n", NULL,
		 &pool);
	cr_assert_eq(pool.n_endpoints, 3);
	is(&pool, 0, "10.0.3.1", 2, ENDPOINT_USABLE);
	is(&pool, 1, "2001:db8::3", 3, ENDPOINT_USABLE);
	is(&pool, 2, "10.0.0.1", 1, ENDPOINT_USABLE); /* numbered in the file */
	cr_assert(pool.endpoints[0].from_dev && pool.endpoints[0].if_idx == 3);
	cr_assert_eq(pool.endpoints[2].if_idx, 0);
}

Test(resolve, device_that_is_down_or_missing_has_no_endpoints)
{
	struct pool pool;

	has("10.0.3.1", 3, true);
	links[2].up = false;
	resolved("[pool]\nendpoint=dev wwan0\nendpoint=dev wlan0\n", NULL, &pool);
	cr_assert_eq(pool.n_endpoints, 0);
}

Test(resolve, address_listed_alone_is_not_taken_from_the_device)
{
	struct pool pool;

	has("10.0.3.1", 3, true);
	has("10.0.3.2", 3, true);
	resolved("[pool]\nendpoint=dev wwan0\nendpoint=10.0.3.1 id 9 subflow\n", NULL,
		 &pool);
	cr_assert_eq(pool.n_endpoints, 2);
	is(&pool, 0, "10.0.3.2", 1, ENDPOINT_USABLE);
	is(&pool, 1, "10.0.3.1", 9, ENDPOINT_USABLE);
}

Test(resolve, same_address_on_two_devices_is_one_endpoint)
{
	struct pool pool;

	has("10.0.3.1", 3, true);
	has("10.0.3.1", 2, true);
	resolved("[pool]\nendpoint=dev wwan0\nendpoint=dev eth0\n", NULL, &pool);
	cr_assert_eq(pool.n_endpoints, 1);
}

Test(resolve, addresses_that_stay_keep_their_ids)
{
	static const char text[] = "[pool]\nendpoint=dev wwan0\nendpoint=10.0.0.1\n";
	struct pool first, second, third;

	has("10.0.3.1", 3, true);
	has("10.0.3.2", 3, true);
	has("10.0.0.1", 2, true);
	resolved(text, NULL, &first);
	is(&first, 1, "10.0.3.2", 3, ENDPOINT_USABLE);
	is(&first, 2, "10.0.0.1", 1, ENDPOINT_USABLE); /* numbered in the file */
	addrs[0] = addrs[1];
	addrs[1] = addrs[2];
	table.n_addrs = 2;
	resolved(text, &first, &second);
	cr_assert_eq(second.n_endpoints, 3);
	is(&second, 0, "10.0.3.2", first.endpoints[1].local_id, ENDPOINT_USABLE);
	is(&second, 1, "10.0.3.1", first.endpoints[0].local_id, ENDPOINT_REMOVED);
	has("10.0.3.7", 3, true);
	resolved(text, &second, &third);
	is(&third, 0, "10.0.3.2", first.endpoints[1].local_id, ENDPOINT_USABLE);
	cr_assert_eq(third.n_endpoints, 3, "the removed one is in one pool more");
}

Test(resolve, id_that_the_file_gives_to_another_is_released)
{
	struct pool first, second;

	has("10.0.3.1", 3, true);
	has("10.0.0.1", 2, true);
	resolved("[pool]\nendpoint=dev wwan0\n", NULL, &first);
	is(&first, 0, "10.0.3.1", 1, ENDPOINT_USABLE);
	resolved("[pool]\nendpoint=dev wwan0\nendpoint=10.0.0.1 id 1\n", &first, &second);
	is(&second, 0, "10.0.3.1", 2, ENDPOINT_USABLE);
	is(&second, 1, "10.0.0.1", 1, ENDPOINT_USABLE);
}

Test(resolve, removed_address_is_down_and_a_new_one_unseen)
{
	static const char text[] = "[pool]\nendpoint=10.0.0.1\nendpoint=10.9.9.9\n";
	struct pool first, second, third;

	has("10.0.0.1", 2, true);
	resolved(text, NULL, &first);
	is(&first, 0, "10.0.0.1", 1, ENDPOINT_USABLE);
	is(&first, 1, "10.9.9.9", 2, ENDPOINT_UNSEEN);
	table.n_addrs = 0;
	resolved(text, &first, &second);
	is(&second, 0, "10.0.0.1", 1, ENDPOINT_REMOVED);
	is(&second, 1, "10.9.9.9", 2, ENDPOINT_UNSEEN);
	resolved(text, &second, &third);
	is(&third, 0, "10.0.0.1", 1, ENDPOINT_REMOVED);
	table.n_addrs = 1;
	links[1].up = false;
	resolved(text, NULL, &third);
	is(&third, 0, "10.0.0.1", 1, ENDPOINT_DOWN);
}

/* With its addresses, as for IPv4, or without, as for IPv6 */
Test(resolve, addresses_of_a_link_that_is_down_stay_until_it_is_up)
{
	static const char text[] = "[pool]\nendpoint=dev wwan0\nendpoint=2001:db8::2\n";
	struct pool pools[5];

	has("10.0.3.1", 3, true);
	has("2001:db8::1", 3, true);
	has("2001:db8::2", 3, true);
	resolved(text, NULL, &pools[0]);
	cr_assert_eq(pools[0].n_endpoints, 3);
	links[2].up = false;
	for (int i = 1; i < 3; i++) {
		resolved(text, &pools[i - 1], &pools[i]);
		cr_assert_eq(pools[i].n_endpoints, 3);
		for (int k = 0; k < 3; k++)
			cr_assert_eq(pools[i].endpoints[k].state, ENDPOINT_DOWN);
		table.n_addrs = 1;
	}
	links[2].up = true;
	resolved(text, &pools[2], &pools[3]);
	is(&pools[3], 0, "10.0.3.1", pools[0].endpoints[0].local_id, ENDPOINT_USABLE);
	is(&pools[3], 1, "2001:db8::1", pools[0].endpoints[1].local_id, ENDPOINT_REMOVED);
	is(&pools[3], 2, "2001:db8::2", pools[0].endpoints[2].local_id, ENDPOINT_REMOVED);
	resolved(text, &pools[3], &pools[4]);
	cr_assert_eq(pools[4].n_endpoints, 2);
}

Test(resolve, deprecated_and_tentative_addresses_wait)
{
	static const char text[] = "[pool]\nendpoint=dev wwan0\nendpoint=2001:db8::7\n";
	struct pool first, second, third;

	has("2001:db8::1", 3, true);
	has("2001:db8::7", 3, false);
	resolved(text, NULL, &first);
	cr_assert_eq(first.n_endpoints, 2);
	is(&first, 0, "2001:db8::1", 2, ENDPOINT_USABLE);
	is(&first, 1, "2001:db8::7", 1, ENDPOINT_WAITING);
	addrs[0].deprecated = true; /* and nothing better is there */
	resolved(text, &first, &second);
	is(&second, 0, "2001:db8::1", 2, ENDPOINT_USABLE);
	has("2001:db8::2", 3, true);
	resolved(text, &second, &third);
	cr_assert_eq(third.n_endpoints, 3);
	is(&third, 0, "2001:db8::1", 2, ENDPOINT_WAITING);
	is(&third, 1, "2001:db8::2", 3, ENDPOINT_USABLE);
}

Test(resolve, address_bound_to_a_device_needs_that_device)
{
	static const char text[] = "[pool]\nendpoint=10.0.0.1 dev eth0\n"
				   "endpoint=10.0.0.2 dev wlan0\n";
	struct pool pool;

	has("10.0.0.1", 2, true);
	has("10.0.0.2", 2, true);
	resolved(text, NULL, &pool);
	is(&pool, 0, "10.0.0.1", 1, ENDPOINT_USABLE);
	cr_assert_eq(pool.endpoints[0].if_idx, 2);
	is(&pool, 1, "10.0.0.2", 2, ENDPOINT_UNSEEN);
	cr_assert_eq(pool.endpoints[1].if_idx, -1);
	links[1].up = false;
	resolved(text, NULL, &pool);
	is(&pool, 0, "10.0.0.1", 1, ENDPOINT_DOWN);
}

Test(resolve, address_on_an_unknown_link_is_not_usable)
{
	struct pool pool;

	has("10.0.0.1", 77, true);
	resolved("[pool]\nendpoint=10.0.0.1\n", NULL, &pool);
	is(&pool, 0, "10.0.0.1", 1, ENDPOINT_DOWN);
}

Test(resolve, without_a_table_the_kernel_decides)
{
	static const char text[] = "[pool]\nendpoint=10.0.0.1\nendpoint=10.0.0.2 dev lo\n"
				   "endpoint=10.0.0.3 dev nosuchdev0\n";
	struct rtnl_table unknown = { 0 };
	struct pool *spec = pool_from(text), pool;

	pool_resolve(spec, &unknown, NULL, &pool);
	pool_free(spec);
	is(&pool, 0, "10.0.0.1", 1, ENDPOINT_USABLE);
	cr_assert_eq(pool.endpoints[0].if_idx, 0);
	cr_assert_eq(pool.endpoints[2].if_idx, -1);
}

Test(resolve, device_in_two_sections_serves_both)
{
	static const char text[] =
		"[pool]\nendpoint=dev eth0\n[pool \"10.8.0.0/16\"]\nendpoint=dev eth0\n";
	struct pool first, second;

	has("10.0.0.1", 2, true);
	resolved(text, NULL, &first);
	cr_assert_eq(first.n_endpoints, 2);
	cr_assert_neq(first.endpoints[0].section, first.endpoints[1].section);
	is(&first, 0, "10.0.0.1", 1, ENDPOINT_USABLE);
	is(&first, 1, "10.0.0.1", 1, ENDPOINT_USABLE);
	resolved(text, &first, &second);
	is(&second, 0, "10.0.0.1", 1, ENDPOINT_USABLE);
	is(&second, 1, "10.0.0.1", 1, ENDPOINT_USABLE);
}

Test(resolve, number_of_addresses_is_limited)
{
	struct pool pool;
	char text[32];

	for (int i = 0; i < ADDRS; i++) {
		snprintf(text, sizeof(text), "10.0.7.%d", i + 1);
		has(text, 2, true);
	}
	resolved("[pool]\nendpoint=dev eth0\nendpoint=10.9.9.9\n", NULL, &pool);
	cr_assert_eq(pool.n_endpoints, POOL_ENDPOINTS_MAX);
}
