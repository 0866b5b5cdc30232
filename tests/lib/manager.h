/* SPDX-License-Identifier: MIT */
/*
 * manager.h - ask a running path manager what it has in its tables
 */
#ifndef TESTS_MANAGER_H
#define TESTS_MANAGER_H

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

#endif
