// SPDX-License-Identifier: MIT
/*
 * kinds.c - every kind of endpoint, pools that change, addresses that go and come back
 */
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define A    "endpoint=10.0.2.2 id 12"
#define B    "endpoint=10.0.3.2 id 13"
#define POOL "[pool]\n"

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	if (!p->out.n)
		play_time(p, 1);
}

static const char *verb(const struct pm_cmd *cmd)
{
	static const char *const verbs[] = { [PM_CMD_SUBFLOW_CREATE] = "join",
					     [PM_CMD_SUBFLOW_DESTROY] = "close",
					     [PM_CMD_ANNOUNCE] = "announce",
					     [PM_CMD_REMOVE] = "withdraw",
					     [PM_CMD_SET_FLAGS] = "flags" };

	return cmd->reset ? "reset" : verbs[cmd->type];
}

/* All commands of the last step, one after the other: "join 10.0.2.2/12-10.0.1.1:80;" */
static void wants(const struct play *p, const char *text)
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX], all[2048] = "";

	for (unsigned int i = 0; i < p->out.n; i++) {
		const struct pm_cmd *c = &p->out.v[i];
		struct mpaddr ip = c->local;
		bool pair = c->type != PM_CMD_ANNOUNCE && c->type != PM_CMD_REMOVE;

		if (pair)
			ip.port = 0;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s %s/%u%s%s%s;",
			 verb(c), mpaddr_text(&ip, local), c->local_id, pair ? "-" : "",
			 pair ? mpaddr_text(&c->remote, remote) : "",
			 c->flags & MPTCP_PM_ADDR_FLAG_BACKUP ? " backup" : "");
	}
	cr_assert_str_eq(all, text, "\"%s\", wanted \"%s\"", all, text);
}

/* Every join of the last step comes up. */
static void all_up(struct play *p)
{
	struct pm_cmds cmds = p->out;

	for (unsigned int i = 0; i < cmds.n; i++) {
		play_answer(p, &cmds.v[i], 0);
		if (cmds.v[i].type == PM_CMD_SUBFLOW_CREATE)
			play_up(p, &cmds.v[i]);
	}
}

Test(kinds, subflow_endpoints_join_the_first_address_in_order)
{
	struct play p;

	connected(&p, POOL A " subflow\n" B " subflow backup\n");
	wants(&p, "join 10.0.2.2/12-10.0.1.1:80;join 10.0.3.2/13-10.0.1.1:80 backup;");
	play_time(&p, 2);
	wants(&p, "");
	play_close(&p);
}

Test(kinds, subflow_endpoints_keep_to_the_limit_and_go_on_when_there_is_room)
{
	struct pm_cmd c;
	struct play p;

	connected(&p, POOL A " subflow\n" B " subflow\n[limits]\nsubflows=1\n");
	wants(&p, "join 10.0.2.2/12-10.0.1.1:80;");
	c = p.out.v[0];
	all_up(&p);
	play_down(&p, &c, 0);
	if (!p.out.n)
		play_time(&p, 10);
	wants(&p, "join 10.0.3.2/13-10.0.1.1:80;");
	play_close(&p);
}

Test(kinds, subflow_endpoint_of_the_first_address_or_another_family_is_not_used)
{
	struct play p;

	connected(&p, POOL "endpoint=10.0.1.2 subflow\nendpoint=2001:db8::2 subflow\n");
	wants(&p, "");
	play_close(&p);
}

