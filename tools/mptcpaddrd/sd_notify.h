/* SPDX-License-Identifier: MIT */
/*
 * sd_notify.h - tell systemd how we are (sd_notify(3)), without its library
 */
#pragma once

#include <stdint.h>

/* notify_open() - as $NOTIFY_SOCKET and $WATCHDOG_USEC say; without them all does
 * nothing. */
void notify_open(void);
void notify_state(const char *state);
void notify_reloading(void);

/* notify_watchdog() - for the watchdog, when it is time. @now_ms: steady. */
void notify_watchdog(int64_t now_ms);
/* notify_timeout() - milliseconds until then; -1: there is no watchdog. */
int notify_timeout(int64_t now_ms);
