/* SPDX-License-Identifier: MIT */
/*
 * tree.h - a process and all that descend from it
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree {
	pid_t *pids; /* in ascending order */
	size_t n;
};

/* Return: 0 or -ENOMEM. */
int tree_start(struct tree *tree, pid_t root);
/* Adds who was born since, and drops who has ended. Return: 0 or -errno. */
int tree_update(struct tree *tree);
bool tree_has(const struct tree *tree, pid_t pid);
void tree_free(struct tree *tree);
