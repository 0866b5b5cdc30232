// SPDX-License-Identifier: MIT
/*
 * event_pump.c - move events from the kernel to engines, and commands back to it
 *
 * One poll, one read, one command: nothing else happens between an ADD_ADDR and the SYN
 * of its MP_JOIN; the log comes after it. Commands are slower than events, so after each
 * command the event socket is emptied into memory before the next one.
 */
#include "event_pump.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/netlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define QUEUE_FIRST	    64 /* events */
#define RESYNC_EVERY_MS	    200
#define LOG_EVERY_MS	    10000 /* about it; also */
#define WARNINGS_MAX	    20	  /* at that time */
#define UNCONFIRMED_SECONDS 300
#define UNCONFIRMED_KEEP    4096

int event_queue_reserve(struct event_queue *queue, unsigned int more)
{
	unsigned int size = queue->size ?: QUEUE_FIRST, i;
	struct pm_event *v;

	if (queue->n + more <= queue->size)
		return 0;
	while (size < queue->n + more)
		size *= 2;
	if (size > EVENT_QUEUE_MAX)
		return -ENOSPC;
	v = malloc(size * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (i = 0; i < queue->n; i++)
		v[i] = queue->v[(queue->first + i) & (queue->size - 1)];
	free(queue->v);
	queue->v = v;
	queue->size = size;
	queue->first = 0;
	return 0;
}

void event_queue_push(struct event_queue *queue, const struct pm_event *ev)
{
	queue->v[(queue->first + queue->n++) & (queue->size - 1)] = *ev;
}

bool event_queue_pop(struct event_queue *queue, struct pm_event *ret_ev)
{
	if (!queue->n)
		return false;
	*ret_ev = queue->v[queue->first];
	queue->first = (queue->first + 1) & (queue->size - 1);
	queue->n--;
	return true;
}

static void early_drop(struct early_events *early, unsigned int first, unsigned int n)
{
	early->n -= n;
	memmove(early->v + first, early->v + first + n,
		(early->n - first) * sizeof(*early->v));
}

unsigned int early_hold(struct early_events *early, const struct pm_event *ev,
			int64_t now_ms)
{
	/* Not one by one, since it moves the rest. */
	const unsigned int dropped = early->n == EARLY_MAX ? EARLY_MAX / 16 : 0;

	if (!early->v)
		early->v = malloc(EARLY_MAX * sizeof(*early->v));
	if (!early->v)
		return 1;
	if (dropped)
		early_drop(early, 0, dropped);
	early->v[early->n++] = (struct early_event){ *ev, now_ms };
	return dropped;
}

bool early_take(struct early_events *early, uint32_t token, struct pm_event *ret_ev)
{
	unsigned int i;

	for (i = 0; i < early->n; i++) {
		if (early->v[i].ev.token != token)
			continue;
		*ret_ev = early->v[i].ev;
		early_drop(early, i, 1);
		return true;
	}
	return false;
}

unsigned int early_expire(struct early_events *early, int64_t before_ms)
{
	unsigned int n = 0;

	while (n < early->n && early->v[n].since_ms < before_ms)
		n++;
	if (n)
		early_drop(early, 0, n);
	return n;
}

void pump_read(struct event_pump *pump)
{
	struct pm_event events[PM_EVENTS_BATCH];
	unsigned int i, n;
	int got;

	do {
		if (event_queue_reserve(&pump->queue, PM_EVENTS_BATCH) < 0)
			return; /* the kernel's buffer holds the rest for now */
		got = pm_events_read(pump->event_fd, pump->family_id, events, &n);
		if (got == -ENOBUFS || got == -ENOMEM) {
			pump->overruns++;
			pump->lost = true;
			got = PM_EVENTS_BATCH; /* the error is cleared; read on */
			continue;
		}
		if (got < 0) {
			pump->stop = got;
			return;
		}
		pump->events += n;
		for (i = 0; i < n; i++)
			event_queue_push(&pump->queue, &events[i]);
	} while (got == PM_EVENTS_BATCH);
}

bool pump_next(struct event_pump *pump, struct pm_event *ret_ev)
{
	return !pump->stop && event_queue_pop(&pump->queue, ret_ev);
}

static enum log_level note_level(const struct pm_note *note)
{
	switch (note->what) {
	case PM_NOTE_JOIN_FAILED:
		/* Users can fix a missing address or device. */
		return note->error == EADDRNOTAVAIL || note->error == ENODEV
			       ? LOG_LEVEL_WARNING
			       : LOG_LEVEL_INFO;
	case PM_NOTE_ESTABLISHED:
		return note->reason ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	case PM_NOTE_UNANSWERED:
	case PM_NOTE_SILENT:
	case PM_NOTE_HEARD:
	case PM_NOTE_RENEWED:
	case PM_NOTE_JOINING:
	case PM_NOTE_SUBFLOW_CLOSED:
	case PM_NOTE_SIGNALLED:
	case PM_NOTE_WITHDRAWN:
	case PM_NOTE_BACKUP:
		return LOG_LEVEL_INFO;
	default:
		return LOG_LEVEL_DEBUG;
	}
}

/* A server can bring about as many failed joins as it likes. */
static enum log_level limit_warnings(enum log_level level)
{
	static int64_t since_ms;
	static unsigned int n;

	if (level != LOG_LEVEL_WARNING)
		return level;
	if (!n || clock_ms() - since_ms >= LOG_EVERY_MS) {
		since_ms = clock_ms();
		n = 0;
	}
	return n++ < WARNINGS_MAX ? level : LOG_LEVEL_DEBUG;
}

void pump_log_note(void *ctx, const struct pm_note *note)
{
	const enum log_level level = limit_warnings(note_level(note));
	char text[NOTE_TEXT_MAX];

	if (!log_wanted(&log_manager, level))
		return;
	if (note->token)
		log_print(level, "token 0x%08x: %s", note->token, note_text(note, text));
	else
		log_print(level, "%s", note_text(note, text));
}

/* Kept: opening and closing one costs as much as what it is asked. */
static int pump_diag(struct event_pump *pump)
{
	if (pump->diag_fd < 0)
		pump->diag_fd = diag_open();
	return pump->diag_fd;
}

/* Each refusal may bring the next endpoint: bounded by endpoints and announcements. */
static void execute_commands(struct event_pump *pump, struct engine *engine,
			     struct pm_cmds *cmds)
{
	struct pm_health health;
	struct pm_cmd cmd;
	int r;

	while (cmds->n && !pump->stop) {
		cmd = cmds->v[0];
		cmds->n--;
		memmove(cmds->v, cmds->v + 1, cmds->n * sizeof(*cmds->v));
		if (cmd.type == PM_CMD_CHECK) {
			r = diag_read_health(pump_diag(pump), &cmd, &health);
			log_debug("token 0x%08x: check: %d routed %d carried %u "
				  "delivered %u unacked %d quiet %u ms rtt %u ms",
				  cmd.token, r, health.routed, health.carried,
				  health.delivered, health.unacked, health.quiet_ms,
				  health.rtt_ms);
			if (r == 0)
				engine_checked(engine, &cmd, &health, cmds);
			continue;
		}
		r = pump->send_command(pump->ctx, &cmd);
		if (r < 0)
			log_debug("token 0x%08x: command %d refused: %s", cmd.token,
				  cmd.type, strerror(-r));
		/* Without its answer, only the kernel's state shows how a command went.
		 */
		pump->lost |= r == -ETIMEDOUT;
		engine_result(engine, &cmd, r == -ETIMEDOUT ? 0 : -r, cmds);
		pump_read(pump);
	}
}

int pump_deliver(struct event_pump *pump, struct engine *engine,
		 const struct pm_event *ev)
{
	struct diag_owner owner;
	struct pm_cmds cmds;
	int r;

	/* Without the ESTABLISHED, the first subflow's address would look free. */
	if (ev->type == PM_EVENT_ANNOUNCED && engine_lacks_first(engine, ev->token) &&
	    diag_read_owner(pump_diag(pump), ev->token, &owner) == 0)
		pump_deliver(pump, engine, &owner.first);
	cmds.n = 0;
	engine_hold_log(engine);
	r = engine_handle(engine, ev, &cmds);
	execute_commands(pump, engine, &cmds);
	engine_release_log(engine);
	if (r == -ENOENT)
		return r;
	if (r < 0) { /* no memory */
		pump->lost = true;
		log_warning("token 0x%08x: %s: %s", ev->token, pm_event_name(ev->type),
			    strerror(-r));
	}
	return 0;
}

void pump_tick(struct event_pump *pump, struct engine *engine)
{
	struct pm_cmds cmds;
	bool more;

	do {
		cmds.n = 0;
		more = engine_tick(engine, &cmds);
		execute_commands(pump, engine, &cmds);
	} while (more && !pump->stop);
}

void pump_hold(struct event_pump *pump, const struct pm_event *ev)
{
	pump->foreign += early_hold(&pump->early, ev, clock_ms());
}

void pump_expire(struct event_pump *pump, int64_t before_ms)
{
	if (pump->early.n)
		pump->foreign += early_expire(&pump->early, before_ms);
}

bool pump_takes_loss(struct event_pump *pump)
{
	if (!pump->lost || clock_ms() < pump->resync_ms)
		return false;
	pump->lost = false; /* events during the resync only repeat it */
	return true;
}

void pump_end_resync(struct event_pump *pump, int r)
{
	const int64_t now = clock_ms();

	pump->lost |= r < 0;
	pump->resync_ms = now + RESYNC_EVERY_MS;
	if (now < pump->logged_ms)
		return;
	pump->logged_ms = now + LOG_EVERY_MS;
	if (r < 0)
		log_error("lost kernel events, and resynchronising failed: %s; retrying",
			  strerror(-r));
	else if (pump->overruns != pump->overruns_logged)
		log_warning("lost kernel events: the kernel's queue was full; "
			    "resynchronised");
	else
		log_warning("the kernel did not answer; resynchronised");
	pump->overruns_logged = pump->overruns;
}

/*
 * No event reports that a connection fell back to TCP or failed to connect, and one that
 * has been silent since its handshake looks the same: drop only old ones in a large
 * table.
 */
unsigned int pump_expire_conns(struct engine *engine)
{
	return engine_expire(engine, clock_ms() / 1000 - UNCONFIRMED_SECONDS,
			     UNCONFIRMED_KEEP);
}

void pump_free(struct event_pump *pump)
{
	if (pump->diag_fd >= 0)
		close(pump->diag_fd);
	free(pump->queue.v);
	free(pump->early.v);
}

const char *pump_check_kernel(struct engine *engine)
{
	static struct utsname name;
	unsigned int major, minor;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
	    major > 6 || (major == 6 && minor >= 9))
		return NULL;
	engine_set_old_kernel(engine);
	return name.release;
}
