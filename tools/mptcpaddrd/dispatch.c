// SPDX-License-Identifier: MIT
/*
 * dispatch.c - give events to the right engine, send commands that the policy allows, and
 * resynchronise all engines after lost events
 */
#include "broker.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/netlink.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <stdlib.h>

static void count_subflows(struct client_conn *conn, int by)
{
	conn->subflows += by;
	conn->client->user->subflows += by;
}

/* Joins from the first address have its local ID, 0, and others may have made some. */
static void recount_subflows(struct client_conn *conn)
{
	count_subflows(conn,
		       engine_joins(conn->client->engine, conn->token) - conn->subflows);
}

int dispatch_command(void *ctx, const struct pm_cmd *cmd)
{
	struct broker *b = ctx;
	const struct policy *policy = &b->policy;
	struct client_conn *conn = client_conn_find(b, cmd->token);
	int r;

	if (!conn)
		return -ENOENT;
	if (cmd->type != PM_CMD_SUBFLOW_CREATE)
		return pm_command_send(b->command_fd, b->pump.family_id, cmd);
	if (conn->client->user->subflows >= policy->user_subflows)
		return -EDQUOT;
	/* Routing would choose an address that is not checked against the policy. */
	if ((policy->addresses.n || policy->n_devices) && mpaddr_is_any(&cmd->local))
		return -EACCES;
	r = pm_command_send(b->command_fd, b->pump.family_id, cmd);
	if (r == 0 || r == -ETIMEDOUT)
		count_subflows(conn, 1);
	return r;
}

bool dispatch_event(struct broker *b, const struct pm_event *ev)
{
	struct client_conn *conn = client_conn_find(b, ev->token);
	struct client *client;

	if (!conn)
		return false;
	client = conn->client;
	/* At once: the event may lead to another subflow. */
	if (ev->type == PM_EVENT_SUB_CLOSED && conn->subflows &&
	    engine_has_join(client->engine, ev))
		count_subflows(conn, -1);
	engine_set_clock(client->engine, clock_ms());
	if (pump_deliver(&b->pump, client->engine, ev) == -ENOENT) {
		client_conn_drop(b, conn); /* the engine has dropped it */
		return false;
	}
	recount_subflows(conn);
	client->about.events++;
	if (ev->type == PM_EVENT_ESTABLISHED && !ev->server_side)
		rearm_established(b, ev);
	client->due_ms = 0;
	if (client->first.mode != FIRST_ROUTING &&
	    (ev->type == PM_EVENT_CREATED || ev->type == PM_EVENT_SUB_ESTABLISHED))
		first_paths_worked(b, client->user, &ev->local);
	if (ev->type == PM_EVENT_CLOSED)
		client_conn_drop(b, conn);
	return true;
}

void dispatch_early(struct broker *b, struct client *client, uint32_t token)
{
	struct pm_event ev;

	while (early_take(&b->pump.early, token, &ev))
		client->about.events_replayed += dispatch_event(b, &ev);
}

/* First paths whose SYN has no answer. */
static void dispatch_unanswered(struct broker *b)
{
	struct client_conn *conn;
	struct pm_event first;

	while (first_check_next(&b->first_checks, b->pump.diag_fd, &first)) {
		conn = client_conn_find(b, first.token);
		if (!conn)
			continue;
		first_paths_avoid(b, conn->client->user, &first.local);
		engine_note_unanswered(conn->client->engine, &first);
	}
}

void dispatch_timers(struct broker *b)
{
	const int64_t now = clock_ms();
	struct client *client;
	int wait;

	dispatch_unanswered(b);
	for (client = b->clients; client; client = client->next) {
		if (client->due_ms > now)
			continue;
		engine_set_clock(client->engine, now);
		if (pump_expire_conns(client->engine)) {
			client_conn_sweep(b, client);
			rearm_notice(b); /* they may be TCP */
		}
		wait = client_serve_quota(client);
		pump_tick(&b->pump, client->engine);
		wait = pump_earlier(wait, engine_wait(client->engine));
		client->due_ms = wait < 0 ? INT64_MAX : now + wait;
	}
}

int resync_clients(struct broker *b)
{
	struct client_conn *conn, *next;
	struct client *client;
	struct diag_subflows all;
	unsigned int i;
	int r;

	r = diag_read_subflows(&all);
	if (r < 0)
		return r;
	if (b->policy.adopt)
		for (i = 0; i < all.n; i++)
			if (all.v[i].initial && !client_conn_find(b, all.v[i].sub.token))
				adopt_connection(b, all.v[i].sub.token, !all.v[i].active);
	for (client = b->clients; client; client = client->next) {
		engine_set_clock(client->engine, clock_ms());
		r = engine_resync(client->engine, all.v, all.n) ?: r;
		client_conn_sweep(b, client);
		client->due_ms = 0;
	}
	HASH_ITER (hh, b->conns, conn, next)
		recount_subflows(conn);
	free(all.v);
	return r;
}
