// SPDX-License-Identifier: MIT
/*
 * explore.c - every history of a small pool, up to a depth
 *
 * A state is its history, which is played again for each step from it. States that the
 * engine and the world do not distinguish are followed once. DEPTH=N sets the number of
 * steps.
 */
#include "model.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEPTH_DEFAULT 5

struct node {
	uint32_t parent;
	struct action action;
};

struct search {
	struct scene *scene;
	struct node *nodes; /* the first has no history */
	size_t n_nodes;
	uint64_t *seen; /* hash table of world_hash(); 0: free */
	size_t n_seen, size;
	uint64_t steps;
};

static bool seen_has(const struct search *s, uint64_t hash, size_t *ret_at)
{
	size_t at = hash % s->size;

	while (s->seen[at] && s->seen[at] != hash)
		at = (at + 1) % s->size;
	*ret_at = at;
	return s->seen[at];
}

/* Return: false if @hash was there. */
static bool seen_add(struct search *s, uint64_t hash)
{
	uint64_t *old = s->seen;
	size_t at, size = s->size;

	if (2 * s->n_seen >= s->size) {
		s->size = size ? 2 * size : 1024;
		s->seen = calloc(s->size, sizeof(*s->seen));
		cr_assert(s->seen);
		for (size_t i = 0; i < size; i++)
			if (old[i] && !seen_has(s, old[i], &at))
				s->seen[at] = old[i];
		free(old);
	}
	hash += !hash;
	if (seen_has(s, hash, &at))
		return false;
	s->seen[at] = hash;
	s->n_seen++;
	return true;
}

static void node_add(struct search *s, uint32_t parent, struct action action)
{
	if (!(s->n_nodes & (s->n_nodes - 1))) {
		s->nodes = realloc(s->nodes, (2 * s->n_nodes ?: 1) * sizeof(*s->nodes));
		cr_assert(s->nodes);
	}
	s->nodes[s->n_nodes++] = (struct node){ parent, action };
}

static void replay(const struct search *s, uint32_t node, struct world *w)
{
	if (!node) {
		world_open(w, s->scene);
		return;
	}
	replay(s, s->nodes[node].parent, w);
	world_act(w, s->nodes[node].action);
}

static void explain(const struct search *s, uint32_t node, struct action action)
{
	struct action history[64];
	unsigned int n = 0;
	struct world w;

	for (; node; node = s->nodes[node].parent)
		history[n++] = s->nodes[node].action;
	fprintf(stderr, "%s:\n", s->scene->name);
	world_open(&w, s->scene);
	w.trace = true;
	while (n--)
		world_act(&w, history[n]);
	world_act(&w, action);
	world_check_all(&w);
	cr_assert_fail("%s: %s", s->scene->name, w.fault);
}

static void try(struct search *s, uint32_t node, struct action action, bool last)
{
	static struct world w;

	replay(s, node, &w);
	world_act(&w, action);
	s->steps++;
	if (w.fault || seen_add(s, world_hash(&w))) {
		if (!last)
			node_add(s, node, action);
		world_check_all(&w);
		if (w.fault)
			explain(s, node, action);
	}
	world_close(&w);
}

static void expand(struct search *s, uint32_t node, bool last)
{
	static struct world w;
	struct action a;

	replay(s, node, &w);
	for (a.kind = 0; a.kind < ACTION_KINDS; a.kind++)
		for (a.which = 0; a.which < SUBS_MAX; a.which++)
			if (world_allows(&w, a))
				try(s, node, a, last);
	world_close(&w);
}

