/* SPDX-License-Identifier: MIT */
/*
 * outcome.h - the outcome of a scenario as text: subflows, the wire, counters
 *
 * Two runs of a scenario agree if their texts are equal.
 */
#pragma once

#include "net.h"

/*
 * outcome_text() - joined subflows of both hosts with their IDs and backup flags, path-
 * manager options on the wire, and the MPTcpExt counters of both hosts
 *
 * Call net_settle() first. The caller frees it.
 */
char *outcome_text(struct net *n);

/* The first part alone. */
char *outcome_subflows(const struct net *n);
