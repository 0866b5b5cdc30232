// SPDX-License-Identifier: MIT
/*
 * pthread_exit.c - pthread_exit(): stop the manager when the main thread ends
 *
 * The last thread of a process runs exit(). It must be one of the application's: the
 * manager never ends by itself, and stdio would flush to the manager's descriptors.
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
