// SPDX-License-Identifier: MIT
/*
 * retry.c - a failed join is tried again, with growing delays and up to a limit
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>

#define TRIES(n) "[retry]|first=1s|max=8s|tries=" n "|"
#define ONE	 "[pool]|endpoint=10.0.2.2|"
#define FIXED	 "[pool]|endpoint=10.0.2.2 subflow|"

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_time(p, 1);
}

/* The engine waits between @least and @most, and then requests @local to @remote. */
static struct pm_cmd later(struct play *p, int64_t *now, int least, int most,
			   const char *local, const char *remote)
{
	int wait = engine_wait(p->engine);

	cr_assert(wait >= least && wait <= most, "waits for %d ms, not %d-%d", wait,
		  least, most);
	play_time(p, *now + wait - 1);
	wanted_none(p);
	*now += wait;
	play_time(p, *now);
	return wanted(p, local, remote);
}

HISTORY(retry, no_timer_runs_without_a_failed_join, ONE TRIES("5"),
	"connect\n"
	"time 1\n"
	"wait none\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"wait none\n"
	"announce 2 10.0.3.1:80 >\n" /* waits without a timer */
	"wait none\n")

static void doubling(const char *pool, const char *remote, bool announced)
{
	static const int delays[] = { 1000, 2000, 4000, 8000, 8000 };
	int64_t now = 1;
	struct pm_cmd c;
	struct play p;

	play_open(&p, pool);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	if (announced)
		play_announce(&p, TOKEN, 1, remote);
	else
		play_time(&p, 1);
	play_time(&p, 0 + now);
	if (announced) {
		play_announce(&p, TOKEN, 2, "10.0.9.1:80"); /* makes no difference */
		play_remove(&p, TOKEN, 2);
	}
	cr_assert_eq(engine_counters(p.engine)->subflows_requested, 1);
	c = (struct pm_cmd){ .type = PM_CMD_SUBFLOW_CREATE,
			     .token = TOKEN,
			     .local = at("10.0.2.2"),
			     .remote = at(remote),
			     .local_id = 1 };
	for (int i = 0; i < 5; i++) {
		play_down(&p, &c, ECONNREFUSED);
		wanted_none(&p);
		c = later(&p, &now, delays[i], delays[i] + delays[i] / 8, "10.0.2.2",
			  remote);
	}
	play_down(&p, &c, ECONNREFUSED);
	wanted_none(&p);
	cr_assert_eq(engine_counters(p.engine)->retries, 5);
	for (int i = 0; i < 3; i++) {
		c = later(&p, &now, 8000, 8000 + 8000 / 8, "10.0.2.2", remote);
		play_down(&p, &c, ECONNREFUSED);
	}
	play_close(&p);
}

Test(retry, announced_address_is_tried_later_and_later_then_every_max)
{
	doubling(ONE TRIES("5"), "10.0.2.1:80", true);
}

Test(retry, subflow_endpoint_is_tried_later_and_later_then_every_max)
{
	doubling(FIXED TRIES("5"), "10.0.1.1:80", false);
}

Test(retry, connections_are_spread)
{
	char seen[2000] = "";
	int wait, different = 0;

	for (uint32_t token = 1; token < 40; token++) {
		struct play p;
		struct pm_cmd c;

		play_open(&p, ONE TRIES("5"));
		play_connect(&p, token, "10.0.1.2", "10.0.1.1:80");
		play_announce(&p, token, 1, "10.0.2.1:80");
		c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
		play_down(&p, &c, ECONNREFUSED);
		wait = engine_wait(p.engine);
		cr_assert(wait >= 1000 && wait <= 1125, "%d", wait);
		different += !seen[wait];
		seen[wait] = 1;
		play_close(&p);
	}
	cr_assert_geq(different, 15, "only %d delays", different);
}

HISTORY(retry, no_tries_means_none, ONE TRIES("0"),
	"connect\n"
	"time 1\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED >\n"
	"wait none\n")

HISTORY(retry, no_tries_means_none_for_a_subflow_that_was_up, ONE TRIES("0"),
	"connect\n"
	"time 1\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"down 10.0.2.2-10.0.2.1:80 ETIMEDOUT >\n"
	"wait none\n")

HISTORY(retry, withdrawn_address_is_not_tried_again, ONE TRIES("5"),
	"connect\n"
	"time 1\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED\n"
	"wait some\n"
	"remove 1\n"
	"wait none\n"
	"time 100000 >\n")

HISTORY(retry, address_withdrawn_during_its_join_is_not_tried_again, FIXED TRIES("5"),
	"connect\n"
	"time 1\n"
	"counter subflows_requested 1\n"
	"remove 0\n"
	"down 10.0.2.2-10.0.1.1:80 ECONNREFUSED\n"
	"wait none\n")

HISTORY(retry, waiting_pair_that_is_withdrawn_is_forgotten, FIXED TRIES("5"),
	"connect\n"
	"time 1\n"
	"down 10.0.2.2-10.0.1.1:80 ECONNREFUSED\n"
	"wait some\n"
	"remove 0\n"
	"wait none\n")

HISTORY(retry, prohibited_join_is_not_retried,
	"[pool]|endpoint=10.0.2.2|endpoint=10.0.3.2|" TRIES("5"),
	"connect\n"
	"time 1\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"reset 10.0.2.2-10.0.2.1:80 prohibited >\n" /* nor from another address */
	"wait none\n"
	"announce 1 10.0.2.1:80 >\n")

HISTORY(retry, prohibited_join_of_a_subflow_endpoint_is_not_retried, FIXED TRIES("5"),
	"connect\n"
	"time 1\n"
	"reset 10.0.2.2-10.0.1.1:80 prohibited\n"
	"wait none\n"
	"time 100000 >\n")

