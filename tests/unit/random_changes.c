// SPDX-License-Identifier: MIT
/*
 * random_changes.c - random histories with pools of every kind that change
 *
 * SEED=N repeats a run. The commands are played back as a kernel would, with refusals and
 * lost joins, and every command is checked against rules. random_laminar.c has an exact
 * model, of `laminar` endpoints only.
 */
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNS	  5
#define SUBS_MAX  80
#define HISTORIES 60
#define STEPS	  300

struct sub {
	struct pm_cmd cmd;
	bool live, initial;
	bool doomed; /* pending when the pool changed: its address may have gone */
};

struct model {
	uint32_t token;
	struct sub subs[SUBS_MAX];
	unsigned int n_subs;
	struct mpaddr ids[256];
};

static struct model models[CONNS];
static struct play play;
static uint64_t state, seed;
static int64_t now;
static uint32_t last_token;
static unsigned int step_number;

static unsigned int below(unsigned int limit)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % limit;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

#define must(condition, ...)                                                             \
	cr_assert(condition, "SEED=%llu step %u: " #condition, (unsigned long long)seed, \
		  step_number)

static const char *const kinds[] = { "laminar",		 "laminar",
				     "subflow",		 "signal",
				     "fullmesh",	 "subflow laminar",
				     "subflow fullmesh", "subflow signal",
				     "laminar fullmesh", "laminar signal backup",
				     "laminar backup",	 "subflow backup" };

static void pool_words(char *text)
{
	static const char *const addrs[] = { "10.0.1.2",      "10.0.2.2", "10.0.3.2",
					     "10.0.4.2",      "10.0.5.2", "2001:db8:2::2",
					     "2001:db8:3::2", "10.0.6.2" };
	unsigned int subflows = below(6) ? 1 + below(12) : 0;

	text += sprintf(text, "[pool]\n");
	for (unsigned int i = 0; i < 8; i++)
		if (!one_in(3))
			text += sprintf(text, "endpoint=%s id %u %s\n", addrs[i], 20 + i,
					kinds[below(12)]);
	if (one_in(4))
		text += sprintf(text, "[pool \"10.7.0.0/16\"]\nendpoint=10.0.4.2\n"
				      "endpoint=10.0.8.2 subflow\n");
	text += sprintf(text, "[limits]\nsubflows=%u\nadd_addr_accepted=%u\n", subflows,
			below(9));
	text += sprintf(text, "[retry]\nfirst=10ms\nmax=80ms\ntries=%u\n", below(5));
	if (one_in(4))
		sprintf(text, "[accept]\ndeny=10.0.3.0/24\n[app]\nexclude=10.7.1.0/24\n");
}

static struct model *model_of(uint32_t token)
{
	for (unsigned int i = 0; i < CONNS; i++)
		if (models[i].token == token)
			return &models[i];
	return NULL;
}

static struct sub *find(struct model *m, const struct pm_cmd *cmd)
{
	const struct mpaddr routed = at("10.99.0.1"); /* see do_resync() */

	for (unsigned int i = 0; i < m->n_subs; i++)
		if ((mpaddr_same_ip(&m->subs[i].cmd.local, &cmd->local) ||
		     (mpaddr_is_any(&m->subs[i].cmd.local) &&
		      mpaddr_same_ip(&cmd->local, &routed))) &&
		    mpaddr_equal(&m->subs[i].cmd.remote, &cmd->remote))
			return &m->subs[i];
	return NULL;
}

static bool plain_laminar(const struct pm_cmd *cmd)
{
	uint32_t flags;

	if (cmd->endpoint < 0)
		return false;
	flags = play.pool->endpoints[cmd->endpoint].flags;
	return flags & MPTCP_PM_ADDR_FLAG_LAMINAR &&
	       !(flags & (MPTCP_PM_ADDR_FLAG_SUBFLOW | MPTCP_PM_ADDR_FLAG_FULLMESH));
}

static void check_id(struct model *m, const struct pm_cmd *cmd)
{
	struct mpaddr ip = cmd->local;

	if (mpaddr_is_any(&ip) || !cmd->local_id)
		return;
	must(!m->ids[cmd->local_id].family || mpaddr_equal(&m->ids[cmd->local_id], &ip));
	for (unsigned int i = 1; i < 256; i++)
		must(i == cmd->local_id || !m->ids[i].family ||
		     !mpaddr_equal(&m->ids[i], &ip));
	m->ids[cmd->local_id] = ip;
}

