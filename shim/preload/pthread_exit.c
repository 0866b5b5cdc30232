// SPDX-License-Identifier: MIT
/*
 * pthread_exit.c - pthread_exit() of the main thread: the manager goes first
 *
 * A process ends with its last thread, which then runs exit(). That has to be one of the
 * application's: ours never ends, and has other descriptors to flush to.
 */
#include "launch.h"
#include "real.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

HOOK void pthread_exit(void *result)
{
	int saved = errno;

	if (syscall(SYS_gettid) == getpid())
		launch_stop();
	errno = saved;
	REAL(pthread_exit)(result);
	__builtin_unreachable();
}
