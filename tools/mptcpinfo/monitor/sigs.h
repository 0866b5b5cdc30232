/* SPDX-License-Identifier: MIT */
/*
 * sigs.h - signals that a loop polls for, instead of handlers
 */
#pragma once

#include <signal.h>

/*
 * sigs_open() - block the signals of @list, which ends in 0
 *
 * @ret_before, if not NULL, gets the mask as it was, for a child.
 * Return: a signalfd that does not block; -errno.
 */
int sigs_open(const int *list, sigset_t *ret_before);
