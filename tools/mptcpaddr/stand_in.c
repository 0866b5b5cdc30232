// SPDX-License-Identifier: MIT
/*
 * stand_in.c - register the connections of a supervised program
 *
 * It does with a duplicate of the socket what the preload library does around connect()
 * and listen() in a program: its name and its environment are the program's, and so are
 * pool, log and back end. The kernel makes the call itself in the program, so it blocks
 * and fails there as ever. A token, before the SYN, or the state of a listening
 * socket shows that it was made.
 */
#include "program.h"
#include "shim/common/clock.h"
#include "shim/common/sockopt.h"
#include "shim/preload/env.h"
#include "shim/preload/first.h"
#include "shim/preload/launch.h"
#include "shim/preload/mode.h"
#include "shim/preload/register.h"
#include "shim/preload/swap.h"
#include "shim/preload/wake.h"
#include "supervise.h"

#include "mptcpaddr/handover.h"
#include "mptcpaddr/uapi.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define OPTION_MAX 256
#define BEGUN_MAX  256
#define FIRST_NS   20000L   /* before the first look, then twice as long, */
#define LAST_NS	   5000000L /* to this; from then on look at the thread, too */
#define BEGUN_MS   3000
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
	return getsockopt(b->fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0 || info.token;
}

static void end_begun(unsigned int i, bool made)
{
	struct begun *b = &begun[i];

	if (b->call.kind == CALL_LISTEN) {
		register_listener(b->handover, b->fd, made ? 0 : -1);
	} else {
		if (made)
			register_started(b->handover, b->fd, 0, b->why);
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

static void check_begun(long waited_ns)
{
	unsigned int i;

	for (i = n_begun; i-- > 0;) {
		struct begun *b = &begun[i];

		if (has_begun(b))
			end_begun(i, true);
		else if (clock_ms() - b->since_ms > BEGUN_MS ||
			 (waited_ns >= LAST_NS &&
			  tracee_has_left(b->call.tid, b->call.nr)))
			end_begun(i, false); /* it failed at once */
	}
}

/*
 * With `first = pool` or `race`: from the best endpoint. The next one is not tried, since
 * the call is the program's.
 */
static enum first_why choose_first(const struct call *call, struct handover *h, int fd)
{
	struct first_choices list;
	union first_address addr;
	const socklen_t len = call->args[2];
	const struct iovec to = { &addr, len };
	const struct iovec from = { (void *)(uintptr_t)call->args[1], len };
	unsigned int i;

	if (!first_is_chosen(h) || len > sizeof(addr) ||
	    process_vm_readv(call->tid, &to, 1, &from, 1, 0) != (ssize_t)len ||
	    !first_choose(h, fd, &addr.any, len, &list))
		return FIRST_WHY_ROUTING;
	for (i = 0; i < list.n; i++)
		if (first_bind(fd, &list, &list.v[i]))
			return list.v[i].why;
	return FIRST_WHY_ROUTING;
}

static void begin_program_call(int listener, const struct call *call, int fd)
{
	const bool listens = call->kind == CALL_LISTEN;
	struct handover *h = listens ? register_begin_listen(fd) : register_begin(fd);
	enum first_why why = FIRST_WHY_ROUTING;

	if (h && !listens)
		why = choose_first(call, h, fd);
	call_continue(listener, call->id);
	if (!h) {
		close(fd);
		return;
	}
	manager = h == LAUNCH_BROKER ? NULL : h;
	if (n_begun == BEGUN_MAX)
		end_begun(0, has_begun(&begun[0]));
	begun[n_begun++] = (struct begun){ *call, h, fd, why, clock_ms() };
}

/* What the library's setsockopt() has put under @fd. */
static bool give_plain(int listener, const struct call *call, int fd)
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
	else if (!register_is_mptcp(fd) && !give_plain(listener, call, fd))
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
	struct timespec wait = { 0, FIRST_NS };
	char mode;

	take_identity(tracee);
	mode = mode_get();
	if (write(channel, &mode, 1) != 1 || (mode != MODE_POOL && mode != MODE_PLAIN))
		_exit(0);
	while (!fds[0].revents && (n_begun || fds[1].fd >= 0 || has_managed())) {
		if (!n_begun)
			wait = (struct timespec){ IDLE_S, FIRST_NS };
		if (ppoll(fds, 2, n_begun || fds[1].fd < 0 ? &wait : NULL, NULL) == 0 &&
		    wait.tv_nsec < LAST_NS)
			wait.tv_nsec *= 2;
		if (fds[1].revents) {
			wait = (struct timespec){ 0, FIRST_NS };
			if (!receive_call(listener, channel))
				fds[1].fd = -1; /* a new keeper has a new one for us */
		}
		check_begun(wait.tv_nsec);
	}
	_exit(0); /* no program is left, or another one stands in for it */
}
