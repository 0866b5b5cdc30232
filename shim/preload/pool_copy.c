// SPDX-License-Identifier: MIT
/*
 * pool_copy.c - the text of the pool file, cached until the file changes
 *
 * For the broker's records, and for programs that cannot read the file later: they change
 * their root directory or their user.
 */
#include "pool_copy.h"
#include "env.h"
#include "mode.h"
#include "owner.h"
#include "pool_file.h"
#include "shim/common/str.h"

/* For another thread that reads the pool file; it may be the one below in a signal
 * handler. */
#define FIRST_WAIT_NS 100000000

/* One is in use; the other is written when the file has changed. */
static struct pool_copy *copies[2];
static _Atomic(struct pool_copy *) current;
static _Atomic uint32_t writing; /* a process; 0: none; a futex */
static _Atomic int64_t checked;	 /* sys_seconds() */

static bool is_copy_of(const struct pool_copy *copy, const struct statx *st)
{
	return sys_same_file(&copy->st, st) && copy->st.stx_size == st->stx_size &&
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

/* With `writing` held. */
static void refresh_copy(const struct pool_copy *old)
{
	const int next = old && old == copies[0];
	struct pool_copy *copy = copies[next];
	int fd;

	/* Held by others, or when this process was forked */
	if (!copy || atomic_load(&copy->holders))
		copy = copies[next] = sys_map(sizeof(*copy));
	if (!copy)
		return;
	fd = pool_file_open_own(copy->program.path);
	if (fd < 0)
		return;
	str_append(copy->program.program, 0, sizeof(copy->program.program) - 1,
		   env_program_name());
	if (read_copy(copy, fd)) {
		mode_read_first(copy->text, copy->len);
		atomic_store(&current, copy);
	}
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

/* A writer changes a copy that is not the current one, and then has no holder. */
const struct pool_copy *pool_copy_hold(void)
{
	struct pool_copy *copy;

	while ((copy = atomic_load(&current))) {
		atomic_fetch_add(&copy->holders, 1);
		if (copy == atomic_load(&current))
			break;
		pool_copy_release(copy);
	}
	return copy;
}

void pool_copy_release(const struct pool_copy *copy)
{
	if (copy)
		atomic_fetch_sub(&((struct pool_copy *)copy)->holders, 1);
}

static bool is_current(const struct pool_copy *copy)
{
	const int64_t now = sys_seconds();
	struct statx st;

	return atomic_exchange(&checked, now) == now || /* one stat() a second */
	       !sys_statx(AT_FDCWD, copy->program.path, &st) || is_copy_of(copy, &st);
}

bool pool_copy_update(void)
{
	const struct pool_copy *copy = pool_copy_hold();

	if (pool_file_is_frozen() || (copy && is_current(copy))) {
		pool_copy_release(copy);
		return copy;
	}
	if (may_write()) {
		refresh_copy(copy);
		atomic_store(&writing, 0);
		futex_wake(&writing);
	} else if (!copy) {
		futex_wait(&writing, sys_getpid(), FIRST_WAIT_NS);
	}
	pool_copy_release(copy);
	return atomic_load(&current);
}
