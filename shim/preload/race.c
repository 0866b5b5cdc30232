// SPDX-License-Identifier: MIT
/*
 * race.c - connect() from the endpoints of the pool ([app] first)
 *
 * A call that fails at once goes on from the next endpoint. With `race`, a blocking call
 * without an answer for RACE_MS does so, too, while the earlier attempts go on: each has
 * a socket of its own, with the program's options, and the first one that is connected
 * gets the program's descriptor number. To the program it stays one blocking connect():
 * as long, with the same signals (EINTR, or restarted after SA_RESTART), SO_SNDTIMEO and
 * errors.
 */
#include "race.h"
#include "first.h"
#include "own.h"
#include "real.h"
#include "register.h"
#include "swap.h"
#include "syscall.h"
#include "wake.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#define RACE_MS 300

#define SIGNALS	  64
#define MASK_SIZE 8 /* of the kernel's sigset_t */
/* libc needs its own signals in every thread: two in glibc, three in musl. */
#define ALL_SIGNALS (~(UINT64_C(7) << 31))

/* What rt_sigaction() fills in. */
struct kernel_action {
	void *handler;
	unsigned long flags;
	void *more[4];
};

struct race {
	struct first_choices list;
	int fd; /* the program's */
	const struct sockaddr *addr;
	socklen_t len;
	bool fd_used;
	unsigned int started;
	int sockets[FIRST_CHOICES_MAX]; /* one of them is `fd`; -1: no attempt */
	uint32_t pending;		/* a bit for each attempt in progress */
	int error;			/* of the attempts so far; 0: `winner` */
	unsigned int winner;
	struct timeval timeout; /* the program's SO_SNDTIMEO */
	uint64_t signals;	/* the program's mask */
	int signal_fd;
};

/* Another endpoint may do better. */
static bool is_path_error(int error)
{
	return error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
	       error == EHOSTDOWN || error == ENODEV || error == EADDRNOTAVAIL ||
	       error == EACCES || error == EPERM;
}

/* The same; the SYN was answered, by somebody. */
static bool is_answer_error(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET || error == ENOPROTOOPT ||
	       error == EPROTO;
}

static int64_t now_ms(void)
{
	const timespec64 now = time64_now(CLOCK_MONOTONIC);

	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Put @other in the place of @fd. */
static bool replace_socket(int fd, int other)
{
	const bool own = own_has(fd);

	if (other < 0 || !swap_replace(fd, other))
		return false;
	if (own)
		own_add(fd);
	return true;
}

/* The same with an unused socket that has the same options. */
static bool renew_socket(int fd)
{
	const int copy = swap_copy(fd);
	const bool done = replace_socket(fd, copy);

	if (copy >= 0)
		sys_close(copy);
	return done;
}

/* Without a race: one attempt at a time, until a SYN has left. Return: errno; 0. */
static int connect_in_order(const struct race *race)
{
	const struct first_choices *list = &race->list;
	unsigned int i = 0;
	int error = 0;

	do {
		while (i < list->n && !first_bind(race->fd, list, &list->v[i]))
			i++;
		if (error && i == list->n)
			break;
		error = REAL(connect)(race->fd, race->addr, race->len) ? errno : 0;
	} while (is_path_error(error) && i++ < list->n && renew_socket(race->fd));
	errno = error;
	register_started(list->handover, race->fd, race->len, error ? -1 : 0,
			 i < list->n ? list->v[i].why : FIRST_WHY_ROUTING);
	/* No event would make it look for an answer in time. */
	if (error == EINPROGRESS && list->n && list->handover != LAUNCH_BROKER)
		wake_manager(list->handover);
	return error;
}

/* A blocking connect() on @fd then waits for one tick. */
static void set_timeout(int fd, const struct timeval *timeout)
{
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, timeout, sizeof(*timeout));
}

