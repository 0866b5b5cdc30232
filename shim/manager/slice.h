/* SPDX-License-Identifier: MIT */
/*
 * slice.h - a short scheduling slice for the thread that answers an ADD_ADDR
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * slice_shorten() - of the calling thread, if its policy is SCHED_OTHER
 *
 * Return: false: not asked, because a seccomp filter may kill for a call that the program
 * never makes.
 */
bool slice_shorten(void);

/* slice_ask() - of thread @tid, 0: the calling one, whatever a filter does. */
void slice_ask(pid_t tid);
