// SPDX-License-Identifier: MIT
/*
 * attempt.c - around a call that may send a SYN
 *
 * The address is not looked at: what the kernel would refuse with EFAULT must not
 * crash here. The socket itself tells whether it is MPTCP.
 */
#include "attempt.h"
#include "launch.h"
#include "mode.h"
#include "mptcpaddr/handover.h"
#include "mptcpaddr/uapi.h"
#include "rawcall.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FULL_TRIES 64 /* yields while the manager makes room */

static bool is_mptcp(int fd)
{
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	return !syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) &&
	       protocol == IPPROTO_MPTCP;
}

struct handover *attempt_begin(int fd)
{
	enum mode mode = mode_known();
	struct handover *handover;
	int saved = errno;

	if (mode == MODE_OFF || mode == MODE_PLAIN)
		return NULL;
	handover = is_mptcp(fd) ? launch_manager() : NULL;
	if (handover)
		atomic_fetch_add(&handover->in_flight, 1);
	errno = saved;
	return handover;
}

static bool slot_put(struct handover *h, uint64_t value)
{
	uint32_t head = atomic_load(&h->head);

	do {
		if (head - atomic_load(&h->tail) >= HANDOVER_SLOTS)
			return false;
	} while (!atomic_compare_exchange_weak(&h->head, &head, head + 1));
	atomic_store(&h->slots[head % HANDOVER_SLOTS], value);
	return true;
}

/* 4096 connects without one event, all fallen back or unanswered: make the manager look.
 */
static bool slot_put_when_full(struct handover *h, uint64_t value)
{
	int i;

	launch_kick(h);
	for (i = 0; i < FULL_TRIES; i++) {
		raw_call(SYS_sched_yield, 0, 0, 0);
		if (slot_put(h, value))
			return true;
	}
	return false;
}

/* The token is there from before the SYN until a fallback to TCP is known. */
static void attempt_register(struct handover *h, int fd)
{
	struct mptcpaddr_info info;
	socklen_t len = offsetof(struct mptcpaddr_info, write_seq);
	socklen_t int_len = sizeof(int);
	uint64_t value = HANDOVER_VALID;
	int v6only = 0;

	if (syscall(SYS_getsockopt, fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
		return;
	if (len < offsetof(struct mptcpaddr_info, write_seq) || !info.token)
		return;
	if (!syscall(SYS_getsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &int_len) &&
	    v6only)
		value |= HANDOVER_V6ONLY;
	value |= info.token;
	if (!slot_put(h, value) && !slot_put_when_full(h, value)) {
		atomic_fetch_add(&h->lost, 1);
		return;
	}
	atomic_fetch_add(&h->registered, 1);
	if (atomic_load(&h->early)) /* the events were faster than connect() returned */
		syscall(SYS_futex, &h->registered, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void attempt_end(struct handover *handover, int fd, ssize_t result)
{
	int saved = errno;
	uint32_t n;

	if (!handover)
		return;
	/* A connect() interrupted by a signal goes on by itself. */
	if (result >= 0 || saved == EINPROGRESS || saved == EINTR)
		attempt_register(handover, fd);
	/* Not below 0: a child forked by a signal handler within connect() began with 0.
	 */
	n = atomic_load(&handover->in_flight);
	while (n && !atomic_compare_exchange_weak(&handover->in_flight, &n, n - 1))
		;
	errno = saved;
}
