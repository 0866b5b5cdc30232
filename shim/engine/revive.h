/* SPDX-License-Identifier: MIT */
/*
 * revive.h - paths whose link goes down and comes back
 */
#pragma once

#include "state.h"

/* conn_revive() - check lost paths that are due. Return: false if @out is full. */
bool conn_revive(struct conn *conn, struct pm_cmds *out);
/* subflow_checked() - apply the answer to PM_CMD_CHECK to @s, which is lost. */
void subflow_checked(struct conn *conn, struct subflow *s, const struct pm_health *health,
		     struct pm_cmds *out);
/* subflow_can_return() - whether the engine joins from the endpoint of @s again */
bool subflow_can_return(const struct conn *conn, const struct subflow *s);
