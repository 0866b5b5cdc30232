/* SPDX-License-Identifier: MIT */
/*
 * handover.h - memory shared by the preload library and the path manager library
 *
 * One a process. The program's threads register connections inside connect(), the
 * manager thread takes them out at its next event. No locks: a signal handler may call
 * connect().
 */
#pragma once

#include "mptcpaddr/first.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HANDOVER_ABI   11
#define HANDOVER_SLOTS 4096 /* pending registrations; a power of two */

/* A registration is one word; 0 is an empty slot. */
#define HANDOVER_VALID	(UINT64_C(1) << 63)
#define HANDOVER_V6ONLY (UINT64_C(1) << 32) /* the token is below */
#define HANDOVER_FIRST	33		    /* shift of enum first_why, two bits */

/* Listening MPTCP sockets, whose accepted connections are this program's. */
#define HANDOVER_LISTENERS 64

enum {
	LISTENER_FREE,
	LISTENER_WRITING,
	LISTENER_OPEN,
	LISTENER_CLOSED
};

struct handover_listener {
	_Atomic uint32_t state;
	struct mpaddr addr; /* an IPv4-mapped address is AF_INET */
	uint8_t v6only;
	uint64_t inode; /* of the socket, as in sock_diag */
};

/* The event filter of the manager (shim/manager/idle.c). */
enum {
	HANDOVER_FILTER_OPEN,
	HANDOVER_FILTER_IDLE,  /* drops events of unknown connections: connect() waits */
	HANDOVER_FILTER_STUCK, /* the same, but a connect() has waited in vain: do not */
};

/* Shared with forked children (shim/manager/takeover.c). */
struct handover_takeover {
	_Atomic uint32_t owner;	    /* a thread; 0 or FUTEX_OWNER_DIED: it has ended */
	_Atomic uint32_t confirmed; /* the same, once it is sure to keep its rights */
};

struct handover {
	/* Held by the manager unless it waits: see shim/preload/fork.c. */
	_Atomic uint32_t lock;	  /* shim/common/lock.h */
	void *manager;		  /* private to the path manager library, once it runs */
	_Atomic uint32_t started; /* not 0: the pool is read, or there is none; a futex */
	_Atomic uint32_t quit;	  /* not 0: the manager must end */
	_Atomic uint32_t connect_waits;	    /* not 0: do not wait for exec(); a futex */
	struct handover_takeover *takeover; /* NULL: children cannot take over */
	uint64_t takeover_ns;	 /* PID namespace of its thread IDs; 0: unknown */
	int32_t takeover_pid;	 /* in a forked child: take over when it ends; 0: none */
	uint32_t inherited_head; /* `head` at the fork: earlier slots are the parent's */
	_Atomic uint32_t connections; /* in the manager's tables */
	uint32_t abi;
	int32_t pid;	    /* of the process that this manager serves */
	int32_t event_fd;   /* subscribed; in the manager's descriptor table */
	uint16_t family_id; /* of mptcp_pm in generic netlink */
	int16_t log_level;  /* enum log_level, or -1: log nothing */
	int32_t log_fd;	    /* in the manager's descriptor table; or -1 */
	uint8_t log_forced; /* level from the environment: ignore [app] log */
	const _Atomic uint8_t *options; /* that MPTCP refused: a sockopt_report */
	char program[64];		/* program_invocation_short_name, cut */
	char control_name[32]; /* abstract, without the leading NUL; "": none yet */
	char pool_path[1024];  /* POOL_FILE_PATH_MAX */
	const char *pool_text; /* of a file that is not readable any more; or NULL */
	uint32_t pool_len;
	char metered_path[1024]; /* for [policy] quota; "": no home directory */
	char log_file[1024];	 /* "": the application's standard error */

	struct first_table first;
	_Atomic uint32_t filter; /* HANDOVER_FILTER_OPEN and so on; a futex */
	/* Connects between "about to send the SYN" and "registered". */
	_Atomic uint32_t in_flight;
	/* Not 0 while the manager holds events of connections not registered yet. */
	_Atomic uint32_t early;
	_Atomic uint32_t registered; /* a counter; the manager's futex */
	/* Since when the kernel has switched MPTCP off, CLOCK_MONOTONIC; 0: it is on. */
	_Atomic int64_t blackhole_s;
	_Atomic uint32_t lost; /* registrations without a free slot */
	_Atomic bool missed;   /* they are still to be registered, now there is room */
	_Atomic uint32_t inherited; /* not 0: connections may be older than the manager */
	_Atomic uint32_t head;	    /* next slot to fill */
	_Atomic uint32_t tail;	    /* next slot to take */
	_Atomic uint64_t slots[HANDOVER_SLOTS];
	struct handover_listener listeners[HANDOVER_LISTENERS];
};

/* handover_is_served() - whether a process manages what a forked child waits for. */
static inline bool handover_is_served(const struct handover *handover)
{
	return handover->takeover &&
	       atomic_load(&handover->takeover->owner) & FUTEX_TID_MASK;
}

/*
 * mptcpaddr_pm_run() - be the path manager of this process
 *
 * The path manager library exports it; the manager thread calls it once. Returns only
 * after a fatal error, -errno, with the event socket closed.
 */
int mptcpaddr_pm_run(struct handover *handover);

#define HANDOVER_PM_LIBRARY "libmptcpaddr-pm.so"
#define HANDOVER_PM_RUN	    "mptcpaddr_pm_run"
