// SPDX-License-Identifier: MIT
/*
 * handover.c - pass registrations from connect() to the manager
 *
 * The real register.c with MPTCP connections over loopback; this file replaces launch.c,
 * wake.c and the manager.
 */
#include "mptcpaddr/handover.h"
#include "mptcpaddr/uapi.h"
#include "shim/preload/launch.h"
#include "shim/preload/register.h"
#include "shim/preload/wake.h"
#include "skip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define WRITERS 4
#define EACH	50000

static struct handover ring;
static _Atomic unsigned int kicks;

struct handover *launch_manager(bool broker)
{
	return &ring;
}

bool launch_is_child(void)
{
	return false;
}

bool wake_manager(struct handover *handover)
{
	atomic_fetch_add(&kicks, 1);
	return true;
}

void wake_open_filter(struct handover *handover)
{
	cr_assert_eq(atomic_load(&handover->in_flight), 1,
		     "opened before it was counted");
	atomic_store(&handover->filter, HANDOVER_FILTER_OPEN);
}

static bool slot_take(uint64_t *ret_value)
{
	uint32_t tail = atomic_load(&ring.tail);

	if (tail == atomic_load(&ring.head))
		return false;
	*ret_value = atomic_exchange(&ring.slots[tail % HANDOVER_SLOTS], 0);
	if (!*ret_value)
		return false;
	atomic_store(&ring.tail, tail + 1);
	return true;
}

static uint32_t token_of(int fd)
{
	struct mptcpaddr_info info = { 0 };
	socklen_t len = sizeof(info);

	cr_assert_eq(getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len), 0);
	cr_assert_neq(info.token, 0);
	return info.token;
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

/* Open @n connections to our own listening socket. */
static void connections(int fds[], int n)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int i, listener;

	NEED_SANDBOX();
	loopback_up();
	listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	if (listener < 0)
		SKIP("this kernel has no MPTCP");
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(listener, (struct sockaddr *)&addr, len), 0);
	cr_assert_eq(listen(listener, n), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	for (i = 0; i < n; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
		cr_assert_eq(connect(fds[i], (struct sockaddr *)&addr, len), 0);
	}
}

static void register_ok(int fd)
{
	register_end(register_begin(fd), fd, sizeof(struct sockaddr_in6), 0);
}

/* connect() opens the filter before the SYN, unless an earlier one has timed out. */
Test(handover, filter_of_an_idle_manager_is_opened_before_a_connect)
{
	int fd;

	connections(&fd, 1);
	atomic_store(&ring.filter, HANDOVER_FILTER_IDLE);
	register_ok(fd);
	cr_expect_eq(atomic_load(&ring.filter), HANDOVER_FILTER_OPEN);
	atomic_store(&ring.filter, HANDOVER_FILTER_STUCK);
	register_ok(fd);
	cr_expect_eq(atomic_load(&ring.filter), HANDOVER_FILTER_STUCK);
	cr_expect_eq(atomic_load(&ring.in_flight), 0);
}

Test(handover, token_of_a_connection_arrives)
{
	uint64_t value;
	int fd;

	connections(&fd, 1);
	errno = 4711;
	register_ok(fd);
	cr_assert_eq(errno, 4711);
	cr_assert_eq(atomic_load(&ring.in_flight), 0);
	cr_assert_eq(atomic_load(&ring.registered), 1);
	cr_assert(slot_take(&value));
	cr_assert_eq((uint32_t)value, token_of(fd));
	cr_assert_not(value & HANDOVER_V6ONLY);
	cr_assert_not(slot_take(&value));
	cr_assert_eq(atomic_load(&kicks), 0);
}

Test(handover, connect_that_failed_registers_nothing)
{
	uint64_t value;
	int fd;

	connections(&fd, 1);
	struct handover *h = register_begin(fd);
	cr_assert_eq(atomic_load(&ring.in_flight), 1);
	errno = ECONNREFUSED;
	register_end(h, fd, sizeof(struct sockaddr_in6), -1);
	cr_assert_eq(errno, ECONNREFUSED);
	cr_assert_eq(atomic_load(&ring.in_flight), 0);
	cr_assert_not(slot_take(&value));
}

