/* SPDX-License-Identifier: MIT */
/*
 * select.h - which endpoint goes to which address
 */
#pragma once

#include "state.h"

/* What came of trying to get a subflow. */
enum join {
	JOIN_REQUESTED,
	JOIN_NO_ENDPOINT,
	JOIN_LIMIT,
	JOIN_NO_ROOM, /* in the list of commands */
};

/* Try to join @ann, which gets the reason if that cannot be. */
void join_announced(struct conn *conn, struct announcement *ann, struct pm_cmds *out);
/* Try what waits on @conn: something became free. */
void join_waiting(struct conn *conn, struct pm_cmds *out);
/*
 * Announce `signal` endpoints, use `subflow` ones. Return: false if @out was too short.
 */
bool conn_use_endpoints(struct conn *conn, struct pm_cmds *out);
/* Request the pair of a SUBFLOW_RETRY record again. */
enum join join_retry(struct conn *conn, struct subflow *s, struct pm_cmds *out);
/* The first subflow's endpoint has its turn; its `backup` flag is followed. */
void conn_use_first_endpoint(struct conn *conn);