Test(kinds, peer_that_forbids_it_is_not_joined_at_its_first_address)
{
	struct play p;

	play_open(&p, POOL A " subflow\n" B " subflow fullmesh\n");
	play_connect_c_flag(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_time(&p, 1);
	wants(&p, "");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.3.2/13-10.0.2.1:80;");
	play_close(&p);
}

Test(kinds, subflow_endpoints_serve_the_announcements_of_such_a_peer)
{
	struct play p;

	play_open(&p, POOL A " subflow\n" B " subflow\n[limits]\nadd_addr_accepted=0\n");
	play_connect_c_flag(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_time(&p, 1);
	wants(&p, "");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.2.1:80;");
	play_close(&p);
}

Test(kinds, signal_endpoints_are_announced_once)
{
	struct play p;

	connected(&p, POOL A " signal\nendpoint=10.0.3.2 id 13 signal port 8443\n"
			     "endpoint=10.0.1.2 signal\n");
	wants(&p, "announce 10.0.2.2/12;announce 10.0.3.2:8443/13;");
	play_time(&p, 5);
	wants(&p, "");
	cr_assert_eq(engine_counters(p.engine)->announced, 2);
	play_close(&p);
}

Test(kinds, fullmesh_endpoints_come_before_laminar_ones_and_serve_all)
{
	struct play p;

	connected(&p, POOL "endpoint=10.0.4.2\n" A " fullmesh\n" B " fullmesh backup\n");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.2.1:80 backup;");
	all_up(&p);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wants(&p, "join 10.0.2.2/12-10.0.3.1:80;join 10.0.3.2/13-10.0.3.1:80 backup;");
	play_close(&p);
}

Test(kinds, fullmesh_endpoint_of_the_first_address_has_id_0)
{
	struct play p;

	connected(&p, POOL "endpoint=10.0.1.2 id 5 fullmesh\n");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.1.2/0-10.0.2.1:80;");
	play_close(&p);
}

Test(kinds, fullmesh_keeps_to_the_limit)
{
	struct play p;

	connected(&p, POOL A " fullmesh\n" B " fullmesh\n[limits]\nsubflows=1\n");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.2.2/12-10.0.2.1:80;");
	all_up(&p);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wants(&p, "");
	play_close(&p);
}

Test(kinds, subflow_fullmesh_endpoint_goes_to_all_that_is_reached)
{
	struct play p;

	play_open(&p, POOL A " subflow fullmesh\n");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_foreign_up(&p, TOKEN, "10.0.7.2:7", 9, "10.0.7.1:80");
	play_time(&p, 1);
	wants(&p, "join 10.0.2.2/12-10.0.1.1:80;join 10.0.2.2/12-10.0.7.1:80;");
	play_close(&p);
}

Test(kinds, subflow_and_laminar_endpoint_is_used_for_one)
{
	struct play p;

	play_open(&p, POOL A " subflow laminar\n" B " subflow laminar\n");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	cr_assert_geq(p.out.n, 1);
	cr_assert(mpaddr_equal(&p.out.v[0].remote, &(struct mpaddr){ 0 }) == false);
	play_time(&p, 5);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wants(&p, "");
	cr_assert_eq(engine_counters(p.engine)->subflows_requested, 2);
	play_close(&p);
}

Test(kinds, endpoint_taken_out_is_closed_and_withdrawn)
{
	struct play p;

	connected(&p, POOL A "\n" B "\n");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, POOL B "\n", 0);
	cr_assert_geq(p.out.n, 2);
	cr_assert_eq(p.out.v[0].type, PM_CMD_REMOVE);
	cr_assert_eq(p.out.v[0].local_id, 12);
	cr_assert_eq(p.out.v[1].type, PM_CMD_SUBFLOW_DESTROY);
	/* What it had reached is reached from elsewhere. */
	cr_assert_eq(p.out.n, 3);
	cr_assert_eq(p.out.v[2].type, PM_CMD_SUBFLOW_CREATE);
	play_close(&p);
}

/* The first one stays as the last path; the others are closed, and come back. */
Test(kinds, all_endpoints_taken_out_leave_one_path_and_serve_again)
{
	static const char text[] = POOL "endpoint=10.0.1.2 id 11\n" A "\n" B "\n";
	struct pm_cmd a, b;
	struct play p;

	connected(&p, text);
	a = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	b = play_join(&p, 2, "10.0.3.2", "10.0.3.1:80");
	play_pool(&p, POOL, 0);
	wants(&p, "withdraw 10.0.2.2:10012/12;close 10.0.2.2/12-10.0.2.1:80;"
		  "withdraw 10.0.3.2:10013/13;close 10.0.3.2/13-10.0.3.1:80;");
	play_down(&p, &a, 0);
	play_down(&p, &b, 0);
	wanted_none(&p);
	play_pool(&p, text, 0);
	wants(&p, "join 10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.3.1:80;");
	play_close(&p);
}

/* Its subflow went on: as the last path, or because it was a moment only. */
Test(kinds, endpoint_that_is_there_again_has_its_subflow_again)
{
	static const char text[] = POOL "endpoint=10.0.1.2 id 11\n" A "\n";
	struct play p;

	connected(&p, text);
	play_pool(&p, POOL, 0);
	wants(&p, "");
	play_pool(&p, text, 0);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	cr_assert_eq(play_view(&p, TOKEN).endpoints_used, 3);
	play_pool(&p, POOL A "\n", 0);
	wants(&p, "withdraw 10.0.1.2:40001/0;close 10.0.1.2/0-10.0.1.1:80;");
	play_close(&p);
}

Test(kinds, signal_endpoint_taken_out_is_withdrawn)
{
	struct play p;

	connected(&p, POOL A " signal\n" B " signal\n");
	play_pool(&p, POOL B " signal\n", 0);
	wants(&p, "withdraw 10.0.2.2/12;");
	play_pool(&p, POOL A " signal\n" B " signal\n", 0);
	wants(&p, "announce 10.0.2.2/12;");
	play_pool(&p, POOL A " laminar\n" B " signal\n", 0); /* another kind */
	wants(&p, "withdraw 10.0.2.2/12;");
	cr_assert_eq(engine_counters(p.engine)->withdrawn, 2);
	play_close(&p);
}

Test(kinds, signal_endpoint_that_is_gone_is_withdrawn_and_comes_back)
{
	static const char text[] = POOL A " signal\n" B "\n";
	struct play p;

	connected(&p, text);
	wants(&p, "announce 10.0.2.2/12;");
	play_pool(&p, text, 1);
	wants(&p, "withdraw 10.0.2.2/12;");
	play_pool(&p, text, 0);
	wants(&p, "announce 10.0.2.2/12;");
	play_close(&p);
}

Test(kinds, changed_backup_flag_is_sent_once)
{
	struct play p;

	connected(&p, POOL A "\n");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, POOL A " laminar backup\n", 0);
	wants(&p, "flags 10.0.2.2/12-10.0.2.1:80 backup;");
	play_pool(&p, POOL A " laminar backup\n", 0);
	wants(&p, "");
	play_pool(&p, POOL A "\n", 0);
	wants(&p, "flags 10.0.2.2/12-10.0.2.1:80;");
	play_close(&p);
}

