// SPDX-License-Identifier: MIT
/*
 * unshare.c - unshare() and setns(): some namespaces are for processes with one thread
 *
 * If the manager's is the only additional thread, it ends, as it would not be there
 * without the library. Connections keep their subflows; the next connect() starts a
 * manager again. In another mount namespace, the pool file may be missing, as after
 * chroot().
 */
#include "launch.h"
#include "real.h"
#include "syscall.h"

#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#define SINGLE_THREADED (CLONE_NEWUSER | CLONE_NEWTIME)
#define RETRIES		1000 /* the kernel releases a thread after pthread_join() */
#define RETRY_NS	1000000

/* Return: whether to repeat a failed call, for the @try-th time. Keeps errno. */
static bool may_repeat(int namespaces, int try)
{
	const int saved = errno;
	_Atomic uint32_t never = 0;
	bool again;

	if (!(namespaces & SINGLE_THREADED) || (saved != EINVAL && saved != EUSERS))
		return false;
	if (try == 0) {
		again = launch_pause();
	} else {
		futex_wait(&never, 0, RETRY_NS);
		again = try < RETRIES;
	}
	errno = saved;
	return again;
}

HOOK int unshare(int flags)
{
	int try = 0, saved = errno, r;

	if (flags & CLONE_NEWNS) {
		launch_keep(true); /* mounts will differ */
		errno = saved;
	}
	do
		r = REAL(unshare)(flags);
	while (r < 0 && may_repeat(flags, try++));
	if (r == 0)
		errno = saved;
	return r;
}

HOOK int setns(int fd, int type)
{
	int try = 0, saved = errno, r, of = type;

	launch_keep(true);
	errno = saved;
	do {
		r = REAL(setns)(fd, type);
		if (r < 0 && !type && errno == EINVAL)
			of = sys_call(SYS_ioctl, fd, NS_GET_NSTYPE, 0);
	} while (r < 0 && of > 0 && may_repeat(of, try++));
	if (r == 0)
		errno = saved;
	return r;
}
