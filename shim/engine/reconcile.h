/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - close, withdraw and MP_PRIO after a change of endpoints
 */
#pragma once

#include "state.h"

/* conn_reconcile() - make @conn match its endpoints. Return: false if @out is full. */
bool conn_reconcile(struct conn *conn, struct pm_cmds *out);
