/* SPDX-License-Identifier: MIT */
/*
 * select.h - which endpoint joins which address
 */
#pragma once

#include "state.h"

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
/* endpoint_must_wait() - a `laminar` endpoint has one subflow at a time; flap.c */
bool endpoint_must_wait(const struct conn *conn, const struct endpoint *ep);
/* join_probe() - request the pair of @path once more, as SUBFLOW_PROBE. It may move. */
bool join_probe(struct conn *conn, const struct subflow *path, struct pm_cmds *out);
/* join_retry() - request the pair of a SUBFLOW_RETRY record again. */
enum join join_retry(struct conn *conn, struct subflow *s, struct pm_cmds *out);
