/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - system calls without libc's wrappers
 *
 * Each libc symbol costs instructions at every exec (str.h), and other preloaded
 * libraries must not see our calls.
 */
#pragma once

#include "shim/common/str.h"
#include "shim/common/time64.h"
#include "shim/common/unix_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#ifndef STATX_INO /* musl before 1.2.5 */
#include <linux/stat.h>
#endif

#define SYS_WAIT_NS    20000000 /* one futex wait */
#define SYS_WAIT_TRIES 50	/* a second in all */

/* sys_call() - system call @nr with up to three arguments. Keeps errno, returns -errno.
 */
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

static inline pid_t sys_gettid(void)
{
	return sys_call(SYS_gettid, 0, 0, 0);
}

/* futex_wait_while() - while *@word is @value, for a second at most. Changes errno. */
static inline void futex_wait_while(_Atomic uint32_t *word, uint32_t value)
{
	int i;

	for (i = 0; i < SYS_WAIT_TRIES && atomic_load(word) == value; i++)
		futex_wait(word, value, SYS_WAIT_NS);
}

/* sys_map() - zeroed memory, private; only written pages are allocated. NULL: none. */
static inline void *sys_map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* sys_statx() - stat() of @path, or fstat() of @fd if it is "". Changes errno. */
static inline bool sys_statx(int fd, const char *path, struct statx *ret)
{
	return syscall(SYS_statx, fd, path, AT_EMPTY_PATH,
		       STATX_INO | STATX_SIZE | STATX_MTIME, ret) == 0;
}

/* sys_int_option() - a socket option; 0 if there is none. Changes errno. */
static inline int sys_int_option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	syscall(SYS_getsockopt, fd, level, name, &value, &len);
	return value;
}

static inline bool sys_same_file(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor;
}

/* sys_read_file() - the first @size bytes of a file. Return: their number; -errno. */
static inline long sys_read_file(const char *path, char *ret_text, size_t size)
{
	const int fd = sys_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC);
	long n;

	if (fd < 0)
		return fd;
	n = sys_call(SYS_read, fd, (long)ret_text, size);
	sys_close(fd);
	return n;
}

/*
 * sys_connect_local() - connect to an AF_UNIX SOCK_SEQPACKET socket (unix_name.h)
 *
 * @wait_us: wait for room in its queue; 0: do not. Return: a descriptor; -EAGAIN, -EINTR:
 * no room; other -errno. Changes errno.
 */
static inline int sys_connect_local(const char *name, long wait_us)
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | (wait_us ? 0 : SOCK_NONBLOCK);
	const struct timeval timeout = { .tv_usec = wait_us };
	struct sockaddr_un addr;
	const socklen_t len = unix_name_address(name, &addr);
	const int fd = sys_call(SYS_socket, AF_UNIX, type, 0);
	long r;

	if (fd < 0)
		return fd;
	if (wait_us && syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			       sizeof(timeout)) < 0)
		r = -EAGAIN; /* without the timeout it could wait for ever */
	else
		r = sys_call(SYS_connect, fd, (long)&addr, len);
	if (!r)
		return fd;
	sys_close(fd);
	return r;
}

/* sys_seconds() - CLOCK_MONOTONIC_COARSE */
static inline int64_t sys_seconds(void)
{
	return time64_now(CLOCK_MONOTONIC_COARSE).tv_sec;
}
