// SPDX-License-Identifier: MIT
/*
 * tick.c - more commands than a list holds, connections in turn
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRIES(n) "[retry]|first=1s|max=8s|tries=" n "|"
#define FIXED	 "[pool]|endpoint=10.0.2.2 subflow|"

Test(tick, full_list_of_commands_lets_an_announcement_wait_a_moment)
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

Test(tick, mesh_wider_than_the_list_of_commands_is_finished)
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

Test(tick, commands_that_do_not_fit_follow_later)
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
	play_pool(&p, POOL, 0, ENDPOINT_REMOVED);
	for (total = p.out.n; p.out.n && total < 100; total += p.out.n) {
		p.out.n = 0;
		engine_tick(p.engine, &p.out);
	}
	cr_assert_geq(total, 40, "%u commands", total); /* 40 are withdrawn */
	play_close(&p);
}

Test(tick, full_list_of_commands_delays_the_changes_of_a_pool)
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
	play_pool(&p, after, 0, ENDPOINT_REMOVED);
	for (n = 0; p.out.n; play_time(&p, 10 + n))
		for (unsigned int k = 0; k < p.out.n; k++, n++)
			cr_assert_eq(p.out.v[k].type, PM_CMD_SET_FLAGS);
	cr_assert_eq(n, 30, "%u flags", n);
	play_pool(&p, POOL, 0, ENDPOINT_REMOVED);
	for (n = 0; p.out.n && n < 200; play_time(&p, 100 + n))
		for (unsigned int k = 0; k < p.out.n; k++, n++)
			removed += p.out.v[k].type == PM_CMD_SUBFLOW_DESTROY;
	cr_assert_eq(removed, 30, "%u closed", removed);
	play_close(&p);
}

/* The list of commands fills up until everything that waits is requested. */
Test(tick, full_list_of_commands_loses_nothing)
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

Test(tick, many_connections_are_served_in_turn)
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

HISTORY(tick, connections_are_due_in_the_order_of_their_timers,
	"[pool]|endpoint=10.0.2.2 subflow|" TRIES("9"),
	"@1 start\n"
	"@2 start\n"
	"@3 start\n"
	"@4 start\n"
	"@1 down 10.0.2.2-10.0.1.1:80 ECONNREFUSED\n"
	"time 100\n"
	"@2 down 10.0.2.2-10.0.1.1:80 ECONNREFUSED\n"
	"time 500\n"
	"@3 down 10.0.2.2-10.0.1.1:80 ECONNREFUSED\n"
	"@4 down 10.0.2.2-10.0.1.1:80 ECONNREFUSED\n"
	"wait 501 626\n"
	"@1 closed\n"
	"wait 600 726\n"
	"time 1226 > join 10.0.2.2-10.0.1.1:80;\n" /* 2 */
	"wait 274 400\n"
	"@4 closed\n"
	"time 1626 > join 10.0.2.2-10.0.1.1:80;\n" /* 3 */
	"wait none\n"
	"@3 closed\n")

#define CROWD 300

/* The earliest retry that any connection reports. */
static int first_retry(struct play *p)
{
	static struct pm_announced_report ann[2 * CROWD];
	unsigned int i, n;
	uint64_t next;
	int first = -1;

	n = engine_report(p->engine, 0, 2 * CROWD, NULL, ann, &next);
	cr_assert_eq(next, 0);
	for (i = 0; i < n; i++)
		if (ann[i].retry_ms && (first < 0 || (int)ann[i].retry_ms < first))
			first = ann[i].retry_ms;
	return first;
}

/* Timers start, fire and end in another order than that of their connections. */
Test(tick, engine_waits_for_the_earliest_of_many_timers)
{
	unsigned int i, token, state = 1, due = 0;
	int64_t now = UINT32_MAX - INT64_C(20000); /* the milliseconds wrap meanwhile */
	struct pm_cmd cmd = { .local = at("10.0.2.2"), .remote = at("10.0.2.1:80") };
	struct pm_cmds cmds;
	struct play p;
	int wait;

	play_open(&p, POOL "endpoint=10.0.2.2|" TRIES("9"));
	play_time(&p, now);
	for (token = 1; token <= CROWD; token++)
		play_connect(&p, token, "10.0.1.2", "10.0.1.1:80");
	for (i = 0; i < 20 * CROWD; i++) {
		state = state * 1103515245 + 12345;
		token = cmd.token = 1 + (state >> 16) % CROWD;
		switch (state >> 8 & 3) {
		case 0:
			play_closed(&p, token);
			play_connect(&p, token, "10.0.1.2", "10.0.1.1:80");
			break;
		case 1:
			wait = engine_wait(p.engine);
			now += wait >= 0 ? wait : 1;
			play_time(&p, now);
			due += p.out.n;
			cr_assert(wait < 0 || p.out.n, "nothing is due after %d ms",
				  wait);
			cmds = p.out;
			for (unsigned int k = 0; k < cmds.n; k++)
				play_down(&p, &cmds.v[k], ECONNREFUSED);
			break;
		default:
			play_announce(&p, token, 1, "10.0.2.1:80");
			if (p.out.n)
				play_down(&p, &cmd, ECONNREFUSED);
		}
		wait = first_retry(&p);
		cr_assert_eq(engine_wait(p.engine), wait, "%d ms in place of %d",
			     engine_wait(p.engine), wait);
	}
	cr_assert_gt(due, CROWD);
	for (token = 1; token <= CROWD; token++)
		play_closed(&p, token);
	play_close(&p);
}
