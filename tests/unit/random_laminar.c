// SPDX-License-Identifier: MIT
/*
 * random_laminar.c - random histories against an exact model of `laminar` endpoints
 *
 * The model has the kernel's subflows and local IDs. It checks each command as the kernel
 * would, and after each step that no announcement waits for a free endpoint. SEED=N
 * repeats a run.
 */
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GAMES	  150
#define STEPS	  120
#define CONNS	  4
#define SUBS_MAX  32
#define ANNS_MAX  64
#define N_REMOTES 11
#define N_LOCALS  10

struct sub {
	struct pm_cmd cmd; /* of ours; local, remote and ID of the others too */
	bool ours, answered, live, initial, new_id;
};

struct ann {
	struct mpaddr addr;
	uint8_t remote_id;
	bool waiting, accepted;
	uint64_t tried;
};

struct model {
	uint32_t token; /* 0: none */
	uint16_t family;
	bool v6only;
	struct mpaddr peer;
	unsigned int n_subs, n_anns;
	struct sub subs[SUBS_MAX];
	struct ann anns[ANNS_MAX];
	struct mpaddr ids[256]; /* which address has an ID, as the kernel keeps it */
};

static const char *const remotes[N_REMOTES] = {
	"10.0.1.1",	   "10.0.2.1",	       "10.0.3.1",	  "10.0.4.1",
	"[2001:db8:1::1]", "[2001:db8:2::1]",  "[2001:db8:3::1]", "10.0.66.1",
	"127.0.0.1",	   "[2001:db8:66::1]", "10.0.5.1",
};
static const char *const locals[N_LOCALS] = {
	"10.0.1.2",	   "10.0.2.2",	      "10.0.3.2",	 "10.0.4.2",
	"10.0.5.2",	   "[2001:db8:1::2]", "[2001:db8:2::2]", "[2001:db8:3::2]",
	"[2001:db8:4::2]", "10.0.6.2",
};

static struct play play;
static struct model models[CONNS];
static uint64_t seed, state;
static unsigned int game, steps;
static uint16_t next_port;

#define must(cond, ...)                                                                \
	do {                                                                           \
		char why_[256];                                                        \
		snprintf(why_, sizeof(why_), __VA_ARGS__);                             \
		cr_assert(cond, "SEED=%lu, game %u, step %u: %s", (unsigned long)seed, \
			  game, steps, why_);                                          \
	} while (0)

static unsigned int below(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % n;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

static bool fits(const struct model *m, const struct mpaddr *local,
		 const struct mpaddr *remote)
{
	if (local->family != remote->family)
		return false;
	if (m->family == AF_INET)
		return local->family == AF_INET;
	return !m->v6only || local->family == AF_INET6;
}

static bool uses(const struct model *m, const struct mpaddr *local)
{
	unsigned int i;

	for (i = 0; i < m->n_subs; i++)
		if (mpaddr_same_ip(&m->subs[i].cmd.local, local))
			return true;
	return false;
}

static bool reaches(const struct model *m, const struct mpaddr *remote, bool joined)
{
	unsigned int i;

	for (i = 0; i < m->n_subs; i++)
		if (mpaddr_equal(&m->subs[i].cmd.remote, remote) &&
		    !(joined && m->subs[i].initial))
			return true;
	return false;
}

static unsigned int extra(const struct model *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < m->n_subs; i++)
		n += !m->subs[i].initial;
	return n;
}

static bool limits_allow(const struct model *m, const struct ann *ann)
{
	unsigned int i, accepted = 0;

	for (i = 0; i < m->n_anns; i++)
		accepted += m->anns[i].accepted;
	return extra(m) < play.pool->subflows &&
	       (ann->accepted || !ann->remote_id ||
		accepted < play.pool->add_addr_accepted);
}

/* What the filter of these games and the rule for ID 0 leave. */
static bool allowed(const struct model *m, uint8_t remote_id, const struct mpaddr *addr)
{
	static const char *const denied[] = { "10.0.66.1", "127.0.0.1",
					      "[2001:db8:66::1]" };
	struct mpaddr no;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		no = at(denied[i]);
		if (mpaddr_same_ip(&no, addr))
			return false;
	}
	return remote_id || mpaddr_same_ip(addr, &m->peer);
}

static struct ann *ann_to(struct model *m, const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < m->n_anns; i++)
		if (mpaddr_equal(&m->anns[i].addr, addr))
			return &m->anns[i];
	return NULL;
}

static struct ann *ann_add(struct model *m, uint8_t remote_id, const struct mpaddr *addr)
{
	m->anns[m->n_anns] = (struct ann){ .addr = *addr, .remote_id = remote_id };
	return &m->anns[m->n_anns++];
}

