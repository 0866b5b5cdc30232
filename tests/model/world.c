// SPDX-License-Identifier: MIT
/*
 * world.c - the machine and the peer of model.h
 *
 * Commands are executed one by one, as the event pump sends them. The kernel's state
 * changes at once; its events reach the engine in order.
 */
#include "kernel.h"
#include "shim/engine/flap.h"
#include "shim/netlink/request.h"
#include "shim/pool/endpoint.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL	    ((1 << WIDTH) - 1)
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

struct mpaddr world_remote(unsigned int announced)
{
	return ip(FIRST_NET + 1 + announced, 1, PORT);
}

/* The link to @remote's network, else that of the first subflow, as a default route. */
bool world_route(void *ctx, const struct mpaddr *remote, struct mpaddr *ret_local)
{
	const struct world *w = ctx;

	*ret_local = ip(net_of(remote), 2, 0);
	if (!has(w->addrs & w->routes, ret_local))
		mpaddr_parse(w->scene->first, ret_local);
	return true;
}

/* Whether packets from @local reach the peer. */
bool world_works(const struct world *w, const struct mpaddr *local)
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

void world_say(const struct world *w, const char *what, const struct mpaddr *local,
	       const struct mpaddr *remote)
{
	char from[MPADDR_TEXT_MAX], to[MPADDR_TEXT_MAX];

	if (w->trace)
		fprintf(stderr, "    %s %s-%s\n", what, mpaddr_text(local, from),
			remote ? mpaddr_text(remote, to) : "");
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
			kernel_check(w, &cmd, out);
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
	engine_rerouted(w->engine, FAMILY_ALL);
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

/* The next time costs. */
static void flap_often(struct world *w)
{
	const struct mpaddr addr = ip(FIRST_NET + 1, 2, 0);

	for (int i = 0; i < 3; i++) {
		flap_went(w->engine, &addr);
		flap_came(w->engine, &addr);
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
	engine_set_callbacks(w->engine, world_route, NULL, w);
	engine_register(w->engine, &reg);
	w->n_subs = 1;
	*first = (struct sub){ .live = true,
			       .initial = true,
			       .remote = ip(FIRST_NET, 1, PORT) };
	mpaddr_parse(scene->first, &first->local);
	first->local.port = 40000;
	kernel_event(w, PM_EVENT_ESTABLISHED, first, 0);
	world_settle(w);
	if (scene->how & HOLES)
		join_all(w);
	if (scene->how & FLAPS)
		flap_often(w);
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
		return a.which < (w->scene->how & FLAPS ? 1 : WIDTH) &&
		       !(w->scene->how & HOLES);
	case ACTION_HOLE:
		return a.which < WIDTH && w->scene->how & HOLES;
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
			kernel_end(w, &w->subs[i], 0);
}

static void act_on_sub(struct world *w, struct action a)
{
	struct sub *sub = &w->subs[a.which];

	world_say(w, "subflow", &sub->local, &sub->remote);
	switch ((enum action_kind)a.kind) {
	case ACTION_ESTABLISH:
		sub->live = true;
		kernel_event(w, PM_EVENT_SUB_ESTABLISHED, sub, 0);
		break;
	case ACTION_CLOSE:
		if (sub->remote_id)
			w->closed[sub->remote_id - 1] = w->known[sub->remote_id - 1];
		kernel_end(w, sub, 0);
		break;
	default:
		kernel_end(w, sub,
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
	if (!(w->scene->how & LATE) || a.kind >= ACTION_READ)
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
