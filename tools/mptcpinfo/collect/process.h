/* SPDX-License-Identifier: MIT */
/*
 * process.h - what can be seen of a program that has no manager
 */
#pragma once

#include <sys/types.h>

struct process;

/* Never fails: what cannot be seen is marked as unknown. */
void process_read(pid_t pid, struct process *ret_process);