static struct model *model_of(uint32_t token)
{
	unsigned int i;

	for (i = 0; i < CONNS; i++)
		if (models[i].token == token)
			return &models[i];
	must(false, "a command for token %#x, which is not there", token);
	return NULL;
}

/* As the kernel would check it; then it is there, unanswered. */
static void take_command(const struct pm_cmd *cmd)
{
	struct model *m = model_of(cmd->token);
	struct ann *ann = ann_to(m, &cmd->remote);
	const struct endpoint *ep;
	struct mpaddr *has = &m->ids[cmd->local_id];
	unsigned int i;

	if (cmd->type == PM_CMD_SET_FLAGS)
		return; /* of the only path, see policy_resumes() */
	must(cmd->endpoint >= 0 && (unsigned int)cmd->endpoint < play.pool->n_endpoints,
	     "endpoint %d", cmd->endpoint);
	ep = &play.pool->endpoints[cmd->endpoint];
	must(mpaddr_equal(&ep->addr, &cmd->local), "not the address of its endpoint");
	must(ann && ann->waiting, "joins what does not wait");
	must(allowed(m, ann->remote_id, &cmd->remote), "joins what is filtered");
	must(limits_allow(m, ann), "exceeds a limit");
	must(fits(m, &cmd->local, &cmd->remote), "families do not match");
	must(!uses(m, &cmd->local), "uses an address twice");
	must(!reaches(m, &cmd->remote, false), "joins what is reached");
	must(!(ann->tried >> cmd->endpoint & 1), "tries an endpoint again");
	must(cmd->local_id >= 1, "no local ID");
	must(!has->family || mpaddr_same_ip(has, &cmd->local), "ID %u has two addresses",
	     cmd->local_id);
	for (i = 1; i < 256; i++)
		must(i == cmd->local_id || !m->ids[i].family ||
			     !mpaddr_same_ip(&m->ids[i], &cmd->local),
		     "an address with IDs %u and %u", i, cmd->local_id);
	must(m->n_subs < SUBS_MAX, "too many subflows");
	m->subs[m->n_subs++] =
		(struct sub){ .cmd = *cmd, .ours = true, .new_id = !has->family };
	*has = cmd->local;
	ann->waiting = false;
	ann->accepted = ann->remote_id;
}

static void check_waiting(struct model *m)
{
	const struct endpoint *ep;
	struct ann *ann;
	unsigned int e;

	for (ann = m->anns; ann < m->anns + m->n_anns; ann++) {
		if (!ann->waiting || reaches(m, &ann->addr, false) ||
		    !limits_allow(m, ann))
			continue;
		for (e = 0; e < play.pool->n_endpoints; e++) {
			ep = &play.pool->endpoints[e];
			must(!fits(m, &ep->addr, &ann->addr) || uses(m, &ep->addr) ||
				     ann->tried >> e & 1,
			     "announcement with ID %u waits, endpoint %u is free",
			     ann->remote_id, e);
		}
	}
}

static void check_model(struct model *m)
{
	struct pm_conn_report view = play_view(&play, m->token);
	unsigned int i, waiting = 0;

	for (i = 0; i < m->n_anns; i++)
		waiting += m->anns[i].waiting;
	must(view.subflows == m->n_subs, "%u subflows, and the engine has %u", m->n_subs,
	     view.subflows);
	must(view.announced == m->n_anns, "%u announcements, and the engine has %u",
	     m->n_anns, view.announced);
	must(view.waiting == waiting, "%u wait, and the engine has %u", waiting,
	     view.waiting);
}

static void settle(void)
{
	bool full = play.out.n == PM_CMDS_MAX;
	unsigned int i, conns = 0;

	for (i = 0; i < play.out.n; i++)
		take_command(&play.out.v[i]);
	for (i = 0; i < CONNS; i++) {
		if (!models[i].token)
			continue;
		conns++;
		check_model(&models[i]);
		if (!full)
			check_waiting(&models[i]);
	}
	must(engine_conns(play.engine) == conns, "%u connections, and the engine has %u",
	     conns, engine_conns(play.engine));
	must(conns || !engine_used_ids(play.engine), "used IDs are left");
}

static void handle(const struct pm_event *ev)
{
	play.out.n = 0;
	must(!engine_handle(play.engine, ev, &play.out), "%s is refused",
	     pm_event_name(ev->type));
}

