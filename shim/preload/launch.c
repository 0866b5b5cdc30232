// SPDX-License-Identifier: MIT
/*
 * launch.c - the manager thread: one a process, from its first MPTCP connect on
 *
 * The connecting thread waits until the manager holds its event subscription, since an
 * ADD_ADDR that is missed cannot be asked for. Everything that takes longer (libnl, the
 * pool file) happens in the manager's thread while the SYN is on its way.
 */
#include "launch.h"
#include "broker.h"
#include "env.h"
#include "fork.h"
#include "mode.h"
#include "mptcpaddr/handover.h"
#include "mptcpaddr/log.h"
#include "pool_file.h"
#include "str.h"
#include "symver.h"
#include "syscall.h"
#include "thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE    (512 * 1024)
#define WAIT_NS	      20000000 /* one futex wait, */
#define WAIT_ATTEMPTS 50       /* so many: a second in all */

/* What `owner` says: the process in the upper bits (PID_MAX_LIMIT is 2^22), and: */
enum {
	OWNER_STARTING,
	OWNER_RUNNING,
	OWNER_FAILED, /* for good in this process */
	OWNER_STATES,
};

/* In every process that shares or inherits this memory: registering keeps no state. */
#define OWNER_BROKER UINT32_MAX
#define BROKER_AGAIN 1 /* seconds between looks for a broker, where there was none */

/* What MPTCPADDR_BACKEND allows. */
enum {
	BACKEND_DIRECT = 1,
	BACKEND_BROKER = 2,
};

static _Atomic uint32_t owner;
static struct handover *handover;
static _Atomic pid_t starter;  /* thread that is in launch_start() */
static pthread_t manager;      /* joined by stop(), */
static _Atomic bool joinable;  /* if there is one */
static _Atomic pid_t over;     /* the process whose main thread has ended */
static _Atomic int64_t looked; /* for a broker, CLOCK_MONOTONIC_COARSE in seconds */

static uint32_t owner_word(pid_t pid, int state)
{
	return (uint32_t)pid * OWNER_STATES + state;
}

/*
 * A vfork child runs on its parent's memory, with its parent's thread control block:
 * the thread ID that libc keeps there, visible in a locked mutex, is not its own.
 */
static bool is_vfork_child(pid_t tid)
{
	pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	bool differs;

	pthread_mutex_lock(&mutex);
	differs = mutex.__data.__owner != tid;
	pthread_mutex_unlock(&mutex);
	return differs;
}

bool launch_is_vfork_child(void)
{
	return is_vfork_child(syscall(SYS_gettid));
}

/* MPTCPADDR_LOG=[LEVEL][:FILE] or [LEVEL:]/FILE; anything else asks for standard error.
 */
static void read_log_request(struct handover *h)
{
	const char *value = env_get("MPTCPADDR_LOG"), *file;
	size_t len;

	h->log_level = -1;
	if (!value || !*value)
		return;
	file = str_find(value, value + str_len(value), *value == '/' ? '/' : ':');
	len = file - value;
	h->log_level = log_level_parse(value, len);
	h->log_forced = h->log_level >= 0;
	if (!h->log_forced)
		h->log_level = LOG_LEVEL_WARNING;
	if (*file == ':')
		file++;
	if (str_len(file) < sizeof(h->log_file))
		str_append(h->log_file, 0, sizeof(h->log_file), file);
}

static uint64_t random_nonce(void)
{
	uint64_t nonce = 0;

	syscall(SYS_getrandom, &nonce, sizeof(nonce), 0);
	return nonce;
}

static int backends(void)
{
	const char *backend = env_get("MPTCPADDR_BACKEND");

	if (!backend || !*backend)
		return BACKEND_DIRECT | BACKEND_BROKER;
	if (str_equal(backend, "broker"))
		return BACKEND_BROKER;
	return str_equal(backend, "direct") ? BACKEND_DIRECT : 0;
}

/* The environment is read here, in the application's thread, and nowhere later. */
static bool fill_handover(struct handover *h)
{
	int fd;

	h->abi = HANDOVER_ABI;
	pthread_mutex_init(&h->lock, NULL);
	h->pid = sys_getpid();
	h->event_fd = -1;
	h->log_fd = -1;
	h->nonce = random_nonce();
	str_append(h->program, 0, sizeof(h->program) - 1, env_program());
	read_log_request(h);
	if (!(backends() & BACKEND_DIRECT))
		return false;
	fd = pool_file_open(h->pool_path);
	if (fd >= 0)
		sys_close(fd);
	return fd != -ENOENT; /* the manager says what else is wrong with it */
}

static int start_thread(struct handover *h)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return r;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* In libc it is pthread_sigmask(), of an older version: see fork.c. Not a raw
	 * system call: glibc needs its own two signals in every thread. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	atomic_store(&joinable, true); /* it may have ended before that returns */
	r = pthread_create(&manager, &attr, thread_main, h);
	if (r)
		atomic_store(&joinable, false);
	sigprocmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

