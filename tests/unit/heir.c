// SPDX-License-Identifier: MIT
/*
 * heir.c - engines of forked children, and engines that lost events
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#define THREE "[pool]\nendpoint=10.0.1.2\nendpoint=10.0.2.2\nendpoint=10.0.3.2\n"
#define OWN   0x99u

static unsigned int shown(const struct play *p)
{
	struct pm_conn_report views[16];
	uint64_t next;
	unsigned int n = engine_report(p->engine, 0, 16, views, NULL, &next);

	cr_assert_eq(n, engine_count_shown(p->engine));
	cr_assert_eq(next, 0);
	return n;
}

Test(heir, inherited_connection_is_not_served_until_it_is_taken_over)
{
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	engine_inherit(p.engine);
	cr_assert_eq(shown(&p), 0);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p);
	engine_take_over(p.engine);
	cr_assert_eq(shown(&p), 1);
	engine_tick(p.engine, &p.out);
	wanted(&p, "10.0.3.2", "10.0.3.1:80"); /* 10.0.2.2 is still in use */
	play_close(&p);
}

Test(heir, what_the_parent_joined_meanwhile_is_not_joined_again)
{
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	engine_inherit(p.engine);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_foreign_up(&p, TOKEN, "10.0.2.2:55", 2, "10.0.2.1:80");
	engine_take_over(p.engine);
	engine_tick(p.engine, &p.out);
	wanted_none(&p);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted(&p, "10.0.3.2", "10.0.3.1:80");
	play_close(&p);
}

Test(heir, child_serves_its_own_connections_meanwhile)
{
	struct pm_cmd c;
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	engine_inherit(p.engine);
	play_connect(&p, OWN, "10.0.1.2", "10.0.1.1:80");
	play_announce(&p, OWN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	cr_assert_eq(c.token, OWN);
	cr_assert_eq(shown(&p), 1);
	engine_take_over(p.engine); /* so that all are seen and closed */
	play_close(&p);
}

Test(heir, grandchild_waits_for_the_grandparents_connections_only)
{
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	engine_inherit(p.engine);
	play_connect(&p, OWN, "10.0.1.2", "10.0.1.1:80");
	engine_inherit(p.engine); /* the child forks while it is waiting itself */
	cr_assert_eq(engine_conns(p.engine), 1);
	engine_take_over(p.engine);
	cr_assert_eq(play_view(&p, TOKEN).token, TOKEN);
	play_close(&p);
}

/* More waits than a list of commands holds: it comes back full until all is asked for. */
Test(heir, full_list_of_commands_loses_nothing)
{
	unsigned int i, n = 0, rounds = 0;
	struct play p;

	play_open(&p, THREE);
	for (i = 1; i <= 40; i++)
		play_connect(&p, i, "10.0.1.2", "10.0.1.1:80");
	engine_inherit(p.engine);
	for (i = 1; i <= 40; i++) {
		play_announce(&p, i, 1, "10.0.2.1:80");
		play_announce(&p, i, 2, "10.0.3.1:80");
	}
	engine_take_over(p.engine);
	do {
		p.out.n = 0;
		engine_tick(p.engine, &p.out);
		cr_assert_leq(p.out.n, PM_CMDS_MAX);
		n += p.out.n;
	} while (p.out.n == PM_CMDS_MAX && ++rounds < 100);
	cr_assert_eq(n, 80);
	for (i = 1; i <= 40; i++)
		play_closed(&p, i);
	play_close(&p);
}

static void resync_has(struct play *p, const char *local, const char *remote, bool live,
		       bool initial)
{
	const struct pm_event sub = { .type = PM_EVENT_SUB_ESTABLISHED,
				      .token = TOKEN,
				      .family = AF_INET,
				      .local = at(local),
				      .remote = at(remote) };

	cr_assert_eq(engine_resync_subflow(p->engine, &sub, live, initial), 0);
}

Test(heir, lost_end_of_a_subflow_frees_its_endpoint)
{
	struct play p;

	play_open(&p, "[pool]\nendpoint=10.0.2.2\n");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p);
	play_remove(&p, TOKEN, 1);
	engine_resync_begin(p.engine);
	resync_has(&p, "10.0.1.2:1", "10.0.1.1:80", true, true);
	engine_resync_end(p.engine);
	engine_tick(p.engine, &p.out);
	wanted(&p, "10.0.2.2", "10.0.3.1:80");
	cr_assert_eq(play_view(&p, TOKEN).subflows, 2);
	play_close(&p);
}

Test(heir, subflow_that_is_there_is_kept_after_lost_events)
{
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	engine_resync_begin(p.engine);
	resync_has(&p, "10.0.1.2:1", "10.0.1.1:80", true, true);
	resync_has(&p, "10.0.2.2:1", "10.0.2.1:80", true, false);
	engine_resync_end(p.engine);
	engine_tick(p.engine, &p.out);
	wanted_none(&p);
	play_join(&p, 2, "10.0.3.2", "10.0.3.1:80");
	play_close(&p);
}

Test(heir, connection_whose_end_was_lost_leaves_nothing_behind)
{
	const struct pm_event sub = { .token = 12345 };
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	engine_resync_begin(p.engine);
	cr_assert_eq(engine_resync_subflow(p.engine, &sub, true, false), -ENOENT);
	engine_resync_end(p.engine);
	cr_assert_eq(engine_conns(p.engine), 0);
	cr_assert_eq(engine_used_ids(p.engine), 0);
	play_close(&p);
}
