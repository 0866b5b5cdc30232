// SPDX-License-Identifier: MIT
/*
 * manager.c - the thread that runs an engine: events to it, its commands to the kernel
 *
 * One poll, one read, one command: that is the whole way from ADD_ADDR to the MP_JOIN
 * SYN. Commands are slower than events, so after each command the event socket is
 * emptied into memory before the next one.
 */
#include "control.h"
#include "estate.h"
#include "evqueue.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/handover.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/pmnl.h"
#include "resync.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ESTATE_AGAIN_MS 1000
#define EARLY_WAIT_NS	1000000 /* for the connect() that explains an event, */
#define EARLY_WAITS	8	/* so many times; */
#define EARLY_POLL_MS	100	/* then it is looked for so often */
#define SETTLE_MS	500	/* for joins that the ended process had under way */
/*
 * Nothing says that a connection fell back to TCP or failed to connect, and one that is
 * silent after its handshake has no event either: only what is old and crowded out goes.
 */
#define UNCONFIRMED_SECONDS 300
#define UNCONFIRMED_KEEP    4096

struct manager {
	struct handover *h;
	struct pool *pool;
	struct engine *engine;
	struct pmnl *pmnl;
	struct control control;
	struct evqueue queue;
	struct early early;
	unsigned int early_waits; /* since nothing was held */
	struct estate estate;
	int64_t take_over_ms; /* when to; 0: nothing to take over */
	uint32_t seen;	      /* registrations counted at the last look */
	bool lost;	      /* events, since the last resync() */
	int stop;	      /* -errno: the manager cannot go on */
	struct ctl_manager about;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* Empty the event socket into the queue. */
static void read_events(struct manager *m)
{
	struct pm_event events[PMNL_BATCH];
	unsigned int i, n;
	int got;

	do {
		if (evqueue_reserve(&m->queue, PMNL_BATCH) < 0)
			return; /* the kernel's buffer holds the rest for now */
		got = pmnl_events_read(m->h->event_fd, m->h->family_id, events, &n);
		if (got == -ENOBUFS) {
			m->about.overruns++;
			m->lost = true;
			got = PMNL_BATCH; /* the error is cleared; read on */
			continue;
		}
		if (got < 0) {
			m->stop = got;
			return;
		}
		m->about.events += n;
		for (i = 0; i < n; i++)
			evqueue_push(&m->queue, &events[i]);
	} while (got == PMNL_BATCH);
}

static void log_command(const struct pm_cmd *cmd, int r)
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX];
	enum log_level level;

	/* What the user has to mend is worth a warning: no such address, no such device.
	 */
	level = r == -EADDRNOTAVAIL || r == -ENODEV ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	if (!log_wanted(level))
		return;
	mpaddr_text(&cmd->local, local);
	mpaddr_text(&cmd->remote, remote);
	if (!r)
		log_info("token 0x%08x: joining %s from %s (id %u)", cmd->token, remote,
			 local, cmd->local_id);
	else
		log_print(level, "token 0x%08x: cannot join %s from %s (id %u): %s",
			  cmd->token, remote, local, cmd->local_id, strerror(-r));
}

/* Each refusal may bring the next endpoint: bounded by endpoints and announcements. */
static void run_commands(struct manager *m, struct pm_cmds *cmds)
{
	const char *dev;
	struct pm_cmd cmd;
	int r;

	while (cmds->n && !m->stop) {
		cmd = cmds->v[0];
		cmds->n--;
		memmove(cmds->v, cmds->v + 1, cmds->n * sizeof(*cmds->v));
		dev = cmd.endpoint == PM_CMD_NO_ENDPOINT
			      ? ""
			      : m->pool->endpoints[cmd.endpoint].dev;
		r = pmnl_command(m->pmnl, &cmd, dev);
		log_command(&cmd, r);
		if (r == -EPERM || r == -ENOSYS)
			m->stop = r; /* the application gave up its rights */
		engine_result(m->engine, &cmd, -r, cmds);
		read_events(m);
	}
}

