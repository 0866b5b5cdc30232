/* SPDX-License-Identifier: MIT */
/*
 * signals.h - signals that a loop polls for, instead of handlers
 */
#pragma once

#include <signal.h>

/*
 * signals_open() - block the signals of @list, which ends in 0
 *
 * @ret_before, if not NULL, gets the previous mask, for a child.
 * Return: a non-blocking signalfd; -errno.
 */
int signals_open(const int *list, sigset_t *ret_before);
