/* SPDX-License-Identifier: MIT */
/*
 * uplinks.h - a transfer over two uplinks behind NAT routers, with the first one down for
 * a while
 *
 *	client c1 10.1.0.2 -- d1 router u1 -- s1 server 10.9.0.1	40 Mbit/s
 *	       c2 10.2.0.2 -- d2 router u2 -- s2			20 Mbit/s
 *
 * Needs sandbox_enter(). Each transfer has a network of its own, so that some can run at
 * the same time.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum uplink_side {
	UPLINK_KERNEL,	/* endpoints of the kernel: `subflow` */
	UPLINK_DEV,	/* a pool under the library: `dev c1 subflow` */
	UPLINK_ADDRESS, /* `10.1.0.2 dev c1 subflow` */
	UPLINK_SIDES
};

struct absence {
	double seconds;
	bool upload;
	int deaf_ms; /* the router ignores ARP so long once the link is back */
};

/* In milliseconds */
struct absence_figures {
	double stall; /* the longest time in which the receiver got nothing */
	double began; /* its begin, after the uplink went down */
	double total;
	double back; /* from link and route to 100 kB over it; INFINITY: never */
	int load;    /* machine_load() at that time */
};

struct absence_run {
	pid_t pid;
	int from;
};

const char *uplink_side_name(enum uplink_side side);
/* Start a transfer of 45 MB or more in a process. Return: 0 or -errno. */
int absence_start(struct absence_run *ret, const struct absence *absence,
		  enum uplink_side side);
/* Wait for its end. Return: 0; -EPROTO, with a line on stderr. */
int absence_finish(struct absence_run *run, struct absence_figures *ret);
