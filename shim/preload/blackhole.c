// SPDX-License-Identifier: MIT
/*
 * blackhole.c - say, and tell the manager, that the kernel has switched MPTCP off
 */
#include "blackhole.h"
#include "broker.h"
#include "launch.h"
#include "log_request.h"
#include "mptcpaddr/handover.h"
#include "shim/common/blackhole.h"
#include "shim/common/str.h"
#include "syscall.h"

/* "MPTCP is off for 3600 s: ...", once a process. */
static void blackhole_log(void)
{
	char seconds[16], text[256];
	const long n = sys_read_file(BLACKHOLE_SYSCTL, seconds, sizeof(seconds) - 1);
	size_t len;

	seconds[n > 0 ? n - 1 : 0] = '\0'; /* without the newline */
	len = str_append(text, 0, sizeof(text), seconds);
	len = str_append(
		text, len, sizeof(text),
		" s: an uplink drops its SYNs; connections are plain TCP; to end "
		"that, root: sysctl -w net.mptcp.blackhole_timeout=");
	str_append(text, len, sizeof(text), seconds);
	LOG_REQUEST_ONCE(LOG_LEVEL_WARNING,
			 "the kernel has switched MPTCP off for at least ", text);
}

void blackhole_check(struct handover *h)
{
	static _Atomic int64_t last;
	const int64_t now = sys_seconds();
	int64_t none = 0;
	bool on;

	if (atomic_exchange(&last, now) == now)
		return;
	on = blackhole_is_on();
	if (h == LAUNCH_BROKER && on)
		broker_register(0, 0, FIRST_WHY_ROUTING);
	else if (h != LAUNCH_BROKER && on)
		atomic_compare_exchange_strong(&h->blackhole_s, &none, now);
	else if (h != LAUNCH_BROKER)
		atomic_store(&h->blackhole_s, 0);
	if (on)
		blackhole_log();
}
