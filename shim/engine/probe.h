/* SPDX-License-Identifier: MIT */
/*
 * probe.h - paths that carry nothing while their link is up
 */
#pragma once

#include "state.h"

/* conn_probe() - check paths and probe silent ones that are due. Return: false if @out is
 * full. */
bool conn_probe(struct conn *conn, struct pm_cmds *out);
/* probe_answered() - @probe is established. */
void probe_answered(struct conn *conn, struct subflow *probe, struct pm_cmds *out);
/* probe_closed() - @probe has ended: delete it. @error: positive errno, or 0. */
void probe_closed(struct conn *conn, struct subflow *probe, uint8_t error);
/*
 * probe_follows() - @path has ended
 *
 * @failed: to be joined again. Return: whether its probe does that.
 */
bool probe_follows(struct conn *conn, const struct subflow *path, bool failed,
		   struct pm_cmds *out);
