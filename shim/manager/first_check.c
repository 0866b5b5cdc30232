// SPDX-License-Identifier: MIT
/*
 * first_check.c - first paths whose SYN has no answer
 *
 * No event says so, nor that a server answered without MPTCP: sock_diag knows.
 */
#include "first_check.h"
#include "shim/common/clock.h"

#include <string.h>

void first_check_add(struct first_checks *checks, uint32_t token, int64_t now_ms)
{
	if (checks->n == FIRST_CHECKS)
		return; /* so many at a time: the others will tell */
	checks->v[checks->n].token = token;
	checks->v[checks->n++].due_ms = now_ms + FIRST_CHECK_MS;
}

bool first_check_next(struct first_checks *checks, int diag_fd,
		      struct pm_event *ret_first)
{
	struct diag_owner owner = { .unanswered = false };

	while (!owner.unanswered && first_check_wait(checks) == 0) {
		diag_read_owner(diag_fd, checks->v[0].token, &owner);
		checks->n--;
		memmove(checks->v, checks->v + 1, checks->n * sizeof(*checks->v));
	}
	*ret_first = owner.first;
	return owner.unanswered;
}

int first_check_wait(const struct first_checks *checks)
{
	return checks->n ? clock_left_ms(checks->v[0].due_ms) : -1;
}
