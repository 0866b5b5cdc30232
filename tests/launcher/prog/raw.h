/* SPDX-License-Identifier: MIT */
/*
 * raw.h - system calls from the program's own text, as in Go; included into tcpclient.c
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static long raw_call(long nr, long a, long b, long c)
{
	long r;

#if defined(__x86_64__)
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b, x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	r = x0;
#else
#error "how does this machine make a system call?"
#endif
	errno = r < 0 ? -r : errno;
	return r < 0 ? -1 : r;
}

#define socket(domain, type, protocol) raw_call(SYS_socket, domain, type, protocol)
#define connect(fd, addr, len)	       raw_call(SYS_connect, fd, (long)(addr), len)
