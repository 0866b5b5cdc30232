// SPDX-License-Identifier: MIT
/*
 * thread.c - the manager thread, until the path manager library takes over
 *
 * It leaves the application's descriptor table first (close_range(2),
 * CLOSE_RANGE_UNSHARE): its files then take none of the application's numbers, do not
 * leak into children, and the application cannot close them. No stdio, no exit() here.
 */
#include "thread.h"
#include "log_request.h"
#include "mptcpaddr/broker.h"
#include "mptcpaddr/handover.h"
#include "owner.h"
#include "shim/common/lock.h"
#include "shim/common/str.h"
#include "subscribe.h"
#include "symver.h"
#include "syscall.h"

#include <dlfcn.h>
#include <limits.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#define STACK_SIZE   (512 * 1024)
#define EXEC_WAIT_NS 20000000

static pthread_t manager;
static _Atomic bool joinable;
static _Atomic pid_t thread_id; /* 0: it has not begun */

/* Replace the descriptor table by one without the application's files. */
static int isolate_descriptors(struct handover *h)
{
	const unsigned int log = log_request_kept(); /* ~0U: none */
	int fd, i;

	if (syscall(SYS_close_range, STDERR_FILENO + 1, log - 1, CLOSE_RANGE_UNSHARE) < 0)
		return -errno;
	if (log + 1)
		syscall(SYS_close_range, log + 1, ~0U, 0);
	log_request_open(h);
	log_open(h->log_fd, h->log_level, h->program, h->pid);
	fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0) /* a chroot without /dev: this swallows output, too */
		fd = syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (i = 0; i <= STDERR_FILENO; i++)
		if (fd != i && (fd < 0 || syscall(SYS_dup3, fd, i, O_CLOEXEC) < 0))
			sys_close(i);
	if (fd > STDERR_FILENO)
		sys_close(fd);
	return 0;
}

/* False without /proc: then the kernel refuses our commands for its connections. */
static bool kernel_is_path_manager(void)
{
	char text[16] = "";

	if (sys_read_file("/proc/sys/net/mptcp/path_manager", text, sizeof(text) - 1) < 0)
		sys_read_file("/proc/sys/net/mptcp/pm_type", text, 1); /* before 6.15 */
	return str_after(text, "kernel") || text[0] == '0';
}

/*
 * Open the path manager library in our own directory: by absolute path, because some
 * libraries wrap dlopen() and become the caller (ASan); else by DT_RUNPATH, $ORIGIN,
 * which works with a relative LD_PRELOAD after chdir().
 */
static void *open_library(void)
{
	static const char name[] = "/" HANDOVER_PM_LIBRARY;
	static void *library;
	char path[PATH_MAX];
	size_t dir_len;
	Dl_info self;

	if (library)
		return library;

	if (!dladdr(thread_start, &self) || self.dli_fname[0] != '/')
		return library = dlopen(name + 1, RTLD_LAZY | RTLD_LOCAL);
	dir_len = str_base(self.dli_fname) - 1 - self.dli_fname;
	if (dir_len + sizeof(name) > sizeof(path))
		return NULL;
	str_append(path, 0, sizeof(path), self.dli_fname);
	str_append(path, dir_len, sizeof(path), name);
	library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		library = dlopen(name + 1, RTLD_LAZY | RTLD_LOCAL);
	return library;
}

void thread_load_library(void)
{
	open_library();
}

static int run_library(struct handover *h)
{
	int (*run)(struct handover *);
	char *(*why)(void);
	void *library;

	/* By name: rarely needed, but each symbol costs every exec. Before dlopen(),
	 * whose error this would replace. */
	why = (char *(*)(void))dlsym(RTLD_DEFAULT, "dlerror");
	library = open_library();
	run = library ? (int (*)(struct handover *))dlsym(library, HANDOVER_PM_RUN)
		      : NULL;
	if (!run) {
		log_error("no pool: %s", why ? why() : "no " HANDOVER_PM_LIBRARY);
		return -ELIBACC;
	}
	return run(h); /* closes the event socket */
}

