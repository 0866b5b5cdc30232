// SPDX-License-Identifier: MIT
/*
 * corners.c - routing, old kernels, full lists, lost events: what seldom happens
 */
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POOL "[pool]\n"

static const char *routed; /* what routing picks; NULL: nobody knows */

static bool to_routed(void *ctx, const struct mpaddr *remote, struct mpaddr *ret_local)
{
	cr_assert_eq(ctx, &routed);
	if (!routed)
		return false;
	*ret_local = at(routed);
	return true;
}

static void routed_play(struct play *p, const char *text)
{
	play_open(p, text);
	engine_set_router(p->engine, to_routed, &routed);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
}

Test(corners, routed_join_from_an_endpoint_has_its_id_and_flags)
{
	struct play p;

	routed = "10.0.4.2:99";
	routed_play(&p, POOL "endpoint=10.0.4.2 id 44 signal backup\n");
	play_announce(&p, TOKEN, 1, "10.0.4.1:80");
	cr_assert_eq(p.out.v[p.out.n - 1].type, PM_CMD_SUBFLOW_CREATE);
	cr_assert_eq(p.out.v[p.out.n - 1].local_id, 44);
	cr_assert(p.out.v[p.out.n - 1].flags & MPTCP_PM_ADDR_FLAG_BACKUP);
	play_close(&p);
}

Test(corners, routed_join_from_the_first_address_has_id_0)
{
	struct pm_cmd c;
	struct play p;

	routed = "10.0.1.2";
	routed_play(&p,
		    POOL "endpoint=10.0.1.2 id 44 signal\nendpoint=10.0.9.2 signal\n");
	play_announce(&p, TOKEN, 1, "10.0.4.1:80");
	c = p.out.v[p.out.n - 1];
	cr_assert_eq(c.type, PM_CMD_SUBFLOW_CREATE);
	cr_assert_eq(c.local_id, 0);
	play_close(&p);
}

Test(corners, routed_join_from_no_endpoint_names_the_address_with_a_high_id)
{
	struct play p;

	routed = "10.0.77.2";
	routed_play(&p, POOL "endpoint=10.0.4.2 id 44 signal\n");
	play_announce(&p, TOKEN, 1, "10.0.4.1:80");
	cr_assert_eq(wanted(&p, "10.0.77.2", "10.0.4.1:80").local_id, 253);
	routed = NULL;
	play_announce(&p, TOKEN, 2, "10.0.5.1:80");
	wanted(&p, NULL, "10.0.5.1:80");
	play_close(&p);
}

Test(corners, address_that_left_the_pool_keeps_its_id)
{
	struct play p;

	routed = "10.0.4.2";
	routed_play(&p,
		    POOL "endpoint=10.0.4.2 id 44 signal\nendpoint=10.0.5.2 signal\n");
	play_pool(&p, POOL "endpoint=10.0.5.2 signal\n", 0);
	play_announce(&p, TOKEN, 1, "10.0.4.1:80");
	cr_assert_eq(wanted(&p, "10.0.4.2", "10.0.4.1:80").local_id, 44);
	play_close(&p);
}

Test(corners, old_kernel_is_told_of_backup_afterwards)
{
	struct pm_cmd c;
	struct play p;

	play_open(&p, POOL "endpoint=10.0.2.2 backup\nendpoint=10.0.3.2\n");
	engine_set_old_kernel(p.engine);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_up(&p, &c);
	cr_assert_eq(p.out.n, 1);
	cr_assert_eq(p.out.v[0].type, PM_CMD_SET_FLAGS);
	cr_assert(p.out.v[0].flags & MPTCP_PM_ADDR_FLAG_BACKUP);
	play_join(&p, 2, "10.0.3.2", "10.0.3.1:80");
	play_close(&p);
}

Test(corners, v6_connection_of_a_v4_pool_has_no_endpoint)
{
	struct pm_announced_report ann[4];
	struct play p;
	uint64_t next;

	play_open(&p, POOL "endpoint=10.0.2.2 fullmesh\nendpoint=10.0.3.2 subflow\n");
	play_connect_v6only(&p, TOKEN, "[2001:db8::2]", "[2001:db8::1]:80");
	play_time(&p, 5);
	wanted_none(&p);
	play_announce(&p, TOKEN, 1, "10.0.4.1:80");
	wanted_none(&p);
	cr_assert_eq(engine_report(p.engine, 0, 4, NULL, ann, &next), 1);
	cr_assert_eq(ann[0].reason, PM_REASON_FAMILY);
	play_close(&p);
}

Test(corners, full_list_of_commands_lets_an_announcement_wait_a_moment)
{
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED,
			       .token = TOKEN,
			       .remote_id = 1,
			       .remote = at("10.0.2.1:80") };
	struct play p;

	play_open(&p, POOL "endpoint=10.0.2.2\n");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	p.out.n = PM_CMDS_MAX;
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	cr_assert_eq(p.out.n, PM_CMDS_MAX);
	cr_assert_eq(engine_wait(p.engine), 0);
	play_time(&p, 0);
	wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_close(&p);
}

