/* SPDX-License-Identifier: MIT */
/*
 * slice.h - a short scheduling slice for the thread that answers an ADD_ADDR
 */
#pragma once

/*
 * slice_shorten() - of the calling thread, if its policy is SCHED_OTHER
 *
 * Not under a seccomp filter, which may kill for a call that the program never makes.
 */
void slice_shorten(void);
