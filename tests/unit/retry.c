// SPDX-License-Identifier: MIT
/*
 * retry.c - what failed is tried again, later and later, and not for ever
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#define TRIES(n) "[retry]\nfirst=1s\nmax=8s\ntries=" n "\n"
#define ONE	 "[pool]\nendpoint=10.0.2.2\n"
#define FIXED	 "[pool]\nendpoint=10.0.2.2 subflow\n"

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

Test(retry, nothing_waits_and_no_timer_runs)
{
	struct play p;

	connected(&p, ONE TRIES("5"));
	cr_assert_eq(engine_wait(p.engine), -1);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	cr_assert_eq(engine_wait(p.engine), -1);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80"); /* waits, but for no time */
	wanted_none(&p);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_close(&p);
}

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
		play_announce(&p, TOKEN, 2, "10.0.9.1:80"); /* not in the way */
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
	cr_assert_eq(engine_wait(p.engine), -1, "a timer after the last try");
	cr_assert_eq(engine_counters(p.engine)->retries, 5);
	play_close(&p);
}

Test(retry, announced_address_is_tried_later_and_later_and_not_for_ever)
{
	doubling(ONE TRIES("5"), "10.0.2.1:80", true);
}

Test(retry, subflow_endpoint_is_tried_later_and_later_and_not_for_ever)
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

Test(retry, no_tries_means_none)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, ONE TRIES("0"));
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_down(&p, &c, ECONNREFUSED);
	wanted_none(&p);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_close(&p);
}

Test(retry, no_tries_means_none_for_a_subflow_that_was_up)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, ONE TRIES("0"));
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_down(&p, &c, ETIMEDOUT);
	wanted_none(&p);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_close(&p);
}

Test(retry, withdrawn_address_is_not_tried_again)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, ONE TRIES("5"));
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_down(&p, &c, ECONNREFUSED);
	cr_assert_gt(engine_wait(p.engine), 0);
	play_remove(&p, TOKEN, 1);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_time(&p, 100000);
	wanted_none(&p);
	play_close(&p);
}

Test(retry, address_withdrawn_during_its_join_is_not_tried_again)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, FIXED TRIES("5"));
	cr_assert_eq(engine_counters(p.engine)->subflows_requested, 1);
	c = (struct pm_cmd){ .token = TOKEN,
			     .local = at("10.0.2.2"),
			     .remote = at("10.0.1.1:80"),
			     .local_id = 1 };
	play_remove(&p, TOKEN, 0);
	play_down(&p, &c, ECONNREFUSED);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_close(&p);
}

Test(retry, waiting_pair_that_is_withdrawn_is_forgotten)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, FIXED TRIES("5"));
	c = (struct pm_cmd){ .token = TOKEN,
			     .local = at("10.0.2.2"),
			     .remote = at("10.0.1.1:80"),
			     .local_id = 1 };
	play_down(&p, &c, ECONNREFUSED);
	cr_assert_gt(engine_wait(p.engine), 0);
	play_remove(&p, TOKEN, 0);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_close(&p);
}

Test(retry, peer_that_says_no_is_not_asked_again)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, "[pool]\nendpoint=10.0.2.2\nendpoint=10.0.3.2\n" TRIES("5"));
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_reset(&p, &c, PM_RESET_PROHIBITED);
	wanted_none(&p); /* nor from another address */
	cr_assert_eq(engine_wait(p.engine), -1);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_close(&p);
}

Test(retry, peer_that_says_no_to_a_subflow_endpoint_is_not_asked_again)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, FIXED TRIES("5"));
	c = (struct pm_cmd){ .token = TOKEN,
			     .local = at("10.0.2.2"),
			     .remote = at("10.0.1.1:80"),
			     .local_id = 1 };
	play_reset(&p, &c, PM_RESET_PROHIBITED);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_time(&p, 100000);
	wanted_none(&p);
	play_close(&p);
}

Test(retry, other_reset_is_tried_again)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, ONE TRIES("5"));
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_reset(&p, &c, 1);
	cr_assert_gt(engine_wait(p.engine), 0);
	play_time(&p, 2000);
	wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_close(&p);
}

Test(retry, what_was_up_for_long_has_quick_tries_again)
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

Test(retry, waiting_pair_keeps_its_turn_while_a_limit_is_reached)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, FIXED "[limits]\nsubflows=1\n" TRIES("5"));
	c = (struct pm_cmd){ .token = TOKEN,
			     .local = at("10.0.2.2"),
			     .remote = at("10.0.1.1:80"),
			     .local_id = 1 };
	play_down(&p, &c, ECONNREFUSED);
	play_foreign_up(&p, TOKEN, "10.0.7.2:7", 9, "10.0.7.1:80");
	play_time(&p, 2000);
	wanted_none(&p);
	cr_assert_gt(engine_wait(p.engine), 0);
	play_foreign_down(&p, TOKEN, "10.0.7.2:7", "10.0.7.1:80");
	play_time(&p, 20000);
	wanted(&p, "10.0.2.2", "10.0.1.1:80");
	play_close(&p);
}

Test(retry, refused_request_is_tried_again)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, FIXED TRIES("5"));
	c = (struct pm_cmd){ .type = PM_CMD_SUBFLOW_CREATE,
			     .token = TOKEN,
			     .local = at("10.0.2.2"),
			     .remote = at("10.0.1.1:80"),
			     .local_id = 1 };
	play_answer(&p, &c, EADDRNOTAVAIL);
	wanted_none(&p);
	play_time(&p, 1200);
	wanted(&p, "10.0.2.2", "10.0.1.1:80");
	play_close(&p);
}

Test(retry, many_connections_are_served_in_turn)
{
	struct pm_cmd c = { .type = PM_CMD_SUBFLOW_CREATE,
			    .local = at("10.0.2.2"),
			    .remote = at("10.0.1.1:80"),
			    .local_id = 1 };
	unsigned int done = 0;
	struct play p;
	bool more;

	play_open(&p, FIXED TRIES("5"));
	for (c.token = 1; c.token <= 100; c.token++)
		play_connect(&p, c.token, "10.0.1.2", "10.0.1.1:80");
	engine_set_clock(p.engine, 1);
	do {
		p.out.n = 0;
		more = engine_tick(p.engine, &p.out);
		done += p.out.n;
	} while (more);
	cr_assert_eq(done, 100);
	cr_assert_eq(engine_wait(p.engine), -1);
	for (c.token = 1; c.token <= 100; c.token++)
		play_closed(&p, c.token);
	play_close(&p);
}
