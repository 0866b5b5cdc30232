/* SPDX-License-Identifier: MIT */
/*
 * counter.h - the MPTcpExt and TcpExt counters of a host
 */
#pragma once

#include <stdint.h>

struct host;

/* @name as in nstat, without "MPTcpExt" or "TcpExt". Return: its value, -ENOENT, -errno.
 */
int64_t counter(const struct host *h, const char *name);
