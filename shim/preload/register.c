// SPDX-License-Identifier: MIT
/*
 * register.c - before and after a call that may send a SYN
 *
 * The address argument is not read: a bad pointer must give EFAULT and not a crash. The
 * kernel knows whether the socket is MPTCP.
 */
#include "register.h"
#include "blackhole.h"
#include "broker.h"
#include "launch.h"
#include "log_request.h"
#include "mode.h"
#include "mptcpaddr/broker.h"
#include "mptcpaddr/handover.h"
#include "mptcpaddr/uapi.h"
#include "owner.h"
#include "refused.h"
#include "syscall.h"
#include "wake.h"

#include <netinet/tcp.h>
#include <string.h>

#define KEEPALIVE_PROBES 127 /* the kernel's maximum */
#define FULL_TRIES	 64  /* sched_yield() calls while the manager makes room */

/* An AF_INET6 socket rejects shorter addresses (SIN6_LEN_RFC2133 in the kernel). */
#define IN6_ADDR_MIN 24

#define INHERITED_MAX 1024 /* descriptors to look at */

/* A connection of this program has no manager, although it has a pool. */
static _Atomic bool missed;

bool register_is_mptcp(int fd)
{
	return sys_int_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_MPTCP;
}

/* A program may open MPTCP sockets itself: then the mode is still unknown. */
static bool may_have_manager(int fd)
{
	const enum mode mode = mode_known();

	return mode != MODE_OFF && mode != MODE_PLAIN && register_is_mptcp(fd);
}

static struct handover *begin_call(struct handover *h)
{
	if (h && h != LAUNCH_BROKER) {
		atomic_fetch_add(&h->in_flight, 1);
		if (atomic_load(&h->filter) == HANDOVER_FILTER_IDLE)
			wake_open_filter(h);
	}
	return h;
}

/*
 * The kernel applies these options to all subflows, also to later ones. Many probes: a
 * path without answers must not end the connection sooner than without them.
 */
static void set_keepalive(int fd)
{
	static const int names[] = { TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT };
	const int seconds = mode_keepalive(), on = 1;
	const int values[] = { seconds, seconds, KEEPALIVE_PROBES };
	int i, r = 0;

	if (!seconds || sys_int_option(fd, SOL_SOCKET, SO_KEEPALIVE))
		return;
	for (i = 0; i < 3 && r == 0; i++)
		r = syscall(SYS_setsockopt, fd, IPPROTO_TCP, names[i], &values[i],
			    sizeof(values[i]));
	if (r == 0)
		syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	else
		LOG_REQUEST_ONCE(LOG_LEVEL_WARNING,
				 "keepalive has no effect: this kernel has no "
				 "TCP_KEEPIDLE on MPTCP sockets",
				 "");
}

/* Without MPTCP there are no paths to manage, but mptcpinfo asks the manager why. */
static bool was_replaced(int fd)
{
	return refused_swapped() && mode_known() == MODE_POOL &&
	       sys_int_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP;
}

struct handover *register_begin(int fd)
{
	struct handover *handover = NULL;
	int saved = errno;

	if (may_have_manager(fd)) {
		handover = begin_call(launch_manager(true));
		if (!handover && !owner_is_vfork_child(sys_gettid()))
			atomic_store(&missed, true);
		set_keepalive(fd);
	} else if (was_replaced(fd)) {
		handover = begin_call(launch_manager(true));
	}
	errno = saved;
	return handover;
}

/* Only a manager of our own listens at announced ports. */
static struct handover *launch_for_listener(void)
{
	const unsigned int signals = mode_signals();

	if (!signals && owner_get() != owner_word(sys_getpid(), OWNER_RUNNING))
		return NULL;
	return launch_manager(!(signals & MODE_PORT)) ?: launch_manager(true);
}

struct handover *register_begin_listen(int fd)
{
	struct handover *handover = NULL;
	int saved = errno;

