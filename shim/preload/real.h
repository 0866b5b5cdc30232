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
 * HOOK_TIME64(name) - hook both names of @name
 *
 * Where glibc's time_t has 32 bits by default, programs with 64 call __NAME64 in place of
 * some functions. The arguments that matter here are the same.
 */
#if defined(__TIMESIZE) && __TIMESIZE == 32
#ifdef __USE_TIME_BITS64
#define HOOK_NAME(name)	 "__" #name "64"
#define HOOK_OTHER(name) #name
#else
#define HOOK_NAME(name)	 #name
#define HOOK_OTHER(name) "__" #name "64"
#endif
#define HOOK_TIME64(name)                                                   \
	HOOK extern __typeof__(name) name##_other __asm__(HOOK_OTHER(name)) \
		__attribute__((alias(HOOK_NAME(name)), copy(name)))
#else
#define HOOK_TIME64(name) _Static_assert(1, "one name")
#endif

/* glibc's headers have transparent unions, and other flags than musl's. */
#ifdef __GLIBC__
#define SOCKADDR_ARG	   __SOCKADDR_ARG
#define CONST_SOCKADDR_ARG __CONST_SOCKADDR_ARG
#define SOCKADDR_OF(arg)   ((arg).__sockaddr__)
typedef int sendmmsg_flags;
#else
#define SOCKADDR_ARG	   struct sockaddr *
#define CONST_SOCKADDR_ARG const struct sockaddr *
#define SOCKADDR_OF(arg)   (arg)
typedef unsigned int sendmmsg_flags;
#endif

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