/* Try what waits on every connection, as many commands at a time as there is room for. */
static void retry_all(struct manager *m)
{
	struct pm_cmds cmds;
	bool full;

	do {
		cmds.n = 0;
		engine_retry(m->engine, &cmds);
		full = cmds.n == PM_CMDS_MAX;
		run_commands(m, &cmds);
	} while (full && !m->stop);
}

static void log_event(const struct pm_event *ev)
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX];

	if (log_wanted(LOG_LEVEL_DEBUG))
		log_debug("token 0x%08x: %s: local %s (id %u) remote %s (id %u) error %u",
			  ev->token, pm_event_name(ev->type),
			  mpaddr_text(&ev->local, local), ev->local_id,
			  mpaddr_text(&ev->remote, remote), ev->remote_id, ev->error);
}

/* Return: -ENOENT if the connection is not registered. */
static int engine_take(struct manager *m, const struct pm_event *ev)
{
	struct pm_cmds cmds;
	bool full;
	int r;

	cmds.n = 0;
	r = engine_handle(m->engine, ev, &cmds);
	if (r == -ENOENT)
		return r;
	log_event(ev);
	if (r < 0)
		log_warning("token 0x%08x: %s: %s", ev->token, pm_event_name(ev->type),
			    strerror(-r));
	full = cmds.n == PM_CMDS_MAX;
	run_commands(m, &cmds);
	if (full)
		retry_all(m); /* there may be more to do than there was room for */
	return 0;
}

/* The next registration, from handover.h's ring. */
static bool slot_take(struct handover *h, struct pm_registration *ret_reg)
{
	uint32_t tail = atomic_load(&h->tail);
	uint64_t value;

	if (tail == atomic_load(&h->head))
		return false;
	value = atomic_exchange(&h->slots[tail % HANDOVER_SLOTS], 0);
	if (!value)
		return false; /* its writer was interrupted; it is in flight still */
	atomic_store(&h->tail, tail + 1);
	ret_reg->token = value;
	ret_reg->v6only = value & HANDOVER_V6ONLY;
	return true;
}

static void register_connection(struct manager *m, struct pm_registration *reg)
{
	struct pm_event ev;

	if (!reg->token)
		return; /* a hole of the ring: see launch_heir() */
	reg->when = now_ms() / 1000;
	m->about.registrations++;
	if (engine_register(m->engine, reg) < 0)
		log_warning("token 0x%08x: too many connections", reg->token);
	while (early_take(&m->early, reg->token, &ev)) {
		m->about.events_replayed++;
		engine_take(m, &ev);
	}
}

static void take_registrations(struct manager *m)
{
	struct pm_registration reg;

	m->seen = atomic_load(&m->h->registered);
	while (slot_take(m->h, &reg))
		register_connection(m, &reg);
	engine_expire(m->engine, now_ms() / 1000 - UNCONFIRMED_SECONDS, UNCONFIRMED_KEEP);
}

/*
 * An event belongs to one of this process's connections only if that is registered, or
 * a connect() was in flight when the event was read: all others are foreign.
 */
static void handle_event(struct manager *m, const struct pm_event *ev)
{
	bool in_flight = atomic_load(&m->h->in_flight);

	take_registrations(m);
	if (engine_take(m, ev) != -ENOENT)
		return;
	if (!in_flight || !early_hold(&m->early, ev, now_ms()))
		m->about.events_foreign++;
}

static void handle_events(struct manager *m)
{
	struct pm_event ev;

	while (evqueue_pop(&m->queue, &ev) && !m->stop)
		handle_event(m, &ev);
}

/* Announce that events are held, then look once more: see attempt_register(). */
static void settle_early(struct manager *m)
{
	if (m->early.n && !atomic_load(&m->h->in_flight)) {
		take_registrations(m);
		m->about.events_foreign += early_expire(&m->early, INT64_MAX);
	}
	if (m->early.n)
		m->about.events_foreign +=
			early_expire(&m->early, now_ms() - EARLY_HOLD_MS);
	atomic_store(&m->h->early, m->early.n);
	if (m->early.n)
		take_registrations(m);
	else
		m->early_waits = 0;
}

