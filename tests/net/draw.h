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

#define DRAWN_ID_MIN 30 /* of endpoints that are drawn */

struct drawn {
	struct net_spec spec;
	struct endpoint_spec announced[NET_LIST_MAX]; /* by now */
	bool both_families;
	unsigned int ports;	   /* of announcements, so far */
	unsigned int ours, theirs; /* bits of addresses that were drawn */
};

/* @comparable: within what the kernel's own endpoints do in the same way. */
void draw(struct drawn *d, uint64_t *state, bool comparable);
/* One more; the address is a new one. Return: false if there is none left. */
bool draw_endpoint(struct drawn *d, uint64_t *state, struct endpoint_spec *ret);
bool draw_announcement(struct drawn *d, uint64_t *state, struct endpoint_spec *ret);
/* It was not used after all. */
void drawn_forget(struct drawn *d, const struct endpoint_spec *e);
/* It was withdrawn; or nothing, if it was not. */
void drawn_step(struct drawn *d, bool withdrawn, const struct endpoint_spec *e);
/* The caller frees it. */
char *drawn_text(const struct drawn *d, const struct number *number);
