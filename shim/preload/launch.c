// SPDX-License-Identifier: MIT
/*
 * launch.c - choose the back end of this process, and start its manager
 *
 * A process has one manager, from its first MPTCP connect() on. The connecting thread
 * waits until the manager has subscribed to events, since a missed ADD_ADDR cannot be
 * requested. Slower work (libnl, the pool file) follows while the SYN is on its way.
 */
#include "launch.h"
#include "broker.h"
#include "env.h"
#include "fork.h"
#include "log_request.h"
#include "mode.h"
#include "mptcpaddr/handover.h"
#include "other_copy.h"
#include "owner.h"
#include "pool_copy.h"
#include "pool_file.h"
#include "refused.h"
#include "shim/common/str.h"
#include "syscall.h"
#include "thread.h"
#include "wake.h"

#include <pthread.h>

#define BROKER_RETRY_S 1 /* ask again for a broker, if none was running */

static struct handover *_Atomic handover;
static _Atomic pid_t starter;	      /* the thread in start_manager() */
static _Atomic pid_t main_ended;      /* the process whose main thread has ended */
static _Atomic int64_t broker_sought; /* sys_seconds() */

static bool is_allowed(const char *backend)
{
	const char *only = env_get(ENV_BACKEND);

	return !only || !*only || str_equal(only, backend);
}

static void fill_pool(struct handover *h)
{
	const int fd = pool_file_open_own(h->pool_path);
	const struct pool_copy *copy;

	if (fd >= 0) {
		sys_close(fd);
		return;
	}
	/* The program has changed its root directory or user; held for good. */
	copy = pool_copy_update() ? pool_copy_hold() : NULL;
	if (!copy)
		return; /* the manager reports the error */
	str_append(h->pool_path, 0, sizeof(h->pool_path), copy->program.path);
	h->pool_text = copy->text;
	h->pool_len = copy->len;
}

/* The file of [policy] quota; for root, see METERED_DIR. */
static void fill_metered(struct handover *h)
{
	const char *dir = env_get(ENV_XDG_STATE_HOME);
	const bool home = !dir || !*dir;
	const size_t size = sizeof(h->metered_path);
	size_t len;

	if (home)
		dir = env_get(ENV_HOME);
	if (!dir || dir[0] != '/')
		return;
	len = str_append(h->metered_path, 0, size, dir);
	if (home)
		len = STR_APPEND(h->metered_path, len, size, "/.local/state");
	if (STR_APPEND(h->metered_path, len, size, "/mptcpaddr/metered") == size)
		h->metered_path[0] = '\0';
}

/* In the application's thread: the manager must not read the environment. */
static bool fill_handover(struct handover *h)
{
	h->abi = HANDOVER_ABI;
	h->pid = sys_getpid();
	h->event_fd = -1;
	h->options = refused_options;
	str_append(h->program, 0, sizeof(h->program) - 1, env_program_name());
	log_request_read(h);
	if (!is_allowed("direct")) {
		if (!is_allowed("broker"))
			LOG_REQUEST_ONCE(LOG_LEVEL_INFO, "no pool: MPTCPADDR_BACKEND=",
					 env_get(ENV_BACKEND));
		return false;
	}
	fill_pool(h);
	fill_metered(h);
	return true;
}

static struct handover *wait_started(pid_t pid)
{
	const uint32_t starting = owner_word(pid, OWNER_STARTING);
	struct handover *h = handover;

	if (h && !atomic_exchange(&h->connect_waits, 1))
		futex_wake(&h->connect_waits);
	/* Without its subscription, the connection would have no further paths. */
	thread_wait_while(owner_futex(), starting);
	/* Stuck, or killed by seccomp: do not wait again. */
	owner_replace(starting, owner_word(pid, OWNER_FAILED));
	return owner_get() == owner_word(pid, OWNER_RUNNING) ? handover : NULL;
}

/* Whether a broker answers; from then on it manages this process. */
static bool broker_found(uint32_t seen)
{
	if (!is_allowed("broker"))
		return false;
	atomic_store(&broker_sought, sys_seconds());
	if (!broker_is_running()) {
		if (!is_allowed("direct"))
			LOG_REQUEST_ONCE(
				LOG_LEVEL_WARNING,
				"no pool: no broker answers (MPTCPADDR_BACKEND=broker)",
				"");
		return false;
	}
	if (!owner_replace(seen, OWNER_BROKER))
		return owner_get() == OWNER_BROKER;
	LOG_REQUEST_ONCE(LOG_LEVEL_INFO, "the broker manages the connections", "");
	return true;
}

