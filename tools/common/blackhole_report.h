/* SPDX-License-Identifier: MIT */
/*
 * blackhole_report.h - since when and until when the kernel has switched MPTCP off
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BLACKHOLE_TEXT_MAX 256

struct blackhole {
	bool on;
	unsigned int timeout;	       /* net.mptcp.blackhole_timeout, seconds */
	int64_t since, until;	       /* CLOCK_REALTIME; 0: unknown */
	char text[BLACKHOLE_TEXT_MAX]; /* a sentence; the remedy is BLACKHOLE_REMEDY */
};

/* With `timeout` */
#define BLACKHOLE_REMEDY "sysctl -w net.mptcp.blackhole_timeout=%u"

/*
 * blackhole_read() - @times: the counter MPTcpExtBlackhole
 *
 * @noticed_s: when a manager noticed it, CLOCK_MONOTONIC; 0: none did. Each new black
 * hole doubles the time, up to 64 times, until a connection was MPTCP: so `until` is the
 * latest possible end.
 */
void blackhole_read(uint64_t times, int64_t noticed_s, struct blackhole *ret);
