/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - changes of endpoints on existing connections
 */
#pragma once

#include "state.h"

/*
 * subflow_release_endpoint() - @s loses its endpoint: another one, or later the same,
 * joins its remote address
 */
void subflow_release_endpoint(struct conn *conn, const struct subflow *s);
/* push_command() - there must be room. Return: it, with what @s has. */
struct pm_cmd *push_command(struct pm_cmds *out, enum pm_cmd_type type,
			    const struct conn *conn, const struct subflow *s);
/*
 * conn_keeps_path() - whether a path remains once those with @closing's ID are closed
 *
 * If all endpoints were removed from the pool, the first path remains.
 */
bool conn_keeps_path(const struct conn *conn, const struct subflow *closing);
/*
 * subflow_doom() - end a pending join
 *
 * @error: errno for its note; 0: it has lost its endpoint. Return: false if @out is full.
 */
bool subflow_doom(struct conn *conn, struct subflow *s, int error, struct pm_cmds *out);
/*
 * conn_reconcile() - make @conn match its endpoints
 *
 * Return: false if @out is full; engine_tick() continues.
 */
bool conn_reconcile(struct conn *conn, struct pm_cmds *out);
