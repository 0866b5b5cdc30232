/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the steady clock that all timers use (CLOCK_MONOTONIC)
 */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* CLOCK_REALTIME, for people and logs; it may be set. */
static inline int64_t clock_real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

/* clock_left_ms() - milliseconds until @when_ms, for poll(); 0: it has passed. */
static inline int clock_left_ms(int64_t when_ms)
{
	const int64_t left = when_ms - clock_ms();

	return left > 0 ? (int)left : 0;
}
