/* SPDX-License-Identifier: MIT */
/*
 * sockopt.h - the socket options that TCP has: their names, and what MPTCP lacks
 */
#pragma once

#include <stddef.h>

/* What to do where the kernel's TCP takes an option and its MPTCP does not. */
enum sockopt_kind {
	SOCKOPT_EXACT,	 /* not in effect on MPTCP: make the socket plain TCP */
	SOCKOPT_HINT,	 /* harmless: may be ignored */
	SOCKOPT_FLAG,	 /* likewise; TCP takes every number for it */
	SOCKOPT_PROMISE, /* success would be a lie: never ignored */
};

struct sockopt {
	short level;
	unsigned char name;
	unsigned char kind;
	char text[26]; /* its name in C; no pointer: a relocation would cost each exec */
};

#define SOCKOPTS_MAX 192
extern const struct sockopt sockopts[];
extern const size_t n_sockopts; /* <= SOCKOPTS_MAX */

/* sockopt_find() - NULL: unknown. */
const struct sockopt *sockopt_find(int level, int name);

/* sockopt_named() - the option that [@from, @to) names; NULL: none. */
const struct sockopt *sockopt_named(const char *from, const char *to);