static int timeout_ms(const struct manager *m)
{
	int64_t left;

	if (estate_again(&m->estate))
		return ESTATE_AGAIN_MS;
	if (m->early.n)
		return EARLY_POLL_MS;
	if (!m->take_over_ms)
		return -1;
	left = m->take_over_ms - now_ms();
	return left > 0 ? left : 0;
}

static void wait_for_work(struct manager *m, struct pollfd *fds, unsigned int n)
{
	const struct timespec early = { .tv_nsec = EARLY_WAIT_NS };

	atomic_store(&m->h->connections, engine_conns(m->engine));
	pthread_mutex_unlock(&m->h->lock); /* fork() may copy us now */
	/* A registration is near, as a rule. If it is not, events are not kept waiting.
	 */
	if (m->early.n && m->early_waits++ < EARLY_WAITS) {
		syscall(SYS_futex, &m->h->registered, FUTEX_WAIT_PRIVATE, m->seen, &early,
			NULL, 0);
		poll(fds, n, 0);
	} else {
		poll(fds, n, timeout_ms(m));
	}
	pthread_mutex_lock(&m->h->lock);
}

/*
 * Once what did come has been handled. Events that arrive while the kernel is being
 * asked are handled after it, and say again what the answer said.
 */
static void serve_loss(struct manager *m)
{
	int r;

	if (!m->lost)
		return;
	m->lost = false;
	r = resync(m->engine);
	if (r < 0)
		log_error(
			"events were lost, and the kernel does not say what there is: %s",
			strerror(-r));
	else
		log_warning("events were lost: the kernel's queue was full; "
			    "read anew what there is");
	retry_all(m);
}

static void serve_estate(struct manager *m, bool hung_up)
{
	if ((hung_up || estate_again(&m->estate)) && estate_hung_up(&m->estate))
		m->take_over_ms = now_ms() + SETTLE_MS;
	if (!m->take_over_ms || now_ms() < m->take_over_ms)
		return;
	m->take_over_ms = 0;
	m->h->estate_of = 0;
	log_info("process %d has ended: its connections are ours", m->estate.of.pid);
	resync(m->engine); /* what came between fork() and our subscription */
	engine_take_over(m->engine);
	retry_all(m);
}

static void fill_about(struct manager *m)
{
	const struct engine_counters *c = engine_counters(m->engine);
	struct ctl_manager *about = &m->about;

	about->connections = engine_conns(m->engine);
	about->used_ids = engine_used_ids(m->engine);
	about->early = m->early.n;
	about->add_addr_received = c->add_addr_received;
	about->add_addr_repeated = c->add_addr_repeated;
	about->add_addr_joined = c->add_addr_joined;
	about->add_addr_waiting = c->add_addr_waiting;
	about->add_addr_refused = c->add_addr_refused;
	about->rm_addr_received = c->rm_addr_received;
	about->subflows_requested = c->subflows_requested;
	about->subflows_established = c->subflows_established;
	about->subflows_failed = c->subflows_failed;
	about->subflows_closed = c->subflows_closed;
	about->registrations_lost = atomic_load(&m->h->lost);
}

static void serve(struct manager *m)
{
	struct pollfd fds[2 + CONTROL_FDS_MAX];
	unsigned int n;

	while (!m->stop && !atomic_load(&m->h->quit)) {
		fds[0] = (struct pollfd){ m->h->event_fd, POLLIN, 0 };
		fds[1] = (struct pollfd){ m->estate.watch, 0, 0 }; /* POLLHUP */
		n = 2 + control_poll_fill(&m->control, &fds[2]);
		wait_for_work(m, fds, n);
		read_events(m);
		handle_events(m);
		take_registrations(m);
		settle_early(m);
		serve_loss(m);
		serve_estate(m, fds[1].revents);
		if (n > 2) {
			fill_about(m);
			control_serve(&m->control, &fds[2], &m->about, m->engine);
		}
	}
}