Test(kinds, backup_endpoint_of_the_first_address_makes_that_backup)
{
	struct play p;

	play_open(&p, POOL "endpoint=10.0.1.2 backup\n");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	wants(&p, "flags 10.0.1.2/0-10.0.1.1:80 backup;");
	play_close(&p);
}

Test(kinds, lost_address_moves_its_subflow_and_serves_again_when_it_is_back)
{
	static const char text[] = POOL A "\n" B "\n";
	struct play p;

	connected(&p, text);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, text, 1);
	wants(&p, "withdraw 10.0.2.2:10012/12;reset 10.0.2.2/12-10.0.2.1:80;"
		  "join 10.0.3.2/13-10.0.2.1:80;");
	all_up(&p);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wants(&p, "");
	play_pool(&p, text, 0);
	wants(&p, "join 10.0.2.2/12-10.0.3.1:80;");
	play_close(&p);
}

Test(kinds, announced_address_of_the_last_path_is_withdrawn_when_there_is_another)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, POOL A " subflow signal\n" B " subflow\n");
	wants(&p, "announce 10.0.2.2/12;join 10.0.2.2/12-10.0.1.1:80;"
		  "join 10.0.3.2/13-10.0.1.1:80;");
	c = p.out.v[1];
	play_up(&p, &c);
	play_foreign_down(&p, TOKEN, "10.0.1.2:40001", "10.0.1.1:80");
	play_pool(&p, POOL A " subflow signal\n" B " subflow\n", 1);
	wants(&p, "");
	play_foreign_up(&p, TOKEN, "10.0.3.2:3000", 13, "10.0.1.1:80");
	wants(&p, "withdraw 10.0.2.2:10012/12;reset 10.0.2.2/12-10.0.1.1:80;"
		  "withdraw 10.0.2.2/12;");
	play_close(&p);
}

