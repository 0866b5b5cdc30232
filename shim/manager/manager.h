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
	struct listeners listeners;
	struct doors doors;
	struct evqueue queue;
	struct early early;
	unsigned int early_waits; /* since nothing was held */
	struct estate estate;
	int64_t take_over_ms; /* when to; 0: nothing to take over */
	int64_t quiet_ms;     /* when to stop listening to others; 0: not */
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

/* intake_read() - empty the event socket into the queue. */
void intake_read(struct manager *m);
/* intake_handle() - everything in the queue goes to the engine. */
void intake_handle(struct manager *m);
/* intake_registrations() - what connect() has registered since the last look. */
void intake_registrations(struct manager *m);
/* The next one, from handover.h's ring; and what becomes of it. */
bool slot_take(struct handover *h, struct pm_registration *ret_reg);
void register_connection(struct manager *m, struct pm_registration *reg);
/* intake_settle() - events that nobody explained, and for how long they are kept. */
void intake_settle(struct manager *m);