static int load_pool(struct manager *m)
{
	struct handover *h = m->h;
	struct pool_error why;
	int r;

	r = pool_load(h->pool_path, &m->pool, &why);
	if (r < 0) {
		log_error("no pool: %s", why.text);
		return r;
	}
	m->engine = engine_new(m->pool);
	return m->engine ? 0 : -ENOMEM;
}

/*
 * In a forked child the whole manager is there, copied with the parent's memory. What
 * it had open is not: those descriptors were in the parent thread's own table.
 */
static struct manager *manager_inherit(struct handover *h)
{
	struct manager *m = h->manager;
	struct pm_registration reg;

	m->pmnl = NULL; /* not closed: its number may be anybody's here */
	m->control = (struct control){ .listener = -1 };
	m->estate = (struct estate){ .listener = -1, .watch = -1, .claimed = -1 };
	early_expire(&m->early, INT64_MAX);
	/* What was registered before the fork is the parent's, too; what came after is
	 * not. */
	while (atomic_load(&h->tail) != h->inherited && slot_take(h, &reg))
		register_connection(m, &reg);
	m->stop = 0;
	m->take_over_ms = 0;
	memset(&m->about, 0, sizeof(m->about));
	engine_inherit(m->engine);
	return m;
}

static int manager_open(struct manager *m)
{
	struct handover *h = m->h;
	int r;

	if (!m->engine)
		r = load_pool(m);
	else
		r = 0;
	if (r < 0)
		return r;
	if (!h->log_forced && h->log_level >= 0)
		log_open(h->log_fd, m->pool->log, h->program, h->pid);
	r = pmnl_open(h->family_id, &m->pmnl);
	if (r < 0)
		return r;
	r = control_open(&m->control, h->pid, h->control_name, sizeof(h->control_name));
	if (r < 0)
		log_warning("no control socket: %s", strerror(-r));
	estate_open(&m->estate, &(struct estate_name){ h->pid, h->nonce });
	if (h->estate_of)
		resync(m->engine); /* the subscription is younger than the copy */
	if (h->estate_of &&
	    estate_wait(&m->estate,
			&(struct estate_name){ h->estate_of, h->estate_nonce }))
		m->take_over_ms = now_ms() + SETTLE_MS;
	m->about.pid = h->pid;
	strcpy(m->about.backend, "direct");
	snprintf(m->about.program, sizeof(m->about.program), "%.15s", h->program);
	snprintf(m->about.pool_file, sizeof(m->about.pool_file), "%.255s", h->pool_path);
	log_info("%u endpoints from %s", m->pool->n_endpoints, h->pool_path);
	return 0;
}

static void manager_free(struct manager *m)
{
	m->h->manager = NULL;
	control_close(&m->control);
	estate_close(&m->estate);
	pmnl_close(m->pmnl);
	engine_free(m->engine);
	pool_free(m->pool);
	evqueue_free(&m->queue);
	early_free(&m->early);
	free(m);
}

static struct manager *manager_new(struct handover *h)
{
	struct manager *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->h = h;
	m->control.listener = -1;
	m->estate = (struct estate){ .listener = -1, .watch = -1, .claimed = -1 };
	return m;
}

__attribute__((visibility("default"))) int mptcpaddr_pm_run(struct handover *h)
{
	struct manager *m = NULL;
	int r = -EPROTO;

	log_open(h->log_fd, h->log_level, h->program, h->pid);
	if (h->abi == HANDOVER_ABI)
		m = h->manager ? manager_inherit(h) : manager_new(h);
	if (m)
		r = manager_open(m);
	if (!r) {
		h->manager = m;
		serve(m);
		r = m->stop;
		if (r < 0)
			log_warning("no pool any more: %s", strerror(-r));
	}
	close(h->event_fd);
	if (m)
		manager_free(m);
	return r;
}