static int become_manager(struct handover *h)
{
	int r;

	r = isolate_descriptors(h);
	if (!r)
		r = subscribe_events(&h->event_fd, &h->family_id);
	if (r < 0) {
		errno = -r;
		if (r == -EPERM && h->takeover_pid)
			return r;
		if (r == -EPERM)
			log_warning("no pool: " BROKER_LACKING "; start mptcpaddrd");
		else
			log_warning("no pool: %m");
		return r;
	}
	/* The application continues; the slow part comes after its SYN. */
	owner_set(h->pid, OWNER_RUNNING);
	sys_call(SYS_sched_yield, 0, 0, 0);
	/* The application's setns() into a mount namespace needs unshared directories. */
	syscall(SYS_unshare, CLONE_FS);
	if (kernel_is_path_manager()) {
		log_warning("no pool: the in-kernel path manager is active "
			    "(net.mptcp.path_manager=kernel)");
		sys_close(h->event_fd);
		return -EOPNOTSUPP;
	}
	return run_library(h);
}

/*
 * Most children exec() at once, which ends this thread: wait, unless the child connects.
 * The parent's manager serves the connections meanwhile; after its end no
 * manager echoes an ADD_ADDR, so the peer repeats it.
 */
static void wait_for_child_exec(struct handover *h)
{
	futex_wait(&h->connect_waits, 0, EXEC_WAIT_NS);
}

/*
 * The parent, or another child, usually serves the listening sockets of a worker that has
 * dropped root's rights. Report it if nobody does: a master that executes another program
 * or ends.
 */
static void report_unserved(struct handover *h)
{
	int i;

	for (i = 0; i < SYS_WAIT_TRIES; i++)
		futex_wait(&h->quit, 0, SYS_WAIT_NS);
	if (!handover_is_served(h) && !atomic_load(&h->quit))
		log_warning("no pool: the program dropped CAP_NET_ADMIN, "
			    "and no broker runs; start mptcpaddrd");
}

static void *thread_main(void *arg)
{
	struct handover *h = arg;
	int r;

	atomic_store(&thread_id, sys_gettid());
	sys_call(SYS_prctl, PR_SET_NAME, (long)"mptcpaddr", 0);
	if (h->takeover_pid)
		wait_for_child_exec(h);
	lock_take(&h->lock); /* until the path manager waits */
	r = become_manager(h);
	owner_set(h->pid, OWNER_FAILED);
	atomic_store(&h->started, 1);
	futex_wake(&h->started);
	lock_give(&h->lock);
	if (r == -EPERM && h->takeover_pid && h->event_fd < 0)
		report_unserved(h);
	return NULL;
}

int thread_start(struct handover *h)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return r;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* In libc this is pthread_sigmask(), of an older version (symver.h). Not a raw
	 * system call: glibc needs its own two signals in every thread. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	atomic_store(&joinable, true); /* the thread may end at once */
	atomic_store(&thread_id, 0);
	r = pthread_create(&manager, &attr, thread_main, h);
	if (r)
		atomic_store(&joinable, false);
	sigprocmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

/* It began, and ended or was killed. */
static bool thread_has_ended(void)
{
	const pid_t id = atomic_load(&thread_id);

	return id && sys_call(SYS_tgkill, sys_getpid(), id, 0) == -ESRCH;
}

void thread_wait_while(_Atomic uint32_t *word, uint32_t value)
{
	int i;

	for (i = 0; i < THREAD_LATE_S && atomic_load(word) == value; i++) {
		if (thread_has_ended())
			return;
		futex_wait_while(word, value);
	}
}

void thread_join(void)
{
	if (atomic_load(&joinable))
		pthread_join(manager, NULL);
	atomic_store(&thread_id, 0);
}

void thread_forget(void)
{
	atomic_store(&joinable, false);
	atomic_store(&thread_id, 0);
}