Test(handover, connect_that_goes_on_is_registered)
{
	static const int errors[] = { EINPROGRESS, EINTR };
	uint64_t value;
	int fd, i;

	connections(&fd, 1);
	for (i = 0; i < 2; i++) {
		struct handover *h = register_begin(fd);

		errno = errors[i];
		register_end(h, fd, sizeof(struct sockaddr_in6), -1);
		cr_assert_eq(errno, errors[i]);
		cr_assert(slot_take(&value));
	}
}

Test(handover, socket_that_is_no_mptcp_connection_registers_nothing)
{
	int fds[] = { socket(AF_UNIX, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0),
		      -1 };
	uint64_t value;
	int i;

	for (i = 0; i < 3; i++) {
		errno = 0;
		register_ok(fds[i]);
		cr_assert_eq(errno, 0);
		cr_assert_not(slot_take(&value));
	}
	cr_assert_eq(atomic_load(&ring.in_flight), 0);
}

Test(handover, full_ring_wakes_the_manager_and_counts_what_is_lost)
{
	uint64_t value;
	int fd, i;

	connections(&fd, 1);
	for (i = 0; i < HANDOVER_SLOTS; i++)
		register_ok(fd);
	cr_assert_eq(atomic_load(&kicks), 0);
	register_ok(fd);
	cr_assert_eq(atomic_load(&kicks), 1);
	cr_assert_eq(atomic_load(&ring.lost), 1);
	cr_assert_eq(atomic_load(&ring.registered), HANDOVER_SLOTS);
	cr_assert_eq(atomic_load(&ring.in_flight), 0);
	for (i = 0; i < HANDOVER_SLOTS; i++)
		cr_assert(slot_take(&value));
	cr_assert_not(slot_take(&value));
	register_ok(fd);
	cr_assert(slot_take(&value));
	cr_assert_eq(atomic_load(&ring.lost), 1);
}

Test(handover, counters_of_the_ring_wrap_around)
{
	uint64_t value;
	int fd, i;

	connections(&fd, 1);
	atomic_store(&ring.head, UINT32_MAX - 10);
	atomic_store(&ring.tail, UINT32_MAX - 10);
	for (i = 0; i < HANDOVER_SLOTS; i++)
		register_ok(fd);
	cr_assert_eq(atomic_load(&ring.lost), 0);
	cr_assert_lt(atomic_load(&ring.head), (uint32_t)HANDOVER_SLOTS);
	register_ok(fd);
	cr_assert_eq(atomic_load(&ring.lost), 1);
	for (i = 0; i < HANDOVER_SLOTS; i++)
		cr_assert(slot_take(&value));
	cr_assert_not(slot_take(&value));
}

static void *writer(void *arg)
{
	int i, fd = *(int *)arg;

	for (i = 0; i < EACH; i++)
		register_ok(fd);
	return NULL;
}

Test(handover, several_writers_lose_nothing_silently, .timeout = 60)
{
	uint32_t tokens[WRITERS], got[WRITERS] = { 0 }, sum = 0;
	pthread_t threads[WRITERS];
	int fds[WRITERS], i;
	uint64_t value;

	connections(fds, WRITERS);
	for (i = 0; i < WRITERS; i++)
		tokens[i] = token_of(fds[i]);
	atomic_store(&ring.head, UINT32_MAX - 1000);
	atomic_store(&ring.tail, UINT32_MAX - 1000);
	for (i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, writer, &fds[i]);
	while (sum + atomic_load(&ring.lost) < WRITERS * EACH) {
		if (!slot_take(&value))
			continue;
		for (i = 0; i < WRITERS; i++)
			got[i] += tokens[i] == (uint32_t)value;
		sum++;
	}
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_not(slot_take(&value));
	cr_assert_eq(atomic_load(&ring.registered), sum);
	cr_assert_eq(sum + atomic_load(&ring.lost), WRITERS * EACH);
	for (i = 0; i < WRITERS; i++) {
		cr_assert_leq(got[i], EACH, "a registration came twice");
		sum -= got[i];
	}
	cr_assert_eq(sum, 0, "%u unknown tokens", sum);
}
