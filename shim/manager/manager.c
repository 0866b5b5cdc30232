// SPDX-License-Identifier: MIT
/*
 * manager.c - the manager thread of a process, which runs its engine
 */
#include "mptcpaddr/log.h"
#include "mptcpaddr/netlink.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/clock.h"
#include "shim/common/lock.h"
#include "shim/common/sockopt.h"
#include "shim/common/str.h"
#include "slice.h"
#include "sockets.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>

#define TAKEOVER_RETRY_MS 1000
#define UNABLE_MS	  3000	  /* until then, another process may take over */
#define EARLY_WAIT_NS	  1000000 /* for the registration of a held event, */
#define EARLY_WAITS	  8	  /* at most so often */
#define SELECT_PAUSE_NS	  100000000
#define SETTLE_MS	  500 /* for the pending joins of the process that ended */

static int manager_send_command(void *ctx, const struct pm_cmd *cmd)
{
	struct manager *m = ctx;
	int r = pm_command_send(m->command_fd, m->h->family_id, cmd);

	if (r == -EPERM || r == -ENOSYS)
		m->pump.stop = r; /* the program dropped its capabilities */
	return r;
}

/* Return: -1 if nothing waits: no timer runs then. */
static int manager_timeout(const struct manager *m)
{
	int wait = pump_earlier(engine_wait(m->engine), pump_wait_ms(&m->pump));

	wait = pump_earlier(wait, watch_wait_ms(&m->watch, clock_ms()));
	wait = pump_earlier(wait, idle_wait(m));
	wait = pump_earlier(wait, metered_wait(&m->metered, m->watch.pool));
	wait = pump_earlier(wait, first_check_wait(&m->first_checks));
	if (m->takeover.polls)
		wait = pump_earlier(wait, TAKEOVER_RETRY_MS);
	if (m->take_over_ms)
		wait = pump_earlier(wait, clock_left_ms(m->take_over_ms));
	return wait;
}

/*
 * poll() rejects more entries than RLIMIT_NOFILE, which a sandboxed program may set to 0;
 * select() does not, and descriptors are small in the manager thread's own table.
 */
static void wait_by_select(struct pollfd *fds, unsigned int n, int wait_ms)
{
	struct timeval limit = { wait_ms / 1000, wait_ms % 1000 * 1000 };
	const struct timespec pause = { .tv_nsec = SELECT_PAUSE_NS };
	fd_set in, out;
	unsigned int i;
	int max = -1;

	FD_ZERO(&in);
	FD_ZERO(&out);
	for (i = 0; i < n; i++) {
		if (fds[i].fd < 0 || fds[i].fd >= FD_SETSIZE)
			continue;
		if (!fds[i].events || fds[i].events & POLLIN) /* POLLHUP is readable */
			FD_SET(fds[i].fd, &in);
		if (fds[i].events & POLLOUT)
			FD_SET(fds[i].fd, &out);
		max = fds[i].fd > max ? fds[i].fd : max;
	}
	if (select(max + 1, &in, &out, NULL, wait_ms < 0 ? NULL : &limit) < 0) {
		nanosleep(&pause, NULL);
		return;
	}
	for (i = 0; i < n; i++) {
		if (fds[i].fd < 0 || fds[i].fd >= FD_SETSIZE)
			continue;
		if (FD_ISSET(fds[i].fd, &in))
			fds[i].revents |= fds[i].events & POLLIN ?: POLLHUP;
		if (FD_ISSET(fds[i].fd, &out))
			fds[i].revents |= POLLOUT;
	}
}

static void wait_by_poll(struct pollfd *fds, unsigned int n, int wait_ms)
{
	if (poll(fds, n, wait_ms) < 0 && errno == EINVAL)
		wait_by_select(fds, n, wait_ms);
}

static void wait_for_work(struct manager *m, struct pollfd *fds, unsigned int n)
{
	/* Not before the first events, which may have come during the start. */
	if (!m->hurried && poll(fds, n, 0) == 0) {
		slice_shorten();
		m->hurried = true;
	}
	atomic_store(&m->h->connections, engine_conns(m->engine));
	lock_give(&m->h->lock); /* fork() may copy the state now */
	/* The registration of a held event is usually near; if not, new events go first.
	 */
	if (m->pump.early.n && m->early_waits++ < EARLY_WAITS) {
		futex_wait(&m->h->registered, m->seen, EARLY_WAIT_NS);
		wait_by_poll(fds, n, 0);
	} else {
		wait_by_poll(fds, n, manager_timeout(m));
	}
	lock_take(&m->h->lock);
}