/* Start an attempt, or go on with it. Return: whether the race is over. */
static bool try_attempt(struct race *race, unsigned int i)
{
	const int r = REAL(connect)(race->sockets[i], race->addr, race->len);
	const int error = !r		      ? 0
			  : errno == EALREADY ? EINPROGRESS
			  : errno == EINTR    ? EINPROGRESS
					      : errno;

	race->pending &= ~(UINT32_C(1) << i);
	if (error == EINPROGRESS)
		race->pending |= UINT32_C(1) << i;
	else if (!error || race->error != ECONNREFUSED) /* the server's own answer */
		race->error = error;
	if (!error)
		race->winner = i;
	return error != EINPROGRESS && !is_path_error(error) && !is_answer_error(error);
}

/* Return: whether the race is over. */
static bool start_attempt(struct race *race)
{
	const struct timeval shortly = { .tv_usec = 1 };
	const unsigned int i = race->started++;
	const struct first_choice *choice = &race->list.v[i];
	const int fd = race->fd_used ? swap_copy(race->fd) : race->fd;
	bool over;

	race->sockets[i] = -1;
	if (fd < 0) { /* another descriptor has the socket: no other attempt */
		race->list.n = race->started;
		return false;
	}
	if (!first_bind(fd, &race->list, choice)) {
		if (race->fd_used)
			sys_close(fd);
		return false;
	}
	race->fd_used = true;
	race->sockets[i] = fd;
	set_timeout(fd, &shortly);
	over = try_attempt(race, i);
	errno = race->pending >> i & 1 ? EINPROGRESS : race->error;
	register_started(race->list.handover, fd, race->len, errno ? -1 : 0,
			 fd == race->fd ? choice->why : FIRST_WHY_RACE);
	return over;
}

static void set_mask(uint64_t mask, uint64_t *ret_old)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, ret_old, MASK_SIZE);
}

/* With a timeout, the kernel restarts no connect(). */
static bool has_timeout(const struct race *race)
{
	return race->timeout.tv_sec || race->timeout.tv_usec;
}

/* Handle the signals that are pending. Return: whether connect() gives EINTR. */
static bool handle_signals(const struct race *race)
{
	struct kernel_action action;
	bool interrupts = false;
	uint64_t pending = 0;
	int i;

	syscall(SYS_rt_sigpending, &pending, MASK_SIZE);
	for (i = 1; i <= SIGNALS; i++)
		if (pending & ~race->signals & UINT64_C(1) << (i - 1) &&
		    !syscall(SYS_rt_sigaction, i, NULL, &action, MASK_SIZE))
			interrupts |= action.handler != (void *)SIG_DFL &&
				      action.handler != (void *)SIG_IGN &&
				      (has_timeout(race) || !(action.flags & SA_RESTART));
	set_mask(race->signals, NULL);
	set_mask(race->signals | ALL_SIGNALS, NULL);
	return interrupts;
}

static int wait_for(struct pollfd *fds, unsigned int n, int64_t ms)
{
	const timespec64 limit = { ms / 1000, ms % 1000 * 1000000 };

	return syscall(TIME64_PPOLL, fds, n, ms < 0 ? NULL : &limit, NULL, MASK_SIZE);
}

/* For @ms; -1: without a limit. Return: whether the race is over. */
static bool wait_for_answer(struct race *race, int64_t ms)
{
	struct pollfd fds[FIRST_CHOICES_MAX + 1];
	unsigned int i;

	for (i = 0; i < race->started; i++)
		fds[i] = (struct pollfd){ race->pending >> i & 1 ? race->sockets[i] : -1,
					  POLLOUT, 0 };
	fds[i] = (struct pollfd){ race->signal_fd, POLLIN, 0 };
	if (wait_for(fds, i + 1, ms) <= 0)
		return false;
	for (i = 0; i < race->started; i++)
		if (fds[i].fd >= 0 && fds[i].revents && try_attempt(race, i))
			return true;
	if (!fds[i].revents || !handle_signals(race))
		return false;
	race->error = EINTR;
	return true;
}

