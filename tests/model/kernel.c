// SPDX-License-Identifier: MIT
/*
 * kernel.c - subflows, and the commands that make and end them
 */
#include "kernel.h"
#include "shim/engine/state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void kernel_event(struct world *w, enum pm_event_type type, const struct sub *sub,
		  uint8_t error)
{
	assert(w->n_events < 4 * SUBS_MAX);
	w->events[w->n_events++] = (struct pm_event){ .type = type,
						      .token = TOKEN,
						      .family = AF_INET,
						      .local = sub->local,
						      .remote = sub->remote,
						      .local_id = sub->local_id,
						      .remote_id = sub->remote_id,
						      .error = error };
}

void kernel_end(struct world *w, struct sub *sub, uint8_t error)
{
	struct sub was = *sub;

	memmove(sub, sub + 1, (char *)(w->subs + w->n_subs--) - (char *)(sub + 1));
	kernel_event(w, PM_EVENT_SUB_CLOSED, &was, error);
}

/* Whether the engine can know that a path from @local carries nothing. */
static bool is_known_dead(const struct world *w, const struct mpaddr *local)
{
	const struct pool *pool = &w->pools[w->pool];
	const struct endpoint *ep;

	for_each_endpoint (pool, ep)
		if (mpaddr_same_ip(&ep->addr, local) && ep->state >= ENDPOINT_DOWN)
			return true;
	return false;
}

/* The engine ends @sub. */
static void sub_end_ours(struct world *w, struct sub *sub, uint8_t error)
{
	const bool path = sub->live && has(w->links & w->addrs, &sub->local);
	bool any =
		w->scene->how & LATE && w->n_events; /* perhaps the end of the others */

	kernel_end(w, sub, error);
	for (unsigned int i = 0; i < w->n_subs; i++)
		any |= w->subs[i].live && !is_known_dead(w, &w->subs[i].local);
	if (path && !any)
		world_fault(w, "the last path is closed by us");
}

/* Routing picks the address of @cmd; it gets an ID of the kernel's, unless it has one. */
static struct pm_cmd with_routing(const struct world *w, const struct pm_cmd *cmd)
{
	struct pm_cmd picked = *cmd;
	struct mpaddr first;

	world_route((void *)w, &cmd->remote, &picked.local);
	mpaddr_parse(w->scene->first, &first);
	picked.local_id = 0;
	if (mpaddr_same_ip(&picked.local, &first))
		return picked;
	for (unsigned int i = 255; i; i--)
		if (!w->ids[i] && !picked.local_id)
			picked.local_id = i;
	for (unsigned int i = 1; i < 256; i++)
		if (w->ids[i] == net_of(&picked.local))
			picked.local_id = i;
	return picked;
}

/* Whether an earlier subflow has the addresses and ports of the last one, @sub. */
static bool has_twin(const struct world *w, const struct sub *sub)
{
	const struct sub *other = w->subs;

	while (other < sub && (!mpaddr_equal(&other->local, &sub->local) ||
			       !mpaddr_equal(&other->remote, &sub->remote)))
		other++;
	return other < sub;
}

/* Whether @cmd asks about a path, and is alone in that. */
static bool probes_path(const struct world *w, const struct pm_cmd *cmd)
{
	const struct sub *sub, *path = NULL;

	for (sub = w->subs; sub < w->subs + w->n_subs; sub++) {
		if (!mpaddr_same_ip(&sub->local, &cmd->local) ||
		    !mpaddr_equal(&sub->remote, &cmd->remote))
			continue;
		if (path)
			return false;
		path = sub;
	}
	return w->scene->how & HOLES && path && path->live;
}

/* An announced address, which `subflow` and `signal` endpoints do not join themselves */
static bool is_left_to_routing(const struct world *w, const struct pm_cmd *cmd)
{
	const struct endpoint *ep = &w->pools[w->pool].endpoints[cmd->endpoint];

	return net_of(&cmd->remote) > FIRST_NET &&
	       !(ep->flags & (MPTCP_PM_ADDR_FLAG_LAMINAR | MPTCP_PM_ADDR_FLAG_FULLMESH));
}