static struct handover *wait_running(pid_t pid)
{
	const struct timespec step = { .tv_nsec = WAIT_NS };
	uint32_t starting = owner_word(pid, OWNER_STARTING);
	int i;

	if (handover && !atomic_exchange(&handover->connect_waits, 1))
		syscall(SYS_futex, &handover->connect_waits, FUTEX_WAKE_PRIVATE, 1, NULL,
			NULL, 0);
	for (i = 0; i < WAIT_ATTEMPTS && atomic_load(&owner) == starting; i++)
		syscall(SYS_futex, &owner, FUTEX_WAIT_PRIVATE, starting, &step, NULL, 0);
	/* Stuck, or killed by a filter: nobody is to wait a second time. */
	atomic_compare_exchange_strong(&owner, &starting, owner_word(pid, OWNER_FAILED));
	return atomic_load(&owner) == owner_word(pid, OWNER_RUNNING) ? handover : NULL;
}

void launch_state(struct handover *h, bool running)
{
	atomic_store(&owner, owner_word(h->pid, running ? OWNER_RUNNING : OWNER_FAILED));
	syscall(SYS_futex, &owner, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/*
 * Which back end it is, where there is no manager thread to say so: once, and with a
 * descriptor that is gone before the program goes on.
 */
static void say(enum log_level level, const char *text)
{
	static _Atomic uint32_t said;
	struct handover *h;

	if (!env_get("MPTCPADDR_LOG") || atomic_exchange(&said, 1))
		return;
	h = mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (h == MAP_FAILED)
		return;
	h->pid = sys_getpid();
	h->log_fd = -1;
	str_append(h->program, 0, sizeof(h->program) - 1, env_program());
	read_log_request(h);
	thread_log_open(h);
	log_print(level, "%s", text);
	log_open(-1, -1, "", 0);
	if (h->log_fd >= 0)
		sys_close(h->log_fd);
	syscall(SYS_munmap, h, sizeof(*h));
}

/* Whether a broker answers; then it is this process's manager from now on. */
static bool broker_found(uint32_t seen)
{
	struct timespec now = { 0 };

	if (!(backends() & BACKEND_BROKER))
		return false;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &now);
	atomic_store(&looked, now.tv_sec);
	if (!broker_answers()) {
		if (!(backends() & BACKEND_DIRECT))
			say(LOG_LEVEL_WARNING, "no pool: no broker answers, and "
					       "MPTCPADDR_BACKEND allows nothing else");
		return false;
	}
	if (!atomic_compare_exchange_strong(&owner, &seen, OWNER_BROKER))
		return atomic_load(&owner) == OWNER_BROKER;
	say(LOG_LEVEL_INFO, "the broker has the connections");
	return true;
}

/* This process has no manager: perhaps a broker has come meanwhile. */
static struct handover *launch_again(uint32_t seen)
{
	struct timespec now = { 0 };

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec - atomic_load(&looked) < BROKER_AGAIN || mode_get() != MODE_POOL)
		return NULL;
	return broker_found(seen) ? LAUNCH_BROKER : NULL;
}

static struct handover *launch_start(pid_t pid, uint32_t seen, bool broker)
{
	pid_t tid = syscall(SYS_gettid);
	struct handover *h;

	if (is_vfork_child(tid))
		return NULL;
	if (mode_get() != MODE_POOL)
		return NULL;
	if (broker && broker_found(seen))
		return LAUNCH_BROKER;
	if (atomic_load(&over) == pid)
		return NULL; /* a manager would be the last thread of all */
	if (!atomic_compare_exchange_strong(&owner, &seen,
					    owner_word(pid, OWNER_STARTING)))
		return wait_running(pid); /* another thread was first */
	starter = tid;
	if (atomic_load(&over) == pid) {
		atomic_store(&owner, owner_word(pid, OWNER_FAILED));
		return NULL;
	}
	/* One that a forking process left is kept: another thread may be in fork(). */
	h = mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	handover = h == MAP_FAILED ? NULL : h;
	if (!handover || !fill_handover(h) || start_thread(h)) {
		atomic_store(&owner, owner_word(pid, OWNER_FAILED));
		return NULL;
	}
	fork_watch(h);
	h = wait_running(pid);
	atomic_store(&starter, 0);
	return h;
}

static void stop(void)
{
	const struct timespec step = { .tv_nsec = WAIT_NS };
	uint32_t running = owner_word(sys_getpid(), OWNER_RUNNING);
	uint32_t starting = owner_word(sys_getpid(), OWNER_STARTING);
	uint32_t word = atomic_load(&owner);
	int i;

	if (word != running && word != starting)
		return;
	for (i = 0; i < WAIT_ATTEMPTS && (word == running || word == starting); i++) {
		if (handover) { /* not yet, where a thread is about to start it */
			atomic_store(&handover->quit, 1);
			wake_manager(handover);
		}
		syscall(SYS_futex, &owner, FUTEX_WAIT_PRIVATE, word, &step, NULL, 0);
		word = atomic_load(&owner);
	}
	if (word == owner_word(sys_getpid(), OWNER_FAILED) && atomic_load(&joinable))
		pthread_join(manager, NULL);
}