/* Return: 0; -errno with the engine unchanged. */
static int manager_resync(struct manager *m)
{
	struct diag_subflows all;
	int r = diag_read_subflows(&all);

	if (r < 0)
		return r;
	r = engine_resync(m->engine, all.v, all.n);
	free(all.v);
	return r;
}

/* Without CAP_NET_ADMIN: another child has taken over, or none can. */
static void give_up_takeover(struct manager *m)
{
	if (handover_is_served(m->h))
		m->pump.stop = -ECANCELED;
	else if (!m->unable_ms)
		m->unable_ms = clock_ms() + UNABLE_MS;
	else if (clock_ms() >= m->unable_ms)
		m->pump.stop = -EPERM;
}

static void manager_serve_takeover(struct manager *m, bool hung_up)
{
	if ((hung_up || m->takeover.polls) && takeover_follow(&m->takeover))
		m->take_over_ms = clock_ms() + SETTLE_MS;
	if (m->takeover.unable)
		give_up_takeover(m);
	if (!m->take_over_ms || clock_ms() < m->take_over_ms)
		return;
	m->take_over_ms = 0;
	if (!takeover_confirm(&m->takeover))
		return;
	log_info("taking over the connections of process %d, which has ended",
		 m->h->takeover_pid);
	m->h->takeover_pid = 0;
	idle_restart(m);
	manager_resync(m); /* events between fork() and the subscription */
	engine_take_over(m->engine);
	handle_adopted(m);
	port_listeners_update(&m->ports, m->watch.pool);
}

/* Give the engine the pool in force; @old was in force before. */
static void manager_change_pool(struct manager *m, struct pool *old)
{
	engine_set_clock(m->engine, clock_ms());
	engine_set_pool(m->engine, m->watch.pool);
	port_listeners_update(&m->ports, m->watch.pool);
	first_publish(&m->h->first, m->watch.pool, &m->watch.table);
	pool_free(old);
}

static void manager_serve_pool(struct manager *m, const struct pollfd fds[WATCH_FDS])
{
	uint64_t loads = m->watch.loads;
	struct pool *old;

	if (!fds[0].revents && !fds[1].revents &&
	    watch_wait_ms(&m->watch, clock_ms()) != 0)
		return;
	old = watch_update(&m->watch, fds, clock_ms());
	if (old)
		manager_change_pool(m, old);
	if (m->watch.table.rerouted) {
		engine_set_clock(m->engine, clock_ms());
		engine_rerouted(m->engine, m->watch.table.rerouted);
		m->watch.table.rerouted = 0;
	}
	if (fds[1].revents && (m->watch.loads != loads || m->watch.error.text[0]))
		engine_note(m->engine, PM_NOTE_POOL, m->watch.error.text[0] ? EINVAL : 0);
}

static void manager_serve_quota(struct manager *m)
{
	const bool spent = metered_serve(&m->metered, m->watch.pool,
					 engine_metered(m->engine), m->h->metered_path);
	struct pool *old = watch_set_spent(&m->watch, spent);

	if (old)
		manager_change_pool(m, old);
}

static int manager_edit_pool(void *ctx, char *words, char *ret_why, size_t size)
{
	struct manager *m = ctx;
	struct pool_error why = { "" };
	struct pool *old;
	int r;

	r = watch_edit(&m->watch, words, &old, &why);
	snprintf(ret_why, size, "%s", why.text);
	if (r < 0)
		return r;
	manager_change_pool(m, old);
	engine_note(m->engine, PM_NOTE_POOL, 0);
	return 0;
}

static void manager_serve_control(struct manager *m, const struct pollfd *fds)
{
	const struct control_view view = { .about = &m->about,
					   .engine = m->engine,
					   .watch = &m->watch,
					   .pump = &m->pump,
					   .edit = manager_edit_pool,
					   .ctx = m };

	if (!m->control.n_clients && !fds[0].revents)
		return;
	m->about.events = m->pump.events;
	m->about.registrations_lost = atomic_load(&m->h->lost);
	m->about.blackhole_s = atomic_load(&m->h->blackhole_s);
	sockopt_report_text(m->h->options, m->about.options, sizeof(m->about.options));
	control_serve(&m->control, fds, &view);
}

