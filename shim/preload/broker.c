// SPDX-License-Identifier: MIT
/*
 * broker.c - register connections with mptcpaddrd (mptcpaddr/broker.h)
 *
 * Five system calls after the SYN, and no descriptor stays open: the program may close
 * all of its own, and fork. If the SYN was answered, they do not wake the broker, whose
 * processor they would share. The pool file is read with the program's rights.
 */
#include "broker.h"
#include "env.h"
#include "log_request.h"
#include "mptcpaddr/broker.h"
#include "pool_copy.h"
#include "refused.h"
#include "shim/common/str.h"
#include "syscall.h"

/* The broker makes room at once, unless a client floods it. */
#define FULL_WAIT_US 25000
#define FULL_TRIES   4

#define FIRST_WAIT_US 100000 /* for its table of first paths; once a second */

/* A program with a log waits for the answer to its first registration. */
#define REFUSAL_WAIT_US 900000
#define REFUSAL_MAX	512

static _Atomic int64_t gave_up; /* sys_seconds(): the broker had no room */
static _Atomic bool introduced; /* the broker has got a record */

static bool is_busy(int fd)
{
	return fd == -EAGAIN || fd == -EINTR;
}

static int connect_root(const char *name, long wait_us)
{
	const int fd = sys_connect_local(name, wait_us);

	if (fd < 0 || !unix_name_peer(fd))
		return fd;
	sys_close(fd);
	return -EPERM;
}

static void log_holder(void)
{
	static _Atomic bool logged;
	char text[16];
	uid_t uid;

	if (!env_get(ENV_LOG) || atomic_exchange(&logged, true))
		return;
	uid = unix_name_owner(BROKER_NAME);
	if (uid && uid != UNIX_NAME_UNKNOWN)
		log_request_print(LOG_LEVEL_WARNING,
				  "ignoring the socket name " BROKER_NAME
				  ", which is held by user ",
				  str_number(text + sizeof(text) - 1, uid));
}

/* Of the socket whose name nobody but root can hold. */
static int connect_path(bool wait)
{
	const int any = sys_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char path[UNIX_NAME_MAX];
	bool known;

	if (any < 0)
		return any;
	known = unix_name_broker(any, path);
	sys_close(any);
	return known ? connect_root(path, wait ? FULL_WAIT_US : 0) : -ENOENT;
}

/*
 * Any user may bind the abstract name while no broker runs. Its full queue is not waited
 * for: it does not show who filled it. Waiting clients come first in the queue of the
 * other socket (unix_wait_for_peer() in net/unix/af_unix.c).
 *
 * Return: a descriptor; -EAGAIN, -EINTR: a broker runs, but has no room; other -errno.
 */
static int connect_broker(bool wait)
{
	const int fd = connect_root(BROKER_NAME, 0);

	if (fd >= 0 || fd == -EMFILE || fd == -ENFILE)
		return fd;
	if (fd != -ECONNREFUSED)
		log_holder();
	return connect_path(wait);
}

bool broker_is_running(void)
{
	int fd = connect_broker(false);

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0 || fd == -EAGAIN;
}

/* After one timeout, no other connect() waits within the same second. */
static int connect_patiently(void)
{
	int fd = connect_broker(false), i;

	if (fd != -EAGAIN || atomic_load(&gave_up) == sys_seconds())
		return fd;
	for (i = 0; i < FULL_TRIES && is_busy(fd); i++)
		fd = connect_broker(true);
	if (is_busy(fd))
		atomic_store(&gave_up, sys_seconds());
	return fd;
}

/* The broker disconnects; if it refuses, the reason comes first. */
static void log_refusal(int fd)
{
	const struct timeval timeout = { .tv_usec = REFUSAL_WAIT_US };
	static _Atomic bool asked;
	char why[REFUSAL_MAX + 1];
	long n;

	if (!env_get(ENV_LOG) || atomic_exchange(&asked, true) ||
	    sys_call(SYS_fcntl, fd, F_SETFL, 0) < 0 ||
	    syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		    sizeof(timeout)) < 0)
		return;
	n = sys_call(SYS_read, fd, (long)why, REFUSAL_MAX);
	if (n <= 0)
		return;
	why[n] = '\0';
	log_request_print(LOG_LEVEL_WARNING, "no pool: the broker refuses: ", why);
}

