/* SPDX-License-Identifier: MIT */
/*
 * revive.h - paths whose link is back
 */
#pragma once

#include "state.h"

/* conn_revive() - check lost paths that are due. Return: false if @out is full. */
bool conn_revive(struct conn *conn, struct pm_cmds *out);