Test(corners, mesh_wider_than_the_list_of_commands_is_finished)
{
	char text[2048] = POOL;
	unsigned int n = 0;
	struct play p;

	for (int i = 1; i <= 40; i++)
		sprintf(text + strlen(text), "endpoint=10.1.0.%d fullmesh\n", i);
	strcat(text, "[limits]\nsubflows=64\n");
	play_open(&p, text);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	for (int i = 0; i < 8; i++) {
		n += p.out.n;
		play_time(&p, i);
	}
	cr_assert_eq(n, 40, "%u joins", n);
	play_close(&p);
}

Test(corners, priority_of_the_peer_is_noted)
{
	struct pm_note notes[16];
	struct pm_event ev = { .type = PM_EVENT_SUB_PRIORITY,
			       .token = TOKEN,
			       .local = at("10.0.1.2:40001"),
			       .remote = at("10.0.1.1:80"),
			       .backup = true };
	struct play p;
	unsigned int n;

	play_open(&p, POOL);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	n = engine_notes(p.engine, 0, 16, notes);
	cr_assert_eq(notes[n - 1].what, PM_NOTE_PRIORITY);
	cr_assert(notes[n - 1].flags & PM_NOTE_FLAG_BACKUP);
	play_close(&p);
}

Test(corners, child_of_a_waiting_child_keeps_what_both_wait_for)
{
	struct play p;

	play_open(&p, POOL "endpoint=10.0.2.2\n");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	engine_inherit(p.engine);
	play_connect(&p, 2, "10.0.1.2", "10.0.1.1:80");
	cr_assert_eq(engine_register(p.engine, &(struct pm_registration){ .token = 3 }),
		     0);
	cr_assert_eq(engine_conns(p.engine), 3);
	engine_inherit(p.engine);
	cr_assert_eq(engine_conns(p.engine), 1);
	cr_assert(engine_is_waiting(p.engine));
	cr_assert_eq(engine_register(p.engine, &(struct pm_registration){ .token = 4 }),
		     0);
	engine_take_over(p.engine);
	cr_assert(!engine_is_waiting(p.engine));
	engine_expire(p.engine, 1, 0);
	play_close(&p);
}

Test(corners, unconfirmed_connections_are_inherited_too)
{
	struct play p;

	play_open(&p, POOL "endpoint=10.0.2.2\n");
	cr_assert_eq(engine_register(p.engine, &(struct pm_registration){ .token = 3 }),
		     0);
	engine_inherit(p.engine);
	cr_assert_eq(engine_count_shown(p.engine), 0);
	cr_assert_eq(engine_conns(p.engine), 1);
	engine_expire(p.engine, 1, 0);
	play_close(&p);
}

Test(corners, lost_beginning_is_made_up_for)
{
	struct pm_event first = { .token = 3,
				  .family = AF_INET,
				  .local = at("10.0.1.2:7"),
				  .remote = at("10.0.1.1:80") };
	struct pm_cmd c;
	struct play p;

	play_open(&p, POOL "endpoint=10.0.1.2 backup\nendpoint=10.0.2.2 subflow\n");
	cr_assert_eq(engine_register(p.engine, &(struct pm_registration){ .token = 3 }),
		     0);
	engine_resync_begin(p.engine);
	cr_assert_eq(engine_resync_subflow(p.engine, &first, false, true), 0);
	cr_assert_eq(play_view(&p, 3).established, 0);
	cr_assert_eq(engine_resync_subflow(p.engine, &first, true, true), 0);
	first.token = 99;
	cr_assert_eq(engine_resync_subflow(p.engine, &first, true, true), -ENOENT);
	engine_resync_end(p.engine);
	play_time(&p, 5);
	c = wanted(&p, "10.0.2.2", "10.0.1.1:80");
	play_down(&p, &c, ETIMEDOUT); /* waits for its time */
	engine_resync_begin(p.engine);
	first.token = 3;
	cr_assert_eq(engine_resync_subflow(p.engine, &first, true, true), 0);
	engine_resync_end(p.engine);
	play_time(&p, 6);
	wanted_none(&p);
	play_time(&p, 3000);
	wanted(&p, "10.0.2.2", "10.0.1.1:80");
	play_close(&p);
}

Test(corners, walks_go_on_where_connections_have_gone)
{
	struct pm_conn_report views[2];
	struct pm_announced_report ann[ENGINE_ANNOUNCED_MAX];
	uint64_t next = 0, more;
	struct play p;
	unsigned int n;

	play_open(&p, POOL);
	for (uint32_t t = 1; t <= 6; t++) {
		play_connect(&p, t, "10.0.1.2", "10.0.1.1:80");
		play_announce(&p, t, 1, "10.0.2.1:80");
	}
	n = engine_report(p.engine, 0, 2, views, NULL, &next);
	cr_assert(n == 2 && next);
	play_closed(&p, views[1].token); /* where the walk stands */
	n += engine_report(p.engine, next, 2, views, NULL, &more);
	while (more) {
		next = more;
		n += engine_report(p.engine, next, 2, views, NULL, &more);
	}
	cr_assert(n == 5 || n == 6, "%u connections", n);
	n = engine_report(p.engine, 0, 2, NULL, ann, &next);
	cr_assert(n == 2 && next);
	n += engine_report(p.engine, next, ENGINE_ANNOUNCED_MAX, NULL, ann, &next);
	cr_assert_eq(n, 5);
	cr_assert_eq(next, 0);
	play_close(&p);
}

