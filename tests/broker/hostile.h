/* SPDX-License-Identifier: MIT */
/*
 * hostile.h - other users who hold names and fill queues, and what their neighbours see
 */
#pragma once

#include "broker.h"

#define RUNS 5 /* or more, of which the fastest counts: the machine may be busy */

struct took {
	long first, later; /* connect(), in microseconds: the fastest of all runs */
};

/* As @uid, on the client; @how and @number: options of tests/apps/holder.c, or NULL. */
void holder_start(struct lab *lab, struct proc *p, uid_t uid, const char *how,
		  const char *number, const char *name);

/* Connections of @uid's program to two announced addresses get their pairs. */
struct took served(struct lab *lab, uid_t uid);
/* The same, as fast as @without. */
void served_as_fast(struct lab *lab, uid_t uid, const char *what, struct took without);

/* @tool of @uid prints @text. */
void tool_says(struct lab *lab, uid_t uid, const char *const tool[], const char *text);
void broker_logs(struct lab *lab, const char *text);

static const char *const announced_two[] = { "10.0.2.1", "10.0.3.1", NULL };
static const char *const info[] = { "@mptcpinfo", "--json", NULL };
