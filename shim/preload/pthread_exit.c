// SPDX-License-Identifier: MIT
/*
 * pthread_exit.c - the main thread ends before others do: the manager goes first
 *
 * A process ends with its last thread, which then runs exit(). That has to be one of the
 * application's: ours never ends, and has other descriptors to flush to.
 */
#include "launch.h"
#include "real.h"
#include "syscall.h"

#include <pthread.h>

HOOK void pthread_exit(void *result)
{
	int saved = errno;

	if (sys_gettid() == sys_getpid())
		launch_end();
	errno = saved;
	REAL(pthread_exit)(result);
	__builtin_unreachable();
}
