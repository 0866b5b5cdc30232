/* SPDX-License-Identifier: MIT */
/*
 * sd_notify.h - report the state to systemd (sd_notify(3)), without its library
 */
#pragma once

#include <stdint.h>

/* notify_open() - use $NOTIFY_SOCKET and $WATCHDOG_USEC; without them, nothing is sent.
 */
void notify_open(void);
void notify_state(const char *state);
void notify_reloading(void);

/* notify_watchdog() - if it is due. @now_ms: of the steady clock. */
void notify_watchdog(int64_t now_ms);
/* notify_timeout() - milliseconds until it is due; -1: no watchdog. */
int notify_timeout(int64_t now_ms);
