/* SPDX-License-Identifier: MIT */
/*
 * real.h - the functions behind the hooks: the next library's, so that hooks chain
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

/* A hook: the only symbols that leave the library, with export.map. */
#define HOOK __attribute__((visibility("default")))

/*
 * REAL(name) - the function that @name would be without this library. The pointer is
 * looked up on first use (a constructor would cost every exec) and kept: two threads
 * that race find the same one.
 */
#define REAL(name)                                                             \
	((__typeof__(&name))({                                                 \
		static _Atomic(void *) real_;                                  \
		void *f_ = atomic_load_explicit(&real_, memory_order_relaxed); \
		f_ ? f_ : real_resolve(&real_, #name);                         \
	}))

void *real_resolve(_Atomic(void *) *ret_real, const char *name);
