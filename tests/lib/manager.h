/* SPDX-License-Identifier: MIT */
/*
 * manager.h - ask a running path manager what it has in its tables
 */
#pragma once

#include <sys/types.h>

#include "mptcpaddr/control.h"

struct host;

/*
 * manager_ask() - CTL_OP_MANAGER of the process @pid on @h
 *
 * Return: 0; -ECONNREFUSED if it runs no manager; -ETIMEDOUT; -EPROTO if the answer is
 * not what control.h says; or the manager's own error.
 */
int manager_ask(const struct host *h, pid_t pid, struct ctl_manager *ret);

/*
 * manager_list() - the first page of CTL_OP_CONNECTIONS, _ENDPOINTS, _ANNOUNCED or _NOTES
 *
 * Return: how many of at most @max records of @size bytes are in @ret; as manager_ask().
 */
int manager_list(const struct host *h, pid_t pid, enum ctl_op op, void *ret, size_t size,
		 size_t max);

/* manager_listens() - whether any process on @h, or the broker, has a manager */
bool manager_listens(const struct host *h);
