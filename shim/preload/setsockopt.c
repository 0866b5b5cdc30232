// SPDX-License-Identifier: MIT
/*
 * setsockopt.c - setsockopt(), getsockopt(): MPTCP sockets have the options of TCP
 *
 * The real call comes first, and its success is all that most calls cost. Where MPTCP
 * fails and TCP may not, a plain TCP socket of the same family tries the same call: the
 * running kernel knows which options, values and lengths TCP takes. What TCP refuses is
 * refused with its errno. What it takes is ignored if it is harmless (shim/common/
 * sockopt.c); otherwise the socket, if it is still unused, becomes that plain socket.
 */
#include "forgotten.h"
#include "mode.h"
#include "mptcpaddr/uapi.h"
#include "own.h"
#include "real.h"
#include "refused.h"
#include "register.h"
#include "shim/common/sockopt.h"
#include "swap.h"
#include "syscall.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

struct call {
	int fd, level, name;
	const void *value;
	socklen_t len;
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* An MPTCP socket that the program takes for a TCP socket. */
static bool is_ours(int fd)
{
	enum mode mode;

	if (sys_int_option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_MPTCP)
		return false;
	mode = mode_get();
	return mode != MODE_OFF && mode != MODE_UNKNOWN && !own_has(fd);
}

/* MPTCP says one of these where TCP may say something else. */
static bool may_differ(int error)
{
	return error == EOPNOTSUPP || error == ENOPROTOOPT || error == EINVAL ||
	       error == EFAULT;
}

static bool is_bound(int fd)
{
	union address name = { .any.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(name);

	if (syscall(SYS_getsockname, fd, &name, &len) < 0)
		return true;
	if (name.any.sa_family == AF_INET)
		return name.v4.sin_port || name.v4.sin_addr.s_addr;
	return name.v6.sin6_port || !IN6_IS_ADDR_UNSPECIFIED(&name.v6.sin6_addr);
}

static int domain_of(int fd)
{
	return sys_int_option(fd, SOL_SOCKET, SO_DOMAIN);
}

/*
 * The kernel takes some options in some states only: listen, or connect to itself. Where
 * the loopback device is down, @plain stays unconnected.
 */
static void imitate_state(int plain, int domain, bool listening)
{
	const struct linger reset = { .l_onoff = 1 }; /* no TIME_WAIT */
	union address self = { .v6.sin6_family = domain };
	socklen_t len = domain == AF_INET ? sizeof(self.v4) : sizeof(self.v6);

	if (domain == AF_INET)
		self.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		self.v6.sin6_addr.s6_addr[15] = 1; /* a libc symbol costs each exec */
	syscall(SYS_setsockopt, plain, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (syscall(SYS_bind, plain, &self, len) < 0 ||
	    syscall(SYS_getsockname, plain, &self, &len) < 0)
		return;
	if (listening)
		syscall(SYS_listen, plain, 1);
	else
		syscall(SYS_connect, plain, &self, len);
}

/* Return: a plain TCP socket in the state of @fd; -1: no descriptor is free. */
static int open_plain(int fd)
{
	union address peer;
	socklen_t len = sizeof(peer);
	const int domain = domain_of(fd);
	const bool connected = !syscall(SYS_getpeername, fd, &peer, &len);
	const bool listening = sys_int_option(fd, SOL_SOCKET, SO_ACCEPTCONN);
	const int type = SOCK_STREAM | SOCK_CLOEXEC | (connected ? SOCK_NONBLOCK : 0);
	const int plain = syscall(SYS_socket, domain, type, IPPROTO_TCP);

	if (plain >= 0 && (connected || listening))
		imitate_state(plain, domain, listening);
	return plain;
}

/* The program can read back what TCP makes of the value. */
static void forget_value(const struct call *call, int plain)
{
	char value[16];
	socklen_t len = sizeof(value);

	if (!syscall(SYS_getsockopt, plain, call->level, call->name, value, &len))
		forgotten_add(call->fd, call->level, call->name, value, len);
}

/* TCP has taken the option on @plain. Return: whether the program may go on. */
static bool without_option(const struct call *call, const struct sockopt *opt, int plain)
{
	const enum sockopt_kind kind = opt ? opt->kind : SOCKOPT_EXACT;
	enum sockopt_action action = SOCKOPT_LEFT_OUT;

	if (kind == SOCKOPT_HINT || kind == SOCKOPT_FLAG)
		action = SOCKOPT_IGNORED;
	else if (opt && mode_tolerates(opt))
		action = SOCKOPT_TOLERATED;
	else if (!is_bound(call->fd) &&
		 swap_sockets(call->fd, plain, call->level, call->name))
		action = SOCKOPT_SWAPPED;
	else if (kind == SOCKOPT_PROMISE)
		action = SOCKOPT_FAILED;
	if (action != SOCKOPT_SWAPPED && action != SOCKOPT_FAILED)
		forget_value(call, plain);
	refused_report(call->level, call->name, action);
	return action != SOCKOPT_FAILED;
}

/*
 * Return: what a flag would become, 0 or 1; -1: ask TCP. The pointer may be bad, since
 * the kernel has not read it: a futex that must not wait looks at the value.
 */
static int flag_value(const struct call *call)
{
	const struct timespec now = { 0 };

	if (call->len != sizeof(int) ||
	    !syscall(SYS_futex, call->value, FUTEX_WAIT_PRIVATE, 0, &now, NULL, 0))
		return -1;
	return errno == EAGAIN ? 1 : errno == ETIMEDOUT ? 0 : -1;
}

/* Programs set some flags often: TCP_QUICKACK. Return: whether all is done. */
static bool ignore_flag(const struct call *call, const struct sockopt *opt)
{
	const int value = opt && opt->kind == SOCKOPT_FLAG ? flag_value(call) : -1;

	if (value < 0 || (call->level == IPPROTO_IPV6 && domain_of(call->fd) == AF_INET))
		return false;
	forgotten_add(call->fd, call->level, call->name, &value, sizeof(value));
	refused_report(call->level, call->name, SOCKOPT_IGNORED);
	return true;
}

/* MPTCP has refused the option. Return: 0, or an errno for the program. */
static int settle_refused(const struct call *call, int error)
{
	const struct sockopt *opt = sockopt_find(call->level, call->name);
	int plain;

	if (!is_ours(call->fd))
		return error;
	/* haproxy's new master, before its workers drop root's rights */
	if (sys_int_option(call->fd, SOL_SOCKET, SO_ACCEPTCONN))
		register_inherited();
	if (ignore_flag(call, opt))
		return 0;
	plain = open_plain(call->fd);
	if (plain < 0) { /* no descriptor is free: TCP would most likely take it */
		if (!opt || opt->kind == SOCKOPT_PROMISE)
			return error;
		refused_report(call->level, call->name, SOCKOPT_LEFT_OUT);
		return 0;
	}
	if (syscall(SYS_setsockopt, plain, call->level, call->name, call->value,
		    call->len) < 0)
		error = errno;
	else if (without_option(call, opt, plain))
		error = 0;
	sys_close(plain);
	return error;
}

/* MPTCP takes such a value without a look at it, or without an effect. */
static bool is_lax(const struct call *call)
{
	int value;

	if (call->len < sizeof(value))
		return true;
	if (call->level == SOL_SOCKET)
		switch (call->name) {
		case SO_DONTROUTE:
		case SO_BROADCAST:
		case SO_NO_CHECK:
		case SO_BSDCOMPAT:
		case SO_PASSCRED:
		case SO_PASSSEC:
		case SO_PASSPIDFD:
		case SO_RXQ_OVFL:
		case SO_WIFI_STATUS:
		case SO_NOFCS:
		case SO_SELECT_ERR_QUEUE:
			return true;
		default:
			return false;
		}
	if (call->level != IPPROTO_TCP)
		return false;
	if (call->name == TCP_CONGESTION || sockopt_is_withdrawn(call->level, call->name))
		return true;
	if (call->name != TCP_MAXSEG && call->name != TCP_KEEPIDLE &&
	    call->name != TCP_KEEPINTVL && call->name != TCP_KEEPCNT)
		return false;
	memcpy(&value, call->value, sizeof(value)); /* the kernel has read it */
	return value < 88 || value > (call->name == TCP_KEEPCNT ? 127 : 32767);
}

/* MPTCP has taken the option. Return: 0, or an errno for the program. */
static int verify_accepted(const struct call *call)
{
	const bool withdrawn = sockopt_is_withdrawn(call->level, call->name);
	const int off = 0;
	char value[16];
	socklen_t len = sizeof(value);
	int plain, error = 0;

	if (!is_ours(call->fd))
		return 0;
	plain = open_plain(call->fd);
	if (plain < 0)
		return 0;
	if (!syscall(SYS_setsockopt, plain, call->level, call->name, call->value,
		     call->len)) {
		if (call->level == SOL_SOCKET || withdrawn)
			forget_value(call, plain);
		if (withdrawn)
			syscall(SYS_setsockopt, call->fd, call->level, call->name, &off,
				sizeof(off));
	} else {
		error = errno;
		/* A connection would get the default of TCP: show that. */
		if (call->name != TCP_MAXSEG &&
		    !syscall(SYS_getsockopt, plain, call->level, call->name, value, &len))
			syscall(SYS_setsockopt, call->fd, call->level, call->name, value,
				len);
	}
	sys_close(plain);
	return error;
}

HOOK int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct call call = { fd, level, name, value, len };
	const int saved = errno;
	int error = 0;

	if (REAL(setsockopt)(fd, level, name, value, len) < 0)
		error = may_differ(errno) ? settle_refused(&call, errno) : errno;
	else if (__builtin_expect(is_lax(&call), 0))
		error = verify_accepted(&call);
	if (!error)
		swap_note(level, name);
	errno = error ?: saved;
	return error ? -1 : 0;
}

/* What TCP has for an option that MPTCP lacks. Return: 0, or an errno for the program. */
static int ask_plain(int fd, int level, int name, void *value, socklen_t *len, int error)
{
	int plain;

	if (!is_ours(fd))
		return error;
	plain = open_plain(fd);
	if (plain < 0)
		return error;
	error = syscall(SYS_getsockopt, plain, level, name, value, len) < 0 ? errno : 0;
	sys_close(plain);
	if (!error && forgotten_may_have(name))
		forgotten_get(fd, level, name, value, len);
	return error;
}

HOOK int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	const int saved = errno;
	int error = 0;

	if (REAL(getsockopt)(fd, level, name, value, len) < 0)
		error = may_differ(errno) ? ask_plain(fd, level, name, value, len, errno)
					  : errno;
	else if ((level == SOL_SOCKET || sockopt_is_withdrawn(level, name)) &&
		 forgotten_may_have(name))
		forgotten_get(fd, level, name, value, len); /* the kernel has 0 */
	else if (level == IPPROTO_IPV6 && domain_of(fd) == AF_INET)
		error = ask_plain(fd, level, name, value, len, 0);
	errno = error ?: saved;
	return error ? -1 : 0;
}

HOOK_TIME64(setsockopt);
HOOK_TIME64(getsockopt);
