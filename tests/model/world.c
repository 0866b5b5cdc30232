// SPDX-License-Identifier: MIT
/*
 * world.c - the kernel, the machine and the peer of model.h
 *
 * Commands are executed one by one, as the event pump sends them. The kernel's state
 * changes at once; its events reach the engine in order.
 */
#include "model.h"
#include "shim/engine/state.h"
#include "shim/netlink/request.h"
#include "shim/pool/endpoint.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL	    ((1 << WIDTH) - 1)
#define FIRST_NET   1 /* 10.0.1.0/24 is the peer's first address's, and never goes */
#define PORT	    80
#define ROUNDS_MAX  100
#define HEALING_MAX 40

static struct mpaddr ip(unsigned int net, unsigned int host, uint16_t port)
{
	const uint8_t bytes[] = { 10, 0, net, host };
	struct mpaddr addr = { .port = port };

	mpaddr_set(&addr, AF_INET, bytes);
	return addr;
}

static unsigned int net_of(const struct mpaddr *addr)
{
	return addr->ip[2];
}

/* The bit of the interface with @addr; 0: that of FIRST_NET. */
static uint8_t bit_of(const struct mpaddr *addr)
{
	return net_of(addr) > FIRST_NET ? 1 << (net_of(addr) - FIRST_NET - 1) : 0;
}

static bool has(uint8_t mask, const struct mpaddr *local)
{
	return !bit_of(local) || mask & bit_of(local);
}

struct mpaddr world_remote(unsigned int announced)
{
	return ip(FIRST_NET + 1 + announced, 1, PORT);
}

/* The link to @remote's network, else that of the first subflow, as a default route. */
static bool route_of(void *ctx, const struct mpaddr *remote, struct mpaddr *ret_local)
{
	const struct world *w = ctx;

	*ret_local = ip(net_of(remote), 2, 0);
	if (!has(w->addrs & w->routes, ret_local))
		mpaddr_parse(w->scene->first, ret_local);
	return true;
}

/* Whether packets from @local reach the peer. */
static bool world_works(const struct world *w, const struct mpaddr *local)
{
	return has(w->links & w->addrs & w->routes & ~w->holes, local);
}

bool world_is_known(const struct mpaddr *local)
{
	return bit_of(local) != 1 << (WIDTH - 1);
}

bool world_uses(const struct world *w, const struct mpaddr *local)
{
	for (unsigned int i = 0; i < w->n_subs; i++)
		if (mpaddr_same_ip(&w->subs[i].local, local) &&
		    (w->subs[i].live || !w->subs[i].routed))
			return true;
	return false;
}

bool world_reaches(const struct world *w, unsigned int announced)
{
	const struct mpaddr remote = world_remote(announced);

	for (unsigned int i = 0; i < w->n_subs; i++)
		if (mpaddr_equal(&w->subs[i].remote, &remote))
			return true;
	return false;
}

bool world_is_laminar(const struct endpoint *ep)
{
	return ep->flags & MPTCP_PM_ADDR_FLAG_LAMINAR &&
	       !(ep->flags & MPTCP_PM_ADDR_FLAG_FULLMESH);
}

void world_fault(struct world *w, const char *rule)
{
	if (w->trace)
		fprintf(stderr, "  BROKEN: %s\n", rule);
	w->fault = w->fault ?: rule;
}

static void say(const struct world *w, const char *what, const struct mpaddr *local,
		const struct mpaddr *remote)
{
	char from[MPADDR_TEXT_MAX], to[MPADDR_TEXT_MAX];

	if (w->trace)
		fprintf(stderr, "    %s %s-%s\n", what, mpaddr_text(local, from),
			remote ? mpaddr_text(remote, to) : "");
}

