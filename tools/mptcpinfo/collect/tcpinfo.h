/* SPDX-License-Identifier: MIT */
/*
 * tcpinfo.h - what the kernel's struct tcp_info says of a subflow
 */
#pragma once

#include <stddef.h>

struct subflow;

/* @len bytes of struct tcp_info, as the kernel gave them. */
void tcpinfo_fill(struct subflow *sf, const void *data, size_t len);
