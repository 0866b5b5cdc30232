// SPDX-License-Identifier: MIT
/*
 * signals.c - signals that a loop polls for, instead of handlers
 */
#include "signals.h"

#include <errno.h>
#include <sys/signalfd.h>

int signals_open(const int *list, sigset_t *ret_before)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (; *list; list++)
		sigaddset(&set, *list);
	if (sigprocmask(SIG_BLOCK, &set, ret_before) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