static long send_record(int fd, struct broker_head head)
{
	const struct pool_copy *copy = pool_copy_hold();
	struct iovec v[2] = {
		{ &head, sizeof(head) },
		{ (void *)(uintptr_t)&copy->program,
		  offsetof(struct pool_copy, text) + copy->len },
	};
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 2 };
	long r;

	head.version |= BROKER_VERSION;
	head.pool_len = copy->len;
	r = sys_call(SYS_sendmsg, fd, (long)&msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	pool_copy_release(copy);
	return r;
}

/* A first record wakes the broker: its refusal is to be logged. */
static int connect_lazily(void)
{
	return atomic_load(&introduced) ? connect_root(BROKER_LAZY, 0) : -ENOENT;
}

static int register_with(struct broker_head head, bool lazily)
{
	long r = -EPIPE;
	int fd, i;

	if (!pool_copy_update()) {
		LOG_REQUEST_ONCE(LOG_LEVEL_WARNING,
				 "no pool: its file is not a regular one, not readable, "
				 "or has more than 32768 bytes",
				 "");
		return 0;
	}
	/* The broker disconnects a program that is interrupted here for long. */
	for (i = 0; i < FULL_TRIES && r == -EPIPE; i++) {
		fd = lazily && !i ? connect_lazily() : -ENOENT;
		lazily = fd >= 0;
		if (fd < 0)
			fd = connect_patiently();
		if (fd < 0) {
			LOG_REQUEST_ONCE(LOG_LEVEL_WARNING, "no pool: the broker ",
					 is_busy(fd) ? "is busy" : "does not answer");
			return is_busy(fd) || fd == -EMFILE || fd == -ENFILE
				       ? -EAGAIN
				       : -ECONNREFUSED;
		}
		r = send_record(fd, head);
		if (r >= 0 && !lazily && !BROKER_OPTION(head.flags)) {
			log_refusal(fd);
			atomic_store(&introduced, true);
		}
		sys_close(fd);
	}
	return r < 0 ? -EAGAIN : 0;
}

int broker_register(uint32_t token, uint16_t flags, enum first_why why, bool lazily)
{
	struct broker_head head = {
		.magic = BROKER_MAGIC,
		.version = why << BROKER_WHY_SHIFT,
		.flags = flags,
		.token = token,
	};
	int r = register_with(head, lazily);
	uint16_t option;

	/* A record each: an older broker refuses these, not the connection. */
	while (!r && (option = refused_next())) {
		head.flags = flags | option << BROKER_OPTION_SHIFT;
		r = register_with(head, false);
	}
	return r;
}

bool broker_ask_first(struct first_table *ret_table)
{
	const struct broker_head head = { .magic = BROKER_MAGIC_FIRST };
	const struct timeval timeout = { .tv_usec = FIRST_WAIT_US };
	long r = -EPIPE;
	int fd;

	if (!pool_copy_update() || atomic_load(&gave_up) == sys_seconds())
		return false;
	fd = connect_broker(false);
	if (fd < 0)
		return false;
	if (send_record(fd, head) >= 0 && sys_call(SYS_fcntl, fd, F_SETFL, 0) >= 0 &&
	    !syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		     sizeof(timeout)))
		r = sys_call(SYS_read, fd, (long)ret_table, sizeof(*ret_table));
	sys_close(fd);
	if (r == -EAGAIN)
		atomic_store(&gave_up, sys_seconds());
	return r == sizeof(*ret_table); /* otherwise it refuses, or is older */
}

void broker_avoid_first(unsigned int index)
{
	const struct broker_head head = { .magic = BROKER_MAGIC_FIRST,
					  .token = index + 1 };
	const int fd = pool_copy_update() ? connect_broker(false) : -1;

	if (fd < 0)
		return;
	send_record(fd, head);
	sys_close(fd);
}