	if (may_have_manager(fd))
		handover = begin_call(launch_for_listener());
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

/* 4096 connections without one event, all fallen back or unanswered. */
static bool slot_put_when_full(struct handover *h, uint64_t value)
{
	int i;

	wake_manager(h);
	for (i = 0; i < FULL_TRIES; i++) {
		sys_call(SYS_sched_yield, 0, 0, 0);
		if (slot_put(h, value))
			return true;
	}
	return false;
}

/*
 * A socket has a token from before the SYN until it falls back to TCP. Return: a value
 * for a slot of the handover; 0: no token.
 */
static uint64_t read_token(int fd, socklen_t addr_len)
{
	struct mptcpaddr_info info;
	socklen_t len = offsetof(struct mptcpaddr_info, write_seq);

	if (syscall(SYS_getsockopt, fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
		return 0;
	if (len < offsetof(struct mptcpaddr_info, write_seq) || !info.token)
		return 0;
	if (addr_len >= IN6_ADDR_MIN && sys_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY))
		return HANDOVER_VALID | HANDOVER_V6ONLY | info.token;
	return HANDOVER_VALID | info.token;
}

struct attempt {
	socklen_t len;	/* of the address */
	uint16_t flags; /* of the broker's record */
	enum first_why why;
	bool answered;
};

static const struct attempt earlier = { .len = REGISTER_NO_LEN,
					.flags = BROKER_FLAG_INHERITED,
					.why = FIRST_WHY_ROUTING };

/* Return: 0; -errno: not registered. */
static int register_connection(struct handover *h, int fd, const struct attempt *attempt)
{
	const uint64_t value = read_token(fd, attempt->len) | (uint64_t)attempt->why
								      << HANDOVER_FIRST;
	uint16_t flags = attempt->flags;
	int r;

	if (!(value & HANDOVER_VALID))
		return -EOPNOTSUPP; /* not connected, or it fell back to TCP */
	if (h == LAUNCH_BROKER) {
		flags |= value & HANDOVER_V6ONLY ? BROKER_FLAG_V6ONLY : 0;
		r = broker_register(value, flags, attempt->why, attempt->answered);
		if (r == -ECONNREFUSED) /* the next connect() chooses again */
			owner_replace(OWNER_BROKER, 0);
		return r;
	}
	if (!slot_put(h, value) && !slot_put_when_full(h, value)) {
		atomic_fetch_add(&h->lost, 1);
		return -EAGAIN;
	}
	atomic_fetch_add(&h->registered, 1);
	if (atomic_load(&h->early)) /* events came before connect() returned */
		futex_wake(&h->registered);
	return 0;
}

/*
 * Register what could not be registered before: there was no manager, or no room.
 * Managers ignore what they know.
 */
static void register_missed(struct handover *h)
{
	int fd, r = 0;

	if (launch_is_child())
		return; /* its parent may manage them */
	for (fd = 0; fd < INHERITED_MAX && (!r || r == -EOPNOTSUPP); fd++)
		if (register_is_mptcp(fd) &&
		    !sys_int_option(fd, SOL_SOCKET, SO_ACCEPTCONN))
			r = register_connection(h, fd, &earlier);
	if (r == -EAGAIN && h == LAUNCH_BROKER)
		atomic_store(&missed, true);
	if (h != LAUNCH_BROKER) { /* their first events are lost */
		atomic_store(&h->inherited, 1);
		wake_manager(h);
	}
}

static bool take_flag(_Atomic bool *flag)
{
	return atomic_load(flag) && atomic_exchange(flag, false);
}

/* After a connect(). */
static void register_new(struct handover *h, int fd, const struct attempt *attempt)
{
	const int r = register_connection(h, fd, attempt);

	if (r == -EOPNOTSUPP && register_is_mptcp(fd))
		blackhole_check(h);
	if ((r == -EAGAIN || r == -ECONNREFUSED) && h == LAUNCH_BROKER)
		atomic_store(&missed, true);
	if (!r && (take_flag(&missed) || (h != LAUNCH_BROKER && take_flag(&h->missed))))
		register_missed(h);
}

static void end_call(struct handover *h)
{
	uint32_t n = h == LAUNCH_BROKER ? 0 : atomic_load(&h->in_flight);

	/* The program may end at once: the log says first why there is no pool. */
	if (n && h->log_level >= 0 && !atomic_load(&h->started)) {
		futex_wait_while(&h->started, 0);
		atomic_store(&h->started, 1); /* stuck: do not wait again */
	}
	/* Not below 0: in a child forked by a signal handler within connect() it is 0. */
	while (n && !atomic_compare_exchange_weak(&h->in_flight, &n, n - 1))
		;
}

void register_started(struct handover *handover, int fd, socklen_t len, ssize_t result,
		      enum first_why why)
{
	const struct attempt attempt = {
		.len = len, .why = why, .answered = result >= 0 && len != REGISTER_NO_LEN
	};
	int saved = errno;

	/* A connect() that a signal interrupts continues in the kernel. */
	if (result >= 0 || saved == EINPROGRESS || saved == EINTR)
		register_new(handover, fd, &attempt);
	errno = saved;
}

void register_done(struct handover *handover)
{
	int saved = errno;

	end_call(handover);
	errno = saved;
}

void register_end(struct handover *handover, int fd, socklen_t len, ssize_t result)
{
	if (!handover)
		return;
	register_started(handover, fd, len, result, FIRST_WHY_ROUTING);
	register_done(handover);
}

/* Return: false for other address families. */
static bool listener_address(int fd, struct mpaddr *ret_addr)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { .any.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(name);

	if (syscall(SYS_getsockname, fd, &name, &len) < 0)
		return false;
	*ret_addr = (struct mpaddr){ .family = name.any.sa_family,
				     .port = ntohs(name.v4.sin_port) };
	if (name.any.sa_family == AF_INET) {
		ret_addr->v4 = name.v4.sin_addr;
	} else if (IN6_IS_ADDR_V4MAPPED(&name.v6.sin6_addr)) {
		ret_addr->family = AF_INET;
		memcpy(&ret_addr->v4, &name.v6.sin6_addr.s6_addr[12], 4);
	} else {
		ret_addr->v6 = name.v6.sin6_addr;
	}
	return name.any.sa_family == AF_INET || name.any.sa_family == AF_INET6;
}

/* Claim an entry that is free, or whose socket was closed. */
static struct handover_listener *listener_place(struct handover *h)
{
	uint32_t state;
	int i;

	for (i = 0; i < HANDOVER_LISTENERS; i++) {
		state = atomic_load(&h->listeners[i].state);
		if (state != LISTENER_WRITING && state != LISTENER_OPEN &&
		    atomic_compare_exchange_strong(&h->listeners[i].state, &state,
						   LISTENER_WRITING))
			return &h->listeners[i];
	}
	return NULL;
}

static bool listener_known(struct handover *h, uint64_t inode)
{
	int i;

	for (i = 0; i < HANDOVER_LISTENERS; i++)
		if (atomic_load(&h->listeners[i].state) == LISTENER_OPEN &&
		    h->listeners[i].inode == inode)
			return true; /* a second listen(), to change the backlog */
	return false;
}

/* @inherited: connections may have been accepted already. */
static void listener_add(struct handover *h, int fd, bool inherited)
{
	struct handover_listener *listener;
	struct statx st;

	if (!sys_statx(fd, "", &st))
		return;
	if (h == LAUNCH_BROKER) {
		broker_register(st.stx_ino, BROKER_FLAG_LISTENER, FIRST_WHY_ROUTING,
				false);
		return;
	}
	if (listener_known(h, st.stx_ino))
		return;
	listener = listener_place(h);
	if (!listener) {
		atomic_fetch_add(&h->lost, 1);
		return;
	}
	listener->inode = st.stx_ino;
	listener->v6only = sys_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	atomic_store(&listener->state, listener_address(fd, &listener->addr)
					       ? LISTENER_OPEN
					       : LISTENER_FREE);
	atomic_fetch_or(&h->inherited, inherited);
	wake_manager(h); /* it needs other events now */
}

void register_listener(struct handover *handover, int fd, int result)
{
	int saved = errno;

	if (!handover)
		return;
	if (!result)
		listener_add(handover, fd, false);
	end_call(handover);
	errno = saved;
}

static _Atomic bool silent; /* the pool announces nothing: no look at any time */
static _Atomic uint32_t looked = UINT32_MAX - 1; /* the owner at the last look, */
static _Atomic int64_t looked_at;		 /* without a manager: sys_seconds() */

/* Of listening sockets and, after activation for one connection, connected ones. */
static void register_found(struct handover *h, int fd, bool at_load)
{
	if (sys_int_option(fd, SOL_SOCKET, SO_ACCEPTCONN)) {
		listener_add(h, fd, true);
		return;
	}
	if (!at_load)
		return;
	register_connection(h, fd, &earlier);
	if (h != LAUNCH_BROKER) {
		atomic_store(&h->inherited, 1);
		wake_manager(h);
	}
}

/* Of a forked child's listening sockets, its parent's manager knows. */
static void find_inherited(bool at_load)
{
	const enum mode mode = mode_get();
	const bool child = launch_is_child();
	struct handover *h = NULL;
	int fd;

	if (mode == MODE_UNKNOWN)
		return;
	silent = mode != MODE_POOL || !mode_signals();
	for (fd = 0; !silent && !child && fd < INHERITED_MAX; fd++) {
		if (!register_is_mptcp(fd))
			continue;
		h = h ?: launch_for_listener();
		if (!h)
			return; /* a broker may start later */
		register_found(h, fd, at_load);
	}
	atomic_store(&looked, owner_get());
}

void register_inherited(void)
{
	const int saved = errno;
	int64_t now;

	if (atomic_load_explicit(&silent, memory_order_relaxed) ||
	    atomic_load_explicit(&looked, memory_order_relaxed) == owner_get())
		return;
	now = sys_seconds();
	if (atomic_exchange(&looked_at, now) != now)
		find_inherited(false);
	errno = saved;
}

void register_at_load(void)
{
	int saved = errno;

	find_inherited(true);
	errno = saved;
}
