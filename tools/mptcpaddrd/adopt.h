/* SPDX-License-Identifier: MIT */
/*
 * adopt.h - manage connections of programs that use MPTCP without the preload library
 */
#pragma once

#include "broker.h"

/* adopt_add_candidate() - @ev belongs to no registered connection. */
void adopt_add_candidate(struct broker *b, const struct pm_event *ev);
/* adopt_candidates() - adopt those that have waited long enough for a registration. */
void adopt_candidates(struct broker *b);
int adopt_timeout(const struct broker *b);

/* adopt_connection() - if a [program] of the policy matches. */
void adopt_connection(struct broker *b, uint32_t token, bool server_side);

/* adopt_clear_cache() - the policy has changed. */
void adopt_clear_cache(void);
