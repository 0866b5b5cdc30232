/* SPDX-License-Identifier: MIT */
/*
 * until.h - bounded waiting for a condition
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline void nap_ms(int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* How many times longer an emulated machine takes. */
static inline int patience(void)
{
	const char *times = getenv("MPTCPADDR_TEST_PATIENCE");

	return times && atoi(times) > 0 ? atoi(times) : 1;
}

/* Runnable threads on each processor, at least patience(). */
static inline int machine_load(void)
{
	int running = 0;
	FILE *f = fopen("/proc/loadavg", "re");

	if (f && fscanf(f, "%*f %*f %*f %d", &running) != 1)
		running = 0;
	if (f)
		fclose(f);
	running /= (int)sysconf(_SC_NPROCESSORS_ONLN);
	return running < patience() ? patience() : running;
}

/*
 * How long a test waits for an effect before it fails. Generous: no test may fail
 * because the machine is busy.
 */
#define EFFECT_MS 60000

/* Evaluates @condition every 3 ms until it holds; its last value after @ms * patience().
 */
#define WAIT_UNTIL(condition, ms)                                   \
	({                                                          \
		int64_t until_ = now_ms() + (ms)*patience();        \
		bool held_;                                         \
		while (!(held_ = (condition)) && now_ms() < until_) \
			nap_ms(3);                                  \
		held_;                                              \
	})

/* WAIT_UNTIL() for an effect that must come. */
#define WAIT_FOR(condition) WAIT_UNTIL(condition, EFFECT_MS)
