// SPDX-License-Identifier: MIT
/*
 * randkinds.c - random pools of every kind, random peers, random changes
 *
 * The seed and its number determine a scenario; SEED=N repeats a run, NUMBER=N one
 * scenario of it. Steps that the kernel's own endpoints support run under the shim and
 * in the kernel, and the outcome of each step is compared. The kernel does not retry
 * waiting announcements, so no step frees an endpoint while one waits.
 */
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "outcome.h"

#define SCENARIOS 150
#define STEPS_MAX 7

enum step_kind {
	STEP_NONE,
	STEP_ANNOUNCE,
	STEP_WITHDRAW,
	STEP_ADD,
	STEP_DEL,
	STEP_BACKUP,
};

struct step {
	enum step_kind kind;
	struct endpoint_spec e;
};

struct story {
	const struct number *number;
	char *about;
	struct drawn d;
	struct step steps[STEPS_MAX];
};

/* Announcements that wait for something, of the only connection. */
static unsigned int waiting(struct net *n)
{
	struct pm_conn_report c[4];
	int r;

	cr_assert(
		WAIT_FOR((r = manager_list(&n->world.client, n->client.pid,
					   CTL_OP_CONNECTIONS, c, sizeof(c[0]), 4)) >= 0),
		"no answer from the manager: %s", strerror(-r));
	return r ? c[0].waiting : 0;
}

static bool pool_has(const struct net *n, uint32_t flag)
{
	const struct endpoint_spec *e = n->pool;

	while (e->addr && !(e->flags & flag))
		e++;
	return e->addr;
}

static const struct endpoint_spec *any_of(uint64_t *state, const struct endpoint_spec *e)
{
	int n = 0;

	while (e[n].addr)
		n++;
	return n ? &e[below(state, n)] : NULL;
}

/* Whether it may be the address of the first subflow. */
static bool is_first(const struct endpoint_spec *e)
{
	return !strcmp(e->addr, "10.0.1.2") || !strcmp(e->addr, "dead:beef:1::2");
}

/*
 * Whether the kernel uses a new endpoint as the pool does: at once, not for earlier
 * announcements. It announces the first address if that is added later, and IPv6
 * addresses on IPv4 connections.
 */
static bool addable(const struct story *s, const struct net *n,
		    const struct endpoint_spec *e)
{
	const struct net_spec *spec = &s->d.spec;
	bool v6 = strchr(e->addr, ':');

	if (e->flags & (EP_LAMINAR | EP_FULLMESH) || spec->subflows < 8)
		return false;
	/* It counts an endpoint used as both as two, and finds none left. */
	for (const struct endpoint_spec *p = n->pool; p->addr && e->flags & EP_SUBFLOW;
	     p++)
		if ((p->flags & (EP_SUBFLOW | EP_LAMINAR)) == (EP_SUBFLOW | EP_LAMINAR))
			return false;
	/* It allows no ID for an address that routing picked. */
	if (!pool_has(n, EP_LAMINAR))
		return false;
	/* It would join the first pair once more. */
	if (e->flags & EP_SUBFLOW && is_first(e))
		return false;
	if (e->flags & EP_SUBFLOW && pool_has(n, EP_SIGNAL) && e->flags & EP_SIGNAL)
		return false;
	return !(e->flags & EP_SIGNAL) ||
	       (!is_first(e) && !(v6 && spec->connect[0] == '1'));
}

/* Whether the kernel's worker has certainly run for the connection. */
static bool had_work(const struct story *s)
{
	const struct net_spec *spec = &s->d.spec;

	return spec->announced[0].addr && spec->subflows && spec->accepted;
}

/* The next step, if the kernel would handle it alike. */
static struct step draw_step(struct story *s, struct net *n, uint64_t *state)
{
	const bool waits = waiting(n);
	const struct endpoint_spec *e;
	struct step step = { 0 };

