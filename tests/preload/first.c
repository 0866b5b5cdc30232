// SPDX-License-Identifier: MIT
/*
 * first.c - from where first paths leave: [app] first, nofirst
 *
 * The server has one address that routing reaches over each link; the first link, the
 * default uplink, swallows everything.
 */
#include "preload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER	 "10.9.9.9"
#define SERVER6	 "dead:beef:9::9"
#define LEFT_MAX 8

#define POOL_ALL                                             \
	"[pool]\nendpoint = 10.0.1.2\nendpoint = 10.0.2.2\n" \
	"endpoint = dead:beef:1::2\nendpoint = dead:beef:2::2\nendpoint = dev c3\n"
#define POOL_DEVICES "[pool]\nendpoint = dev c1\nendpoint = dev c2\nendpoint = dev c3\n"
#define POOL_GOOD                                                         \
	"[pool]\nendpoint = 10.0.2.2 dev c2\nendpoint = dead:beef:2::2\n" \
	"endpoint = dev c3\n"
#define RACE  "[app]\nfirst = race\n"
#define ORDER "[app]\nfirst = pool\n"
#define IN_MS (500 * patience())
#define TRIES 4 /* runs: one of them must be in time on a busy machine */

struct left {
	char result[32], from[64];
	int ms;
	bool changed;
};

static void first_open(struct lab *lab)
{
	lab_open(lab);
	cr_assert_eq(
		host_ip(&lab->world.client, "route del unreachable default metric 1\n"),
		0);
	cr_assert_eq(host_ip(&lab->world.server, "addr add " SERVER "/32 dev lo\n"
						 "addr add " SERVER6 "/128 dev lo\n"),
		     0);
	cr_assert_eq(host_sysctl(&lab->world.server, "net/ipv6/conf/all/forwarding", "1"),
		     0);
	cr_assert_eq(host_nft(&lab->world.server,
			      "table inet hole { chain in { type filter hook input "
			      "priority 0; iif s1 meta l4proto tcp drop; }; }"),
		     0);
}

/* Run programs/leaves with @args, split at blanks. Return: its lines. */
static int leave(struct lab *lab, enum lab_mode mode, const char *args, struct left *ret)
{
	char words[256], *word, *save, *text, *line, extra[16];
	struct program g = { .argv = { "leaves" },
			     .preload_env = { "MPTCPADDR_LOG=info" } };
	int n = 1;

	snprintf(words, sizeof(words), "%s", args);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		g.argv[n++] = word;
	text = program_run(lab, &g, mode);
	memset(ret, 0, LEFT_MAX * sizeof(*ret));
	for (n = 0, line = text; line && n < LEFT_MAX; line = strchr(line, '\n')) {
		line += *line == '\n';
		*extra = '\0';
		if (sscanf(line, "%31s %63s %d%15[^\n]", ret[n].result, ret[n].from,
			   &ret[n].ms, extra) < 3)
			break;
		ret[n++].changed = !strcmp(extra, " changed");
	}
	cr_log_info("%s: %s", args, text);
	free(text);
	return n;
}

static void is_left(const char *args, const struct left *left, const char *result,
		    const char *from)
{
	cr_expect_str_eq(left->result, result, "%s: %s", args, left->result);
	cr_expect(!from || !strcmp(left->from, from), "%s: from %s", args, left->from);
	cr_expect(!left->changed, "%s: the socket has changed", args);
}

/* Like leave(), of @n lines. One run of TRIES must end soon after @ms. */
static void leave_soon_after(struct lab *lab, const char *args, int n, int ms, int late,
			     struct left *ret)
{
	int tries = 0, limit;

	do {
		cr_assert_eq(leave(lab, POOL, args, ret), n, "%s", args);
		limit = ms + late * machine_load();
	} while (++tries < TRIES && ret->ms >= limit);
	cr_expect_lt(ret->ms, limit, "%s: %d ms", args, ret->ms);
}

/* One connection leaves @from. */
static void leaves_from(struct lab *lab, const char *args, const char *from)
{
	struct left left[LEFT_MAX];

	cr_assert_eq(leave(lab, POOL, args, left), 1, "%s", args);
	is_left(args, &left[0], "ok", from);
}

