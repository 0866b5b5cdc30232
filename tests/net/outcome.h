/* SPDX-License-Identifier: MIT */
/*
 * outcome.h - all that a scenario led to, as text: subflows, the wire, counters
 *
 * Two runs of a scenario are the same if their texts are equal.
 */
#pragma once

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
