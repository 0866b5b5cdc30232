/* SPDX-License-Identifier: MIT */
/*
 * manager.h - the manager's own state, which manager.c and intake.c share
 */
#pragma once

#include "app_listeners.h"
#include "control_server.h"
#include "event_queue.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/handover.h"
#include "mptcpaddr/netlink.h"
#include "port_listeners.h"
#include "shim/pool/watch.h"
#include "takeover.h"

struct manager {
	struct handover *h;
	struct poolwatch watch;
	struct engine *engine;
	struct pmnl *pmnl;
	struct control control;
	struct app_listeners listeners;
	struct port_listeners ports;
	struct event_queue queue;
	struct early_events early;
	unsigned int early_waits; /* since nothing was held */
	struct takeover takeover;
	int64_t take_over_ms; /* when to; 0: nothing to take over */
	int64_t idle_ms;      /* when to stop listening to others; 0: not */
	uint32_t stuck;	      /* connects that were under way at the last look, */
	int64_t stuck_ms;     /* and since when they were the same */
	uint32_t seen;	      /* registrations counted at the last look */
	bool lost;	      /* events, since the last resync() */
	int stop;	      /* -errno: the manager cannot go on */
	struct ctl_manager about;
};

/* manager_time() - the engine's clock is set. */
void manager_time(struct manager *m);

/* run_commands() - to the kernel, and its answers to the engine. */
void run_commands(struct manager *m, struct pm_cmds *cmds);

/* manager_read() - empty the event socket into the queue. */
void manager_read(struct manager *m);
/* handle_events() - everything in the queue goes to the engine. */
void handle_events(struct manager *m);
/* handle_registrations() - what connect() has registered since the last look. */
void handle_registrations(struct manager *m);
/* The next one, from handover.h's ring; and what becomes of it. */
bool slot_take(struct handover *h, struct pm_registration *ret_reg);
void manager_register(struct manager *m, struct pm_registration *reg);
/* handle_early() - events that nobody explained, and for how long they are kept. */
void handle_early(struct manager *m);