Test(corners, what_nobody_asked_for_changes_nothing)
{
	struct pm_cmd c = { .type = PM_CMD_SUBFLOW_CREATE,
			    .token = 77,
			    .local = at("10.0.2.2"),
			    .remote = at("10.0.2.1:80") };
	struct pm_event ev = { .type = PM_EVENT_SUB_CLOSED,
			       .token = TOKEN,
			       .local = at("10.0.7.2:1"),
			       .remote = at("10.0.7.1:1") };
	struct play p;

	engine_free(NULL);
	play_open(&p, POOL "endpoint=10.0.2.2\n");
	play_answer(&p, &c, EINVAL); /* of a connection that has ended */
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	c.token = TOKEN;
	play_answer(&p, &c, EINVAL); /* of no subflow */
	c.type = PM_CMD_REMOVE;
	play_answer(&p, &c, EINVAL);
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_answer(&p, &c, EINVAL); /* too late */
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	ev = (struct pm_event){ .type = PM_EVENT_ESTABLISHED,
				.token = TOKEN,
				.family = AF_INET,
				.local = at("10.0.1.2:40001"),
				.remote = at("10.0.1.1:80") };
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	cr_assert_eq(play_view(&p, TOKEN).subflows, 2);
	wanted_none(&p);
	play_close(&p);
}

Test(corners, announcement_again_while_it_waits_is_one_still)
{
	struct play p;

	play_open(&p, POOL "endpoint=10.0.2.2\n");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	cr_assert_eq(play_view(&p, TOKEN).announced, 2);
	cr_assert_eq(play_view(&p, TOKEN).waiting, 1);
	play_close(&p);
}

Test(corners, address_that_went_during_its_join_and_is_not_needed_any_more_is_closed)
{
	static const char text[] = POOL "endpoint=10.0.2.2\nendpoint=10.0.3.2\n";
	struct pm_cmd c;
	struct play p;

	play_open(&p, text);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, text, 1);
	play_up(&p, &(struct pm_cmd){ .token = TOKEN,
				      .local = at("10.0.3.2"),
				      .remote = at("10.0.2.1:80"),
				      .local_id = 2 });
	play_pool(&p, text, 0); /* back, but the address is reached from elsewhere */
	play_up(&p, &c);
	cr_assert_eq(p.out.n, 2);
	cr_assert_eq(p.out.v[1].type, PM_CMD_SUBFLOW_DESTROY);
	play_close(&p);
}

Test(corners, full_list_of_commands_delays_what_a_pool_calls_for)
{
	char before[2048] = POOL, after[2048] = POOL;
	unsigned int n = 0, removed = 0;
	struct play p;

	for (int i = 1; i <= 30; i++) {
		sprintf(before + strlen(before), "endpoint=10.1.0.%d fullmesh\n", i);
		sprintf(after + strlen(after), "endpoint=10.1.0.%d fullmesh backup\n", i);
	}
	strcat(before, "[limits]\nsubflows=64\n");
	strcat(after, "[limits]\nsubflows=64\n");
	play_open(&p, before);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	for (int i = 1; i < 8; i++) {
		struct pm_cmds cmds = p.out;

		n += cmds.n;
		for (unsigned int k = 0; k < cmds.n; k++)
			play_up(&p, &cmds.v[k]);
		play_time(&p, i);
	}
	cr_assert_eq(n, 30, "%u joins", n);
	play_pool(&p, after, 0);
	for (n = 0; p.out.n; play_time(&p, 10 + n))
		for (unsigned int k = 0; k < p.out.n; k++, n++)
			cr_assert_eq(p.out.v[k].type, PM_CMD_SET_FLAGS);
	cr_assert_eq(n, 30, "%u flags", n);
	play_pool(&p, POOL, 0);
	for (n = 0; p.out.n && n < 200; play_time(&p, 100 + n))
		for (unsigned int k = 0; k < p.out.n; k++, n++)
			removed += p.out.v[k].type == PM_CMD_SUBFLOW_DESTROY;
	cr_assert_eq(removed, 30, "%u closed", removed);
	play_close(&p);
}

Test(corners, odd_times_and_sections_are_refused)
{
	static const char *const bad[] = {
		"[retry]\nfirst = 99999999999999999999s\n",
		"[retry]\nfirst = :1s\n",
		"[retry]\nfirst = -1s\n",
		"[retry]\nfirst =\n",
		"[limits]\nsubflows = 99999999999999999999\n",
		"[limits]\nsubflows = :\n",
		"[pool \"10.8.0.0/16\" x]\nendpoint = 10.0.1.1\n",
		"[pool \"\"]\nendpoint = 10.0.1.1\n",
	};
	struct pool_error why;
	struct pool *pool;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(
			pool_load_text(bad[i], strlen(bad[i]), "/a/b.conf", &pool, &why),
			-EINVAL, "%s", bad[i]);
}