#define FDS_FIRST (2 + WATCH_FDS)

static void manager_loop(struct manager *m)
{
	struct pollfd fds[FDS_FIRST + PORT_LISTENERS_MAX + CONTROL_FDS_MAX];
	unsigned int n, ports;

	while (!m->pump.stop && !atomic_load(&m->h->quit)) {
		fds[0] = (struct pollfd){ m->h->event_fd, POLLIN, 0 };
		fds[1] = (struct pollfd){ m->takeover.watch, POLLIN, 0 };
		watch_fill_fds(&m->watch, &fds[2]);
		ports = port_listeners_poll_fill(&m->ports, &fds[FDS_FIRST]);
		n = FDS_FIRST + ports;
		n += control_poll_fill(&m->control, &fds[n]);
		wait_for_work(m, fds, n);
		idle_serve(m); /* first: a connect() may be waiting */
		pump_read(&m->pump);
		handle_events(m);
		handle_registrations(m);
		handle_early(m);
		if (atomic_exchange(&m->h->inherited, 0) || m->listeners.adopt)
			handle_adopted(m);
		if (pump_takes_loss(&m->pump)) {
			engine_note(m->engine, PM_NOTE_OVERRUN, 0);
			pump_end_resync(&m->pump, manager_resync(m));
		}
		port_listeners_serve(&m->ports, &fds[FDS_FIRST]); /* before they change */
		manager_serve_takeover(m, fds[1].revents);
		manager_serve_pool(m, &fds[2]);
		manager_serve_quota(m);
		engine_set_clock(m->engine, clock_ms());
		handle_unanswered(m);
		pump_tick(&m->pump, m->engine);
		idle_before_wait(m);
		if (n > FDS_FIRST + ports) /* last: followers get all new notes */
			manager_serve_control(m, &fds[FDS_FIRST + ports]);
	}
}

static void manager_check_kernel(struct manager *m)
{
	const char *release = pump_check_kernel(m->engine);
	const struct pool *spec = m->watch.spec;
	unsigned int i;

	for (i = 0; release && i < spec->n_endpoints; i++) {
		if (!spec->endpoints[i].dev[0] ||
		    spec->endpoints[i].addr.family == AF_UNSPEC)
			continue;
		log_warning("%s:%u: Linux %s binds no subflow to an interface (6.9 does)",
			    m->h->pool_path, spec->endpoints[i].line, release);
		return;
	}
}

static bool find_route(void *ctx, const struct mpaddr *remote, struct mpaddr *ret_local)
{
	return rtnl_find_source(remote, ret_local);
}

static int log_no_pool(int r)
{
	log_error("no pool: %s", strerror(-r));
	return r;
}

static int manager_load_pool(struct manager *m)
{
	int r;

	r = watch_open(&m->watch, m->h->pool_path, m->h->pool_text, m->h->pool_len);
	if (r < 0) {
		log_error("no pool: %s", m->watch.error.text);
		return r;
	}
	m->engine = engine_new(m->watch.pool);
	if (!m->engine)
		return log_no_pool(-ENOMEM);
	engine_set_callbacks(m->engine, find_route, pump_log_note, NULL);
	engine_set_own(m->engine, rtnl_has_address, &m->watch.table);
	engine_watch(m->engine);
	manager_check_kernel(m);
	return 0;
}

/*
 * A forked child has a copy of its parent's manager in memory, but none of its
 * descriptors: they were in the parent thread's own table.
 */
static struct manager *manager_inherit(struct handover *h)
{
	struct manager *m = h->manager;

	/* Not closed: the numbers may be the program's here. */
	m->command_fd = m->pump.diag_fd = -1;
	m->control = (struct control){ .listener = -1 };
	m->takeover = (struct takeover){ .watch = -1 };
	watch_reopen(&m->watch);
	app_listeners_open(&m->listeners, h);
	m->ports.n = 0;
	early_expire(&m->pump.early, INT64_MAX);
	handle_inherited(m);
	m->pump.stop = 0;
	m->take_over_ms = m->unable_ms = 0;
	m->hurried = false;
	m->metered = (struct metered){ 0 };
	m->pump.events = m->pump.overruns = m->pump.foreign = 0;
	memset(&m->about, 0, sizeof(m->about));
	engine_inherit(m->engine);
	return m;
}

