/* SPDX-License-Identifier: MIT */
/*
 * child.h - a program that is run as if by the shell
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int sigfd;
	bool ended;
	int status; /* as the shell has it: 128 + N for a signal; 127, 126: not run */
};

/*
 * child_start() - run @argv, with this process's environment, signals and files
 *
 * Return: 0; -errno, with a line on stderr and ret->status as a shell's.
 */
int child_start(struct child *ret, char **argv);

/* child->sigfd is readable: what came is passed on, the child's end noted. */
void child_signals(struct child *child);