static void do_connect(struct model *m)
{
	static const char *const pairs[][2] = {
		{ "10.0.1.2", "10.0.1.1:80" },
		{ "10.0.9.2", "10.0.1.1:80" }, /* not of the pool */
		{ "[2001:db8:1::2]", "[2001:db8:1::1]:80" },
		{ "[::ffff:10.0.2.2]", "[::ffff:10.0.1.1]:80" },
	};
	unsigned int kind = below(4);
	static uint32_t token;

	token += 2654435761u;
	*m = (struct model){ .token = token };
	m->family = *pairs[kind][0] == '[' ? AF_INET6 : AF_INET;
	m->v6only = kind == 2 && one_in(2);
	m->peer = at(pairs[kind][1]);
	m->n_subs = 1;
	m->subs[0] = (struct sub){ .live = true, .initial = true };
	m->subs[0].cmd.local = at(pairs[kind][0]);
	m->subs[0].cmd.remote = m->peer;
	(m->v6only ? play_connect_v6only : play_connect)(&play, m->token, pairs[kind][0],
							 pairs[kind][1]);
	m->subs[0].cmd.local.port = play.port;
}

static void do_announce(struct model *m)
{
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED, .token = m->token };
	unsigned int i = below(N_REMOTES);
	struct ann *ann;

	ev.remote = at(remotes[i]);
	ev.remote.port = one_in(3) ? 8443 : 80;
	ev.remote_id = 1 + i / 2;
	if (one_in(8)) { /* the first address, or what pretends to be */
		ev.remote_id = 0;
		if (one_in(2))
			ev.remote = m->peer;
		ev.remote.port = 8080;
	}
	ann = ann_to(m, &ev.remote);
	if (reaches(m, &ev.remote, false)) {
		if (!ann && reaches(m, &ev.remote, true) &&
		    allowed(m, ev.remote_id, &ev.remote))
			ann_add(m, ev.remote_id, &ev.remote);
	} else {
		if (!ann)
			ann = ann_add(m, ev.remote_id, &ev.remote);
		ann->tried = 0;
		ann->waiting = allowed(m, ev.remote_id, &ev.remote);
	}
	handle(&ev);
}

static void do_remove(struct model *m)
{
	struct pm_event ev = { .type = PM_EVENT_REMOVED, .token = m->token };
	unsigned int i, kept = 0;

	ev.remote_id = below(2 + N_REMOTES / 2);
	for (i = 0; i < m->n_anns; i++)
		if (m->anns[i].remote_id != ev.remote_id)
			m->anns[kept++] = m->anns[i];
	m->n_anns = kept;
	handle(&ev);
}

static void sub_del(struct model *m, struct sub *sub)
{
	*sub = m->subs[--m->n_subs];
}

/* The join of @sub failed: its announcement waits again, but not for that endpoint. */
static struct ann *fail(struct model *m, const struct sub *sub)
{
	struct ann *ann = ann_to(m, &sub->cmd.remote);

	if (ann) {
		ann->waiting = true;
		ann->tried |= UINT64_C(1) << sub->cmd.endpoint;
	}
	return ann;
}

static void do_answer(struct model *m, struct sub *sub)
{
	struct pm_cmd cmd = sub->cmd;
	bool new_id = sub->new_id;
	struct ann *ann;

	play.out.n = 0;
	if (!one_in(3)) {
		sub->answered = true;
		engine_result(play.engine, &cmd, 0, &play.out);
		return;
	}
	ann = fail(m, sub);
	if (ann)
		ann->accepted = false;
	sub_del(m, sub);
	if (new_id && !uses(m, &cmd.local)) /* a refused create leaves no ID */
		m->ids[cmd.local_id] = (struct mpaddr){ 0 };
	engine_result(play.engine, &cmd, EADDRNOTAVAIL, &play.out);
}

static void do_sub(struct model *m, struct sub *sub)
{
	struct pm_event ev = {
		.type = PM_EVENT_SUB_CLOSED,
		.token = m->token,
		.local = sub->cmd.local,
		.remote = sub->cmd.remote,
		.local_id = sub->cmd.local_id,
	};
	struct ann *ann = ann_to(m, &ev.remote);

	if (sub->live) {
		sub_del(m, sub);
	} else if (one_in(3)) {
		ev.error = ECONNREFUSED;
		ev.local.port = ++next_port;
		fail(m, sub);
		sub_del(m, sub);
	} else {
		ev.type = PM_EVENT_SUB_ESTABLISHED;
		if (ann) { /* the kernel tells it from the handshake on */
			ev.remote_id = ann->remote_id;
			ann->waiting = false;
		}
		sub->live = true;
		sub->cmd.local.port = ev.local.port = ++next_port;
	}
	handle(&ev);
}

