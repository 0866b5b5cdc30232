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

/*
 * notify_watchdog() - notify the watchdog if it is due
 *
 * @now_ms: of the steady clock. Return: milliseconds until the next time; -1: no
 * watchdog.
 */
int notify_watchdog(int64_t now_ms);
