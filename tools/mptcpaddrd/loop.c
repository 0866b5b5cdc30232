// SPDX-License-Identifier: MIT
/*
 * loop.c - the broker's one thread
 *
 * There is one event socket for the namespace. Events are read before registrations, and
 * handled after them: so an event that arrived before its registration finds the
 * connection, or is held (event_pump.h).
 */
#include "broker.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void broker_handle_events(struct broker *b)
{
	struct pm_event ev;

	while (pump_next(&b->pump, &ev)) {
		if (ev.type == PM_EVENT_LISTENER_CLOSED)
			b->listeners_ms = 0;
		if (ev.type == PM_EVENT_LISTENER_CLOSED || dispatch_event(b, &ev))
			continue;
		registration_accept(b);
		if (dispatch_event(b, &ev) || listener_take(b, &ev))
			continue;
		if (ev.type == PM_EVENT_CLOSED) {
			b->pump.foreign++; /* and so are its held events */
			while (early_take(&b->pump.early, ev.token, &ev))
				b->pump.foreign++;
			continue;
		}
		pump_hold(&b->pump, &ev);
	}
	pump_expire(&b->pump, clock_ms() - EARLY_HOLD_MS);
}

static void broker_serve_loss(struct broker *b)
{
	struct client *client;

	if (!pump_takes_loss(&b->pump))
		return;
	for (client = b->clients; client; client = client->next)
		engine_note(client->engine, PM_NOTE_OVERRUN, 0);
	pump_end_resync(&b->pump, resync_clients(b));
}

void broker_check_devices(const struct broker *b)
{
	unsigned int i, k;

	for (i = 0; i < b->policy.n_devices && b->table.known; i++) {
		for (k = 0; k < b->table.n_links; k++)
			if (!strcmp(b->table.links[k].dev, b->policy.devices[i]))
				break;
		if (k == b->table.n_links)
			log_warning("%s:%u: no interface %s now; \"ip link\" lists all",
				    b->config, b->policy.devices_line,
				    b->policy.devices[i]);
	}
}

int broker_load_policy(struct broker *b, struct pool_error *why)
{
	/* Without the file given by -c, users would get more than it allows. */
	const bool needed = strcmp(b->config, POLICY_FILE) != 0;
	int r = policy_load(b->config, needed, &b->policy, why);

	if (r < 0)
		return r;
	log_open(STDERR_FILENO, b->policy.log, "mptcpaddrd", getpid());
	if (b->policy.n_programs && !b->policy.adopt)
		log_warning("%s:%u: [program] sections need \"adopt = yes\"", b->config,
			    b->policy.programs[0].line);
	return 0;
}

static void broker_reload(struct broker *b)
{
	struct pool_error why = { "" };
	char text[80];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)clock_us());
	notify_state(text);
	if (broker_load_policy(b, &why) < 0) {
		log_error("%s; keeping the previous configuration", why.text);
	} else {
		adopt_clear_cache();
		log_info("reloaded %s", b->config);
		broker_check_devices(b);
		resolve_clients(b);
	}
	notify_state("READY=1");
}

static void broker_serve_signal(struct broker *b)
{
	struct signalfd_siginfo info;

	while (read(b->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			broker_reload(b);
		else
			b->stop = true;
	}
}

static void serve_controls(struct broker *b)
{
	struct epoll_event events[16];
	struct client *client;
	int i, ready;

	for (client = b->clients; client; client = client->next)
		if (control_is_followed(&client->control))
			client_serve_control(client);
	ready = epoll_wait(b->controls_fd, events, 16, 0);
	for (i = 0; i < ready; i++) {
		client_serve_control(events[i].data.ptr);
		client_reap(events[i].data.ptr);
	}
	controls_make_room(b);
}

/* Return: -1 if nothing waits: no timer runs then. */
static int broker_timeout(const struct broker *b)
{
	const struct client *client;
	int wait = b->n_peers ? PEERS_CHECK_MS : -1;
	int64_t due = INT64_MAX;

	wait = pump_earlier(wait, pump_wait_ms(&b->pump));
	wait = pump_earlier(wait, adopt_timeout(b));
	wait = pump_earlier(wait, names_timeout(b));
	if (b->again_ms)
		wait = pump_earlier(wait, clock_left_ms(b->again_ms));
	if (b->table.lost)
		wait = pump_earlier(wait, clock_left_ms(b->rtnl_ms));
	wait = pump_earlier(wait, rearm_wait(b));
	wait = pump_earlier(wait, first_check_wait(&b->first_checks));
	for (client = b->clients; client; client = client->next) {
		if (client->due_ms < due)
			due = client->due_ms;
		if (client_end_due(client) < due)
			due = client_end_due(client);
	}
	if (due != INT64_MAX)
		wait = pump_earlier(wait, clock_left_ms(due));
	return wait;
}

enum {
	FD_EVENTS,
	FD_PATH,
	FD_NAME,
	FD_RTNL,
	FD_SIGNALS,
	FD_CONTROLS,
	FDS_FIXED
};

#define RTNL_RETRY_MS 200
#define STARVED_MS    20 /* of memory, for poll() */

static void serve_rtnl(struct broker *b)
{
	struct client *client;

	b->rtnl_ms = clock_ms() + RTNL_RETRY_MS;
	if (rtnl_follow(b->rtnl_fd, &b->table) > 0)
		resolve_clients(b);
	if (!b->table.rerouted)
		return;
	for (client = b->clients; client; client = client->next) {
		engine_set_clock(client->engine, clock_ms());
		engine_rerouted(client->engine, b->table.rerouted);
		client->due_ms = 0;
	}
	b->table.rerouted = 0;
}

int broker_run(struct broker *b)
{
	struct pollfd fds[FDS_FIXED + PEERS_MAX];
	unsigned int peers;
	int wait;

	while (!b->stop && !b->pump.stop) {
		fds[FD_EVENTS] = (struct pollfd){ b->pump.event_fd, POLLIN, 0 };
		fds[FD_PATH] = (struct pollfd){ b->path_fd, POLLIN, 0 };
		fds[FD_NAME] = (struct pollfd){ b->name_fd, POLLIN, 0 };
		fds[FD_RTNL] = (struct pollfd){ b->rtnl_fd, POLLIN, 0 };
		fds[FD_SIGNALS] = (struct pollfd){ b->signal_fd, POLLIN, 0 };
		fds[FD_CONTROLS] = (struct pollfd){ b->controls_fd, POLLIN, 0 };
		peers = registration_poll_fill(b, &fds[FDS_FIXED]);
		wait = pump_earlier(notify_watchdog(clock_ms()), broker_timeout(b));
		if (poll(fds, FDS_FIXED + peers, wait) < 0 && errno != EINTR)
			poll(NULL, 0, STARVED_MS);
		pump_read(&b->pump);
		registration_serve_peers(b, &fds[FDS_FIXED]);
		registration_accept(b);
		serve_controls(b);
		names_retry(b);
		broker_handle_events(b);
		broker_serve_loss(b);
		adopt_candidates(b);
		listener_retry(b);
		if (fds[FD_RTNL].revents || (b->table.lost && clock_ms() >= b->rtnl_ms))
			serve_rtnl(b);
		dispatch_timers(b);
		clients_drop_ended(b, false);
		rearm_tick(b);
		if (fds[FD_SIGNALS].revents)
			broker_serve_signal(b);
	}
	registration_accept(b); /* into the state file */
	if (b->pump.stop)
		log_error("cannot read kernel events: %s", strerror(-b->pump.stop));
	return b->pump.stop;
}
