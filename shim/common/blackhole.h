/* SPDX-License-Identifier: MIT */
/*
 * blackhole.h - whether the kernel has switched MPTCP off (net.mptcp.blackhole_timeout)
 *
 * If a SYN with MP_CAPABLE is answered only after a retransmission without it, all active
 * connections of the network namespace are plain TCP for a while (net/mptcp/ctrl.c).
 */
#pragma once

#include <stdbool.h>

#define BLACKHOLE_SYSCTL "/proc/sys/net/mptcp/blackhole_timeout"

/* blackhole_is_on() - by a connect() that sends nothing. Changes errno. */
bool blackhole_is_on(void);

/* blackhole_log_text() - what is wrong, and how to end it. Changes errno. */
#define BLACKHOLE_LOG_MAX 320
const char *blackhole_log_text(char text[static BLACKHOLE_LOG_MAX]);
