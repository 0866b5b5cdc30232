/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - close, withdraw and MP_PRIO after a change of endpoints
 */
#pragma once

#include "state.h"

/* Close what has lost its endpoint, set flags. Return: false if @out was too short. */
bool conn_reconcile(struct conn *conn, struct pm_cmds *out);
