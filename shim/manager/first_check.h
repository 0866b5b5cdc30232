/* SPDX-License-Identifier: MIT */
/*
 * first_check.h - first paths whose SYN has no answer
 */
#pragma once

#include "mptcpaddr/netlink.h"

#define FIRST_CHECKS   64 /* connects within: */
#define FIRST_CHECK_MS 300

struct first_checks {
	unsigned int n;
	struct {
		uint32_t token;
		int64_t due_ms;
	} v[FIRST_CHECKS]; /* in the order of time */
};

/* first_check_add() - look at the connection @token, whose SYN has just left, later. */
void first_check_add(struct first_checks *checks, uint32_t token, int64_t now_ms);

/*
 * first_check_next() - whether one is due, and its SYN has no answer: *@ret_first
 *
 * @diag_fd: of diag_open().
 */
bool first_check_next(struct first_checks *checks, int diag_fd,
		      struct pm_event *ret_first);

/* first_check_wait() - milliseconds until first_check_next() is due; -1: none waits. */
int first_check_wait(const struct first_checks *checks);