static void on_create(const struct pm_cmd *cmd)
{
	struct model *m = model_of(cmd->token);
	unsigned int extra = 0;

	must(m);
	for (unsigned int i = 0; i < m->n_subs; i++) {
		extra += !m->subs[i].initial && !m->subs[i].doomed;
		must(!plain_laminar(cmd) ||
		     !mpaddr_same_ip(&m->subs[i].cmd.local, &cmd->local));
	}
	must(extra < play.pool->subflows);
	must(cmd->remote.port);
	must(!find(m, cmd));
	check_id(m, cmd);
	must(m->n_subs < SUBS_MAX);
	m->subs[m->n_subs++] = (struct sub){ .cmd = *cmd };
}

static void drop(struct model *m, struct sub *sub)
{
	*sub = m->subs[--m->n_subs];
}

static void on_destroy(const struct pm_cmd *cmd)
{
	struct model *m = model_of(cmd->token);
	struct sub *sub = find(m, cmd);
	struct pm_cmd copy;

	must(sub && (!sub->live || cmd->local.port));
	sub->doomed |= !sub->live; /* the event comes later */
	if (!sub->live)
		return;
	must(m->n_subs > 1);
	copy = sub->cmd;
	drop(m, sub);
	play.out.n = 0;
	if (copy.local.port) { /* the first one */
		struct pm_event ev = { .type = PM_EVENT_SUB_CLOSED,
				       .token = copy.token,
				       .local = copy.local,
				       .remote = copy.remote };
		must(!engine_handle(play.engine, &ev, &play.out));
	} else {
		play_down(&play, &copy, 0);
	}
}

/* Commands are answered at once or refused; each answer may bring more. */
static void obey(void)
{
	struct pm_cmds todo = play.out;
	unsigned int rounds = 0;

	while (todo.n) {
		struct pm_cmd cmd = todo.v[0];
		struct model *m = model_of(cmd.token);
		bool fresh = false;

		must(++rounds < 2000);
		must(todo.n <= PM_CMDS_MAX);
		memmove(todo.v, todo.v + 1, --todo.n * sizeof(cmd));
		play.out.n = 0;
		if (cmd.type == PM_CMD_SUBFLOW_CREATE) {
			fresh = !m->ids[cmd.local_id].family;
			on_create(&cmd);
		}
		if (cmd.type == PM_CMD_SUBFLOW_DESTROY)
			on_destroy(&cmd);
		if (cmd.type == PM_CMD_ANNOUNCE)
			check_id(m, &cmd);
		for (unsigned int i = 0; i < play.out.n && todo.n < PM_CMDS_MAX; i++)
			todo.v[todo.n++] = play.out.v[i];
		if (cmd.type != PM_CMD_SUBFLOW_CREATE)
			continue;
		if (one_in(6)) {
			drop(m, find(m, &cmd));
			if (fresh) /* a refused create leaves no ID */
				m->ids[cmd.local_id] = (struct mpaddr){ 0 };
			engine_result(play.engine, &cmd, EADDRNOTAVAIL, &todo);
		} else {
			engine_result(play.engine, &cmd, 0, &todo);
		}
	}
}

static void handle(const struct pm_event *ev)
{
	play.out.n = 0;
	must(!engine_handle(play.engine, ev, &play.out));
	obey();
}

static void do_connect(struct model *m)
{
	static const char *const pairs[][2] = {
		{ "10.0.1.2", "10.0.1.1:80" },
		{ "10.0.9.2", "10.0.1.1:80" },
		{ "10.0.1.2", "10.7.0.1:80" },
		{ "10.0.1.2", "10.7.1.1:80" },
		{ "[2001:db8:2::2]", "[2001:db8:1::1]:80" },
		{ "[::ffff:10.0.2.2]", "[::ffff:10.0.1.1]:80" },
	};
	unsigned int k = below(6);

	*m = (struct model){ .token = ++last_token * 2654435761u, .n_subs = 1 };
	m->subs[0] = (struct sub){ .live = true, .initial = true };
	m->subs[0].cmd.token = m->token;
	m->subs[0].cmd.local = at(pairs[k][0]);
	m->subs[0].cmd.remote = at(pairs[k][1]);
	if (one_in(4) && k < 4)
		play_connect_c_flag(&play, m->token, pairs[k][0], pairs[k][1]);
	else if (k == 4 && one_in(2))
		play_connect_v6only(&play, m->token, pairs[k][0], pairs[k][1]);
	else
		play_connect(&play, m->token, pairs[k][0], pairs[k][1]);
	m->subs[0].cmd.local.port = play.port;
	obey();
}