static int manager_open(struct manager *m)
{
	struct handover *h = m->h;
	int r;

	r = m->engine ? 0 : manager_load_pool(m);
	if (r < 0)
		return r;
	engine_set_clock(m->engine, clock_ms());
	if (!h->log_forced && h->log_level >= 0)
		log_open(h->log_fd, m->watch.pool->log, h->program, h->pid);
	m->pump.event_fd = h->event_fd;
	m->pump.family_id = h->family_id;
	m->command_fd = pm_command_open();
	if (m->command_fd < 0)
		return log_no_pool(m->command_fd);
	r = control_open(&m->control, h->pid, h->control_name, sizeof(h->control_name));
	if (r == -EALREADY) { /* of another namespace of the dynamic linker */
		log_warning("no pool: another copy of the library manages this process");
		return r;
	}
	if (r < 0)
		log_warning("no control socket: %s", strerror(-r));
	m->about.uid = geteuid();
	if (!m->about.uid)
		strcpy(h->metered_path, METERED_DIR "metered.0");
	manager_serve_quota(m);
	takeover_open(&m->takeover, h);
	if (h->takeover_pid)
		manager_resync(m); /* the subscription is newer than the copy */
	if (h->takeover_pid && takeover_follow(&m->takeover))
		m->take_over_ms = clock_ms() + SETTLE_MS;
	m->about.pid = h->pid;
	strcpy(m->about.backend, "direct");
	snprintf(m->about.program, sizeof(m->about.program), "%s", h->program);
	snprintf(m->about.pool_file, sizeof(m->about.pool_file), "%s", h->pool_path);
	port_listeners_update(&m->ports, m->watch.pool);
	first_publish(&m->h->first, m->watch.pool, &m->watch.table);
	idle_restart(m);
	log_info("%u endpoint%s from %s", m->watch.pool->n_endpoints,
		 PLURAL(m->watch.pool->n_endpoints), h->pool_path);
	return 0;
}

static void manager_free(struct manager *m)
{
	m->h->manager = NULL;
	control_close(&m->control);
	app_listeners_close(&m->listeners);
	port_listeners_close(&m->ports);
	takeover_close(&m->takeover);
	if (m->command_fd >= 0)
		close(m->command_fd);
	engine_free(m->engine);
	watch_close(&m->watch);
	pump_free(&m->pump);
	free(m);
}

static struct manager *manager_new(struct handover *h)
{
	struct manager *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->h = h;
	m->command_fd = m->pump.diag_fd = -1;
	m->control.listener = -1;
	app_listeners_open(&m->listeners, h);
	m->watch.rtnl_fd = m->watch.file_fd = -1;
	m->pump.send_command = manager_send_command;
	m->pump.ctx = m;
	m->takeover = (struct takeover){ .watch = -1 };
	return m;
}

__attribute__((visibility("default"))) int mptcpaddr_pm_run(struct handover *h)
{
	struct manager *m = NULL;
	int r = -EPROTO;

	log_open(h->log_fd, h->log_level, h->program, h->pid);
	if (h->abi == HANDOVER_ABI) {
		event_filter_set_useful(h->event_fd);
		m = h->manager ? manager_inherit(h) : manager_new(h);
		r = -ENOMEM;
	}
	r = m ? manager_open(m) : log_no_pool(r);
	if (!r) {
		h->manager = m;
		atomic_store(&h->started, 1);
		futex_wake(&h->started);
		manager_loop(m);
		r = m->pump.stop;
		if (r == -EPERM)
			log_warning("no pool: the program dropped CAP_NET_ADMIN, "
				    "and no broker runs; start mptcpaddrd");
		else if (r == -ECANCELED)
			log_debug("stopping: another process manages the connections");
		else if (r < 0)
			log_warning("stopping: %s", strerror(-r));
	}
	close(h->event_fd);
	if (m) {
		idle_end(m);
		manager_free(m);
	}
	return r;
}