static void explore(struct scene *scene)
{
	const unsigned int depth = atoi(getenv("DEPTH") ?: "0") ?: DEPTH_DEFAULT;
	struct search s = { .scene = scene };
	struct timespec from, to;
	size_t done = 0, end;

	clock_gettime(CLOCK_MONOTONIC, &from);
	scene_open(scene);
	node_add(&s, 0, (struct action){ 0 });
	for (unsigned int d = 1; d <= depth; d++)
		for (end = s.n_nodes; done < end; done++)
			expand(&s, done, d == depth);
	clock_gettime(CLOCK_MONOTONIC, &to);
	fprintf(stderr, "%s: depth %u, %zu states, %lu steps, %.1f s\n", scene->name,
		depth, s.n_seen, (unsigned long)s.steps,
		to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	scene_close(scene);
	free(s.nodes);
	free(s.seen);
}

#define RETRY  "[retry]\nfirst=1s\nmax=2s\ntries=200\n"
#define LIMIT  "[limits]\nsubflows=2\n"
#define EP(is) "endpoint=" is "\n"
#define EXPLORE(rule, kind, local, before, after)                           \
	static struct scene rule = { .name = #rule,                         \
				     .first = local,                        \
				     .how = kind,                           \
				     .texts = { "[pool]\n" before RETRY,    \
						"[pool]\n" after RETRY } }; \
	Test(model, rule)                                                   \
	{                                                                   \
		explore(&rule);                                             \
	}                                                                   \
	Test(walk, rule)                                                    \
	{                                                                   \
		walk(&rule);                                                \
	}

EXPLORE(addresses_keep_the_rules, 0, "10.0.1.2",
	EP("10.0.2.2") EP("10.0.3.2") EP("10.0.4.2"),
	EP("10.0.4.2") EP("10.0.2.2 backup"))
EXPLORE(devices_keep_the_rules, 0, "10.0.1.2",
	EP("dev eth1") EP("dev eth2") EP("dev eth3"), EP("dev eth3") EP("dev eth1"))
EXPLORE(endpoint_of_the_first_path_keeps_the_rules, 0, "10.0.2.2",
	EP("10.0.2.2") EP("10.0.3.2") EP("10.0.4.2"), EP("10.0.3.2"))
EXPLORE(limit_keeps_the_rules, 0, "10.0.1.2",
	EP("10.0.2.2") EP("10.0.3.2") EP("10.0.4.2") LIMIT,
	EP("10.0.2.2") EP("dev eth3") LIMIT)
EXPLORE(subflow_endpoints_keep_the_rules, 0, "10.0.1.2",
	EP("10.0.2.2 subflow") EP("10.0.3.2 subflow laminar") EP("10.0.4.2"),
	EP("10.0.4.2 subflow") EP("10.0.3.2"))
EXPLORE(fullmesh_endpoints_keep_the_rules, 0, "10.0.1.2",
	EP("10.0.2.2 fullmesh") EP("10.0.3.2 laminar") EP("10.0.4.2"),
	EP("10.0.4.2") EP("10.0.3.2"))
EXPLORE(late_events_keep_the_rules, LATE, "10.0.1.2",
	EP("10.0.2.2") EP("10.0.3.2") EP("10.0.4.2"), EP("10.0.4.2") EP("dev eth1"))
EXPLORE(signal_endpoints_keep_the_rules, LATE, "10.0.1.2",
	EP("10.0.2.2 signal laminar") EP("10.0.3.2 laminar") EP("10.0.4.2 signal"),
	EP("10.0.4.2 laminar") EP("dev eth1 signal"))
EXPLORE(mixed_mesh_keeps_the_rules, 0, "10.0.1.2",
	EP("10.0.2.2 fullmesh subflow") EP("10.0.3.2 fullmesh") EP("10.0.4.2 laminar"),
	EP("dev eth3 fullmesh") EP("dev eth1 laminar"))
EXPLORE(black_holes_keep_the_rules, HOLES, "10.0.1.2",
	EP("10.0.2.2") EP("10.0.3.2") EP("10.0.4.2"),
	EP("10.0.4.2") EP("10.0.2.2 backup"))
EXPLORE(late_black_holes_keep_the_rules, LATE | HOLES, "10.0.2.2",
	EP("10.0.2.2") EP("10.0.3.2") EP("10.0.4.2"), EP("10.0.3.2") EP("dev eth1"))
EXPLORE(black_holes_of_subflow_endpoints_keep_the_rules, HOLES, "10.0.1.2",
	EP("10.0.2.2 subflow") EP("10.0.3.2 subflow") EP("10.0.4.2 laminar"),
	EP("10.0.3.2 laminar") EP("10.0.2.2 subflow"))
/* Its times make too many states. */
#define WALK(rule, kind, before, after)                                     \
	static struct scene rule = { .name = #rule,                         \
				     .first = "10.0.2.2",                   \
				     .how = kind,                           \
				     .texts = { "[pool]\n" before RETRY,    \
						"[pool]\n" after RETRY } }; \
	Test(walk, rule)                                                    \
	{                                                                   \
		walk(&rule);                                                \
	}

WALK(handover_keeps_the_rules, 0,
     EP("10.0.2.2 subflow") EP("10.0.3.2 subflow metered")
	     EP("10.0.4.2 laminar") "[policy]\nmode=handover\n",
     EP("10.0.4.2 laminar") EP("10.0.3.2 subflow") "[policy]\nmode=interactive\n")
WALK(metered_endpoints_keep_the_rules, HOLES,
     EP("10.0.2.2 subflow") EP("10.0.3.2 subflow metered") EP("10.0.4.2 laminar cost 2"),
     EP("10.0.4.2 laminar metered") EP("10.0.2.2 subflow"))

EXPLORE(flapping_endpoints_keep_the_rules, FLAPS, "10.0.1.2",
	EP("10.0.2.2 subflow laminar") EP("dev eth2"), EP("10.0.2.2"))
