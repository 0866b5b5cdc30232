/* SPDX-License-Identifier: MIT */
/*
 * helgrind.h - included before every file of a build for helgrind: what atomics order
 *
 * helgrind knows locks, not C11's atomics. Here each store releases to the loads of the
 * object, and accesses to the object itself are no races, as the standard says.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <valgrind/helgrind.h>

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_fetch_or
#undef atomic_compare_exchange_strong

#define HG_VALUE(p) __typeof__((void)0, *(p))
#define HG_BEFORE(p)                                             \
	VALGRIND_HG_DISABLE_CHECKING((void *)(p), sizeof(*(p))); \
	ANNOTATE_HAPPENS_BEFORE(p)
#define HG_FETCH(op, p, by)                      \
	({                                       \
		HG_BEFORE(p);                    \
		HG_VALUE(p) old_ = op(p, by, 5); \
		ANNOTATE_HAPPENS_AFTER(p);       \
		old_;                            \
	})

#define atomic_load_explicit(p, order)                                   \
	({                                                               \
		HG_VALUE(p) value_;                                      \
		VALGRIND_HG_DISABLE_CHECKING((void *)(p), sizeof(*(p))); \
		__atomic_load(p, &value_, order);                        \
		ANNOTATE_HAPPENS_AFTER(p);                               \
		value_;                                                  \
	})
#define atomic_store_explicit(p, to, order)        \
	({                                         \
		HG_VALUE(p) value_ = (to);         \
		HG_BEFORE(p);                      \
		__atomic_store(p, &value_, order); \
	})
#define atomic_exchange(p, to)                           \
	({                                               \
		HG_VALUE(p) value_ = (to), old_;         \
		HG_BEFORE(p);                            \
		__atomic_exchange(p, &value_, &old_, 5); \
		ANNOTATE_HAPPENS_AFTER(p);               \
		old_;                                    \
	})
#define atomic_compare_exchange_strong(p, seen, to)                                    \
	({                                                                             \
		HG_VALUE(p) value_ = (to);                                             \
		HG_BEFORE(p);                                                          \
		bool done_ = __atomic_compare_exchange(p, seen, &value_, false, 5, 5); \
		ANNOTATE_HAPPENS_AFTER(p);                                             \
		done_;                                                                 \
	})
#define atomic_load(p)		atomic_load_explicit(p, 5)
#define atomic_store(p, to)	atomic_store_explicit(p, to, 5)
#define atomic_fetch_add(p, by) HG_FETCH(__atomic_fetch_add, p, by)
#define atomic_fetch_sub(p, by) HG_FETCH(__atomic_fetch_sub, p, by)
#define atomic_fetch_or(p, by)	HG_FETCH(__atomic_fetch_or, p, by)
