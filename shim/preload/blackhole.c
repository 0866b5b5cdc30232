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
#include "syscall.h"

/* Once a process. */
static void blackhole_log(void)
{
	char text[BLACKHOLE_LOG_MAX];

	LOG_REQUEST_ONCE(LOG_LEVEL_WARNING, "", blackhole_log_text(text));
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
	if (h != LAUNCH_BROKER && !on)
		atomic_store(&h->blackhole_s, 0);
	else if (h != LAUNCH_BROKER &&
		 !atomic_compare_exchange_strong(&h->blackhole_s, &none, now))
		return; /* the log has it */
	else if (on && h == LAUNCH_BROKER)
		broker_register(0, 0, FIRST_WHY_ROUTING, false);
	if (on)
		blackhole_log();
}
