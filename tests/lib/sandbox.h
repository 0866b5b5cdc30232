/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - a user, mount, PID and network namespace for a whole test program
 */
#pragma once

#include <stdbool.h>

/*
 * sandbox_enter() - go on in namespaces of our own
 *
 * Call it first in main(), while there is one thread. It returns in a grandchild that
 * is root in there, with an empty /run, /dev/shm and a /proc of its own; the caller's
 * process waits for it and exits as it does. Whatever is left running then is ended.
 * Return: 0; -errno where the kernel refuses such namespaces, in the caller's process.
 */
int sandbox_enter(void);

/* Mount an empty /run for the calling test alone, once: tests run in parallel. */
void sandbox_own_run(void);

/* Whether sandbox_enter() succeeded in this process or in one that it descends from. */
bool sandbox_entered(void);
