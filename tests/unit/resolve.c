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

static struct rtnl_iface links[] = { { 1, true, "lo" },
				     { 2, true, "eth0" },
				     { 3, true, "wwan0" } };
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
	cr_assert_eq(second.n_endpoints, 2);
	is(&second, 0, "10.0.3.2", first.endpoints[1].local_id, ENDPOINT_USABLE);
	has("10.0.3.7", 3, true);
	resolved(text, &second, &third);
	is(&third, 0, "10.0.3.2", first.endpoints[1].local_id, ENDPOINT_USABLE);
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
	is(&second, 0, "10.0.0.1", 1, ENDPOINT_DOWN);
	is(&second, 1, "10.9.9.9", 2, ENDPOINT_UNSEEN);
	resolved(text, &second, &third);
	is(&third, 0, "10.0.0.1", 1, ENDPOINT_DOWN);
	table.n_addrs = 1;
	links[1].up = false;
	resolved(text, NULL, &third);
	is(&third, 0, "10.0.0.1", 1, ENDPOINT_DOWN);
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
