/* SPDX-License-Identifier: MIT */
/*
 * rules.h - joins, their retries, and changes of endpoints (DESIGN.md, 4)
 */
#pragma once

#include "state.h"

/* retry.c */

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
/* subflow_failed() - a join or live subflow ended with @error. Changes or deletes @s. */
void subflow_failed(struct conn *conn, struct subflow *s, uint8_t error,
		    uint8_t reset_reason);
/* conn_schedule() - set the timer of @conn. */
void conn_schedule(struct conn *conn);

/* select.c */

/* The result of a join */
enum join {
	JOIN_REQUESTED,
	JOIN_NO_ENDPOINT,
	JOIN_LIMIT,
	JOIN_NO_ROOM, /* in @out */
};

/* join_announced() - try to join @ann, which gets the state and reason. */
void join_announced(struct conn *conn, struct announcement *ann, struct pm_cmds *out);
/* join_waiting() - try to join the announcements that wait. */
void join_waiting(struct conn *conn, struct pm_cmds *out);
/*
 * conn_use_endpoints() - announce `signal` endpoints, join from `subflow` ones
 *
 * Return: false if @out is full.
 */
bool conn_use_endpoints(struct conn *conn, struct pm_cmds *out);
/* join_retry() - request the pair of a SUBFLOW_RETRY record again. */
enum join join_retry(struct conn *conn, struct subflow *s, struct pm_cmds *out);

/* reconcile.c */

/*
 * conn_reconcile() - make @conn match its endpoints
 *
 * Return: false if @out is full; engine_tick() continues.
 */
bool conn_reconcile(struct conn *conn, struct pm_cmds *out);
