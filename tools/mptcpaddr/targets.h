/* SPDX-License-Identifier: MIT */
/*
 * targets.h - the running programs whose pools a command shows or changes
 */
#pragma once

#include "tools/common/ctl.h"

#include <stdbool.h>

#define TARGET_NAME_MAX 128

struct targets {
	const char *program; /* NULL: any */
	pid_t pid;	     /* 0: any */
	bool one;	     /* several are an error: the pool will be changed */
};

/*
 * target_name() - "curl[812]", or "curl of user 1000": mptcpaddrd has one pool for all
 * programs of a user that have that name. Return: @ret_name.
 */
const char *target_name(const struct ctl *ctl, const struct ctl_manager *manager,
			char ret_name[static TARGET_NAME_MAX]);

/* Return: 0, or 1 after an error was printed. */
typedef int (*target_fn)(void *ctx, struct ctl *ctl, const struct ctl_manager *manager);

/*
 * targets_each() - call @fn with each manager that is meant
 *
 * Return: 0; 1 after an error was printed, here or by @fn.
 */
int targets_each(const struct targets *targets, target_fn fn, void *ctx);