static void event_of(struct world *w, enum pm_event_type type, const struct sub *sub,
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

static void sub_end(struct world *w, struct sub *sub, uint8_t error)
{
	struct sub was = *sub;

	memmove(sub, sub + 1, (char *)(w->subs + w->n_subs--) - (char *)(sub + 1));
	event_of(w, PM_EVENT_SUB_CLOSED, &was, error);
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
	bool any = w->scene->late && w->n_events; /* perhaps the end of the others */

	sub_end(w, sub, error);
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

	route_of((void *)w, &cmd->remote, &picked.local);
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
	return w->scene->holes && path && path->live;
}

static int kernel_create(struct world *w, const struct pm_cmd *cmd)
{
	const struct pm_cmd picked = with_routing(w, cmd);
	struct sub *sub = &w->subs[w->n_subs];
	unsigned int net;

	if (mpaddr_is_any(&cmd->local))
		cmd = &picked;
	net = net_of(&cmd->local);
	say(w, "join", &cmd->local, &cmd->remote);
	for (unsigned int i = 1; i < 256; i++)
		if (cmd != &picked && w->ids[i] &&
		    (w->ids[i] == net) != (i == cmd->local_id))
			world_fault(w, "an address has two IDs, or an ID two addresses");
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
	say(w, cmd->reset ? "reset" : "destroy", &cmd->local, &cmd->remote);
	for (unsigned int i = 0; i < w->n_subs; i++) {
		struct sub *sub = &w->subs[i];

		if (!mpaddr_same_ip(&sub->local, &cmd->local) ||
		    !mpaddr_equal(&sub->remote, &cmd->remote) ||
		    (cmd->local.port ? cmd->local.port != sub->local.port : sub->live))
			continue;
		if (cmd->reset && w->scene->holes && !w->scene->late &&
		    !has_other(w, sub))
			world_fault(w, "a silent path is reset before it answers");
		sub_end_ours(w, sub, sub->live ? 0 : ECONNRESET);
		return 0;
	}
	return ESRCH;
}

static int kernel_execute(struct world *w, const struct pm_cmd *cmd)
{
	switch (cmd->type) {
	case PM_CMD_SUBFLOW_CREATE:
		return kernel_create(w, cmd);
	case PM_CMD_SUBFLOW_DESTROY:
		return kernel_destroy(w, cmd);
	case PM_CMD_REMOVE:
		say(w, "withdraw", &cmd->local, NULL);
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
static void check_health(struct world *w, const struct pm_cmd *cmd, struct pm_cmds *out)
{
	struct conn *conn = conn_find(&w->engine->table, TOKEN);
	const struct subflow *s = conn_subflow_find(conn, &cmd->local, &cmd->remote);
	struct pm_health health = { .routed = world_works(w, &cmd->local),
				    .active = true };

	for (unsigned int i = 0; i < w->n_subs && s && w->scene->holes; i++) {
		if (!mpaddr_equal(&w->subs[i].local, &cmd->local) ||
		    !mpaddr_equal(&w->subs[i].remote, &cmd->remote))
			continue;
		health.delivered = s->delivered + 1;
		health.carried = s->carried + !w->subs[i].stuck;
		health.retransmits =
			w->subs[i].stuck && world_is_known(&cmd->local) ? 2 : 0;
	}

	say(w, "check", &cmd->local, &cmd->remote);
	engine_checked(w->engine, cmd, &health, out);
}

/* The peer has our REMOVE_ADDR. Return: whether that ended a subflow. */
static bool peer_removes(struct world *w)
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

static void take_commands(struct world *w, const struct pm_cmds *out)
{
	assert(w->n_cmds + out->n <= 4 * SUBS_MAX);
	memcpy(&w->cmds[w->n_cmds], out->v, out->n * sizeof(*out->v));
	w->n_cmds += out->n;
}

/* Return: false if nothing was under way. */
static bool serve_one(struct world *w, struct pm_cmds *out)
{
	struct pm_event ev;
	struct pm_cmd cmd;
	int error;

	if (w->n_cmds) {
		cmd = w->cmds[0];
		memmove(w->cmds, w->cmds + 1, --w->n_cmds * sizeof(cmd));
		error = kernel_execute(w, &cmd);
		if (cmd.type == PM_CMD_CHECK)
			check_health(w, &cmd, out);
		engine_result(w->engine, &cmd, error, out);
	} else if (w->n_events) {
		ev = w->events[0];
		memmove(w->events, w->events + 1, --w->n_events * sizeof(ev));
		engine_handle(w->engine, &ev, out);
	} else if (!engine_wait(w->engine)) {
		engine_tick(w->engine, out);
	} else {
		return peer_removes(w);
	}
	return true;
}

void world_settle(struct world *w)
{
	struct pm_cmds out = { 0 };
	int rounds = 0;

	engine_set_clock(w->engine, w->now);
	for (; serve_one(w, &out); out.n = 0) {
		take_commands(w, &out);
		if (++rounds < ROUNDS_MAX)
			continue;
		world_fault(w, "the engine does not come to rest");
		return;
	}
}

static void read_machine(const struct world *w, struct rtnl_iface *links,
			 struct rtnl_address *addrs, struct rtnl_table *ret_table)
{
	*ret_table = (struct rtnl_table){ .known = true, .links = links, .addrs = addrs };
	for (unsigned int i = 0; i <= WIDTH; i++) {
		const struct mpaddr addr = ip(FIRST_NET + i, 2, 0);
		struct rtnl_iface *link = &links[ret_table->n_links++];

		*link = (struct rtnl_iface){ .if_idx = i + 1,
					     .up = has(w->links, &addr) };
		snprintf(link->dev, sizeof(link->dev), "eth%u", i);
		if (has(w->addrs, &addr))
			addrs[ret_table->n_addrs++] = (struct rtnl_address){
				.addr = addr, .if_idx = i + 1, .ready = true
			};
	}
}

static void resolve(struct world *w, unsigned int next)
{
	const struct pool *before = w->engine ? &w->pools[w->pool] : NULL;
	struct rtnl_iface links[WIDTH + 1];
	struct rtnl_address addrs[WIDTH + 1];
	struct rtnl_table table;

	read_machine(w, links, addrs, &table);
	pool_resolve(w->scene->specs[w->reloaded], &table, before, &w->pools[next]);
	w->pool = next;
}

static void change_pool(struct world *w)
{
	resolve(w, !w->pool);
	engine_set_pool(w->engine, &w->pools[w->pool]);
}

static void reroute(struct world *w)
{
	engine_set_clock(w->engine, w->now);
	engine_rerouted(w->engine);
}

void scene_open(struct scene *scene)
{
	struct pool_error why;

	for (unsigned int i = 0; i < 2; i++)
		if (pool_load_text(scene->texts[i], strlen(scene->texts[i]), scene->name,
				   &scene->specs[i], &why) < 0) {
			fprintf(stderr, "%s\n", why.text);
			abort();
		}
}

void scene_close(struct scene *scene)
{
	pool_free(scene->specs[0]);
	pool_free(scene->specs[1]);
}

static void join_all(struct world *w)
{
	engine_watch(w->engine);
	w->now = 5000; /* no probe was sent lately */
	for (unsigned int i = 0; i < WIDTH; i++) {
		world_act(w, (struct action){ ACTION_ANNOUNCE, i });
		for (unsigned int s = 0; s < w->n_subs; s++)
			if (world_allows(w, (struct action){ ACTION_ESTABLISH, s }))
				world_act(w, (struct action){ ACTION_ESTABLISH, s });
	}
}

void world_open(struct world *w, const struct scene *scene)
{
	const struct pm_registration reg = { .token = TOKEN };
	struct sub *first = &w->subs[0];

	memset(w, 0, sizeof(*w));
	w->scene = scene;
	w->links = w->addrs = w->routes = ALL;
	resolve(w, 0);
	w->engine = engine_new(&w->pools[0]);
	assert(w->engine);
	engine_set_callbacks(w->engine, route_of, NULL, w);
	engine_register(w->engine, &reg);
	w->n_subs = 1;
	*first = (struct sub){ .live = true,
			       .initial = true,
			       .remote = ip(FIRST_NET, 1, PORT) };
	mpaddr_parse(scene->first, &first->local);
	first->local.port = 40000;
	event_of(w, PM_EVENT_ESTABLISHED, first, 0);
	world_settle(w);
	if (scene->holes)
		join_all(w);
}

void world_close(struct world *w)
{
	engine_free(w->engine);
}

bool world_allows(const struct world *w, struct action a)
{
	const struct sub *sub = a.which < w->n_subs ? &w->subs[a.which] : NULL;
	bool path = false;

	for (unsigned int i = 0; i < w->n_subs; i++)
		path |= w->subs[i].live && world_works(w, &w->subs[i].local);

	switch ((enum action_kind)a.kind) {
	case ACTION_ANNOUNCE:
		return a.which < WIDTH && path;
	case ACTION_WITHDRAW:
		return a.which < WIDTH && path && w->known[a.which];
	case ACTION_ESTABLISH:
		return sub && !sub->live && world_works(w, &sub->local);
	case ACTION_FAIL:
		return sub && !sub->live;
	case ACTION_CLOSE:
		return sub && sub->live && world_works(w, &sub->local);
	case ACTION_BREAK:
		return sub && sub->live;
	case ACTION_READ:
		return !a.which && w->n_events;
	case ACTION_LINK:
	case ACTION_ADDRESS:
	case ACTION_ROUTE:
		return a.which < WIDTH && !w->scene->holes;
	case ACTION_HOLE:
		return a.which < WIDTH && w->scene->holes;
	case ACTION_RELOAD:
		return !a.which;
	case ACTION_TIME:
		return !a.which && !w->n_events && engine_wait(w->engine) > 0;
	case ACTION_KINDS:
		break;
	}
	return false;
}

static void act_announce(struct world *w, uint8_t which, bool announce)
{
	w->known[which] = announce;
	w->closed[which] = false;
	w->events[w->n_events++] = (struct pm_event){
		.type = announce ? PM_EVENT_ANNOUNCED : PM_EVENT_REMOVED,
		.token = TOKEN,
		.remote = announce ? world_remote(which) : (struct mpaddr){ 0 },
		.remote_id = which + 1
	};
	for (unsigned int i = w->n_subs; i-- && !announce;)
		if (w->subs[i].live && w->subs[i].remote_id == which + 1)
			sub_end(w, &w->subs[i], 0);
}

static void act_on_sub(struct world *w, struct action a)
{
	struct sub *sub = &w->subs[a.which];

	say(w, "subflow", &sub->local, &sub->remote);
	switch ((enum action_kind)a.kind) {
	case ACTION_ESTABLISH:
		sub->live = true;
		event_of(w, PM_EVENT_SUB_ESTABLISHED, sub, 0);
		break;
	case ACTION_CLOSE:
		if (sub->remote_id)
			w->closed[sub->remote_id - 1] = w->known[sub->remote_id - 1];
		sub_end(w, sub, 0);
		break;
	default:
		sub_end(w, sub,
			!sub->live && world_works(w, &sub->local) ? ECONNREFUSED
								  : ETIMEDOUT);
	}
}

void world_act(struct world *w, struct action a)
{
	static const char *const names[] = {
		"announce", "withdraw", "establish", "fail", "close",  "break", "read",
		"link",	    "address",	"route",     "hole", "reload", "time"
	};

	if (w->trace)
		fprintf(stderr, "  %s %u\n", names[a.kind], a.which);
	if (a.kind >= ACTION_READ)
		world_settle(w);
	if (a.kind <= ACTION_WITHDRAW) {
		act_announce(w, a.which, a.kind == ACTION_ANNOUNCE);
	} else if (a.kind <= ACTION_BREAK) {
		act_on_sub(w, a);
	} else if (a.kind == ACTION_READ) {
		return;
	} else if (a.kind == ACTION_TIME) {
		w->now += engine_wait(w->engine);
	} else if (a.kind == ACTION_HOLE) {
		w->holes ^= 1 << a.which;
		for (unsigned int i = 0; i < w->n_subs; i++)
			w->subs[i].stuck |=
				w->subs[i].live && !world_works(w, &w->subs[i].local);
	} else {
		w->links ^= a.kind == ACTION_LINK ? 1 << a.which : 0;
		w->addrs ^= a.kind == ACTION_ADDRESS ? 1 << a.which : 0;
		w->routes ^= a.kind == ACTION_ROUTE ? 1 << a.which : 0;
		w->reloaded ^= a.kind == ACTION_RELOAD;
		change_pool(w);
		if (a.kind == ACTION_ROUTE && w->routes & 1 << a.which)
			reroute(w);
	}
	if (!w->scene->late || a.kind >= ACTION_READ)
		world_settle(w);
}

/* Nothing but another check of paths without a fault is due. */
static bool is_well(const struct world *w)
{
	const struct conn *conn = conn_find(&w->engine->table, TOKEN);

	for (unsigned int i = 0; i < w->n_subs; i++)
		if (w->subs[i].stuck)
			return false;
	return conn->watched &&
	       conn_first_due(&w->engine->table)->due == conn->watch_when;
}

void world_heal(struct world *w)
{
	const struct action time = { ACTION_TIME, 0 };
	bool more = true;

	if (w->trace)
		fprintf(stderr, "  all is well again\n");
	w->links = w->addrs = w->routes = ALL;
	w->holes = 0;
	change_pool(w);
	reroute(w);
	world_settle(w);
	for (int i = 0; i < HEALING_MAX && more && !w->fault; i++) {
		more = world_allows(w, time) && !is_well(w);
		if (more)
			world_act(w, time);
		for (unsigned int s = 0; s < w->n_subs; s++) {
			const struct action up = { ACTION_ESTABLISH, s };

			if (!world_allows(w, up))
				continue;
			world_act(w, up);
			world_settle(w);
			more = true;
		}
	}
}
