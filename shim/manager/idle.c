// SPDX-License-Identifier: MIT
/*
 * idle.c - filter out other processes' events while the program is idle
 *
 * A connection's token is unknown before its SYN, and its first events may arrive before
 * connect() returns: so a process that connects must receive all events. After a while
 * without connects, a filter in the kernel passes the process's own connections only, and
 * the next connect() waits for its removal (shim/preload/register.c). A program that
 * listens gets no filter, since nothing announces the connections that it accepts.
 */
#include "mptcpaddr/log.h"
#include "mptcpaddr/netlink.h"
#include "shim/common/blackhole.h"
#include "shim/common/clock.h"
#include "shim/common/time64.h"
#include "state.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef IDLE_MS
#define IDLE_MS 5000 /* HACKING.md has a use for another value */
#endif

/*
 * A connect() that a signal handler's longjmp() left, or that was cancelled with its
 * thread, would be counted as in flight for ever. None takes so long: the kernel repeats
 * SYNs for two minutes.
 */
#ifndef STUCK_MS
#define STUCK_MS 600000
#endif
#define STUCK_LOOKS 10

void idle_restart(struct manager *m)
{
	m->stuck = 0;
	m->idle_ms = clock_ms() + IDLE_MS;
}

int idle_wait(const struct manager *m)
{
	if (!m->idle_ms || atomic_load(&m->h->filter))
		return -1;
	return clock_left_ms(m->idle_ms);
}

/* Return: whether the engine knows all tokens of this process. */
static bool idle_tokens_known(struct manager *m)
{
	return !atomic_load(&m->h->in_flight) &&
	       atomic_load(&m->h->head) == atomic_load(&m->h->tail) && !m->pump.early.n;
}

/* Return: whether all new connections announce themselves, and can wake the manager. */
static bool idle_is_possible(struct manager *m)
{
	return m->control.listener >= 0 && !m->h->takeover_pid &&
	       !app_listeners_any(&m->listeners);
}

/* Return: whether connects are in flight: then check again later. */
static bool idle_check_connects(struct manager *m)
{
	uint32_t n = atomic_load(&m->h->in_flight);

	if (n != m->stuck)
		m->stuck_ms = clock_ms();
	else if (n && clock_ms() - m->stuck_ms >= STUCK_MS &&
		 atomic_compare_exchange_strong(&m->h->in_flight, &n, 0))
		n = 0;
	m->stuck = n;
	if (n)
		m->idle_ms = clock_ms() + STUCK_MS / STUCK_LOOKS;
	return n;
}

void idle_end(struct manager *m)
{
	atomic_store(&m->h->filter, HANDOVER_FILTER_OPEN);
	futex_wake(&m->h->filter);
}

/*
 * Publish the filter, then check once more: a connect() counts itself as in flight, then
 * checks the filter, so that one of both sees the other.
 */
static void filter_own_events(struct manager *m)
{
	uint32_t tokens[EVENT_FILTER_TOKENS_MAX];
	unsigned int n = engine_tokens(m->engine, tokens, EVENT_FILTER_TOKENS_MAX);

	if (n > EVENT_FILTER_TOKENS_MAX || !idle_is_possible(m))
		return;
	if (!idle_tokens_known(m)) {
		idle_restart(m);
		return;
	}
	atomic_store(&m->h->filter, HANDOVER_FILTER_IDLE);
	if (idle_tokens_known(m) && !event_filter_set_tokens(m->h->event_fd, tokens, n))
		return;
	idle_end(m);
}

static void filter_no_events(struct manager *m)
{
	int r = event_filter_remove(m->h->event_fd);

	if (r < 0) { /* a sandbox that began later: no new connection can be seen */
		m->pump.stop = r;
		return;
	}
	idle_end(m);
	event_filter_set_useful(m->h->event_fd); /* while the SYN is on its way */
	idle_restart(m);
}

/*
 * A process ends with its last thread, which must not be the manager's. A main thread
 * that calls pthread_exit() is noticed (preload/pthread_exit.c); one that was cancelled
 * is not, and is checked for while nothing else happens. If all other threads have ended,
 * exit() would run in this one, with descriptors that are not the program's.
 */
static void idle_check_main_thread(struct manager *m)
{
	char path[64], text[1024], state;
	unsigned int threads; /* with the one that has ended */
	const char *fields;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", m->h->pid);
	f = fopen(path, "re");
	if (!f)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	fields = strrchr(text, ')'); /* after the name; see proc(5) */
	if (!fields ||
	    sscanf(fields,
		   ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %u",
		   &state, &threads) != 2 ||
	    (state != 'Z' && state != 'X'))
		return;
	if (threads == 2) /* this one is the other; the last field is the status */
		syscall(SYS_exit_group, atoi(strrchr(text, ' ')) >> 8);
	atomic_store(&m->h->quit, 1);
}

/*
 * A connect() that did not wait may have become TCP since, which no event reports. By now
 * the kernel has repeated its SYN without MP_CAPABLE.
 */
static void idle_check_blackhole(struct manager *m)
{
	char text[BLACKHOLE_LOG_MAX];
	int64_t none = 0;

	if (engine_has_unconfirmed(m->engine) && blackhole_is_on() &&
	    atomic_compare_exchange_strong(&m->h->blackhole_s, &none, clock_ms() / 1000))
		log_warning("%s", blackhole_log_text(text));
}

void idle_serve(struct manager *m)
{
	if (atomic_load(&m->h->filter)) {
		if (!idle_tokens_known(m) || !idle_is_possible(m))
			filter_no_events(m);
	} else if (m->idle_ms && clock_ms() >= m->idle_ms) {
		m->idle_ms = 0;
		idle_check_main_thread(m);
		idle_check_blackhole(m);
		if (!idle_check_connects(m))
			filter_own_events(m);
	}
}

void idle_before_wait(struct manager *m)
{
	if (atomic_load(&m->h->filter) && !engine_conns(m->engine))
		idle_check_main_thread(m);
}
