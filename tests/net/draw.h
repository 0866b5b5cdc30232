/* SPDX-License-Identifier: MIT */
/*
 * draw.h - random pools, peers and announcements of every kind
 */
#pragma once

#include "net.h"

struct number {
	uint64_t seed;
	int index;
};

/* SEED=N, or the time; NUMBER=N: that one alone. Prints it. Return: how many. */
int numbers_fill(struct number *numbers, int count, const char *what);

/* splitmix64: the same numbers with every libc. */
uint64_t next_random(uint64_t *state);
int below(uint64_t *state, int limit);

#define DRAWN_ID_MIN 30 /* of the drawn endpoints */

struct drawn {
	struct net_spec spec;
	struct endpoint_spec announced[NET_LIST_MAX]; /* by now */
	bool both_families;
	unsigned int ports;	   /* of announcements, so far */
	unsigned int ours, theirs; /* bits of drawn addresses */
};

/* @comparable: only where the kernel's own endpoints behave alike. */
void draw(struct drawn *d, uint64_t *state, bool comparable);
/* One more, with a new address. Return: false if none is left. */
bool draw_endpoint(struct drawn *d, uint64_t *state, struct endpoint_spec *ret);
bool draw_announcement(struct drawn *d, uint64_t *state, struct endpoint_spec *ret);
/* Undo it. */
void drawn_forget(struct drawn *d, const struct endpoint_spec *e);
/* Record a withdrawal; no effect without one. */
void drawn_step(struct drawn *d, bool withdrawn, const struct endpoint_spec *e);
/* The caller frees it. */
char *drawn_text(const struct drawn *d, const struct number *number);
