// SPDX-License-Identifier: MIT
/*
 * bounds.c - limits, filter, withdrawal, expiry: what ends in the engine, and where
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#define THREE "[pool]\nendpoint=10.0.1.2\nendpoint=10.0.2.2\nendpoint=10.0.3.2\n"

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
}

Test(engine, limit_of_subflows_counts_all_but_the_first)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, THREE "[limits]\nsubflows=2\n");
	play_foreign_up(&p, TOKEN, "10.0.7.2:7", 9, "10.0.7.1:80");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p);
	cr_assert_eq(engine_counters(p.engine)->add_addr_limited, 1);
	play_foreign_down(&p, TOKEN, "10.0.7.2:7", "10.0.7.1:80");
	wanted(&p, "10.0.3.2", "10.0.3.1:80");
	play_down(&p, &c, 0);
	wanted_none(&p);
	play_close(&p);
}

Test(engine, limit_of_no_subflows_allows_none)
{
	struct play p;

	connected(&p, THREE "[limits]\nsubflows=0\n");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_announce(&p, TOKEN, 0, "10.0.1.1:8080");
	wanted_none(&p);
	play_close(&p);
}

Test(engine, limit_of_accepted_addresses_counts_those_joined_and_not_withdrawn)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, THREE "[limits]\nadd_addr_accepted=1\n");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p);
	play_down(&p, &c, 0);
	wanted_none(&p); /* accepted until withdrawn, as in the kernel */
	play_remove(&p, TOKEN, 1);
	wanted(&p, "10.0.2.2", "10.0.3.1:80");
	play_close(&p);
}

Test(engine, address_with_id_0_does_not_count_as_accepted)
{
	struct play p;

	connected(&p, THREE "[limits]\nadd_addr_accepted=1\n");
	play_join(&p, 0, "10.0.2.2", "10.0.1.1:8080");
	play_join(&p, 1, "10.0.3.2", "10.0.2.1:80");
	play_close(&p);
	connected(&p, THREE "[limits]\nadd_addr_accepted=0\n");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_join(&p, 0, "10.0.2.2", "10.0.1.1:8080");
	play_close(&p);
}

Test(engine, id_0_with_another_address_than_the_first_is_refused)
{
	struct play p;

	connected(&p, THREE);
	play_announce(&p, TOKEN, 0, "10.0.2.1:80");
	wanted_none(&p);
	cr_assert_eq(engine_counters(p.engine)->add_addr_filtered, 1);
	play_close(&p);
}

Test(engine, create_refused_everywhere_makes_room_below_the_accepted_limit)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2\n[limits]\nadd_addr_accepted=1\n");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p);
	play_answer(&p, &c, EADDRNOTAVAIL);
	wanted(&p, "10.0.2.2", "10.0.3.1:80");
	play_close(&p);
}

Test(engine, filtered_address_is_refused_and_does_not_wait)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2\n[accept]\ndeny=10.0.5.0/24\n");
	play_announce(&p, TOKEN, 1, "127.0.0.1:80");
	wanted_none(&p);
	play_announce(&p, TOKEN, 2, "10.0.5.1:80");
	wanted_none(&p);
	cr_assert_eq(engine_counters(p.engine)->add_addr_filtered, 2);
	cr_assert_eq(play_view(&p, TOKEN).waiting, 0);
	c = play_join(&p, 3, "10.0.2.2", "10.0.2.1:80");
	play_down(&p, &c, 0);
	wanted_none(&p);
	play_close(&p);
}

Test(engine, loopback_may_be_announced_on_a_loopback_connection)
{
	struct play p;

	play_open(&p, "[pool]\nendpoint=127.0.0.2\n");
	play_connect(&p, TOKEN, "127.0.0.1", "127.0.0.1:80");
	play_join(&p, 1, "127.0.0.2", "127.0.0.9:80");
	play_close(&p);
}

Test(engine, withdrawn_remote_id_drops_its_announcements_only)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:8080");
	play_announce(&p, TOKEN, 3, "10.0.4.1:80");
	cr_assert_eq(play_view(&p, TOKEN).waiting, 3);
	play_remove(&p, TOKEN, 2);
	wanted_none(&p);
	cr_assert_eq(play_view(&p, TOKEN).waiting, 1);
	play_down(&p, &c, 0);
	wanted(&p, "10.0.2.2", "10.0.4.1:80");
	play_close(&p);
}

Test(engine, withdrawn_address_frees_its_endpoint_when_the_subflow_has_closed)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_remove(&p, TOKEN, 1);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p); /* closing comes later */
	play_down(&p, &c, 0);
	wanted(&p, "10.0.2.2", "10.0.3.1:80");
	play_close(&p);
}

Test(engine, connections_do_not_share_endpoints_nor_ids)
{
	struct play p;
	struct pm_cmd c;
	uint32_t token;

	play_open(&p, THREE);
	for (token = 1; token <= 3; token++) {
		play_connect(&p, token, "10.0.1.2", "10.0.1.1:80");
		play_announce(&p, token, 1, "10.0.2.1:80");
		c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
		cr_assert_eq(c.token, token);
		cr_assert_eq(c.local_id, 2);
	}
	cr_assert_eq(engine_used_ids(p.engine), 3);
	play_closed(&p, 2);
	cr_assert_eq(engine_used_ids(p.engine), 2);
	cr_assert_eq(engine_conns(p.engine), 2);
	play_close(&p);
}

