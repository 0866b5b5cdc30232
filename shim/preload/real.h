/* SPDX-License-Identifier: MIT */
/*
 * real.h - the hooked functions of the next library, so that hooks chain
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

/* Exported, like the names in export.map; nothing else is. */
#define HOOK __attribute__((visibility("default")))

/*
 * REAL(name) - the next library's function @name, looked up at the first call: in a
 * constructor it would cost every exec. Racing threads find the same pointer.
 */
#define REAL(name)                                                             \
	((__typeof__(&name))({                                                 \
		static _Atomic(void *) real_;                                  \
		void *f_ = atomic_load_explicit(&real_, memory_order_relaxed); \
		f_ ? f_ : real_resolve(&real_, #name);                         \
	}))

void *real_resolve(_Atomic(void *) *ret_real, const char *name);
