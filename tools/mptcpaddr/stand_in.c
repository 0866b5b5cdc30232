// SPDX-License-Identifier: MIT
/*
 * stand_in.c - register the connections of a supervised program
 *
 * It does with a duplicate of the socket what the preload library does around connect()
 * and listen() in a program: its name and its environment are the program's, and so are
 * pool, log and back end. The kernel makes the call itself in the program, so it blocks
 * and fails there as ever; a token, before the SYN, or the state of a listening socket
 * shows that it was made. Only a race is run here, in a thread, with as many sockets as
 * it takes: the program gets the one that is left.
 */
#include "program.h"
#include "shim/common/clock.h"
#include "shim/common/sockopt.h"
#include "shim/preload/env.h"
#include "shim/preload/first.h"
#include "shim/preload/launch.h"
#include "shim/preload/mode.h"
#include "shim/preload/own.h"
#include "shim/preload/race.h"
#include "shim/preload/register.h"
#include "shim/preload/swap.h"
#include "shim/preload/wake.h"
#include "supervise.h"

#include "mptcpaddr/handover.h"
#include "mptcpaddr/uapi.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define OPTION_MAX 256
#define BEGUN_MAX  1024
#define LOOK_NS	   50000L /* until the program has made its call */
#define SLOW_MS	   5	  /* from then on look at the thread, too */
#define BEGUN_MS   3000
#define RACE_MS	   300 /* for each attempt; then the program waits, with its signals */
#define IDLE_S	   1

/* A call that the program was let make. */
static struct begun {
	struct call call;
	struct handover *handover;
	int fd;
	enum first_why why;
	int64_t since_ms;
} begun[BEGUN_MAX];

static unsigned int n_begun;
static struct handover *manager; /* NULL: none, or the broker */