Test(kinds, join_whose_address_went_away_counts_until_its_syn_has_ended)
{
	static const char text[] = POOL A "\n" B "\n[limits]\nsubflows=1\n";
	struct pm_cmd c;
	struct play p;

	connected(&p, text);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.2.2/12-10.0.2.1:80;");
	c = p.out.v[0];
	play_pool(&p, text, 1);
	wants(&p, "");
	play_down(&p, &c, ETIMEDOUT);
	wants(&p, "join 10.0.3.2/13-10.0.2.1:80;");
	play_close(&p);
}

Test(kinds, last_path_is_left_alone)
{
	static const char text[] = POOL "endpoint=10.0.1.2\n";
	struct play p;

	connected(&p, text);
	play_pool(&p, text, 1);
	wants(&p, "");
	play_pool(&p, text, 0);
	wants(&p, "");
	play_close(&p);
}

Test(kinds, lost_first_path_is_made_again_when_its_address_is_back)
{
	static const char text[] = POOL "endpoint=10.0.1.2 id 11\n" A "\n";
	struct play p;

	connected(&p, text);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, text, 1);
	wants(&p, "withdraw 10.0.1.2:40001/0;reset 10.0.1.2/0-10.0.1.1:80;");
	play_foreign_down(&p, TOKEN, "10.0.1.2:40001", "10.0.1.1:80");
	wants(&p, "");
	play_pool(&p, text, 0);
	cr_assert_eq(p.out.n, 1);
	cr_assert_eq(p.out.v[0].type, PM_CMD_SUBFLOW_CREATE);
	play_close(&p);
}

Test(kinds, join_from_an_address_that_goes_meanwhile_is_closed_when_it_comes_up)
{
	static const char text[] = POOL A "\n" B "\n";
	struct pm_cmd c;
	struct play p;

	connected(&p, text);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, text, 1);
	wants(&p, "join 10.0.3.2/13-10.0.2.1:80;");
	all_up(&p);
	play_up(&p, &c);
	wants(&p, "withdraw 10.0.2.2:10012/12;close 10.0.2.2/12-10.0.2.1:80;");
	play_close(&p);
}

Test(kinds, join_from_an_address_that_is_back_in_time_is_kept)
{
	static const char text[] = POOL A "\n";
	struct pm_cmd c;
	struct play p;

	connected(&p, text);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, text, 1);
	wants(&p, "");
	play_pool(&p, text, 0);
	wants(&p, "");
	play_up(&p, &c);
	wants(&p, "");
	cr_assert_eq(play_view(&p, TOKEN).subflows, 2);
	play_close(&p);
}

Test(kinds, join_from_an_address_that_went_and_fails_is_forgotten)
{
	static const char text[] = POOL A "\n" B "\n";
	struct pm_cmd c;
	struct play p;

	connected(&p, text);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_pool(&p, text, 1);
	wants(&p, "join 10.0.3.2/13-10.0.2.1:80;");
	play_down(&p, &c, ETIMEDOUT);
	wants(&p, "");
	play_close(&p);
}

Test(kinds, waiting_pair_of_an_endpoint_that_goes_is_forgotten_until_it_is_back)
{
	static const char text[] = POOL A " subflow\n" B "\n";
	struct pm_cmd c;
	struct play p;

	connected(&p, text);
	wants(&p, "join 10.0.2.2/12-10.0.1.1:80;");
	c = p.out.v[0];
	play_down(&p, &c, ETIMEDOUT);
	cr_assert_gt(engine_wait(p.engine), 0);
	play_pool(&p, text, 1);
	wants(&p, "");
	cr_assert_eq(engine_wait(p.engine), -1);
	play_pool(&p, text, 0);
	wants(&p, "join 10.0.2.2/12-10.0.1.1:80;");
	play_close(&p);
}

