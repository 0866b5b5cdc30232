// SPDX-License-Identifier: MIT
/*
 * wake.c - wake the manager, open its event filter
 *
 * A connection to the manager's control socket wakes it: the application's descriptor
 * table has no descriptor of the manager's.
 */
#include "wake.h"
#include "mptcpaddr/handover.h"
#include "str.h"
#include "syscall.h"

#include <sys/socket.h>
#include <sys/un.h>

bool wake_manager(struct handover *h)
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = str_len(h->control_name);
	long r;
	int fd;

	if (!len)
		return false;
	str_append(addr.sun_path, 1, sizeof(addr.sun_path), h->control_name);
	fd = syscall(SYS_socket, AF_UNIX, type, 0);
	if (fd < 0)
		return false;
	r = syscall(SYS_connect, fd, &addr,
		    offsetof(struct sockaddr_un, sun_path) + 1 + len);
	sys_close(fd);
	return r == 0;
}

void wake_open_filter(struct handover *h)
{
	uint32_t idle = HANDOVER_FILTER_IDLE;

	if (wake_manager(h))
		sys_futex_wait_while(&h->filter, idle);
	/* If seccomp has killed the manager, the next connect() must not wait. */
	atomic_compare_exchange_strong(&h->filter, &idle, HANDOVER_FILTER_STUCK);
}