Test(engine, closed_connection_leaves_nothing_behind)
{
	struct play p;
	struct pm_cmd c;
	struct pm_event ev = { .type = PM_EVENT_SUB_CLOSED, .token = TOKEN };

	connected(&p, THREE);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	c = wanted(&p, "10.0.3.2", "10.0.3.1:80");
	play_foreign_up(&p, TOKEN, "10.0.7.2:7", 9, "10.0.7.1:80");
	play_closed(&p, TOKEN);
	cr_assert_eq(engine_conns(p.engine), 0);
	cr_assert_eq(engine_used_ids(p.engine), 0);
	play_answer(&p, &c, EINVAL); /* the kernel's answer comes after the end */
	wanted_none(&p);
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), -ENOENT);
	play_close(&p);
}

Test(engine, events_of_connections_not_registered_are_told_apart)
{
	struct pm_event ev = { .type = PM_EVENT_CREATED, .token = 77 };
	struct play p;

	connected(&p, THREE);
	for (; ev.type <= PM_EVENT_SUB_PRIORITY; ev.type++) {
		cr_assert_eq(engine_handle(p.engine, &ev, &p.out), -ENOENT);
		wanted_none(&p);
	}
	cr_assert_eq(engine_conns(p.engine), 1);
	play_close(&p);
}

Test(engine, registering_twice_is_registering_once)
{
	struct pm_registration reg = { .token = TOKEN };
	struct play p;

	connected(&p, THREE);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	cr_assert_eq(engine_register(p.engine, &reg), 0);
	cr_assert_eq(engine_conns(p.engine), 1);
	cr_assert_eq(play_view(&p, TOKEN).subflows, 2);
	play_close(&p);
}

Test(engine, connections_without_an_event_expire_and_others_do_not)
{
	struct pm_registration reg;
	struct play p;
	uint32_t token;

	play_open(&p, THREE);
	play_connect(&p, 99, "10.0.1.2", "10.0.1.1:80"); /* registered at 0, confirmed */
	for (token = 1; token <= 10; token++) {
		reg = (struct pm_registration){ .token = token, .when = token * 10 };
		cr_assert_eq(engine_register(p.engine, &reg), 0);
	}
	cr_assert_eq(engine_expire(p.engine, 10, 0), 0);
	cr_assert_eq(engine_expire(p.engine, 51, 0), 5);
	cr_assert_eq(engine_conns(p.engine), 6);
	cr_assert_eq(engine_expire(p.engine, 1000, 0), 5);
	cr_assert_eq(play_view(&p, 99).established, 1);
	play_close(&p);
}

Test(engine, announcements_remembered_are_bounded)
{
	struct pm_conn_report view;
	char remote[32];
	struct play p;
	int i;

	connected(&p, "[pool]\nendpoint=10.0.2.2");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	for (i = 0; i < 1000; i++) {
		snprintf(remote, sizeof(remote), "10.1.%d.%d:80", i / 250, i % 250 + 1);
		play_announce(&p, TOKEN, 2 + i % 250, remote);
		wanted_none(&p);
	}
	view = play_view(&p, TOKEN);
	cr_assert_eq(view.announced, ENGINE_ANNOUNCED_MAX);
	cr_assert_eq(engine_counters(p.engine)->add_addr_limited,
		     1000 - (ENGINE_ANNOUNCED_MAX - 1));
	play_close(&p);
}

Test(engine, subflows_of_others_are_bounded)
{
	struct pm_event ev = { .type = PM_EVENT_SUB_ESTABLISHED, .token = TOKEN };
	struct play p;
	int i;

	connected(&p, THREE);
	ev.remote = at("10.0.7.1:80");
	ev.local = at("10.0.7.2");
	for (i = 1; i < ENGINE_SUBFLOWS_MAX; i++) {
		ev.local.port = i;
		cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	}
	ev.local.port = i;
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), -ENOMEM);
	cr_assert_eq(play_view(&p, TOKEN).subflows, ENGINE_SUBFLOWS_MAX);
	play_close(&p);
}

Test(engine, all_endpoints_of_a_full_pool_serve_at_once)
{
	char text[4096] = "[limits]\nsubflows=64\nadd_addr_accepted=64\n[pool]\n";
	char local[32], remote[32], line[64];
	struct play p;
	int i;

	for (i = 0; i < POOL_ENDPOINTS_MAX; i++) {
		snprintf(line, sizeof(line), "endpoint=10.2.0.%d\n", i + 1);
		strcat(text, line);
	}
	connected(&p, text);
	for (i = 0; i < POOL_ENDPOINTS_MAX; i++) {
		snprintf(local, sizeof(local), "10.2.0.%d", i + 1);
		snprintf(remote, sizeof(remote), "10.3.0.%d:80", i + 1);
		cr_assert_eq(play_join(&p, i + 1, local, remote).local_id, i + 1);
	}
	cr_assert_eq(play_view(&p, TOKEN).subflows, POOL_ENDPOINTS_MAX + 1);
	play_close(&p);
}
