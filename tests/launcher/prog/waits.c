// SPDX-License-Identifier: MIT
/*
 * waits.c - print how long the library's futex wait of 50 ms and its lock take
 */
#include "shim/common/lock.h"

#include <stdio.h>
#include <time.h>

static _Atomic uint32_t word;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(void)
{
	const double start = now_ms();
	const timespec64 same = time64_now(CLOCK_MONOTONIC);
	double waited, locked;

	futex_wait(&word, 0, 50000000);
	waited = now_ms() - start;
	lock_take(&word);
	lock_take_within(&word, 3); /* it is held */
	locked = now_ms() - start - waited;
	printf("clock %s, waited %s, lock %s\n",
	       same.tv_sec * 1e3 + same.tv_nsec / 1e6 - start < 1e3 ? "right" : "wrong",
	       waited >= 49 ? "long" : "not at all",
	       locked >= 3 * LOCK_WAIT_NS / 1e6 - 1 ? "long" : "not at all");
	return 0;
}
