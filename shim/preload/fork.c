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
#include "mptcpaddr/handover.h"
#include "owner.h"
#include "symver.h"
#include "syscall.h"
#include "thread.h"

#include <dlfcn.h>
#include <pthread.h>

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

/* Slots that another thread of the parent had claimed, but not yet filled. */
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

/* Whether the child has a whole copy of a manager with something to take over. */
static bool can_take_over(struct handover *h)
{
	const uint32_t owner = owner_get();

	if (!h->manager)
		return false;
	/* A child that has not taken over yet holds its parent's copy: pass that on. */
	if (owner != owner_word(h->pid, OWNER_RUNNING) &&
	    !(h->takeover_pid && owner == owner_word(h->pid, OWNER_STARTING)))
		return false;
	return atomic_load(&h->connections) || has_listeners(h) ||
	       atomic_load(&h->head) != atomic_load(&h->tail);
}

/* In the child: start a manager that takes over when the parent ends. */
static void start_takeover(struct handover *h)
{
	/* The child of a child that still waits, waits for the same process. */
	if (!h->takeover_pid) {
		h->takeover_pid = h->pid;
		h->takeover_nonce = h->nonce;
	}
	h->inherited_head = atomic_load(&h->head);
	h->pid = sys_getpid();
	h->nonce = sys_nonce();
	fill_claimed_slots(h);
	h->event_fd = -1;
	h->log_fd = -1;
	if (!h->log_file[0])
		h->log_level = -1; /* descriptor 2 may be anything by now */
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
	const bool whole = is_forker();
	const uint32_t owner = owner_get();

	locked = false;
	pthread_mutex_init(&watched->lock, NULL);
	stuck = false;
	if (whole && can_take_over(watched)) {
		start_takeover(watched);
		return;
	}
	thread_forget();
	/* In a PID namespace of its own the child may have its parent's number. */
	if (owner != OWNER_BROKER)
		owner_replace(owner, 0);
}

void fork_watch(struct handover *handover)
{
	bool first = !watched;
	atfork_fn add;

	watched = handover;
	if (!first)
		return;
	/* What pthread_atfork() calls. By name: see symver.h. */
	add = (atfork_fn)dlsym(RTLD_DEFAULT, "__register_atfork");
	clocklock = (clocklock_fn)dlsym(RTLD_DEFAULT, "pthread_mutex_clocklock");
	if (add && clocklock)
		add(on_prepare, on_parent, on_child, NULL);
}