static void do_peer(struct model *m)
{
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED, .token = m->token };
	char text[32];

	ev.remote_id = 1 + below(6);
	if (one_in(3)) {
		ev.type = PM_EVENT_REMOVED;
		handle(&ev);
		return;
	}
	snprintf(text, sizeof(text), one_in(4) ? "[2001:db8:%u::1]:80" : "10.0.%u.1:80",
		 ev.remote_id);
	ev.remote = at(text);
	if (one_in(8))
		ev.remote_id = 0;
	handle(&ev);
}

static void do_sub(struct model *m)
{
	struct sub *sub = &m->subs[below(m->n_subs ?: 1)];
	struct pm_cmd cmd = sub->cmd;
	unsigned int kind = below(4);

	if (!m->n_subs || sub->initial)
		return;
	if (!sub->live && kind < 2) {
		sub->live = true;
		sub->doomed = false;
		play_up(&play, &cmd);
	} else {
		drop(m, sub);
		if (kind == 3)
			play_reset(&play, &cmd, below(4));
		else
			play_down(&play, &cmd, kind == 2 ? ETIMEDOUT : 0);
	}
	obey();
}

static void do_pool(void)
{
	char text[2048];
	bool more;

	for (struct model *m = models; m < models + CONNS; m++)
		for (unsigned int i = 0; i < m->n_subs; i++)
			m->subs[i].doomed = !m->subs[i].live;
	pool_words(text);
	play_pool(&play, text, one_in(2) ? below(256) : 0, ENDPOINT_WAITING + below(3));
	for (unsigned int i = 0; i < 200; i++) {
		obey();
		play.out.n = 0;
		more = engine_tick(play.engine, &play.out);
		if (!more && !play.out.n)
			return;
	}
	must(!"engine_tick() finds no end");
}

/* As far as the model goes, the kernel has what the engine has. */
static void do_resync(void)
{
	struct pm_subflow subflows[CONNS * SUBS_MAX];
	unsigned int n = 0;

	for (struct model *m = models; m < models + CONNS; m++) {
		for (unsigned int i = 0; m->token && i < m->n_subs; i++) {
			const struct pm_cmd *c = &m->subs[i].cmd;
			struct pm_event ev = { .token = m->token,
					       .family = c->remote.family,
					       .local = c->local,
					       .remote = c->remote,
					       .local_id = c->local_id };

			if (mpaddr_is_any(&ev.local))
				ev.local = at("10.99.0.1");
			if (!ev.local.port)
				ev.local.port = 10000 + c->local_id;
			subflows[n++] = (struct pm_subflow){
				.sub = ev,
				.live = m->subs[i].live,
				.initial = m->subs[i].initial,
			};
		}
	}
	engine_resync(play.engine, subflows, n);
	for (struct model *m = models; m < models + CONNS; m++)
		if (m->token && !m->n_subs) /* without any, it has ended */
			*m = (struct model){ 0 };
	play_time(&play, now);
	obey();
}

static void do_time(void)
{
	int wait = engine_wait(play.engine);

	must(wait <= 3000);
	now += one_in(2) && wait > 0 ? wait : (int)below(200);
	play_time(&play, now);
	obey();
}

static void one_step(void)
{
	struct model *m = &models[below(CONNS)];
	unsigned int kind = below(24);

	if (!m->token) {
		do_connect(m);
	} else if (kind < 9) {
		do_peer(m);
	} else if (kind < 17) {
		do_sub(m);
	} else if (kind < 20) {
		do_time();
	} else if (kind < 22) {
		do_pool();
	} else if (kind == 22) {
		do_resync();
	} else {
		handle(&(struct pm_event){ .type = PM_EVENT_CLOSED, .token = m->token });
		*m = (struct model){ 0 };
	}
}

static void history(uint64_t number)
{
	char text[2048];

	state = seed + number * 1000003;
	now = 0;
	memset(models, 0, sizeof(models));
	pool_words(text);
	play_open(&play, text);
	if (number % 4 == 1)
		engine_set_old_kernel(play.engine);
	for (step_number = number * STEPS; step_number < (number + 1) * STEPS;
	     step_number++)
		one_step();
	play_close(&play);
}

Test(changes, random_histories_break_no_rule)
{
	const char *text = getenv("SEED");

	seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
	printf("random changes: SEED=%llu\n", (unsigned long long)seed);
	for (uint64_t i = 0; i < HISTORIES; i++)
		history(i);
}
