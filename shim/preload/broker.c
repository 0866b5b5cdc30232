// SPDX-License-Identifier: MIT
/*
 * broker.c - register connections with mptcpaddrd (mptcpaddr/broker.h)
 *
 * Five system calls after the SYN, and no descriptor stays open: the program may close
 * all of its own, and fork. The pool file is read with the program's rights, and
 * cached until it changes.
 */
#include "broker.h"
#include "env.h"
#include "mptcpaddr/broker.h"
#include "owner.h"
#include "pool_file.h"
#include "shim/common/str.h"
#include "syscall.h"

/* The broker makes room at once, unless a client floods it. */
#define FULL_WAIT_US 25000
#define FULL_TRIES   4

/* For another thread that reads the pool file; it may be the one below in a signal
 * handler. */
#define FIRST_WAIT_NS 100000000

/* The rest of every record after its head, as it is sent. */
struct pool_copy {
	struct broker_program program;
	char text[BROKER_POOL_MAX];
	uint32_t len;
	struct statx st; /* of the file when it was read */
};

/* One is in use; the other is written when the file has changed. */
static struct pool_copy *copies[2];
static _Atomic(struct pool_copy *) current;
static _Atomic uint32_t writing; /* a process; 0: none; a futex */
static _Atomic int64_t checked;	 /* sys_seconds() */
static _Atomic int64_t gave_up;	 /* the same: the broker had no room */

static bool is_copy_of(const struct pool_copy *copy, const struct statx *st)
{
	return copy->st.stx_ino == st->stx_ino &&
	       copy->st.stx_dev_major == st->stx_dev_major &&
	       copy->st.stx_dev_minor == st->stx_dev_minor &&
	       copy->st.stx_size == st->stx_size &&
	       copy->st.stx_mtime.tv_sec == st->stx_mtime.tv_sec &&
	       copy->st.stx_mtime.tv_nsec == st->stx_mtime.tv_nsec;
}

/* Return: false if the file is unreadable, or longer than the broker accepts. */
static bool read_copy(struct pool_copy *copy, int fd)
{
	uint32_t len = 0;
	long n = 1;

	if (!sys_statx(fd, "", &copy->st) || !S_ISREG(copy->st.stx_mode))
		return false;
	for (; n > 0 && len<BROKER_POOL_MAX; len += n> 0 ? n : 0)
		n = sys_call(SYS_read, fd, (long)(copy->text + len),
			     BROKER_POOL_MAX - len);
	copy->len = len;
	return n == 0;
}

/* With `writing` held: read the file of @old, or find the first one. */
static void refresh_copy(const struct pool_copy *old)
{
	const int next = old && old == copies[0];
	struct pool_copy *copy = copies[next];
	int fd;

	if (!copy)
		copy = copies[next] = sys_map(sizeof(*copy));
	if (!copy)
		return;
	if (old) {
		copy->program = old->program;
		fd = sys_call(SYS_openat, AT_FDCWD, (long)old->program.path,
			      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	} else {
		fd = pool_file_open(env_program_name(), copy->program.path);
		str_append(copy->program.program, 0, sizeof(copy->program.program) - 1,
			   env_program_name());
	}
	if (fd < 0)
		return;
	if (read_copy(copy, fd))
		atomic_store(&current, copy);
	sys_close(fd);
}

/*
 * A child forked during a write finds its parent's process ID there, and ignores it. A
 * vfork child never writes: its parent's other threads use the same memory.
 */
static bool may_write(void)
{
	const uint32_t pid = sys_getpid();
	uint32_t holder = 0;

	return !owner_is_vfork_child(sys_gettid()) &&
	       (atomic_compare_exchange_strong(&writing, &holder, pid) ||
		(holder != pid &&
		 atomic_compare_exchange_strong(&writing, &holder, pid)));
}

/*
 * The pool file, at most a second old, or older while another thread reads it again.
 * NULL: unreadable.
 */
static const struct pool_copy *current_copy(void)
{
	struct pool_copy *copy = atomic_load(&current);
	struct statx st;
	int64_t now;

	if (copy) {
		now = sys_seconds();
		if (atomic_exchange(&checked, now) == now || /* one stat() a second */
		    !sys_statx(AT_FDCWD, copy->program.path, &st) ||
		    is_copy_of(copy, &st))
			return copy;
	}
	if (may_write()) {
		refresh_copy(copy);
		atomic_store(&writing, 0);
		sys_futex_wake(&writing);
	} else if (!copy) {
		sys_futex_wait(&writing, sys_getpid(), FIRST_WAIT_NS);
	}
	return atomic_load(&current);
}

static bool is_root(int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	return !syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       len == sizeof(peer) && peer.uid == 0;
}

/*
 * Any user may bind the name while no broker runs, so the peer must be root. Waiting
 * clients come first in the queue (unix_wait_for_peer() in net/unix/af_unix.c).
 */
static int connect_broker(bool wait)
{
	const int fd = sys_connect_abstract(BROKER_NAME, wait ? FULL_WAIT_US : 0);

	if (fd < 0 || is_root(fd))
		return fd;
	sys_close(fd);
	return -EPERM;
}

bool broker_is_running(void)
{
	int fd = connect_broker(false);

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0 || fd == -EAGAIN;
}

static bool is_busy(int fd)
{
	return fd == -EAGAIN || fd == -EINTR;
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

bool broker_register(uint32_t token, bool v6only)
{
	const struct pool_copy *copy = current_copy();
	struct broker_head head = {
		.magic = BROKER_MAGIC,
		.version = BROKER_VERSION,
		.flags = v6only ? BROKER_FLAG_V6ONLY : 0,
		.token = token,
	};
	struct iovec v[2] = { { &head, sizeof(head) } };
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 2 };
	long r = -EPIPE;
	int fd, i;

	if (!copy)
		return true;
	head.pool_len = copy->len;
	v[1].iov_base = (void *)(uintptr_t)&copy->program;
	v[1].iov_len = offsetof(struct pool_copy, text) + copy->len;
	/* The broker disconnects a program that is interrupted here for long. */
	for (i = 0; i < FULL_TRIES && r == -EPIPE; i++) {
		fd = connect_patiently();
		if (fd < 0)
			return is_busy(fd) || fd == -EMFILE || fd == -ENFILE;
		r = sys_call(SYS_sendmsg, fd, (long)&msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		sys_close(fd);
	}
	return true;
}