/* Signals that come from now on are handled by handle_signals(). */
static void watch_signals(struct race *race)
{
	const uint64_t mask = ~race->signals & ALL_SIGNALS;

	if (race->signal_fd >= 0)
		return;
	race->signal_fd =
		syscall(SYS_signalfd4, -1, &mask, MASK_SIZE, O_CLOEXEC | O_NONBLOCK);
	if (race->signal_fd < 0)
		set_mask(race->signals, NULL);
}

static void run_race(struct race *race)
{
	const int64_t ends = has_timeout(race)
				     ? now_ms() + race->timeout.tv_sec * INT64_C(1000) +
					       (race->timeout.tv_usec + 999) / 1000
				     : INT64_MAX;
	int64_t next = 0, now, until;
	bool over = false, more = true;

	while (!over && (race->pending || more)) {
		now = now_ms();
		if (race->started && !(race->pending >> (race->started - 1) & 1))
			next = now; /* the newest attempt has failed */
		if (more && now >= next) {
			over = start_attempt(race);
			more = race->started < race->list.n;
			next = now + RACE_MS;
			continue;
		}
		/* The server's own answer counts once the others had their time. */
		until = more || is_answer_error(race->error) ? next : INT64_MAX;
		if (until > ends)
			until = ends;
		if (now >= ends)
			race->error = EINPROGRESS;
		if (now >= until)
			break;
		watch_signals(race);
		over = wait_for_answer(race, until == INT64_MAX ? -1 : until - now);
	}
}

/* The winner, or the newest attempt of a call that ends before its answer, stays. */
static void end_race(struct race *race)
{
	const struct first_choices *list = &race->list;
	const bool going = race->error == EINPROGRESS || race->error == EINTR;
	unsigned int i, stays = race->winner;

	for (i = 0; i < race->started; i++)
		if (going && race->pending >> i & 1)
			stays = i;
	if (!race->error || going) {
		set_timeout(race->sockets[stays], &race->timeout);
		if (race->sockets[stays] != race->fd)
			replace_socket(race->fd, race->sockets[stays]);
	} else {
		set_timeout(race->fd, &race->timeout);
	}
	for (i = 0; i < race->started; i++) {
		if (!race->error ? i <= race->winner
				 : is_answer_error(race->error) && race->pending >> i & 1)
			first_result(list, &list->v[i],
				     !race->error && i == race->winner);
		if (race->sockets[i] >= 0 && race->sockets[i] != race->fd)
			sys_close(race->sockets[i]);
	}
	if (race->error && !going)
		renew_socket(race->fd); /* the program may connect it again */
}

/* Return: 0, or the errno of connect(). */
static int connect_by_race(struct race *race)
{
	socklen_t len = sizeof(race->timeout);

	syscall(SYS_getsockopt, race->fd, SOL_SOCKET, SO_SNDTIMEO, &race->timeout, &len);
	set_mask(ALL_SIGNALS, &race->signals);
	run_race(race);
	if (race->fd_used)
		end_race(race);
	if (race->signal_fd >= 0)
		sys_close(race->signal_fd);
	set_mask(race->signals, NULL);
	if (race->fd_used)
		return race->error;
	race->list.n = 0; /* no endpoint is usable */
	return connect_in_order(race);
}

int race_connect(struct handover *handover, int fd, const struct sockaddr *addr,
		 socklen_t len)
{
	struct race race;
	const int saved = errno;
	int error;

	if (!first_choose(handover, fd, addr, len, &race.list))
		race.list.n = 0;
	race.list.handover = handover;
	race.fd = fd;
	race.addr = addr;
	race.len = len;
	race.fd_used = false;
	race.started = race.pending = race.winner = 0;
	race.error = 0;
	race.signal_fd = -1;
	race.timeout = (struct timeval){ 0 };
	if (race.list.n > 1 && race.list.race &&
	    !(sys_call(SYS_fcntl, fd, F_GETFL, 0) & O_NONBLOCK))
		error = connect_by_race(&race);
	else
		error = connect_in_order(&race);
	register_done(handover);
	errno = error ?: saved;
	return error ? -1 : 0;
}
