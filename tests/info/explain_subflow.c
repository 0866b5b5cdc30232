// SPDX-License-Identifier: MIT
/*
 * explain_subflow.c - why a `subflow` endpoint has no path, and what is wrong with a pool
 * that stays in force, from their real causes
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "info.h"
#include "metered.h"
#include "shim.h"
#include "skip.h"
#include "until.h"

#define POOL                                   \
	"[pool]\n"                             \
	"endpoint = 10.0.2.2 dev c2 subflow\n" \
	"endpoint = 10.0.3.2 dev c3 subflow\n"

/* Whether the table's explanation has @words. */
static bool is_told(const struct stage *s, const char *words, char out[static 2048])
{
	struct said said =
		info(&s->w.client, (const char *[]){ "-p", "tcpclient", NULL });
	const char *why = strstr(said.out, "\n  why        ");
	const bool told = *words ? why && strstr(why, words) : !why;

	snprintf(out, 2048, "%s%s", said.out, said.err);
	said_free(&said);
	return told;
}

static void tells(const struct stage *s, const char *words)
{
	char out[2048];

	cr_expect(WAIT_FOR(is_told(s, words, out)), "no \"%s\" in: %s", words, out);
}

struct subflow_case {
	const char *pool;
	const char *server_sysctl, *value; /* of the server */
	const char *server_nft;
	const char *client_ip, *later_ip; /* before the client connects, and after */
	const char *server;		  /* NULL: 10.0.1.1 */
	const char *announced;		  /* with ID 12 */
	int server_limit;		  /* 0: 8 */
	const char *used;		  /* bytes of the month, by metered paths */
	const char *why;
};

static void explain_case(const struct subflow_case *c, bool broker)
{
	struct stage s = { 0 };

	NEED_SANDBOX();
	pool_write(c->pool);
	if (c->used) {
		cr_assert_eq(metered_mount(), 0);
		cr_assert_eq(metered_write(0, 0, c->used), 0);
	}
	stage_open(&s, 3);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&s.w.server, c->server_limit ?: 8, 8), 0);
	if (c->announced)
		cr_assert_eq(
			endpoint_add(&s.w.server,
				     &(const struct endpoint_spec){ .addr = c->announced,
								    .flags = EP_SIGNAL,
								    .id = 12 }),
			0);
	if (c->server_sysctl)
		cr_assert_eq(host_sysctl(&s.w.server, c->server_sysctl, c->value), 0);
	if (c->server_nft)
		cr_assert_eq(host_nft(&s.w.server, c->server_nft), 0);
	if (c->client_ip)
		cr_assert_eq(host_ip(&s.w.client, c->client_ip), 0);
	if (broker)
		stage_broker(&s, "");
	stage_preloaded_to(&s, NULL, c->server ?: "10.0.1.1", "1");
	if (c->later_ip) {
		tells(&s, ""); /* all paths are up */
		cr_assert_eq(host_ip(&s.w.client, c->later_ip), 0);
	}
	tells(&s, c->why);
	stage_close(&s);
}

