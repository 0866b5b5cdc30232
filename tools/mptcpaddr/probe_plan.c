// SPDX-License-Identifier: MIT
/*
 * probe_plan.c - which paths a pool gives to a connection, without opening them
 *
 * The engine decides, as it does in programs: it gets the events of a connection to this
 * server, and its commands are answered as the handshakes were. Nothing is sent.
 */
#include "probe.h"

#include <errno.h>
#include <string.h>

#define TOKEN	   1
#define CLOCK_MS   100
#define ROUNDS_MAX 256 /* commands that are answered */

static bool plan_find_route(void *ctx, const struct mpaddr *remote,
			    struct mpaddr *ret_local)
{
	return rtnl_find_source(remote, ret_local);
}

/* Whether a join from @local would be answered: its SYN takes the same way. */
static bool is_answered(const struct probe *probe, const struct mpaddr *local)
{
	unsigned int i;

	for (i = 0; i < probe->n; i++)
		if (mpaddr_same_ip(&probe->handshakes[i].bound, local))
			return probe->handshakes[i].result == HANDSHAKE_MPTCP;
	return true;
}

static void add_path(struct plan *plan, const struct pm_cmd *cmd)
{
	if (plan->n == PATHS_MAX)
		return;
	plan->paths[plan->n++] =
		(struct planned){ .local = cmd->local,
				  .remote = cmd->remote,
				  .backup = cmd->flags & MPTCP_PM_ADDR_FLAG_BACKUP };
	if (cmd->endpoint >= 0)
		plan->endpoints_used |= 1ull << cmd->endpoint;
}

/* Answer a command, and report its subflow. What follows from that goes to @out. */
static void plan_answer(const struct probe *probe, struct engine *engine,
			struct plan *plan, const struct pm_cmd *cmd, struct pm_cmds *out)
{
	struct pm_event ev = { .type = PM_EVENT_SUB_ESTABLISHED,
			       .token = TOKEN,
			       .family = probe->peer.family,
			       .local = cmd->local,
			       .remote = cmd->remote,
			       .local_id = cmd->local_id,
			       .remote_id = cmd->remote_id };

	if (cmd->type != PM_CMD_SUBFLOW_CREATE) {
		engine_result(engine, cmd, 0, out);
	} else if (!is_answered(probe, &cmd->local)) {
		engine_result(engine, cmd, EHOSTUNREACH, out);
	} else {
		engine_result(engine, cmd, 0, out);
		ev.local.port = 1024 + plan->n;
		engine_handle(engine, &ev, out);
		add_path(plan, cmd);
	}
}

/* @ev: NULL: what the engine does by itself, by now */
static void play_event(const struct probe *probe, struct engine *engine,
		       struct plan *plan, const struct pm_event *ev)
{
	struct pm_cmds queue[2] = { { .n = 0 } };
	struct pm_cmds *now = queue, *next = queue + 1, *other;
	unsigned int i, rounds = 0;

	if (ev)
		engine_handle(engine, ev, now);
	do {
		next->n = 0;
		for (i = 0; i < now->n && rounds < ROUNDS_MAX; i++, rounds++)
			plan_answer(probe, engine, plan, &now->v[i], next);
		if (!next->n)
			engine_tick(engine, next);
		other = now;
		now = next;
		next = other;
	} while (now->n && rounds < ROUNDS_MAX);
}

static void play_server(const struct probe *probe, const struct handshake *first,
			struct engine *engine, struct plan *plan)
{
	struct pm_event ev = { .type = PM_EVENT_CREATED,
			       .token = TOKEN,
			       .family = probe->peer.family,
			       .local = first->local,
			       .remote = probe->peer,
			       .deny_join_id0 = probe->c_flag };
	unsigned int i;

	play_event(probe, engine, plan, &ev);
	ev.type = PM_EVENT_ESTABLISHED;
	play_event(probe, engine, plan, &ev);
	for (i = 0; i < probe->n_announced; i++) {
		ev = (struct pm_event){ .type = PM_EVENT_ANNOUNCED,
					.token = TOKEN,
					.remote_id = probe->announced[i].id,
					.remote = probe->announced[i].addr };
		play_event(probe, engine, plan, &ev);
	}
	/* `subflow` endpoints leave announcements a moment. */
	engine_set_clock(engine, 2 * CLOCK_MS);
	play_event(probe, engine, plan, NULL);
}

int plan_make(const struct probe *probe, const struct handshake *first,
	      struct plan *ret_plan)
{
	const struct pm_registration reg = { .token = TOKEN };
	struct engine *engine = engine_new(&probe->pool);
	uint64_t next;

	if (!engine)
		return -ENOMEM;
	*ret_plan = (struct plan){
		.n = 1, .paths[0] = { .local = first->local, .remote = probe->peer }
	};
	engine_set_callbacks(engine, plan_find_route, NULL, NULL);
	engine_set_own(engine, rtnl_has_address, (void *)&probe->machine);
	engine_set_clock(engine, CLOCK_MS);
	engine_register(engine, &reg);
	play_server(probe, first, engine, ret_plan);
	engine_report(engine, 0, 1, &ret_plan->report, NULL, &next);
	ret_plan->n_announced = engine_report(engine, 0, ENGINE_ANNOUNCED_MAX, NULL,
					      ret_plan->announced, &next);
	engine_free(engine);
	return 0;
}
