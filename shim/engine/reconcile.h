/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - changes of endpoints on existing connections
 */
#pragma once

#include "state.h"

/*
 * conn_reconcile() - make @conn match its endpoints
 *
 * Return: false if @out is full; engine_tick() continues.
 */
bool conn_reconcile(struct conn *conn, struct pm_cmds *out);
