// SPDX-License-Identifier: MIT
/*
 * wake.c - wake the manager, open its event filter
 *
 * A connection to the manager's control socket wakes it: the application's descriptor
 * table has no descriptor of the manager's.
 */
#include "wake.h"
#include "mptcpaddr/handover.h"
#include "syscall.h"
#include "thread.h"

bool wake_manager(struct handover *h)
{
	const int fd = h->control_name[0] ? sys_connect_local(h->control_name, 0) : -1;

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0 || fd == -EAGAIN; /* a full queue has woken it, too */
}

void wake_open_filter(struct handover *h)
{
	uint32_t idle = HANDOVER_FILTER_IDLE;

	if (wake_manager(h))
		thread_wait_while(&h->filter, idle);
	/* If seccomp has killed the manager, the next connect() must not wait. */
	atomic_compare_exchange_strong(&h->filter, &idle, HANDOVER_FILTER_STUCK);
}
