/* SPDX-License-Identifier: MIT */
/*
 * signals.h - signals that a loop polls for, instead of handlers
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

/*
 * signals_open() - block the signals of @list, which ends in 0
 *
 * @ret_before, if not NULL, gets the previous mask, for a child.
 * Return: a non-blocking signalfd; -errno.
 */
static inline int signals_open(const int *list, sigset_t *ret_before)
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