/* Linux does so at its limit, without an error. */
HISTORY(retry, join_that_ends_at_once_is_not_retried_while_all_paths_live, ONE TRIES("5"),
	"connect\n"
	"time 1\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"ends 10.0.2.2:10001 10.0.2.1:80 >\n"
	"wait none\n")

/* Which the peer may still count */
#define LOST                                    \
	"connect\n"                             \
	"time 1\n"                              \
	"join 1 10.0.2.2 10.0.2.1:80\n"         \
	"time 10000\n"                          \
	"down 10.0.2.2-10.0.2.1:80 ETIMEDOUT\n" \
	"time 11200 > join 10.0.2.2-10.0.2.1:80;\n"

HISTORY(retry, join_that_ends_at_once_is_retried_after_a_path_was_lost, ONE TRIES("5"),
	LOST "up 10.0.2.2-10.0.2.1:80 >\n"
	     "ends 10.0.2.2:10001 10.0.2.1:80 >\n"
	     "wait 1800 2300\n"
	     "time 13500 > join 10.0.2.2-10.0.2.1:80;\n")

HISTORY(retry, join_that_the_peer_closes_later_is_not_retried, ONE TRIES("5"),
	LOST "up 10.0.2.2-10.0.2.1:80 >\n"
	     "time 17000\n"
	     "ends 10.0.2.2:10001 10.0.2.1:80 >\n"
	     "wait none\n")

HISTORY(retry, prohibited_join_is_retried_after_a_path_was_lost, ONE TRIES("5"),
	LOST "reset 10.0.2.2-10.0.2.1:80 prohibited >\n"
	     "wait 1800 2300\n"
	     "time 13500 > join 10.0.2.2-10.0.2.1:80;\n")

HISTORY(retry, subflow_endpoint_that_is_refused_is_retried_after_a_path_was_lost,
	FIXED TRIES("5"),
	"connect\n"
	"time 1\n"
	"up 10.0.2.2-10.0.1.1:80\n"
	"time 10000\n"
	"down 10.0.2.2-10.0.1.1:80 ETIMEDOUT\n"
	"time 11200 > join 10.0.2.2-10.0.1.1:80;\n"
	"up 10.0.2.2-10.0.1.1:80 >\n"
	"ends 10.0.2.2:10001 10.0.1.1:80 >\n"
	"time 13500 > join 10.0.2.2-10.0.1.1:80;\n")

HISTORY(retry, other_reset_is_tried_again, ONE TRIES("5"),
	"connect\n"
	"time 1\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"reset 10.0.2.2-10.0.2.1:80 1\n"
	"wait some\n"
	"time 2000 > join 10.0.2.2-10.0.2.1:80;\n")

Test(retry, long_lived_subflow_is_retried_quickly_again)
{
	int64_t now = 1;
	struct pm_cmd c;
	struct play p;

	connected(&p, FIXED TRIES("3"));
	c = (struct pm_cmd){ .token = TOKEN,
			     .local = at("10.0.2.2"),
			     .remote = at("10.0.1.1:80"),
			     .local_id = 1 };
	for (int i = 0; i < 3; i++) {
		play_down(&p, &c, ETIMEDOUT);
		c = later(&p, &now, 1000 << i, 1200 << i, "10.0.2.2", "10.0.1.1:80");
	}
	play_up(&p, &c);
	now += 8000;
	play_time(&p, now);
	play_down(&p, &c, ETIMEDOUT);
	c = later(&p, &now, 1000, 1125, "10.0.2.2", "10.0.1.1:80");
	play_close(&p);
}

HISTORY(retry, waiting_pair_keeps_its_turn_while_a_limit_is_reached,
	FIXED "[limits]|subflows=1|" TRIES("5"),
	"connect\n"
	"time 1\n"
	"down 10.0.2.2-10.0.1.1:80 ECONNREFUSED\n"
	"foreign 10.0.7.2:7 9 10.0.7.1:80\n"
	"time 2000 >\n"
	"wait some\n"
	"ends 10.0.7.2:7 10.0.7.1:80\n"
	"time 20000 > join 10.0.2.2-10.0.1.1:80;\n")

HISTORY(retry, refused_request_is_tried_again, FIXED TRIES("5"),
	"connect\n"
	"time 1\n"
	"refuse 10.0.2.2-10.0.1.1:80 EADDRNOTAVAIL >\n"
	"time 1200 > join 10.0.2.2-10.0.1.1:80;\n")

/* The doomed join of the same pair is not the refused one. */
HISTORY(retry, refusal_of_a_join_that_replaces_a_stuck_one_is_its_own, POOL A " subflow|",
	"route 10.0.2.2\n"
	"start\n"
	"time 2000\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"time 2500\n"
	"rerouted\n"
	"refuse 10.0.2.2-10.0.2.1:80 ENETUNREACH\n"
	"counter subflows_refused 1\n"
	"view waiting 1\n")

/* Nothing but the address of the peer tells such joins apart. */
HISTORY(retry, join_that_routing_chooses_waits_for_the_end_of_a_doomed_one,
	POOL A " signal|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 0.0.0.0-10.0.2.1:80;\n"
	"pool 0 " POOL A "| > withdraw 10.0.2.2/12;\n"
	"announce 2 10.0.3.1:80 > join 10.0.2.2-10.0.3.1:80;\n"
	"announce 3 10.0.4.1:80 >\n"
	"time 4000 > close 0.0.0.0-10.0.2.1:80;close 10.0.2.2-10.0.3.1:80;\n"
	"pool 0 " POOL A " signal| > join 0.0.0.0-10.0.4.1:80;announce 10.0.2.2;\n"
	"down 0.0.0.0-10.0.2.1:80 > join 0.0.0.0-10.0.2.1:80;\n")
