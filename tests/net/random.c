// SPDX-License-Identifier: MIT
/*
 * random.c - random pools and announcements: the pool behaves as the kernel
 *
 * The seed and its number determine a scenario, which runs twice on new hosts: with
 * laminar endpoints of the kernel and with the pool. SEED=N repeats a run.
 */
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

#define SCENARIOS     20
#define POOL_MAX      5
#define ANNOUNCED_MAX 5

struct scenario {
	struct net_spec spec;
	struct endpoint_spec announced[NET_LIST_MAX];
	bool one_by_one; /* else they are there when the client connects */
	bool strangers;	 /* addresses of the other family are in the lists */
};

/* The four addresses of either family of one side, in random order. */
static void shuffled(uint64_t *state, const char *const *all, const char *ret[8])
{
	const char *swap;
	int j;

	memcpy(ret, all, 8 * sizeof(*ret));
	for (int i = 7; i > 0; i--) {
		j = below(state, i + 1);
		swap = ret[i];
		ret[i] = ret[j];
		ret[j] = swap;
	}
}

/* Return: whether the socket takes pairs of both families. */
static bool draw_target(uint64_t *state, struct net_spec *s)
{
	static const char *const targets[] = { "10.0.1.1", "::ffff:10.0.1.1",
					       "dead:beef:1::1", "dead:beef:1::1" };
	int kind = below(state, 4);

	s->connect = targets[kind];
	if (kind == 3)
		s->client_args[0] = "-6";
	return kind == 1 || kind == 2;
}

/* Mostly enough for the announcements, sometimes none. */
static void draw_limits(uint64_t *state, struct scenario *sc)
{
	struct net_spec *s = &sc->spec;

	s->subflows = below(state, 10) ? 1 + below(state, 5) : 0;
	s->no_subflows = s->subflows == 0;
	/*
	 * The kernel counts an announcement as accepted only after its echo has left,
	 * and may accept one too many: not compared.
	 */
	sc->one_by_one = below(state, 2);
	if (!sc->one_by_one)
		return;
	s->accepted = below(state, 10) ? 1 + below(state, 5) : 0;
	s->no_accepted = s->accepted == 0;
}

/* @addr is of a family that the socket can use, or the scenario has others as well. */
static bool fits(const struct scenario *sc, const char *addr)
{
	bool v6 = !strncmp(addr, "dead:", 5);

	return sc->strangers || v6 == !strncmp(sc->spec.connect, "dead:", 5);
}

static void draw_scenario(const struct number *n, struct scenario *sc)
{
	static const char *const ours[8] = { "10.0.1.2",       "10.0.2.2",
					     "10.0.3.2",       "10.0.4.2",
					     "dead:beef:1::2", "dead:beef:2::2",
					     "dead:beef:3::2", "dead:beef:4::2" };
	static const char *const theirs[8] = { "10.0.1.1",	 "10.0.2.1",
					       "10.0.3.1",	 "10.0.4.1",
					       "dead:beef:1::1", "dead:beef:2::1",
					       "dead:beef:3::1", "dead:beef:4::1" };
	uint64_t state = n->seed + (uint64_t)n->index * 1000003;
	struct net_spec *s = &sc->spec;
	const char *order[8];
	int count, k = 0;

	*sc = (struct scenario){ 0 };
	sc->strangers = draw_target(&state, s) || !below(&state, 3);
	draw_limits(&state, sc);
	shuffled(&state, ours, order);
	count = below(&state, POOL_MAX + 1);
	for (int i = 0; k < count && i < 8; i++) {
		if (!fits(sc, order[i]))
			continue;
		s->pool[k].addr = order[i];
		s->pool[k++].flags = below(&state, 4) ? 0 : EP_BACKUP;
	}
	shuffled(&state, theirs, order);
	count = 1 + below(&state, ANNOUNCED_MAX);
	k = 0;
	for (int i = 0; k < count && i < 8; i++) {
		/* The address of the connection itself is never sent as an ADD_ADDR. */
		if (fits(sc, order[i]) && !strstr(s->connect, order[i]))
			sc->announced[k++].addr = order[i];
	}
	if (!sc->one_by_one)
		memcpy(s->announced, sc->announced, sizeof(s->announced));
}

static char *describe(const struct number *n, const struct scenario *sc)
{
	const struct net_spec *s = &sc->spec;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fprintf(f, "SEED=%llu NUMBER=%d: connect to %s%s; limits %d %d; pool",
		(unsigned long long)n->seed, n->index, s->connect,
		s->client_args[0] ? " (v6 only)" : "", s->subflows,
		sc->one_by_one ? s->accepted : 8);
	for (const struct endpoint_spec *e = s->pool; e->addr; e++)
		fprintf(f, " %s%s", e->addr, e->flags & EP_BACKUP ? " backup" : "");
	fprintf(f, "; announced%s", sc->one_by_one ? " one by one" : "");
	for (const struct endpoint_spec *e = sc->announced; e->addr; e++)
		fprintf(f, " %s", e->addr);
	fclose(f);
	return text;
}

/* The pairs that both hosts ended with; the caller frees it. */
static char *result(void *arg, enum net_side side)
{
	const struct scenario *sc = arg;
	struct net n;
	char *client, *server;

	net_start(&n, &sc->spec, side);
	net_settle(&n);
	for (const struct endpoint_spec *e = sc->announced; sc->one_by_one && e->addr;
	     e++) {
		net_announce(&n, e->addr);
		net_settle(&n);
	}
	client = pairs_text(&n.world.client, 0, false);
	server = pairs_text(&n.world.server, 0, true);
	cr_assert_str_eq(client, server, "client %s, server %s", client, server);
	free(server);
	net_close(&n);
	return client;
}

ParameterizedTestParameters(random, pool_gives_the_pairs_of_laminar_endpoints)
{
	static struct number numbers[SCENARIOS];

	return cr_make_param_array(struct number, numbers,
				   numbers_fill(numbers, SCENARIOS, "random pools"));
}

ParameterizedTest(struct number *n, random, pool_gives_the_pairs_of_laminar_endpoints)
{
	struct scenario s;
	char *what;

	draw_scenario(n, &s);
	what = describe(n, &s);
	cr_log_info("%s", what);
	net_compare(what, result, &s);
	free(what);
}