/* Another user of the kernel's path manager makes a subflow. */
static void do_foreign(struct model *m)
{
	struct sub sub = { .live = true };
	struct pm_event ev = { .type = PM_EVENT_SUB_ESTABLISHED, .token = m->token };
	unsigned int i, id = 0;
	struct ann *ann;

	ev.local = at(locals[below(N_LOCALS)]);
	ev.remote = at(remotes[below(N_REMOTES)]);
	ev.remote.port = 80;
	if (!fits(m, &ev.local, &ev.remote) || m->n_subs > SUBS_MAX - 16)
		return;
	for (i = 0; i < m->n_subs; i++)
		if (!m->subs[i].live && mpaddr_equal(&m->subs[i].cmd.remote, &ev.remote))
			return; /* an event of it would be taken for ours */
	for (i = 1; i < 256; i++)
		if (m->ids[i].family && mpaddr_same_ip(&m->ids[i], &ev.local))
			id = i;
	if (!id)
		id = 1 + below(8);
	if (m->ids[id].family && !mpaddr_same_ip(&m->ids[id], &ev.local))
		return; /* the kernel refuses it */
	ev.local_id = id;
	m->ids[id] = ev.local;
	ev.local.port = ++next_port;
	sub.cmd.local = ev.local;
	sub.cmd.remote = ev.remote;
	sub.cmd.local_id = id;
	m->subs[m->n_subs++] = sub;
	ann = ann_to(m, &ev.remote);
	if (ann)
		ann->waiting = false;
	handle(&ev);
}

static void do_close(struct model *m)
{
	play_closed(&play, m->token);
	m->token = 0;
}

static void do_step(void)
{
	struct model *m = &models[below(CONNS)];
	struct sub *sub;

	play.out.n = 0;
	if (!m->token) {
		do_connect(m);
		return;
	}
	sub = m->n_subs ? &m->subs[below(m->n_subs)] : NULL;
	if (sub && sub->ours && !sub->answered) {
		do_answer(m, sub);
		return;
	}
	switch (below(24)) {
	case 0 ... 10:
		do_announce(m);
		break;
	case 11:
	case 12:
		do_remove(m);
		break;
	case 13:
	case 14:
		do_foreign(m);
		break;
	case 15:
		if (one_in(8))
			do_close(m);
		break;
	default:
		if (sub && !(sub->initial && !one_in(20)))
			do_sub(m, sub);
	}
}

static void random_pool(char *text, size_t size)
{
	unsigned int i, n = 1 + below(7), order[N_LOCALS], j, swap;
	bool given[256] = { false };
	struct mpaddr addr;
	char ip[MPADDR_TEXT_MAX];
	size_t len;

	for (i = 0; i < N_LOCALS; i++)
		order[i] = i;
	len = snprintf(
		text, size,
		"[limits]\nsubflows=%u\nadd_addr_accepted=%u\n"
		"[accept]\ndeny=10.0.66.0/24 2001:db8:66::/48\nprivate=all\n[pool]\n",
		below(7), below(7));
	for (i = 0; i < n; i++) {
		j = i + below(N_LOCALS - i);
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
		addr = at(locals[order[i]]);
		len += snprintf(text + len, size - len, "endpoint=%s",
				mpaddr_text(&addr, ip));
		j = 1 + below(10);
		if (one_in(3) && !given[j]) {
			given[j] = true;
			len += snprintf(text + len, size - len, " id %u", j);
		}
		len += snprintf(text + len, size - len, "\n");
	}
}

Test(history, nothing_that_must_hold_is_broken_by_any_history, .timeout = 120)
{
	const char *given = getenv("SEED");
	unsigned int i, requested = 0, joined = 0, failed = 0;
	char text[2048];

	seed = given ? strtoull(given, NULL, 0)
		     : (uint64_t)time(NULL) * 100000 + getpid();
	state = seed ?: 1;
	fprintf(stderr, "SEED=%lu\n", (unsigned long)seed);
	for (game = 0; game < GAMES; game++) {
		random_pool(text, sizeof(text));
		play_open(&play, text);
		for (steps = 0; steps < STEPS; steps++) {
			/* Closed so late, a subflow was not refused. */
			engine_set_clock(play.engine, steps * 10000);
			do_step();
			settle();
		}
		for (i = 0; i < CONNS; i++)
			if (models[i].token)
				do_close(&models[i]);
		requested += engine_counters(play.engine)->subflows_requested;
		joined += engine_counters(play.engine)->add_addr_joined;
		failed += engine_counters(play.engine)->subflows_failed +
			  engine_counters(play.engine)->subflows_refused;
		play_close(&play);
	}
	fprintf(stderr, "%u steps, %u subflows requested, %u joined, %u failed\n",
		GAMES * STEPS, requested, joined, failed);
	cr_assert_gt(joined, 100, "histories in which little happens show little");
	cr_assert_gt(failed, 100);
}