/* A program's first connection is in time, and the next ones do not try the dead link. */
static void races(struct lab *lab, const char *args, const char *from)
{
	struct left left[LEFT_MAX];
	int tries = 0, i;

	do {
		cr_assert_eq(leave(lab, POOL, args, left), 3, "%s", args);
		for (i = 0; i < 3; i++)
			is_left(args, &left[i], "ok", from);
		cr_expect_geq(left[0].ms, 290, "%d ms", left[0].ms);
	} while (++tries < TRIES &&
		 (left[0].ms >= IN_MS || left[1].ms >= 290 || left[2].ms >= 290));
	cr_expect_lt(left[0].ms, IN_MS);
	cr_expect_lt(left[1].ms, 290);
	cr_expect_lt(left[2].ms, 290);
}

Test(first, blocking_connect_leaves_a_dead_uplink_in_half_a_second, TIMEOUT)
{
	struct left left[LEFT_MAX];
	struct lab lab;

	first_open(&lab);
	leave(&lab, NATIVE, SERVER " " LAB_PORT " 1 timeout 700", left);
	is_left("natively", &left[0], "EINPROGRESS", "10.0.1.2");
	lab_pool(&lab, POOL_ALL RACE);
	races(&lab, SERVER " " LAB_PORT " 3", "10.0.2.2");
	races(&lab, SERVER " " LAB_PORT " 3 mapped", "::ffff:10.0.2.2");
	races(&lab, SERVER6 " " LAB_PORT " 3", "dead:beef:2::2");
	lab_pool(&lab, POOL_DEVICES RACE);
	races(&lab, SERVER " " LAB_PORT " 3", "10.0.2.2");
	races(&lab, SERVER6 " " LAB_PORT " 3", "dead:beef:2::2");
	lab_close(&lab);
}

Test(first, a_gateway_that_does_not_answer_costs_the_same, TIMEOUT)
{
	struct lab lab;

	first_open(&lab);
	cr_assert_eq(host_ip(&lab.world.server, "link set s1 arp off\n"), 0);
	cr_assert_eq(host_ip(&lab.world.client, "neigh flush dev c1\n"), 0);
	lab_pool(&lab, POOL_ALL RACE);
	races(&lab, SERVER " " LAB_PORT " 3", "10.0.2.2");
	lab_close(&lab);
}

Test(first, pool_leaves_from_the_first_endpoint, TIMEOUT)
{
	static const char *const modes[] = { POOL_GOOD ORDER, POOL_GOOD RACE };
	struct lab lab;

	first_open(&lab);
	for (int i = 0; i < 2; i++) {
		lab_pool(&lab, modes[i]);
		leaves_from(&lab, SERVER " " LAB_PORT " 1", "10.0.2.2");
		leaves_from(&lab, SERVER " " LAB_PORT " 1 nonblock 5000", "10.0.2.2");
		leaves_from(&lab, SERVER " " LAB_PORT " 1 mapped", "::ffff:10.0.2.2");
		leaves_from(&lab, SERVER6 " " LAB_PORT " 1", "dead:beef:2::2");
		leaves_from(&lab, SERVER6 " " LAB_PORT " 1 nonblock 5000",
			    "dead:beef:2::2");
		leaves_from(&lab, SERVER " " LAB_PORT " 1 fastopen", "10.0.2.2");
		leaves_from(&lab, SERVER " " LAB_PORT " 1 fastopen sendmsg", "10.0.2.2");
		leaves_from(&lab, SERVER " " LAB_PORT " 1 epoll", "10.0.2.2");
		/* One that is down is not usable. */
		cr_assert_eq(host_ip(&lab.world.client, "link set c2 down\n"), 0);
		leaves_from(&lab, SERVER " " LAB_PORT " 1 nonblock 5000", "10.0.3.2");
		cr_assert_eq(
			host_ip(&lab.world.client,
				"link set c2 up\naddr add dead:beef:2::2/64 dev "
				"c2 nodad\nroute add default via 10.0.2.1 metric 20\n"
				"route add default via dead:beef:2::1 metric 20\n"),
			0);
	}
	lab_close(&lab);
}

Test(first, nonblocking_connect_succeeds_on_its_second_try, TIMEOUT)
{
	static const char *const modes[] = { POOL_ALL ORDER, POOL_ALL RACE };
	const char *args = SERVER " " LAB_PORT " 3 nonblock 1500";
	struct left left[LEFT_MAX];
	struct lab lab;

	first_open(&lab);
	for (int i = 0; i < 2; i++) {
		lab_pool(&lab, modes[i]);
		cr_assert_eq(leave(&lab, POOL, args, left), 3);
		is_left(args, &left[0], "ETIMEDOUT", "10.0.1.2");
		is_left(args, &left[1], "ok", "10.0.2.2");
		is_left(args, &left[2], "ok", "10.0.2.2");
	}
	lab_close(&lab);
}