static bool has_begun(const struct begun *b)
{
	struct mptcpaddr_info info = { .token = 0 };
	socklen_t len = sizeof(info);
	int listening = 0;

	if (b->call.kind == CALL_LISTEN) {
		len = sizeof(listening);
		getsockopt(b->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
		return listening;
	}
	/* An error: it has fallen back to TCP. */
	return syscall(SYS_getsockopt, b->fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0 ||
	       info.token;
}

static void end_begun(unsigned int i, bool made)
{
	struct begun *b = &begun[i];

	if (b->call.kind == CALL_LISTEN) {
		register_listener(b->handover, b->fd, made ? 0 : -1);
	} else {
		if (made)
			register_started(b->handover, b->fd, REGISTER_NO_LEN, 0, b->why);
		register_done(b->handover);
	}
	/* It may have accepted connections already, or wait for an answer in vain. */
	if (made && b->handover != LAUNCH_BROKER &&
	    (b->call.kind == CALL_LISTEN || b->why != FIRST_WHY_ROUTING)) {
		atomic_fetch_or(&b->handover->inherited, b->call.kind == CALL_LISTEN);
		wake_manager(b->handover);
	}
	close(b->fd);
	*b = begun[--n_begun];
}

static void check_begun(void)
{
	unsigned int i;

	for (i = n_begun; i-- > 0;) {
		struct begun *b = &begun[i];
		const int64_t ms = clock_ms() - b->since_ms;

		if (has_begun(b))
			end_begun(i, true);
		else if (ms > BEGUN_MS ||
			 (ms > SLOW_MS && tracee_has_left(b->call.tid, b->call.nr)))
			/* It failed at once, or was made between the two looks. */
			end_begun(i, has_begun(b));
	}
}

/* What the library has put under @fd in the place of the program's socket. */
static bool replace_given_socket(int listener, const struct call *call, int fd)
{
	const struct seccomp_notif_addfd add = {
		.id = call->id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = fd,
		.newfd = call->args[0],
		.newfd_flags = tracee_fd_flags(call->tid, call->args[0]),
	};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0;
}

struct race_call {
	struct call call;
	struct handover *handover;
	int listener, fd, attempts;
	union first_address to;
};

static void set_send_timeout(int fd, const struct timeval *timeout)
{
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, timeout, sizeof(*timeout));
}

/* The library's connect() on a duplicate; the program's goes on where that ends. */
static void *race_in_thread(void *arg)
{
	struct race_call *r = arg;
	struct seccomp_notif_resp answer = { .id = r->call.id };
	const int ms = r->attempts * RACE_MS + RACE_MS;
	struct timeval own = { 0 }, limit = { ms / 1000, ms % 1000 * 1000 };
	const uint64_t cookie = own_cookie(r->fd);
	socklen_t len = sizeof(own);

	getsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &own, &len);
	if (!timerisset(&own))
		set_send_timeout(r->fd, &limit);
	if (race_connect(r->handover, r->fd, &r->to.any, r->call.args[2]) < 0)
		answer.error = -errno;
	set_send_timeout(r->fd, &own);
	if (own_cookie(r->fd) != cookie)
		replace_given_socket(r->listener, &r->call, r->fd);
	if (answer.error == -EINPROGRESS && !timerisset(&own))
		call_continue(r->listener, r->call.id);
	else
		ioctl(r->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	close(r->fd);
	free(r);
	return NULL;
}

/* Return: false: it cannot be. */
static bool start_race(const struct race_call *call)
{
	struct race_call *r = malloc(sizeof(*r));
	pthread_t thread;

	if (!r)
		return false;
	*r = *call;
	if (pthread_create(&thread, NULL, race_in_thread, r)) {
		free(r);
		return false;
	}
	return !pthread_detach(thread);
}

/*
 * With `first = pool`, or `race` of a call that does not block: from the best endpoint.
 * The next one is not tried, since the call is the program's. Return: false: it races.
 */
static bool choose_first(int listener, const struct call *call, struct handover *h,
			 int fd, enum first_why *ret_why)
{
	struct race_call race = { *call, h, listener, fd, 0, { .any.sa_family = 0 } };
	struct first_choices list;
	const socklen_t len = call->args[2];
	const struct iovec to = { &race.to, len };
	const struct iovec from = { (void *)(uintptr_t)call->args[1], len };
	unsigned int i;

	*ret_why = FIRST_WHY_ROUTING;
	if (!first_is_chosen(h) || len > sizeof(race.to) ||
	    process_vm_readv(call->tid, &to, 1, &from, 1, 0) != (ssize_t)len ||
	    !first_choose(h, fd, &race.to.any, len, &list))
		return true;
	race.attempts = list.n;
	if (list.race && list.n > 1 && !(fcntl(fd, F_GETFL) & O_NONBLOCK) &&
	    !tracee_shares_fd(call->tid, fd) && start_race(&race))
		return false;
	for (i = 0; i < list.n && *ret_why == FIRST_WHY_ROUTING; i++)
		if (first_bind(fd, &list, &list.v[i]))
			*ret_why = list.v[i].why;
	return true;
}

static void begin_program_call(int listener, const struct call *call, int fd)
{
	const bool listens = call->kind == CALL_LISTEN;
	struct handover *h = listens ? register_begin_listen(fd) : register_begin(fd);
	enum first_why why = FIRST_WHY_ROUTING;

	manager = h == LAUNCH_BROKER ? NULL : h ?: manager;
	if (h && !listens && !choose_first(listener, call, h, fd, &why))
		return;
	call_continue(listener, call->id);
	if (!h) {
		close(fd);
		return;
	}
	if (n_begun == BEGUN_MAX)
		end_begun(0, has_begun(&begun[0]));
	begun[n_begun++] = (struct begun){ *call, h, fd, why, clock_ms() };
}

/* The library's setsockopt() replaces only a socket that no other descriptor has. */
static void settle_option(int listener, const struct call *call, int fd)
{
	struct seccomp_notif_resp answer = { .id = call->id };
	const unsigned int len = call->args[4];
	char value[OPTION_MAX];
	const struct iovec to = { value, len };
	const struct iovec from = { (void *)(uintptr_t)call->args[3], len };
	const void *at = value;
	int other;

	if (len > sizeof(value)) {
		call_continue(listener, call->id);
		return;
	}
	if (process_vm_readv(call->tid, &to, 1, &from, 1, 0) != (ssize_t)len)
		at = (const void *)1; /* a bad pointer for the kernel, too */
	other = tracee_shares_fd(call->tid, fd) ? dup(fd) : -1;
	if (setsockopt(fd, call->args[1], call->args[2], at, len) < 0)
		answer.error = -errno;
	else if (!register_is_mptcp(fd) && !replace_given_socket(listener, call, fd))
		answer.error = -EOPNOTSUPP;
	if (other >= 0)
		close(other);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Return: false at its end. */
static bool receive_call(int listener, int channel)
{
	struct call call;
	int fd;

	if (read(channel, &call, sizeof(call)) != sizeof(call))
		return false;
	fd = tracee_copy_fd(call.tid, call.args[0]);
	if (fd < 0) {
		call_continue(listener, call.id);
	} else if (call.kind != CALL_OPTION) {
		begin_program_call(listener, &call, fd);
	} else {
		settle_option(listener, &call, fd);
		close(fd);
	}
	return true;
}

/* Be the program, for shim/preload. */
static void take_identity(const struct tracee *tracee)
{
	static char name[TRACEE_NAME_MAX], env[TRACEE_ENV_MAX];
	const struct sockopt *o;
	char path[PATH_MAX], *at;

	strcpy(name, tracee->name);
	memcpy(env, tracee->env, tracee->env_len);
	program_invocation_name = program_invocation_short_name = name;
	clearenv();
	for (at = env; at < env + tracee->env_len; at += strlen(at) + 1)
		putenv(at);
	env_copy();
	/* What the program has set before is unknown. */
	for (o = sockopts; o < sockopts + n_sockopts; o++)
		swap_note(o->level, o->name);
	/* shim/preload searches it next to itself, or among those that are loaded. */
	if (!library_find(path)) {
		strcpy(path + strlen(path) - strlen(LIBRARY), HANDOVER_PM_LIBRARY);
		dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	}
}

/* Whether a manager here has connections, or listening sockets. */
static bool has_managed(void)
{
	unsigned int i;

	if (!manager || atomic_load(&manager->connections))
		return manager;
	for (i = 0; i < HANDOVER_LISTENERS; i++)
		if (atomic_load(&manager->listeners[i].state) == LISTENER_OPEN)
			return true;
	return false;
}

_Noreturn void stand_in_run(int listener, int channel, const struct tracee *tracee)
{
	struct pollfd fds[2] = { { listener, 0, 0 }, { channel, POLLIN, 0 } };
	const struct timespec look = { 0, LOOK_NS }, idle = { IDLE_S, 0 };
	char mode;

	take_identity(tracee);
	mode = mode_get();
	if (write(channel, &mode, 1) != 1 || (mode != MODE_POOL && mode != MODE_PLAIN))
		_exit(0);
	while (!fds[0].revents && (n_begun || fds[1].fd >= 0 || has_managed())) {
		ppoll(fds, 2, n_begun ? &look : fds[1].fd < 0 ? &idle : NULL, NULL);
		if (fds[1].revents && !receive_call(listener, channel))
			fds[1].fd = -1; /* a new keeper has a new one for us */
		check_begun();
	}
	_exit(0); /* no program is left, or another one stands in for it */
}