/* This process has no manager, but a broker may have started since then. */
static struct handover *seek_broker_again(uint32_t seen)
{
	if (sys_seconds() - atomic_load(&broker_sought) < BROKER_RETRY_S ||
	    mode_get() != MODE_POOL)
		return NULL;
	return broker_found(seen) ? LAUNCH_BROKER : NULL;
}

static struct handover *start_manager(pid_t pid, uint32_t seen, bool broker)
{
	const pid_t tid = sys_gettid();
	struct handover *h;

	if (owner_is_vfork_child(tid) || mode_get() != MODE_POOL || other_copy_is_first())
		return NULL;
	if (broker && broker_found(seen))
		return LAUNCH_BROKER;
	if (atomic_load(&main_ended) == pid)
		return NULL; /* the manager would be the process's last thread */
	if (!owner_replace(seen, owner_word(pid, OWNER_STARTING)))
		return wait_started(pid); /* another thread was first */
	atomic_store(&starter, tid);
	if (atomic_load(&main_ended) == pid)
		goto failed;
	/* Do not free the previous one: another thread may be in fork(). */
	h = sys_map(sizeof(*h));
	handover = h;
	if (!h || !fill_handover(h))
		goto failed;
	if (thread_start(h)) {
		LOG_REQUEST_ONCE(LOG_LEVEL_WARNING, "no pool: cannot start a thread", "");
		goto failed;
	}
	fork_watch(h);
	h = wait_started(pid);
	atomic_store(&starter, 0);
	return h;
failed:
	owner_set(pid, OWNER_FAILED);
	return NULL;
}

void launch_keep(bool root)
{
	static _Atomic bool loaded;

	if (owner_is_vfork_child(sys_gettid()) || mode_get() != MODE_POOL ||
	    other_copy_is_first())
		return;
	log_request_keep();
	pool_copy_update();
	mode_signals();
	if (root && is_allowed("direct") && !atomic_exchange(&loaded, true) &&
	    !(is_allowed("broker") && broker_is_running()))
		thread_load_library();
}

struct handover *launch_manager(bool broker)
{
	const uint32_t word = owner_get();
	pid_t pid;

	if (word == OWNER_BROKER)
		return LAUNCH_BROKER;
	pid = sys_getpid();
	if (word == owner_word(pid, OWNER_RUNNING))
		return handover;
	if (word == owner_word(pid, OWNER_FAILED))
		return broker ? seek_broker_again(word) : NULL;
	if (word != owner_word(pid, OWNER_STARTING))
		return start_manager(pid, word, broker);
	/* A signal handler that interrupts start_manager() must not wait for it. */
	return atomic_load(&starter) == sys_gettid() ? NULL : wait_started(pid);
}

bool launch_is_child(void)
{
	const struct handover *h = handover;

	return h && h->takeover_pid && handover_is_served(h);
}

static bool is_alive(uint32_t word, pid_t pid)
{
	return word == owner_word(pid, OWNER_RUNNING) ||
	       word == owner_word(pid, OWNER_STARTING);
}

static void stop_manager(pid_t pid)
{
	uint32_t word = owner_get();
	struct handover *h;
	int i;

	if (!is_alive(word, pid))
		return;
	for (i = 0; i < SYS_WAIT_TRIES && is_alive(word, pid); i++) {
		h = handover;
		if (h) { /* NULL while another thread is about to start it */
			atomic_store(&h->quit, 1);
			wake_manager(h);
		}
		owner_wait_change(word);
		word = owner_get();
	}
	if (word == owner_word(pid, OWNER_FAILED))
		thread_join();
}

void launch_end(void)
{
	const pid_t pid = sys_getpid();

	if (owner_is_vfork_child(sys_gettid()))
		return;
	/* Before owner_get(): a thread that starts a manager later sees it. */
	atomic_store(&main_ended, pid);
	stop_manager(pid);
}

bool launch_pause(void)
{
	const pid_t pid = sys_getpid();
	struct statx tasks;

	if (!is_alive(owner_get(), pid) || owner_is_vfork_child(sys_gettid()))
		return false;
	/* Two links of a directory, and one of each thread. */
	if (sys_statx(AT_FDCWD, "/proc/self/task", &tasks) && tasks.stx_nlink > 2 + 2)
		return false;
	stop_manager(pid);
	LOG_REQUEST_ONCE(LOG_LEVEL_INFO,
			 "stopped, because the program enters a namespace that is for "
			 "processes with one thread",
			 "");
	return owner_replace(owner_word(pid, OWNER_FAILED), 0);
}