static int kernel_create(struct world *w, const struct pm_cmd *cmd)
{
	const struct pm_cmd picked = with_routing(w, cmd);
	struct sub *sub = &w->subs[w->n_subs];
	unsigned int net;

	if (mpaddr_is_any(&cmd->local))
		cmd = &picked;
	net = net_of(&cmd->local);
	world_say(w, "join", &cmd->local, &cmd->remote);
	for (unsigned int i = 1; i < 256; i++)
		if (cmd != &picked && w->ids[i] &&
		    (w->ids[i] == net) != (i == cmd->local_id))
			world_fault(w, "an address has two IDs, or an ID two addresses");
	if (cmd->endpoint >= 0 && w->engine->held & endpoint_bit(cmd->endpoint) &&
	    !is_left_to_routing(w, cmd))
		world_fault(w, "an endpoint that came and went often is used");
	if (cmd->endpoint >= 0 &&
	    world_is_laminar(&w->pools[w->pool].endpoints[cmd->endpoint]) &&
	    world_uses(w, &cmd->local) && !probes_path(w, cmd))
		world_fault(w, "an address is used twice");
	if (!has(w->addrs & w->routes, &cmd->local)) {
		w->ids[cmd->local_id] = 0;
		return has(w->addrs, &cmd->local) ? ENETUNREACH : EADDRNOTAVAIL;
	}
	assert(w->n_subs < SUBS_MAX);
	w->n_subs++;
	w->ids[cmd->local_id] = net;
	*sub = (struct sub){ .local = cmd->local,
			     .remote = cmd->remote,
			     .local_id = cmd->local_id,
			     .routed = cmd == &picked };
	sub->local.port = 40000 + net;
	while (has_twin(w, sub))
		sub->local.port += WIDTH + 1;
	if (net_of(&cmd->remote) > FIRST_NET)
		sub->remote_id = net_of(&cmd->remote) - FIRST_NET;
	return 0;
}

/* Whether another subflow of its pair is established. */
static bool has_other(const struct world *w, const struct sub *sub)
{
	for (unsigned int i = 0; i < w->n_subs; i++)
		if (&w->subs[i] != sub && w->subs[i].live &&
		    mpaddr_same_ip(&w->subs[i].local, &sub->local) &&
		    mpaddr_equal(&w->subs[i].remote, &sub->remote))
			return true;
	return false;
}

static int kernel_destroy(struct world *w, const struct pm_cmd *cmd)
{
	world_say(w, cmd->reset ? "reset" : "destroy", &cmd->local, &cmd->remote);
	for (unsigned int i = 0; i < w->n_subs; i++) {
		struct sub *sub = &w->subs[i];

		if (!mpaddr_same_ip(&sub->local, &cmd->local) ||
		    !mpaddr_equal(&sub->remote, &cmd->remote) ||
		    (cmd->local.port ? cmd->local.port != sub->local.port : sub->live))
			continue;
		if (cmd->reset && w->scene->how & HOLES && !(w->scene->how & LATE) &&
		    !has_other(w, sub))
			world_fault(w, "a silent path is reset before it answers");
		sub_end_ours(w, sub, sub->live ? 0 : ECONNRESET);
		return 0;
	}
	return ESRCH;
}

int kernel_execute(struct world *w, const struct pm_cmd *cmd)
{
	switch (cmd->type) {
	case PM_CMD_SUBFLOW_CREATE:
		return kernel_create(w, cmd);
	case PM_CMD_SUBFLOW_DESTROY:
		return kernel_destroy(w, cmd);
	case PM_CMD_REMOVE:
		world_say(w, "withdraw", &cmd->local, NULL);
		w->removing[cmd->local_id] = true;
		return 0;
	case PM_CMD_ANNOUNCE:
	case PM_CMD_SET_FLAGS:
	case PM_CMD_CHECK:
		break;
	}
	return 0;
}

/*
 * No path carries data again by itself, so that each is made anew. In scenes with black
 * holes data flows.
 */
void kernel_check(struct world *w, const struct pm_cmd *cmd, struct pm_cmds *out)
{
	struct conn *conn = conn_find(&w->engine->table, TOKEN);
	const struct subflow *s =
		conn_subflow_find(conn, conn_find_ref(conn, &cmd->local),
				  conn_find_ref(conn, &cmd->remote));
	struct pm_health health = { .routed = world_works(w, &cmd->local),
				    .unacked = true };

	for (unsigned int i = 0; i < w->n_subs && s && w->scene->how & HOLES; i++) {
		if (!mpaddr_equal(&w->subs[i].local, &cmd->local) ||
		    !mpaddr_equal(&w->subs[i].remote, &cmd->remote))
			continue;
		health.received = true;
		health.delivered = s->delivered + (1 << 20);
		health.carried = s->carried + !w->subs[i].stuck;
		health.retransmits =
			w->subs[i].stuck && world_is_known(&cmd->local) ? 2 : 0;
	}

	world_say(w, "check", &cmd->local, &cmd->remote);
	engine_checked(w->engine, cmd, &health, out);
}

/* The peer has our REMOVE_ADDR. Return: whether that ended a subflow. */
bool peer_removes(struct world *w)
{
	for (unsigned int i = 0; i < w->n_subs; i++) {
		if (!w->subs[i].live || !w->removing[w->subs[i].local_id])
			continue;
		/* The engine may not have known that the address was this one. */
		if (w->subs[i].routed && w->subs[i].remote_id)
			w->closed[w->subs[i].remote_id - 1] = true;
		sub_end_ours(w, &w->subs[i], 0);
		return true;
	}
	memset(w->removing, 0, sizeof(w->removing));
	return false;
}
