/* SPDX-License-Identifier: MIT */
/*
 * counter.h - the MPTcpExt and TcpExt counters of a host
 */
#ifndef TESTS_COUNTER_H
#define TESTS_COUNTER_H

#include <stdint.h>

struct host;

/* @name as in nstat, without "MPTcpExt" or "TcpExt". Return: its value, -ENOENT, -errno.
 */
int64_t counter(const struct host *h, const char *name);

#endif
