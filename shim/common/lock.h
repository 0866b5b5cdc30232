/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a lock of one word, with a time limit
 *
 * Not a mutex: libc's locking with a limit is another function for each size of time_t,
 * and musl has none for the steady clock.
 */
#pragma once

#include "time64.h"

#include <stdbool.h>

enum {
	LOCK_FREE,
	LOCK_HELD,
	LOCK_WAITED_FOR, /* held; somebody may be waiting */
};

#define LOCK_WAIT_NS 20000000 /* one futex wait */

/* lock_take_within() - @tries: futex waits until it fails; -1: never. Changes errno. */
static inline bool lock_take_within(_Atomic uint32_t *lock, int tries)
{
	uint32_t free = LOCK_FREE;

	if (atomic_compare_exchange_strong(lock, &free, LOCK_HELD))
		return true;
	while (atomic_exchange(lock, LOCK_WAITED_FOR) != LOCK_FREE) {
		if (!tries)
			return false;
		tries -= tries > 0;
		futex_wait(lock, LOCK_WAITED_FOR, LOCK_WAIT_NS);
	}
	return true;
}

static inline void lock_take(_Atomic uint32_t *lock)
{
	lock_take_within(lock, -1);
}

static inline void lock_give(_Atomic uint32_t *lock)
{
	if (atomic_exchange(lock, LOCK_FREE) == LOCK_WAITED_FOR)
		futex_wake(lock);
}
