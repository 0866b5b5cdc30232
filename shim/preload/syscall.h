/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - a system call without libc: no symbol to look up, and errno is not touched
 *
 * For the first socket() of every program, see text.h; and elsewhere, since each function
 * of libc that is named here costs every exec some instructions. Nobody's hooks but ours
 * are to see what we do.
 */
#pragma once

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* sys_call() - system call @nr of up to three arguments. Return: its result; -errno. */
static inline long sys_call(long nr, long a, long b, long c)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
#elif defined(__aarch64__)
	register long r __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x8 __asm__("x8") = nr;

	__asm__ volatile("svc 0" : "+r"(r) : "r"(x1), "r"(x2), "r"(x8) : "memory", "cc");
	return r;
#else
	int saved = errno;
	long r = syscall(nr, a, b, c);

	if (r < 0)
		r = -errno;
	errno = saved;
	return r;
#endif
}

static inline void sys_close(int fd)
{
	sys_call(SYS_close, fd, 0, 0);
}

static inline pid_t sys_getpid(void)
{
	return sys_call(SYS_getpid, 0, 0, 0);
}
