/* SPDX-License-Identifier: MIT */
/*
 * sockopt.h - the socket options that TCP has: their names, and what MPTCP lacks
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifndef SO_BUF_LOCK /* musl */
#define SO_BUF_LOCK 72
#endif

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

/* What was done. */
enum sockopt_action {
	SOCKOPT_IGNORED,   /* harmless */
	SOCKOPT_TOLERATED, /* the pool file says so */
	SOCKOPT_LEFT_OUT,  /* the socket can no longer be replaced */
	SOCKOPT_SWAPPED,   /* the socket is plain TCP now */
	SOCKOPT_FAILED,	   /* the program gets MPTCP's error */
	SOCKOPT_ACTIONS
};

#define SOCKOPTS_MAX 192
extern const struct sockopt sockopts[];
extern const size_t n_sockopts; /* <= SOCKOPTS_MAX */

/* sockopt_find() - NULL: unknown. */
const struct sockopt *sockopt_find(int level, int name);

/*
 * sockopt_is_withdrawn() - MPTCP accepts the option, but it harms programs: keep it off
 *
 * TCP_DEFER_ACCEPT delays joins, which carry data late or never. With the others, Linux
 * never sends what a server writes between a SYN with data and the third ACK.
 */
bool sockopt_is_withdrawn(int level, int name);

/* sockopt_named() - the option that [@from, @to) names; NULL: none. */
const struct sockopt *sockopt_named(const char *from, const char *to);

/* For each option, a bit for each action; the last one: options without a name. */
typedef _Atomic uint8_t sockopt_report[SOCKOPTS_MAX + 1];

/* sockopt_report_text() - "TCP_USER_TIMEOUT: plain TCP, SO_OOBINLINE: ignored" */
void sockopt_report_text(const sockopt_report report, char *ret_text, size_t size);

/* sockopt_pack() - an option and an action for a wire, 15 bits and not 0. */
uint16_t sockopt_pack(const struct sockopt *opt, enum sockopt_action action);
/* sockopt_unpack() - add it to the report. Return: false if it is invalid. */
bool sockopt_unpack(sockopt_report report, uint16_t packed);
