/* SPDX-License-Identifier: MIT */
/*
 * slice.h - the scheduling slice of a thread
 */
#pragma once

#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define SLICE_SHORT_NS 100000

/* Return: nanoseconds; 0 before Linux 6.12, or if there is no such thread. */
static inline uint64_t slice_of(pid_t tid)
{
	/* struct sched_attr: sched_runtime follows 24 bytes */
	uint64_t attr[6] = { 0 };

	if (syscall(SYS_sched_getattr, tid, attr, sizeof(attr), 0) < 0)
		return 0;
	return attr[3];
}

/* Return: slice_of() a manager. Under a seccomp filter of a container, it does not ask.
 */
static inline uint64_t slice_expected(void)
{
	return slice_of(0) && !prctl(PR_GET_SECCOMP) ? SLICE_SHORT_NS : slice_of(0);
}
