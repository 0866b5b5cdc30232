/* SPDX-License-Identifier: MIT */
/*
 * state.h - the state of a process's manager, and its parts; the manager thread owns them
 */
#pragma once

#include "control_server.h"
#include "event_pump.h"
#include "first_check.h"
#include "metered.h"
#include "mptcpaddr/handover.h"
#include "mptcpaddr/netlink.h"
#include "shim/pool/watch.h"

/* app_listeners.c: recognise the connections that this program accepts */

struct app_listeners {
	struct handover *h;
	int claims[HANDOVER_LISTENERS];	      /* a bound name; -errno; -1: not tried */
	int64_t known_ms[HANDOVER_LISTENERS]; /* until then, -EADDRINUSE is believed */
	bool adopt; /* a claim succeeded after the end of the process that had it */
};

void app_listeners_open(struct app_listeners *l, struct handover *h);
void app_listeners_close(struct app_listeners *l);

/* app_listeners_any() - Return: whether the program listens. */
bool app_listeners_any(const struct app_listeners *l);

/*
 * app_listeners_accepted() - whether this process manages connections accepted at @local
 *
 * Several processes may listen at one address (fork(), SO_REUSEPORT): only one of them
 * gets true, until it ends. @inherited: this process waits for the end of its parent and
 * does not claim the parent's address.
 */
bool app_listeners_accepted(struct app_listeners *l, const struct mpaddr *local,
			    bool inherited);

/* app_listeners_closed() - a listener at @local has closed: perhaps one of ours. */
void app_listeners_closed(struct app_listeners *l, const struct mpaddr *local);

/* port_listeners.c: listening sockets for `signal` endpoints that have a port */

#define PORT_LISTENERS_MAX 16

struct port_listeners {
	unsigned int n;
	struct {
		struct mpaddr addr;
		int fd;
		bool full; /* no descriptor left to accept() with */
	} at[PORT_LISTENERS_MAX];
};

/*
 * port_listeners_update() - listen where @pool announces a port, and nowhere else
 *
 * The in-kernel path manager opens such sockets itself (net/mptcp/pm_kernel.c,
 * mptcp_pm_nl_create_listen_socket()), the userspace one must. An address in use is left
 * alone: joins find the socket that listens there.
 */
void port_listeners_update(struct port_listeners *ports, const struct pool *pool);
void port_listeners_close(struct port_listeners *ports);

/* Return: how many of @fds, with room for PORT_LISTENERS_MAX, were filled. */
unsigned int port_listeners_poll_fill(const struct port_listeners *ports,
				      struct pollfd *fds);

/* port_listeners_serve() - close connections that are not joins. */
void port_listeners_serve(struct port_listeners *ports, const struct pollfd *fds);

/* takeover.c: which child takes over the connections of a process that ends */

struct takeover {
	struct handover_takeover *shared; /* NULL: no memory */
	bool foreign_ns; /* its thread IDs are of another PID namespace */
	int watch;	 /* readable when the owner ends; -errno: not watching */
	bool polls;	 /* call takeover_follow() again a while later */
	bool unable;	 /* to claim it, for want of CAP_NET_ADMIN */
};

/* takeover_open() - let forked children wait for the end of this thread. */
void takeover_open(struct takeover *takeover, struct handover *h);

/*
 * takeover_follow() - wait for the end of the manager that owns the connections, or claim
 * them
 *
 * Also if `watch` is readable, or it is time again. Return: true if that manager has
 * ended and we are the next; false while `watch` must be polled. A process that has
 * dropped CAP_NET_ADMIN leaves that to the others.
 */
bool takeover_follow(struct takeover *takeover);

/* takeover_confirm() - whether to use the claim; a worker may have lost its rights since.
 */
bool takeover_confirm(struct takeover *takeover);
void takeover_close(struct takeover *takeover);

struct manager {
	struct handover *h;
	struct pool_watch watch;
	struct engine *engine;
	int command_fd;
	struct event_pump pump;
	struct control control;
	struct app_listeners listeners;
	struct port_listeners ports;
	struct takeover takeover;
	struct first_checks first_checks;
	struct metered metered;
	bool hurried;		  /* asked for a short slice */
	unsigned int early_waits; /* since the last time that no event was held */
	int64_t take_over_ms;	  /* when to take over; 0: nothing to take over */
	int64_t unable_ms;  /* when to give up: nobody can take over; 0: not unable */
	int64_t idle_ms;    /* when to filter other processes' events; 0: never */
	uint32_t stuck;	    /* connects under way at the last check, */
	int64_t stuck_ms;   /* and since when their number has not changed */
	uint32_t seen;	    /* registrations counted at the last check */
	uint32_t lost_seen; /* h->lost, as of the last look */
	struct ctl_manager about;
};

/* handle.c: registrations from the program, events from the kernel */

/* handle_events() - give everything in the queue to the engine. */
void handle_events(struct manager *m);
/* handle_registrations() - take what connect() has registered since the last call. */
void handle_registrations(struct manager *m);
/* handle_unanswered() - let first paths avoid endpoints without an answer. */
void handle_unanswered(struct manager *m);
/* handle_inherited() - take the registrations from before this process was forked. */
void handle_inherited(struct manager *m);
/* handle_adopted() - take accepted connections, and late ones, whose first event is lost.
 */
void handle_adopted(struct manager *m);
/* handle_early() - drop events that no registration explains in time. */
void handle_early(struct manager *m);

/* idle.c: filter out other processes' events while the program is idle */

/* idle_restart() - the program has connected, and may soon connect again. */
void idle_restart(struct manager *m);

/* idle_wait() - milliseconds until idle_serve() has something to do; -1: infinite. */
int idle_wait(const struct manager *m);

/* idle_serve() - attach or remove the filter. */
void idle_serve(struct manager *m);

/* idle_before_wait() - end with a main thread that has ended. */
void idle_before_wait(struct manager *m);

/* idle_end() - release connects that wait for the removal of the filter. */
void idle_end(struct manager *m);