/* Three connections, a second for each. */
#define ASYNCIO                                                                   \
	"import asyncio\n"                                                        \
	"async def connect():\n"                                                  \
	"    try:\n"                                                              \
	"        r, w = await asyncio.wait_for(\n"                                \
	"            asyncio.open_connection('" SERVER "', " LAB_PORT "), 1.5)\n" \
	"        print('ok', w.get_extra_info('sockname')[0])\n"                  \
	"        w.close()\n"                                                     \
	"    except asyncio.TimeoutError:\n"                                      \
	"        print('timeout')\n"                                              \
	"async def main():\n"                                                     \
	"    for i in range(3):\n"                                                \
	"        await connect()\n"                                               \
	"asyncio.run(main())\n"

Test(first, asyncio_succeeds_on_its_second_try, TIMEOUT)
{
	const struct program g = { .argv = { "/usr/bin/python3", "-c", ASYNCIO } };
	struct lab lab;
	char *text;

	first_open(&lab);
	lab_pool(&lab, POOL_ALL RACE);
	text = program_run(&lab, &g, POOL);
	cr_expect_str_eq(text, "timeout\nok 10.0.2.2\nok 10.0.2.2\n"
			       "--- errors:\n--- status 0\n");
	free(text);
	lab_pool(&lab, POOL_GOOD ORDER);
	text = program_run(&lab, &g, POOL);
	cr_expect_str_eq(text, "ok 10.0.2.2\nok 10.0.2.2\nok 10.0.2.2\n"
			       "--- errors:\n--- status 0\n");
	free(text);
	lab_close(&lab);
}

Test(first, the_program_s_own_binding_wins, TIMEOUT)
{
	struct lab lab;

	first_open(&lab);
	lab_pool(&lab, POOL_ALL RACE);
	leaves_from(&lab, "10.0.3.1 " LAB_PORT " 1 bind 10.0.3.2", "10.0.3.2");
	leaves_from(&lab, SERVER " " LAB_PORT " 1 dev c3", "10.0.3.2");
	leaves_from(&lab, SERVER6 " " LAB_PORT " 1 dev c3", "dead:beef:3::2");
	leaves_from(&lab, SERVER " " LAB_PORT " 1 dev c3 nonblock 5000", "10.0.3.2");
	lab_close(&lab);
}

Test(first, sections_exclusions_and_nofirst_are_obeyed, TIMEOUT)
{
	struct lab lab;

	first_open(&lab);
	lab_pool(&lab, "[pool]\nendpoint = 10.0.2.2\nendpoint = dev c3\n"
		       "[pool \"10.9.0.0/16\"]\nendpoint = dev c3\n"
		       "[app]\nfirst = pool\nexclude = 10.0.3.0/24 dead:beef:3::/64\n");
	leaves_from(&lab, SERVER " " LAB_PORT " 1", "10.0.3.2");
	leaves_from(&lab, "10.0.1.1 " LAB_PORT " 1", "10.0.2.2");
	leaves_from(&lab, "10.0.3.1 " LAB_PORT " 1", "10.0.3.2");
	leaves_from(&lab, "dead:beef:3::1 " LAB_PORT " 1", "dead:beef:3::2");
	lab_pool(&lab, "[pool]\nendpoint = 10.0.2.2 nofirst\nendpoint = 10.0.1.9\n"
		       "endpoint = 10.0.1.2 signal\nendpoint = dev c9\n"
		       "endpoint = dev c3 nofirst\nendpoint = 10.0.3.2 backup\n" ORDER);
	leaves_from(&lab, SERVER " " LAB_PORT " 1", "10.0.3.2");
	lab_pool(&lab, "[pool]\nendpoint = 10.0.2.2 nofirst\n" ORDER);
	leaves_from(&lab, "10.0.3.1 " LAB_PORT " 1", "10.0.3.2"); /* by routing */
	lab_close(&lab);
}

