/* SPDX-License-Identifier: MIT */
/*
 * targets.h - the running programs whose pool a command is about
 */
#pragma once

#include "tools/common/ctl.h"

#include <stdbool.h>

#define TARGET_NAME_MAX 128

struct targets {
	const char *program; /* NULL: any */
	pid_t pid;	     /* 0: any */
	bool one;	     /* more than one is an error: something is to be changed */
};

/*
 * targets_option() - take "--pid P" or "--program N" out of argv[*@at]
 *
 * Return: 1: it was one, *@at is behind it; 0: something else; -EINVAL: no value.
 */
int targets_option(struct targets *targets, int argc, char *argv[], int *at);

/*
 * target_name() - whose pool it is: "curl[812]"; where mptcpaddrd has it, for all
 * programs of a user that have that name, "curl of user 1000". Return: @ret_name.
 */
const char *target_name(const struct ctl *ctl, const struct ctl_manager *manager,
			char ret_name[static TARGET_NAME_MAX]);

/*
 * targets_each() - call @fn with each manager that is meant
 *
 * Return: 0; 1 after an error was told on stderr, or when @fn returned other than 0.
 */
int targets_each(const struct targets *targets,
		 int (*fn)(void *ctx, struct ctl *ctl, const struct ctl_manager *manager),
		 void *ctx);
