/* SPDX-License-Identifier: MIT */
/*
 * symver.h - use the oldest symbol version of libc functions
 *
 * At each exec the dynamic linker checks every version that the library names: 300 to
 * 400 instructions each. With this file it names one. glibc 2.34 moved the functions into
 * libc.so.6 and gave them a second version, for the same code.
 */
#pragma once

#include <features.h>

#if !defined(__GLIBC__)
#define OLDEST(function) _Static_assert(1, "no versions")
#elif defined(__x86_64__) && !defined(__ILP32__)
#define OLDEST(function) __asm__(".symver " #function "," #function "@GLIBC_2.2.5")
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define OLDEST(function) __asm__(".symver " #function "," #function "@GLIBC_2.17")
#else
#define OLDEST(function) _Static_assert(1, "the default version")
#endif

OLDEST(dladdr);
OLDEST(dlerror);
OLDEST(dlopen);
OLDEST(dlsym);
OLDEST(pthread_attr_setstacksize);
OLDEST(pthread_create);
OLDEST(pthread_join);
OLDEST(pthread_mutex_trylock);