	switch (below(state, 6)) {
	case 0:
	case 1:
		if (draw_announcement(&s->d, state, &step.e))
			step.kind = STEP_ANNOUNCE;
		break;
	case 2:
		e = any_of(state, s->d.announced);
		if (!e || waits)
			break;
		step = (struct step){ STEP_WITHDRAW, *e };
		break;
	case 3:
		if (!draw_endpoint(&s->d, state, &step.e))
			break;
		if (!addable(s, n, &step.e) || waits) {
			drawn_forget(&s->d, &step.e);
			break;
		}
		step.kind = STEP_ADD;
		break;
	case 4:
		e = any_of(state, n->pool);
		/* Without its first subflow there may be none. */
		if (!e || waits || pool_has(n, EP_LAMINAR) || is_first(e))
			break;
		/* At the limit, the kernel does not count the closed subflow. */
		if (joined_count(&n->world.client) >= n->subflows)
			break;
		step = (struct step){ STEP_DEL, *e };
		break;
	case 5:
		e = any_of(state, n->pool);
		/* Of several subflows the kernel sends MP_PRIO for one only, */
		if (!e || !pool_has(n, EP_LAMINAR) || pool_has(n, EP_FULLMESH))
			break;
		/* and repeats it together with its next other work. */
		if (is_first(e) && !had_work(s))
			break;
		step = (struct step){ STEP_BACKUP, *e };
		step.e.flags ^= EP_BACKUP;
		break;
	}
	return step;
}

static void take_step(struct net *n, const struct step *step)
{
	switch (step->kind) {
	case STEP_NONE:
		return;
	case STEP_ANNOUNCE:
		net_announce_as(n, &step->e);
		break;
	case STEP_WITHDRAW:
		net_withdraw(n, step->e.addr);
		break;
	case STEP_ADD:
		net_add(n, &step->e);
		break;
	case STEP_DEL:
		net_del(n, step->e.addr);
		break;
	case STEP_BACKUP:
		net_change(n, step->e.addr, step->e.flags);
		break;
	}
	net_settle(n);
}

static void log_step(FILE *f, const struct step *step, const struct net *n)
{
	static const char *const names[] = { "connect", "announce", "withdraw",
					     "add",	"delete",   "backup of" };
	char *subflows = outcome_subflows(n);

	fprintf(f, "* %s %s flags %#x id %u port %u\n%s", names[step->kind],
		step->e.addr ?: "", step->e.flags, step->e.id, step->e.port, subflows);
	free(subflows);
}

static void draw_story(struct story *s, uint64_t *ret_state)
{
	*ret_state = s->number->seed + (uint64_t)s->number->index * 1000003;
	memset(&s->d, 0, sizeof(s->d));
	memset(s->steps, 0, sizeof(s->steps));
	draw(&s->d, ret_state, true);
	free(s->about);
	s->about = drawn_text(&s->d, s->number);
	s->d.spec.about = s->about;
	s->d.spec.announced_first = true;
}

/* FROM_POOL draws the steps, FROM_KERNEL repeats them. */
static char *tell(void *arg, enum net_side side)
{
	const struct step connected = { 0 };
	struct story *s = arg;
	uint64_t state = 0;
	char *text, *all;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct net n;

	cr_assert(f);
	if (side == FROM_POOL)
		draw_story(s, &state);
	fprintf(f, "%s\n", s->about);
	net_start(&n, &s->d.spec, side);
	net_settle(&n);
	log_step(f, &connected, &n);
	for (unsigned int i = 0; i < STEPS_MAX; i++) {
		if (side == FROM_POOL)
			s->steps[i] = draw_step(s, &n, &state);
		if (s->steps[i].kind == STEP_NONE)
			continue;
		if (side == FROM_POOL)
			drawn_step(&s->d, s->steps[i].kind == STEP_WITHDRAW,
				   &s->steps[i].e);
		take_step(&n, &s->steps[i]);
		log_step(f, &s->steps[i], &n);
	}
	net_carries_data(&n);
	all = outcome_text(&n);
	fputs("* at the end\n", f);
	fputs(all, f);
	free(all);
	fclose(f);
	if (getenv("NUMBER") && side == FROM_POOL)
		net_show(&n);
	net_close(&n);
	return text;
}

ParameterizedTestParameters(random, kinds_do_what_the_kernel_does)
{
	static struct number numbers[SCENARIOS];

	return cr_make_param_array(struct number, numbers,
				   numbers_fill(numbers, SCENARIOS, "random kinds"));
}

ParameterizedTest(struct number *number, random, kinds_do_what_the_kernel_does)
{
	struct story s = { .number = number };

	net_compare("random kinds", tell, &s);
	free(s.about);
}
