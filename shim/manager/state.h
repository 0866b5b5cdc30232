/* SPDX-License-Identifier: MIT */
/*
 * state.h - the state of a process's manager; the manager thread owns it
 */
#pragma once

#include "app_listeners.h"
#include "control_server.h"
#include "event_pump.h"
#include "mptcpaddr/handover.h"
#include "mptcpaddr/netlink.h"
#include "port_listeners.h"
#include "shim/pool/watch.h"
#include "takeover.h"

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
	unsigned int early_waits; /* since the last time that no event was held */
	int64_t take_over_ms;	  /* when to take over; 0: nothing to take over */
	int64_t idle_ms;	  /* when to filter other processes' events; 0: never */
	uint32_t stuck;		  /* connects under way at the last check, */
	int64_t stuck_ms;	  /* and since when their number has not changed */
	uint32_t seen;		  /* registrations counted at the last check */
	struct ctl_manager about;
};
