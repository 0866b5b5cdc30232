// SPDX-License-Identifier: MIT
/*
 * walk.c - random histories, longer than those that explore.c can try
 *
 * WALKS=N sets their number, SEED=N repeats a run. A history that breaks a rule loses all
 * steps that it can do without, then it is printed.
 */
#include "model.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WALKS_DEFAULT 1000
#define STEPS	      40

struct walk {
	const struct scene *scene;
	struct action steps[STEPS];
	unsigned int n;
};

static struct world w;

/* Return: the rule that @walk without step @skip breaks; NULL: none, or impossible. */
static const char *walk_fault(const struct walk *walk, unsigned int skip, bool trace)
{
	const char *fault = NULL;
	bool allowed = true;

	world_open(&w, walk->scene);
	w.trace = trace;
	for (unsigned int i = 0; i < walk->n && allowed && !w.fault; i++) {
		allowed = i == skip || world_allows(&w, walk->steps[i]);
		if (allowed && i != skip)
			world_act(&w, walk->steps[i]);
	}
	if (allowed) {
		world_check_all(&w);
		fault = w.fault;
	}
	world_close(&w);
	return fault;
}

static void walk_explain(struct walk *walk, uint64_t seed)
{
	for (unsigned int i = 0; i < walk->n; i++) {
		if (!walk_fault(walk, i, false))
			continue;
		walk->n--;
		memmove(&walk->steps[i], &walk->steps[i + 1],
			(walk->n - i) * sizeof(*walk->steps));
		i = -1;
	}
	fprintf(stderr, "%s:\n", walk->scene->name);
	cr_assert_fail("SEED=%lu: %s: %s", (unsigned long)seed, walk->scene->name,
		       walk_fault(walk, STEPS, true));
}

/* Kinds have the same odds, whatever the number of their steps. */
static struct action walk_choose(unsigned int *state)
{
	struct action a, all[SUBS_MAX];
	unsigned int n;

	do {
		a.kind = rand_r(state) % ACTION_KINDS;
		for (n = a.which = 0; a.which < SUBS_MAX; a.which++)
			if (world_allows(&w, a))
				all[n++] = a;
	} while (!n);
	return all[rand_r(state) % n];
}

void walk(struct scene *scene)
{
	const uint64_t seed = strtoull(getenv("SEED") ?: "0", NULL, 0)
				      ?: (uint64_t)time(NULL) * 100000 + getpid();
	const unsigned int walks = atoi(getenv("WALKS") ?: "0") ?: WALKS_DEFAULT;
	struct walk walk = { .scene = scene };
	unsigned int state = seed;

	scene_open(scene);
	fprintf(stderr, "%s: SEED=%lu\n", scene->name, (unsigned long)seed);
	for (unsigned int i = 0; i < walks; i++) {
		world_open(&w, scene);
		for (walk.n = 0; walk.n < STEPS && !w.fault; walk.n++) {
			walk.steps[walk.n] = walk_choose(&state);
			world_act(&w, walk.steps[walk.n]);
		}
		world_close(&w);
		if (walk_fault(&walk, STEPS, false))
			walk_explain(&walk, seed);
	}
	scene_close(scene);
}