void launch_over(void)
{
	if (launch_is_vfork_child())
		return;
	/* First: one that another thread starts now is either seen, or not started. */
	atomic_store(&over, sys_getpid());
	stop();
}

/* Slots that another thread of the parent was about to fill: it is not here to do so. */
static void fill_holes(struct handover *h)
{
	uint32_t i;

	for (i = atomic_load(&h->tail); i != atomic_load(&h->head); i++)
		if (!atomic_load(&h->slots[i % HANDOVER_SLOTS]))
			atomic_store(&h->slots[i % HANDOVER_SLOTS], HANDOVER_VALID);
}

static bool listens(struct handover *h)
{
	int i;

	for (i = 0; i < HANDOVER_LISTENERS; i++)
		if (atomic_load(&h->listeners[i].state) == LISTENER_OPEN)
			return true;
	return false;
}

void launch_forget(void)
{
	if (atomic_load(&owner) != OWNER_BROKER)
		atomic_store(&owner, 0);
	atomic_store(&joinable, false);
	atomic_store(&starter, 0);
}

bool launch_heir(struct handover *h)
{
	pid_t parent = h->pid;
	uint32_t word = atomic_load(&owner);
	/* A heir that has not begun holds the parent's copy as it was: it can be passed
	 * on. */
	bool untouched = h->takeover_pid && word == owner_word(parent, OWNER_STARTING);

	if (!h->manager || (word != owner_word(parent, OWNER_RUNNING) && !untouched))
		return false;
	if (!atomic_load(&h->connections) && !listens(h) &&
	    atomic_load(&h->head) == atomic_load(&h->tail))
		return false;
	h->inherited_head = atomic_load(&h->head);
	h->pid = sys_getpid();
	/* A child of a child that still waits waits for the same process. */
	if (!h->takeover_pid) {
		h->takeover_pid = parent;
		h->takeover_nonce = h->nonce;
	}
	h->nonce = random_nonce();
	fill_holes(h);
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
	atomic_store(&owner, owner_word(h->pid, OWNER_STARTING));
	if (start_thread(h))
		atomic_store(&owner, owner_word(h->pid, OWNER_FAILED));
	return true;
}

static struct handover *manager_of(bool broker)
{
	uint32_t word = atomic_load(&owner);
	pid_t pid;

	if (word == OWNER_BROKER)
		return LAUNCH_BROKER;
	pid = sys_getpid();
	if (word == owner_word(pid, OWNER_RUNNING))
		return handover;
	if (word == owner_word(pid, OWNER_FAILED))
		return broker ? launch_again(word) : NULL;
	if (word != owner_word(pid, OWNER_STARTING))
		return launch_start(pid, word, broker);
	/* A signal handler on top of launch_start() must not wait for itself. */
	return starter == syscall(SYS_gettid) ? NULL : wait_running(pid);
}

struct handover *launch_manager(void)
{
	return manager_of(true);
}

struct handover *launch_listener(void)
{
	return manager_of(false);
}

void launch_alone(void)
{
	uint32_t word = OWNER_BROKER;

	atomic_compare_exchange_strong(&owner, &word, 0);
}

bool launch_running(void)
{
	return atomic_load(&owner) == owner_word(sys_getpid(), OWNER_RUNNING);
}

bool wake_manager(struct handover *h)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *end = h->control_name + sizeof(h->control_name);
	size_t len = str_find(h->control_name, end, '\0') - h->control_name;
	long r;
	int fd;

	if (!len)
		return false;
	str_append(addr.sun_path, 1, sizeof(addr.sun_path), h->control_name);
	fd = syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		     0);
	if (fd < 0)
		return false;
	r = syscall(SYS_connect, fd, &addr,
		    offsetof(struct sockaddr_un, sun_path) + 1 + len);
	sys_close(fd);
	return r == 0;
}

void wake_open_filter(struct handover *h)
{
	const struct timespec step = { .tv_nsec = WAIT_NS };
	uint32_t narrow = HANDOVER_FILTER_IDLE;
	int i = 0;

	if (!wake_manager(h))
		i = WAIT_ATTEMPTS;
	for (; i < WAIT_ATTEMPTS && atomic_load(&h->filter) == HANDOVER_FILTER_IDLE; i++)
		syscall(SYS_futex, &h->filter, FUTEX_WAIT_PRIVATE, HANDOVER_FILTER_IDLE,
			&step, NULL, 0);
	/* A manager that a filter killed: nobody is to wait a second time. */
	atomic_compare_exchange_strong(&h->filter, &narrow, HANDOVER_FILTER_STUCK);
}
