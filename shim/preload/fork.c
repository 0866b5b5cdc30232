// SPDX-License-Identifier: MIT
/*
 * fork.c - what becomes of a manager's connections in a forked child
 *
 * A daemon connects, forks, and its parent exits: the connection lives on, and nobody
 * would join what is announced later. So a child that is forked while there are
 * connections gets a manager thread at once, which only watches until the parent's
 * manager is gone (shim/manager/takeover.c). A child of a process without connections
 * gets none before its own first connect(), and a vfork child never comes here.
 *
 * The manager holds `lock` whenever it is not waiting, and fork() holds it too: so the
 * child's copy of the manager's memory is whole.
 */
#include "fork.h"
#include "launch.h"
#include "mptcpaddr/handover.h"
#include "symver.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_NS 200000000 /* then the child has to do without */

typedef int (*atfork_fn)(void (*)(void), void (*)(void), void (*)(void), void *);
typedef int (*clocklock_fn)(pthread_mutex_t *, clockid_t, const struct timespec *);

static struct handover *watched;
static clocklock_fn clocklock;
static int *forker; /* a thread is where its errno is, in a forked child as well */
static _Atomic bool locked, stuck;

static void on_prepare(void)
{
	struct timespec until;

	/* Not libc's wrapper: libfaketime would tell another time than the kernel's. */
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &until);
	until.tv_nsec += stuck ? 0 : LOCK_WAIT_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	if (clocklock(&watched->lock, CLOCK_MONOTONIC, &until)) {
		stuck = true; /* a manager that a filter killed will never let go */
		return;
	}
	stuck = false;
	forker = &errno;
	locked = true;
}

/* Of two threads that fork at a time, only one has the lock. */
static bool is_forker(void)
{
	return locked && forker == &errno;
}

static void on_parent(void)
{
	if (!is_forker())
		return;
	locked = false;
	pthread_mutex_unlock(&watched->lock);
}

static void on_child(void)
{
	bool whole = is_forker();

	locked = false;
	pthread_mutex_init(&watched->lock, NULL);
	stuck = false;
	if (!whole || !launch_heir(watched))
		launch_forget();
}

void fork_watch(struct handover *handover)
{
	bool first = !watched;
	atfork_fn add;

	watched = handover;
	if (!first)
		return;
	/* What pthread_atfork() calls. By name: see oldest.h. */
	add = (atfork_fn)dlsym(RTLD_DEFAULT, "__register_atfork");
	clocklock = (clocklock_fn)dlsym(RTLD_DEFAULT, "pthread_mutex_clocklock");
	if (add && clocklock)
		add(on_prepare, on_parent, on_child, NULL);
}
