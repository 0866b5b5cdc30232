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
	int server_limit; /* 0: 8 */
	const char *why;
};

static void explain_case(const struct subflow_case *c)
{
	struct stage s = { 0 };

	NEED_SANDBOX();
	pool_write(c->pool);
	stage_open(&s, 3);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&s.w.server, c->server_limit ?: 8, 8), 0);
	if (c->server_sysctl)
		cr_assert_eq(host_sysctl(&s.w.server, c->server_sysctl, c->value), 0);
	if (c->server_nft)
		cr_assert_eq(host_nft(&s.w.server, c->server_nft), 0);
	stage_preloaded(&s, "1");
	tells(&s, c->why);
	stage_close(&s);
}

#define SUBFLOW_TEST(name, ...)                                            \
	Test(explain, name)                                                \
	{                                                                  \
		explain_case(&(const struct subflow_case){ __VA_ARGS__ }); \
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

/* Laminar endpoints get nothing; the others do. */
SUBFLOW_TEST(laminar_endpoint_hears_of_subflow,
	     .pool = "[pool]\nendpoint = 10.0.2.2 dev c2\nendpoint = 10.0.3.2 dev c3\n",
	     .why = "\"subflow\" endpoints need none\n")

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
