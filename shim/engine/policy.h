/* SPDX-License-Identifier: MIT */
/*
 * policy.h - which uplinks carry the data of a connection, and which are in reserve
 */
#pragma once

#include "state.h"

/* policy_set_pool() - @map: engine_set_pool()'s, of @old to engine->pool */
void policy_set_pool(struct engine *engine, const struct pool *old, const uint8_t *map);
/* policy_rules() - whether the pool has a policy for @conn, which this side opened */
bool policy_rules(const struct conn *conn);
/* policy_wants_backup() - whether @s, which has an endpoint, must be a backup path */
bool policy_wants_backup(const struct conn *conn, const struct subflow *s);
/* policy_joins_as_backup() - whether a new path from @ep must be one */
bool policy_joins_as_backup(const struct conn *conn, const struct endpoint *ep);
/* policy_decide() - choose the uplinks of @conn, for policy_wants_backup(). */
void policy_decide(struct conn *conn);
/* policy_checked() - @path has new round-trip times, and has carried @bytes since. */
void policy_checked(struct conn *conn, const struct subflow *path, uint32_t bytes);
/* policy_sent() - MP_PRIO was sent: when is it repeated? */
void policy_sent(struct conn *conn);
/* policy_refused() - the kernel did not send MP_PRIO over @path. */
void policy_refused(struct conn *conn, struct subflow *path);
/*
 * policy_resumes() - @path is the only path, after a time without any
 *
 * Linux 6.18 sends what was written in that time only after the next data
 * acknowledgement. A join carries none to the peer; MP_PRIO does.
 */
void policy_resumes(struct conn *conn, struct subflow *path);
/* policy_path_ended() - @path has, with an error if @failed. */
void policy_path_ended(struct conn *conn, const struct subflow *path, bool failed);
