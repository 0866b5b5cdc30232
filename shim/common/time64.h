/* SPDX-License-Identifier: MIT */
/*
 * time64.h - system calls that read or write a time, without libc's wrappers
 *
 * 32-bit systems have two sets of them. All files use the one of 64-bit times
 * (Linux 5.1): libc's struct timespec has either layout there, and the kernel would
 * misread the other.
 */
#pragma once

#include <linux/futex.h>
#include <linux/time_types.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_futex_time64
#define TIME64_FUTEX	       SYS_futex_time64
#define TIME64_CLOCK_GETTIME   SYS_clock_gettime64
#define TIME64_PPOLL	       SYS_ppoll_time64
#define TIME64_RT_SIGTIMEDWAIT SYS_rt_sigtimedwait_time64
#else
#define TIME64_FUTEX	       SYS_futex
#define TIME64_CLOCK_GETTIME   SYS_clock_gettime
#define TIME64_PPOLL	       SYS_ppoll
#define TIME64_RT_SIGTIMEDWAIT SYS_rt_sigtimedwait
#endif

typedef struct __kernel_timespec timespec64;

/* time64_now() - of CLOCK_MONOTONIC or CLOCK_MONOTONIC_COARSE. Changes errno. */
static inline timespec64 time64_now(int clock)
{
	timespec64 now = { 0 };

	syscall(TIME64_CLOCK_GETTIME, clock, &now);
	return now;
}

/* futex_wait() - if *@word is @value, for @ns, less than a second. Changes errno. */
static inline long futex_wait(const void *word, uint32_t value, long ns)
{
	const timespec64 timeout = { .tv_nsec = ns };

	return syscall(TIME64_FUTEX, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0);
}

/* futex_wake() - all threads that wait for it. Changes errno. */
static inline void futex_wake(_Atomic uint32_t *word)
{
	syscall(TIME64_FUTEX, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}
