/* SPDX-License-Identifier: MIT */
/*
 * outcome.h - all that a scenario led to, as text: subflows, the wire, counters
 *
 * Two runs of a scenario are the same if their texts are equal.
 */
#ifndef TESTS_OUTCOME_H
#define TESTS_OUTCOME_H

#include "net.h"

/*
 * outcome_text() - joined subflows of both hosts with their IDs and backup flags, what
 * path managers said on the wire, and the MPTcpExt counters of both hosts
 *
 * net_settle() comes first. The caller frees it.
 */
char *outcome_text(struct net *n);

/* The first part alone. */
char *outcome_subflows(const struct net *n);

/*
 * outcome_is_the_kernels() - fail unless the pool's text is what the kernel gives
 * @pool:   of one run with the pool, which is never repeated
 * @kernel: runs the scenario with the kernel's own endpoints; its text is freed
 * @what:   the scenario, for the message
 *
 * The kernel's result may depend on which of its threads is faster: about one run in 300
 * serves `subflow` endpoints before the announcement that came in the same packet, and
 * then exceeds its limit of subflows. When it differs from the pool it is asked twice
 * more, and what it gives most often counts.
 */
void outcome_is_the_kernels(const char *pool, char *(*kernel)(void *ctx), void *ctx,
			    const char *what);

#endif