Test(first, this_machine_is_reached_as_without_the_library, TIMEOUT)
{
	static const char *const own[] = { "127.0.0.1", "127.0.0.2",	  "::1",
					   "10.0.1.2",	"dead:beef:1::2", "0.0.0.0" };
	struct left native[LEFT_MAX], left[LEFT_MAX];
	struct lab lab;
	char args[128];

	first_open(&lab);
	lab_pool(&lab, POOL_ALL RACE);
	for (unsigned int i = 0; i < sizeof(own) / sizeof(*own); i++) {
		snprintf(args, sizeof(args), "%s 9 1", own[i]);
		leave(&lab, NO_POOL, args, native);
		leave(&lab, POOL, args, left);
		is_left(args, &left[0], native[0].result, native[0].from);
	}
	lab_close(&lab);
}

/* Signals, time limits and errors, over a dead link with and without the library. */
Test(first, a_race_looks_like_one_connect, TIMEOUT)
{
	static const struct {
		const char *args;
		int ms;
	} calls[] = {
		{ "10.9.9.8 " LAB_PORT " 1 alarm 100", 100 },
		{ "10.9.9.8 " LAB_PORT " 1 alarm 700", 700 },
		{ "10.9.9.8 " LAB_PORT " 1 restart 200 timeout 900", 200 },
		{ "10.9.9.8 " LAB_PORT " 1 timeout 100", 100 },
		{ "10.9.9.8 " LAB_PORT " 1 timeout 900", 900 },
		{ "10.9.9.8 " LAB_PORT " 1 timeout 900 dup", 900 },
		{ "10.9.9.8 " LAB_PORT " 1 timeout 900 epoll", 900 },
		{ SERVER " " LAB_PORT " 1 bad", 0 },
	};
	struct left native[LEFT_MAX], left[LEFT_MAX];
	struct lab lab;

	first_open(&lab);
	lab_pool(&lab, POOL_ALL RACE);
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		cr_assert_eq(leave(&lab, NATIVE, calls[i].args, native), 1);
		leave_soon_after(&lab, calls[i].args, 1, calls[i].ms, 300, left);
		is_left(calls[i].args, &left[0], native[0].result, NULL);
		cr_expect_geq(left[0].ms, calls[i].ms - 10);
	}
	/* A handler with SA_RESTART does not end the race. */
	leaves_from(&lab, SERVER " " LAB_PORT " 1 restart 50", "10.0.2.2");
	lab_close(&lab);
}

Test(first, a_refused_connection_is_refused_and_the_socket_usable, TIMEOUT)
{
	const char *args = SERVER " 9 1 again";
	struct left left[LEFT_MAX];
	struct lab lab;

	first_open(&lab);
	lab_pool(&lab, POOL_ALL RACE);
	leave_soon_after(&lab, args, 2, 0, 1000, left);
	is_left(args, &left[0], "ECONNREFUSED", "0.0.0.0");
	is_left(args, &left[1], "ECONNREFUSED", "0.0.0.0");
	/* Unreachable from the first endpoint, at once. */
	cr_assert_eq(host_ip(&lab.world.client,
			     "route del default via dead:beef:1::1 dev c1\n"),
		     0);
	leaves_from(&lab, SERVER6 " " LAB_PORT " 1", "dead:beef:2::2");
	lab_pool(&lab, POOL_ALL ORDER);
	leaves_from(&lab, SERVER6 " " LAB_PORT " 1", "dead:beef:2::2");
	leaves_from(&lab, SERVER6 " " LAB_PORT " 1 nonblock 5000", "dead:beef:2::2");
	lab_close(&lab);
}

/* The log of a run; a program may end before its manager has written the last lines. */
static void says(struct lab *lab, const char *how, const char *what)
{
	const struct program g = { .argv = { "leaves", SERVER, LAB_PORT, "4", how,
					     "1000" },
				   .preload_env = { "MPTCPADDR_LOG=info" } };
	bool said = false;

	for (int i = 0; i < 20 && !said; i++) {
		char *text = program_run(lab, &g, POOL);

		said = strstr(text, what);
		cr_log_info("%s", text);
		free(text);
	}
	cr_expect(said, "%s", what);
}

Test(first, the_log_says_from_where_and_why, TIMEOUT)
{
	struct lab lab;

	first_open(&lab);
	lab_pool(&lab, POOL_GOOD ORDER);
	says(&lab, "nonblock", " -> " SERVER ":" LAB_PORT ": first usable endpoint\n");
	lab_pool(&lab, POOL_ALL RACE);
	says(&lab, "none", ": the earlier endpoints did not answer in time\n");
	says(&lab, "none", ": an earlier endpoint did not answer lately\n");
	says(&lab, "nonblock",
	     ": 10.0.1.2 -> " SERVER ": no answer; first paths avoid this endpoint\n");
	lab_close(&lab);
}
