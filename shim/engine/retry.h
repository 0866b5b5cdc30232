/* SPDX-License-Identifier: MIT */
/*
 * retry.h - when a failed join is tried again
 */
#pragma once

#include "state.h"

/* retry_delay() - milliseconds before the next try, after @tries failed ones */
uint32_t retry_delay(const struct conn *conn, unsigned int tries);
/* announcement_set_retry() - start the timer of an announcement, if a join failed. */
void announcement_set_retry(struct conn *conn, struct announcement *ann);
/*
 * announce_first_address() - the announcement of the peer's first address, or NULL
 *
 * Nobody announces it: without the first path, `laminar` and `fullmesh` endpoints join it
 * as if somebody had.
 */
struct announcement *announce_first_address(struct conn *conn);
/* subflow_frees_announcement() - whether other endpoints join what @s has joined */
bool subflow_frees_announcement(const struct conn *conn, const struct subflow *s);
/* subflow_failed() - a join or live subflow ended with @error. Changes or deletes @s. */
void subflow_failed(struct conn *conn, struct subflow *s, uint8_t error,
		    uint8_t reset_reason);
/* subflow_must_yield() - whether an address waits for the endpoint of @s, which connects
 */
bool subflow_must_yield(const struct conn *conn, const struct subflow *s);
/* subflow_is_back() - @s, lost, has its endpoint again: conn_revive() checks it. */
bool subflow_is_back(const struct conn *conn, const struct subflow *s);
/*
 * subflow_is_refused() - whether the peer may have refused @s, which ended without error
 *
 * Linux resets a join beyond its limit in answer to the third ACK of the handshake. Here
 * the subflow is established by then, but not fully (RFC 8684, 3.2: the fourth ACK), so
 * that the kernel forgets why, and in general the error, too.
 */
bool subflow_is_refused(const struct conn *conn, const struct subflow *s);
/* subflow_is_down() - @s, live, waits for its link. */
bool subflow_is_down(const struct conn *conn, const struct subflow *s);
#define CHECKS_DONE 15	 /* of a subflow whose link is down: no more */
#define YIELD_MS    3000 /* from the start of its join */
#define FRESH_MS    5000 /* from its answer: a refusal takes a round-trip */
#define STUCK_MS    150	 /* likewise: its SYN waits for its retransmission */
/* conn_schedule() - set the timer of @conn. */
void conn_schedule(struct conn *conn);
