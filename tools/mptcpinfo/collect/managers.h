/* SPDX-License-Identifier: MIT */
/*
 * managers.h - the managers of this namespace, and which connections they look after
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ctl_manager;
struct snapshot;

/*
 * manager_is_broker() - it is mptcpaddrd, run by root (@uid), and speaks for another
 * program: @info names that one, and /proc the broker
 */
bool manager_is_broker(uint32_t uid, const struct ctl_manager *info);

/* managers_find() - names of control sockets only. Return: 0 or -errno. */
int managers_find(struct snapshot *snap);

/*
 * managers_read() - fills managers, and of the connections that they list the
 * manager, pid, program, what it says of them, and what was announced on them
 *
 * Return: 0 or -errno. A manager that cannot be asked is a note, not an error.
 */
int managers_read(struct snapshot *snap);