Test(kinds, fullmesh_endpoint_that_is_back_goes_to_all_again)
{
	static const char text[] = POOL A " fullmesh\n" B " fullmesh\n";
	struct play p;

	connected(&p, text);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	all_up(&p);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	all_up(&p);
	play_pool(&p, text, 1);
	cr_assert_geq(p.out.n, 3);
	for (unsigned int i = 0; i < p.out.n; i++)
		cr_assert_neq(p.out.v[i].type, PM_CMD_SUBFLOW_CREATE);
	play_foreign_down(&p, TOKEN, "10.0.2.2:10012", "10.0.2.1:80");
	play_foreign_down(&p, TOKEN, "10.0.2.2:10012", "10.0.3.1:80");
	play_pool(&p, text, 0);
	wants(&p, "join 10.0.2.2/12-10.0.2.1:80;join 10.0.2.2/12-10.0.3.1:80;");
	play_close(&p);
}

Test(kinds, section_of_the_destination_is_used)
{
	static const char text[] =
		POOL A "\n[pool \"10.0.0.0/8\"]\n" B
		       "\n[pool \"10.0.1.0/24\"]\nendpoint=10.0.4.2 id 4\n"
		       "[app]\nexclude=10.0.9.0/24\n";
	struct play p;

	connected(&p, text);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.4.2/4-10.0.2.1:80;");
	play_connect(&p, 2, "10.0.1.2", "10.7.1.1:80");
	play_announce(&p, 2, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.3.2/13-10.0.2.1:80;");
	play_connect(&p, 3, "10.0.1.2", "192.0.2.1:80");
	play_announce(&p, 3, 1, "10.0.2.1:80");
	wants(&p, "join 10.0.2.2/12-10.0.2.1:80;");
	play_connect(&p, 4, "10.0.1.2", "10.0.9.1:80");
	play_announce(&p, 4, 1, "10.0.2.1:80");
	wants(&p, "");
	play_pool(&p, POOL A "\n", 0); /* not excluded any more */
	for (unsigned int i = 0; i < p.out.n; i++)
		if (p.out.v[i].token == 4)
			cr_assert_eq(p.out.v[i].type, PM_CMD_SUBFLOW_CREATE);
	play_close(&p);
}

Test(kinds, more_commands_than_fit_go_on_later)
{
	char text[2048] = POOL;
	unsigned int total = 0;
	struct play p;
	bool more;

	for (int i = 1; i <= 40; i++)
		sprintf(text + strlen(text), "endpoint=10.1.0.%d signal\n", i);
	for (int i = 1; i <= 20; i++)
		sprintf(text + strlen(text), "endpoint=10.2.0.%d subflow\n", i);
	strcat(text, "[limits]\nsubflows=64\n");
	play_open(&p, text);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	engine_set_clock(p.engine, 1);
	for (int i = 0; i < 10 && total < 60; i++) {
		p.out.n = 0;
		more = engine_tick(p.engine, &p.out);
		total += p.out.n;
		cr_assert(more == (total < 60) || total == 60);
	}
	cr_assert_eq(total, 60);
	play_pool(&p, POOL, 0);
	for (total = p.out.n; p.out.n && total < 100; total += p.out.n) {
		p.out.n = 0;
		engine_tick(p.engine, &p.out);
	}
	cr_assert_geq(total, 40, "%u commands", total); /* 40 are withdrawn */
	play_close(&p);
}

Test(kinds, raised_limits_let_waiting_announcements_in)
{
	struct play p;

	connected(&p, POOL A "\n" B "\n[limits]\nadd_addr_accepted=1\n");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wants(&p, "");
	play_pool(&p, POOL A "\n" B "\n[limits]\nadd_addr_accepted=2\n", 0);
	wants(&p, "join 10.0.3.2/13-10.0.3.1:80;");
	play_close(&p);
}

Test(kinds, inherited_connections_are_left_alone_until_they_are_taken_over)
{
	struct play p;

	connected(&p, POOL A "\n" B " signal\n");
	engine_inherit(p.engine);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wants(&p, "");
	play_pool(&p, POOL A "\n", 0);
	wants(&p, "");
	cr_assert_eq(engine_wait(p.engine), -1);
	engine_take_over(p.engine);
	cr_assert_eq(engine_wait(p.engine), 0);
	play_time(&p, 10);
	wants(&p, "withdraw 10.0.3.2/13;join 10.0.2.2/12-10.0.2.1:80;");
	play_close(&p);
}
