// SPDX-License-Identifier: MIT
/*
 * fork.c - start a manager in a forked child that inherits connections
 *
 * When a daemon connects and forks, and its parent exits, the connection lives on. So a
 * child forked while there are connections gets a manager thread at once, which only
 * watches until the parent's manager ends (shim/manager/takeover.c). A child without
 * connections starts one at its own first connect(); a vfork child runs no handlers.
 *
 * The manager holds `lock` unless it waits, and fork() takes it: the child's copy of the
 * manager's memory is consistent.
 */
#include "fork.h"
#include "mptcpaddr/handover.h"
#include "owner.h"
#include "shim/common/lock.h"
#include "symver.h"
#include "syscall.h"
#include "thread.h"

#include <dlfcn.h>
#include <pthread.h>

/* A second: while it starts on a busy machine, the manager holds the lock for long. Then
 * fork without the lock: the child cannot take over. */
#define LOCK_TRIES 50

typedef int (*atfork_fn)(void (*)(void), void (*)(void), void (*)(void), void *);

static struct handover *_Atomic watched;
/* Whose lock is held by a thread in fork(), and by which: also in its forked child. */
static struct handover *_Atomic locked;
static int *_Atomic forker;
static _Atomic bool stuck;

static void on_prepare(void)
{
	struct handover *h = atomic_load(&watched);
	const int saved = errno;

	if (!h)
		return;
	/* A manager killed by seccomp never gives it back. */
	stuck = !lock_take_within(&h->lock, stuck ? 0 : LOCK_TRIES);
	errno = saved;
	if (stuck)
		return;
	forker = &errno;
	locked = h;
}

/* Of two threads that fork at once, one has the lock. Return: whose it was, or NULL. */
static struct handover *unlock_forked(void)
{
	struct handover *h = locked;

	if (!h || forker != &errno)
		return NULL;
	locked = NULL;
	lock_give(&h->lock);
	return h;
}

static void on_parent(void)
{
	unlock_forked();
}

/* Another thread of the parent had claimed these slots, but not filled them yet. */
static void fill_claimed_slots(struct handover *h)
{
	uint32_t i;

	for (i = atomic_load(&h->tail); i != atomic_load(&h->head); i++)
		if (!atomic_load(&h->slots[i % HANDOVER_SLOTS]))
			atomic_store(&h->slots[i % HANDOVER_SLOTS], HANDOVER_VALID);
}

static bool has_listeners(struct handover *h)
{
	int i;

	for (i = 0; i < HANDOVER_LISTENERS; i++)
		if (atomic_load(&h->listeners[i].state) == LISTENER_OPEN)
			return true;
	return false;
}

/* Whether the child has the copy of a running manager with connections or listeners. */
static bool can_take_over(struct handover *h)
{
	const uint32_t owner = owner_get();

	if (!h->manager || !h->takeover)
		return false;
	/* A child that has not begun yet passes on its parent's copy. */
	if (owner != owner_word(h->pid, OWNER_RUNNING) &&
	    !(h->takeover_pid && owner == owner_word(h->pid, OWNER_STARTING)))
		return false;
	return atomic_load(&h->connections) || has_listeners(h) ||
	       atomic_load(&h->head) != atomic_load(&h->tail);
}

/* In the child: start a manager that takes over when the parent ends. */
static void start_takeover(struct handover *h)
{
	/* A child of a waiting child waits for the same process. */
	if (!h->takeover_pid)
		h->takeover_pid = h->pid;
	h->inherited_head = atomic_load(&h->head);
	h->pid = sys_getpid();
	fill_claimed_slots(h);
	h->event_fd = -1;
	h->log_fd = -1;
	if (!h->log_file[0])
		h->log_level = -1; /* the child may reuse descriptor 2 */
	h->control_name[0] = '\0';
	atomic_store(&h->in_flight, 0);
	atomic_store(&h->early, 0);
	atomic_store(&h->filter, HANDOVER_FILTER_OPEN);
	atomic_store(&h->connect_waits, 0);
	atomic_store(&h->quit, 0);
	owner_set(h->pid, OWNER_STARTING);
	if (thread_start(h))
		owner_set(h->pid, OWNER_FAILED);
}

static void on_child(void)
{
	const uint32_t owner = owner_get();
	struct handover *h = unlock_forked();

	locked = NULL;
	stuck = false;
	if (h && can_take_over(h)) {
		start_takeover(h);
		return;
	}
	watched = NULL; /* its lock may be held for ever */
	thread_forget();
	/* In a new PID namespace the child may have its parent's process ID. */
	if (owner != OWNER_BROKER)
		owner_replace(owner, 0);
}

void fork_watch(struct handover *handover)
{
	static _Atomic bool registered;
	atfork_fn register_atfork;

	watched = handover;
	if (atomic_exchange(&registered, true))
		return;
	/* By name: each symbol costs every exec. pthread_atfork() is in glibc's static
	 * part and calls this; in musl it is in the shared library and has three
	 * arguments. */
	register_atfork = (atfork_fn)dlsym(RTLD_DEFAULT, "__register_atfork");
	if (!register_atfork)
		register_atfork = (atfork_fn)dlsym(RTLD_DEFAULT, "pthread_atfork");
	if (register_atfork)
		register_atfork(on_prepare, on_parent, on_child, NULL);
}