#define SUBFLOW_TEST(name, ...)                                                   \
	Test(explain, name)                                                       \
	{                                                                         \
		explain_case(&(const struct subflow_case){ __VA_ARGS__ }, false); \
	}                                                                         \
	Test(explain, name##_in_the_broker)                                       \
	{                                                                         \
		explain_case(&(const struct subflow_case){ __VA_ARGS__ }, true);  \
	}

SUBFLOW_TEST(subflow_endpoints_with_paths_need_no_reason, .pool = POOL, .why = "")

SUBFLOW_TEST(subflow_endpoint_beyond_the_limit, .pool = POOL "[limits]\nsubflows = 1\n",
	     .why = "  why        limit ([limits] subflows): 10.0.3.2\n")

SUBFLOW_TEST(subflow_endpoints_with_limit_0, .pool = POOL "[limits]\nsubflows = 0\n",
	     .why = "  why        limit ([limits] subflows): 10.0.2.2, 10.0.3.2\n")

SUBFLOW_TEST(subflow_endpoints_of_a_server_with_the_c_flag, .pool = POOL,
	     .server_sysctl = "net/mptcp/allow_join_initial_addr_port", .value = "0",
	     .why = "  why        the server refuses more paths to its first address (C "
		    "flag): 10.0.2.2, 10.0.3.2\n")

SUBFLOW_TEST(subflow_endpoint_being_joined, .pool = POOL,
	     .server_nft = "add table inet t\n"
			   "add chain inet t c { type filter hook input priority 0; }\n"
			   "add rule inet t c ip saddr 10.0.2.2 drop\n",
	     .why = "  why        being joined: 10.0.2.2\n")

SUBFLOW_TEST(subflow_endpoint_that_is_refused, .pool = POOL "[retry]\nfirst = 20s\n",
	     .server_nft = "add table inet t\n"
			   "add chain inet t c { type filter hook input priority 0; }\n"
			   "add rule inet t c ip saddr 10.0.3.2 meta l4proto tcp reject "
			   "with tcp reset\n",
	     .why = "Connection refused: 10.0.3.2\n")

SUBFLOW_TEST(subflow_endpoint_of_a_server_at_its_limit,
	     .pool = POOL "[retry]\nfirst = 20s\n", .server_limit = 1,
	     .why = "closed by the server, which may be at its limit of paths: 10.0.")

#define TABLE(rule)                                                   \
	"add table inet t\n"                                          \
	"add chain inet t c { type filter hook input priority 0; }\n" \
	"add rule inet t c " rule "\n"
#define NO_RETRY "[retry]\ntries = 0\n"
#define RESET	 "meta l4proto tcp reject with tcp reset"

/* `subflow` */

SUBFLOW_TEST(subflow_endpoint_whose_address_is_missing,
	     .pool = POOL "endpoint = 10.0.9.9 subflow\n",
	     .why = "  why        unavailable (on no interface that is up): 10.0.9.9\n")

SUBFLOW_TEST(subflow_endpoint_whose_interface_is_missing,
	     .pool = POOL "endpoint = 10.0.9.9 dev wwan7 subflow\n",
	     .why = "  why        unavailable (on no interface that is up): 10.0.9.9\n")

SUBFLOW_TEST(subflow_device_that_is_missing,
	     .pool = POOL "endpoint = dev wwam0 subflow laminar\n",
	     .why = "  why        unavailable (no such interface): wwam0\n")

SUBFLOW_TEST(subflow_device_without_an_address,
	     .pool = POOL "endpoint = dev d9 subflow\n",
	     .client_ip = "link add d9 type veth peer name d8\n",
	     .why = "  why        unavailable (no address on the interface): d9\n")

SUBFLOW_TEST(metered_endpoint_whose_quota_is_used_up,
	     .pool = "[pool]\nendpoint = dev c2 subflow\n"
		     "endpoint = dev c3 subflow metered\n[policy]\nquota = 1G/month\n",
	     .used = "1000000000",
	     .why = "  why        the quota is used up: 10.0.3.2 (c3)\n")

SUBFLOW_TEST(subflow_device_without_an_address_of_the_family,
	     .pool = "[pool]\nendpoint = dev c2 subflow laminar\n"
		     "endpoint = dev c3 subflow laminar\n",
	     .client_ip = "addr del 10.0.3.2/24 dev c3\n",
	     .why = "  why        unavailable (no IPv4 address on the interface): c3\n")

/* Their IPv4 addresses have no path, and need none. */
SUBFLOW_TEST(subflow_devices_with_paths_of_the_other_family,
	     .pool = "[pool]\nendpoint = dev c1 subflow laminar\n"
		     "endpoint = dev c2 subflow laminar\n",
	     .server = "dead:beef:1::1", .why = "")

SUBFLOW_TEST(subflow_endpoint_whose_link_is_down, .pool = POOL,
	     .client_ip = "link set c3 down\n",
	     .why = "  why        unavailable (on no interface that is up): 10.0.3.2\n")

SUBFLOW_TEST(
	subflow_endpoint_whose_address_is_deprecated,
	.pool = POOL "endpoint = 10.0.4.2 subflow\n",
	.client_ip = "addr add 10.0.4.2/24 dev c3\n"
		     "addr change 10.0.4.2/24 dev c3 preferred_lft 0\n",
	.why = "  why        unavailable (address tentative or deprecated): 10.0.4.2\n")

SUBFLOW_TEST(subflow_endpoint_without_a_route,
	     .pool = "[pool]\nendpoint = 10.0.2.2 subflow\nendpoint = 10.0.3.2 subflow\n",
	     .client_ip = "rule add from 10.0.3.2 unreachable\n",
	     .why = "  why        no route to the server: 10.0.3.2\n")

/* A route that is missing, or that a connection loses: address and interface stay. */

SUBFLOW_TEST(subflow_endpoint_without_a_default_route, .pool = POOL,
	     .client_ip = "route del default dev c3\n",
	     .why = "  why        no route to the server: 10.0.3.2 (c3)\n")

SUBFLOW_TEST(subflow_endpoint_that_loses_its_default_route, .pool = POOL,
	     .later_ip = "route del default dev c3\n",
	     .why = "  why        no route to the server: 10.0.3.2 (c3)\n")

SUBFLOW_TEST(subflow_device_that_loses_its_default_route,
	     .pool = "[pool]\nendpoint = dev c2 subflow\nendpoint = dev c3 subflow\n",
	     .later_ip = "route del default dev c2\n",
	     .why = "  why        no route to the server: 10.0.2.2 (c2)\n")

SUBFLOW_TEST(subflow_endpoint_that_a_rule_cuts_off,
	     .pool = "[pool]\nendpoint = 10.0.2.2 subflow\nendpoint = 10.0.3.2 subflow\n",
	     .later_ip = "rule add from 10.0.2.2 prohibit\n",
	     .why = "  why        no route to the server: 10.0.2.2\n")

SUBFLOW_TEST(endpoints_whose_server_gets_a_blackhole_route, .pool = POOL,
	     .later_ip = "route add blackhole 10.0.1.1\n",
	     .why = "  why        no route to the server: 10.0.2.2 (c2), 10.0.3.2 (c3)\n")

SUBFLOW_TEST(laminar_endpoint_that_loses_its_default_route,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2\n", .announced = "10.0.3.1",
	     .later_ip = "route del default dev c2\n",
	     .why = "  why        no route to the server: 10.0.2.2 (c2)\n")

/* Another link has a default route of this family. */
SUBFLOW_TEST(subflow_endpoint_that_loses_its_ipv6_route,
	     .pool = "[pool]\nendpoint = dead:beef:2::2 dev c2 subflow\n"
		     "endpoint = dead:beef:3::2 dev c3 subflow\n",
	     .server = "dead:beef:1::1",
	     .later_ip = "route del default via dead:beef:3::1 dev c3\n",
	     .why = "  why        no route to the server: dead:beef:3::2 (c3)\n")

SUBFLOW_TEST(
	subflow_endpoints_of_the_other_family,
	.pool = "[pool]\nendpoint = 10.0.2.2 dev c2 subflow\n"
		"endpoint = dead:beef:3::2 dev c3 subflow\n",
	.server = "dead:beef:1::1",
	.why = "  why        the server's first address has another family: 10.0.2.2\n")

SUBFLOW_TEST(subflow_endpoint_whose_link_goes_down, .pool = POOL,
	     .later_ip = "link set c3 down\n",
	     .why = "  why        link down: 10.0.3.2 (c3)\n")

SUBFLOW_TEST(subflow_endpoint_whose_gateway_does_not_answer,
	     .pool = POOL "[retry]\nfirst = 20s\n",
	     .client_ip = "route del default dev c3\n"
			  "route add default via 10.0.3.99 dev c3 metric 30\n",
	     .why = "  why        join failed: No route to host (from a router, or the "
		    "gateway does not answer): 10.0.3.2\n")

SUBFLOW_TEST(subflow_endpoint_whose_packets_leave_by_another_interface,
	     .pool = "[pool]\nendpoint = 10.0.3.2 subflow\n",
	     .server_nft = TABLE("ip saddr 10.0.3.2 drop"),
	     .why = "  why        being joined: 10.0.3.2; leaves by another interface "
		    "(append \"dev\"): 10.0.3.2\n")

SUBFLOW_TEST(
	subflow_endpoint_that_is_refused_and_not_retried, .pool = POOL NO_RETRY,
	.server_nft = TABLE("ip saddr 10.0.3.2 " RESET),
	.why = "  why        join refused by the peer: Connection refused (last error of "
	       "this connection): 10.0.3.2\n")

/* Each with its own error, in whatever order they came. */
SUBFLOW_TEST(
	subflow_endpoints_with_different_errors,
	.pool = "[pool]\nendpoint = 10.0.2.2 subflow\nendpoint = 10.0.3.2 subflow\n"
		"[retry]\nfirst = 60s\n",
	.client_ip = "rule add from 10.0.3.2 unreachable\n",
	.server_nft = TABLE("ip saddr 10.0.2.2 " RESET),
	.why = "  why        join refused by the peer: Connection refused: 10.0.2.2; "
	       "no route to the server: 10.0.3.2\n")

SUBFLOW_TEST(subflow_endpoint_of_another_family,
	     .pool = "[pool]\nendpoint = dead:beef:2::2 subflow\n",
	     .why = "  why        no endpoint of the pool fits this connection\n")

SUBFLOW_TEST(subflow_endpoint_of_an_excluded_destination,
	     .pool = POOL "[app]\nexclude = 10.0.1.0/24\n",
	     .why = "  why        no pool for this destination (excluded)\n")

SUBFLOW_TEST(subflow_endpoint_of_another_destination,
	     .pool = "[pool \"192.0.2.0/24\"]\nendpoint = 10.0.2.2 dev c2 subflow\n",
	     .why = "  why        the pool has no endpoint for this destination\n")

SUBFLOW_TEST(subflow_endpoints_beyond_a_limit_of_1,
	     .pool = POOL "endpoint = 10.0.4.2 dev c3 subflow\n[retry]\nfirst = 20s\n"
			  "[limits]\nsubflows = 1\n",
	     .client_ip = "addr add 10.0.4.2/24 dev c3\n",
	     .server_nft = TABLE("ip saddr 10.0.3.2 " RESET),
	     .why = "  why        limit ([limits] subflows): 10.0.3.2, 10.0.4.2\n")

SUBFLOW_TEST(
	subflow_endpoints_one_refused_one_not_answered,
	.pool = POOL "[retry]\nfirst = 20s\n",
	.server_nft = TABLE(
		"ip saddr 10.0.3.2 " RESET) "add rule inet t c ip saddr 10.0.2.2 drop\n",
	.why = "  why        being joined: 10.0.2.2; join refused by the peer: "
	       "Connection refused: 10.0.3.2\n")

/* `fullmesh` */

#define MESH                                    \
	"[pool]\n"                              \
	"endpoint = 10.0.2.2 dev c2 fullmesh\n" \
	"endpoint = 10.0.3.2 dev c3 fullmesh\n"

SUBFLOW_TEST(fullmesh_endpoints_of_a_server_that_announces_nothing, .pool = MESH,
	     .why = "  why        nothing announced: ")

SUBFLOW_TEST(fullmesh_endpoints_with_paths, .pool = MESH, .announced = "10.0.2.1",
	     .why = "")

SUBFLOW_TEST(fullmesh_endpoint_whose_link_is_down, .pool = MESH, .announced = "10.0.2.1",
	     .client_ip = "link set c3 down\n",
	     .why = "  why        unavailable (on no interface that is up): 10.0.3.2\n")

SUBFLOW_TEST(fullmesh_endpoints_beyond_the_limit, .pool = MESH "[limits]\nsubflows = 1\n",
	     .announced = "10.0.2.1",
	     .why = "  why        limit ([limits] subflows): 10.0.3.2\n")

SUBFLOW_TEST(
	fullmesh_endpoint_that_is_refused, .pool = MESH "[retry]\nfirst = 20s\n",
	.announced = "10.0.2.1", .server_nft = TABLE("ip saddr 10.0.3.2 " RESET),
	.why = "  why        join refused by the peer: Connection refused: 10.0.3.2\n")

SUBFLOW_TEST(fullmesh_endpoint_being_joined, .pool = MESH, .announced = "10.0.2.1",
	     .server_nft = TABLE("ip saddr 10.0.3.2 drop"),
	     .why = "  why        being joined: 10.0.2.1 (id 12)\n")

SUBFLOW_TEST(fullmesh_endpoint_of_another_family,
	     .pool = "[pool]\nendpoint = dead:beef:2::2 fullmesh\n",
	     .announced = "10.0.2.1",
	     .why = "  why        no endpoint of the pool fits this connection\n")

SUBFLOW_TEST(fullmesh_and_subflow_endpoint_of_the_first_address,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2 subflow fullmesh\n",
	     .announced = "10.0.3.1", .server_nft = TABLE("ip daddr 10.0.3.1 drop"),
	     .why = "  why        being joined: 10.0.3.1 (id 12)\n")

/* `signal`: of a client */

SUBFLOW_TEST(signal_endpoint_of_a_client,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2 signal\n",
	     .why = "  why        announced, but the peer has not joined it: 10.0.2.2\n")

SUBFLOW_TEST(signal_endpoint_whose_address_is_missing,
	     .pool = "[pool]\nendpoint = 10.0.9.9 signal\n",
	     .why = "  why        unavailable (on no interface that is up): 10.0.9.9\n")

/* Nothing at all: routing picks the address. */

SUBFLOW_TEST(empty_pool_of_a_server_that_announces_nothing, .pool = "[pool]\n",
	     .why = "  why        nothing announced: the server has not announced any ")

SUBFLOW_TEST(laminar_endpoint_whose_server_is_behind_a_silent_path,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2\n", .announced = "10.0.3.1",
	     .server_nft = TABLE("ip saddr 10.0.2.2 drop"),
	     .why = "  why        being joined: 10.0.3.1 (id 12)\n")

SUBFLOW_TEST(subflow_and_laminar_of_a_server_with_the_c_flag,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2 subflow laminar\n"
		     "endpoint = 10.0.3.2 dev c3 subflow laminar\n",
	     .announced = "10.0.2.1",
	     .server_sysctl = "net/mptcp/allow_join_initial_addr_port", .value = "0",
	     .why = "  why        the server refuses more paths to its first address (C "
		    "flag): 10.0.3.2\n")

SUBFLOW_TEST(backup_endpoint_with_limit_0,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2 subflow backup nofirst\n"
		     "[limits]\nsubflows = 0\n",
	     .why = "  why        limit ([limits] subflows): 10.0.2.2\n")

/* Laminar endpoints get nothing; the others do. */
SUBFLOW_TEST(laminar_endpoint_hears_of_subflow,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2\nendpoint = 10.0.3.2 dev c3\n",
	     .why = "\"subflow\" endpoints need none\n")

static bool is_told_of_server(const struct stage *s, const char *words,
			      char out[static 2048])
{
	struct said said = info(&s->w.server, NULL);
	const bool told = strstr(said.out, words);

	snprintf(out, 2048, "%s%s", said.out, said.err);
	said_free(&said);
	return told;
}

/* A client that joins nothing */
Test(explain, signal_endpoints_of_a_server)
{
	char program[PATH_MAX], out[2048];
	const char *const argv[] = { built("tests/apps/tcpserver", program, PATH_MAX),
				     "-p", SERVER_PORT, NULL };
	struct stage s = { 0 };
	struct shim_env env;

	NEED_SANDBOX();
	cr_assert_eq(world_open(&s.w, 3), 0);
	cr_assert_eq(host_path_manager(&s.w.server, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&s.w.client, 8, 0), 0);
	pool_write("[pool]\nendpoint = 10.0.2.1 signal\nendpoint = 10.0.3.1 signal\n"
		   "endpoint = 10.0.9.9 signal\n");
	cr_assert_eq(
		proc_start(&s.server, &s.w.server, argv, shim_env(&env, pool_path())), 0);
	cr_assert(WAIT_FOR(proc_said(&s.server, "listening")));
	stage_connect(&s, "10.0.1.1", "1");
	cr_expect(WAIT_FOR(is_told_of_server(
			  &s,
			  "  why        announced, but the peer has not joined it: "
			  "10.0.2.1, 10.0.3.1; unavailable (on no interface that is up): "
			  "10.0.9.9\n",
			  out)),
		  "%s", out);
	stage_close(&s);
}

/* Each with its own cause; an address that was never there is left to the kernel. */
SUBFLOW_TEST(endpoints_of_two_kinds,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2 subflow\n"
		     "endpoint = 10.0.3.2 dev c3 subflow\nendpoint = 10.0.9.9 laminar\n",
	     .client_ip = "link set c3 down\n", .announced = "10.0.2.1",
	     .why = "  why        join failed: Cannot assign requested address: 10.0.2.1 "
		    "(id 12); unavailable (on no interface that is up): 10.0.3.2, "
		    "10.0.9.9\n")

Test(explain, changed_file_with_an_error_is_told_beside_the_pool_in_force)
{
	struct stage s = { 0 };

	NEED_SANDBOX();
	pool_write(POOL);
	stage_open(&s, 3);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&s.w.server, 8, 8), 0);
	stage_preloaded(&s, "1");
	tells(&s, "");
	pool_write(POOL "endpoint = 10.0.2.2 wobbly\n");
	tells(&s, ":4: unknown word \"wobbly\" in an endpoint\n");
	pool_write(POOL);
	tells(&s, "");
	stage_close(&s);
}
