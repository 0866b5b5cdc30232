/* SPDX-License-Identifier: MIT */
/*
 * control.h - the protocol between a manager and mptcpinfo or mptcpaddr
 *
 * A manager listens on the abstract SOCK_SEQPACKET socket "mptcpaddr/PID" (no trailing
 * NUL) of its network namespace, for its own user and root (SO_PEERCRED). A request
 * datagram gets one answer: a ctl_answer and `count` records of `record_size` bytes.
 * Numbers are in host byte order.
 */
#pragma once

#include "mptcpaddr/note.h"

#include <stdint.h>

#define CTL_NAME_PREFIX "mptcpaddr/"
#define CTL_MAGIC	0x4d504144u /* "MPAD" */
#define CTL_VERSION	4
#define CTL_PAGE_MAX	512 /* records in one answer */
#define CTL_TEXT_MAX	256

enum ctl_op {
	CTL_OP_MANAGER = 1,	/* one struct ctl_manager */
	CTL_OP_CONNECTIONS = 2, /* struct pm_conn_report; paged */
	CTL_OP_ENDPOINTS = 3,	/* struct ctl_endpoint: the pool in force */
	CTL_OP_ANNOUNCED = 4,	/* struct pm_announced_report; paged */
	CTL_OP_NOTES = 5,	/* struct pm_note, later than `after`; paged */
	CTL_OP_FOLLOW = 6,	/* likewise, then an answer for every later note */
	CTL_OP_EDIT = 7,	/* change the pool by `text`; a struct ctl_edit */
	CTL_OP_SECTIONS = 8,	/* struct ctl_section */
	CTL_OP_CONFIGURED = 9,	/* struct ctl_endpoint, as in the file */
};

struct ctl_request {
	uint32_t magic;
	uint16_t version;
	uint16_t op;
	uint64_t after;		 /* 0, or `next` of the previous page; NOTES: a `seq` */
	char text[CTL_TEXT_MAX]; /* EDIT: the words of `mptcpaddr endpoint` or `limits` */
};

struct ctl_answer {
	uint32_t magic;
	uint16_t version;
	uint16_t op;
	int32_t error; /* 0; -EPROTO: see `version`; -EINVAL, -EOPNOTSUPP, EDIT's */
	uint32_t count;
	uint32_t record_size;
	uint32_t total; /* of all pages; ANNOUNCED: 0, unknown */
	uint64_t next;	/* the `after` of the next page; 0: none */
};

struct ctl_manager {
	uint32_t pid, uid;
	uint32_t connections; /* entries of the connection table */
	uint32_t used_ids;    /* entries of the table of used local IDs */
	uint32_t early;	      /* events held for connections not registered yet */
	uint32_t endpoints;   /* CTL_OP_ENDPOINTS has so many */
	uint32_t subflows_max, add_addr_accepted_max; /* [limits] */
	/* Endpoints of each kind in the pool: MPTCP_INFO has the kernel's own only. */
	uint32_t endp_signal_max, endp_subflow_max;
	uint32_t endp_laminar_max, endp_fullmesh_max;
	uint64_t events, events_replayed;
	uint64_t events_foreign; /* about connections that are not ours */
	uint64_t overruns;	 /* ENOBUFS on the event socket */
	uint64_t registrations, registrations_lost;
	uint64_t pool_loads; /* how often a pool file came into force */
	uint64_t notes;	     /* `seq` of the last note */
	struct pm_counters counters;
	char backend[8];     /* "direct"; 0.2 has 16 bytes */
	int64_t blackhole_s; /* since when MPTCP is off, CLOCK_MONOTONIC; 0: it is on */
	char program[64];    /* program_invocation_short_name, cut */
	char pool_file[4 * CTL_TEXT_MAX]; /* the file that is followed, cut */
	/* The previous pool is in force; of mptcpaddrd itself, users who have too much.
	 */
	char pool_error[2 * CTL_TEXT_MAX]; /* "": none */
	char options[2 * CTL_TEXT_MAX]; /* that MPTCP refused; not from older managers */
};

#define CTL_ENDPOINT_WAITING 2 /* its address is tentative or deprecated */
#define CTL_ENDPOINT_DOWN    3 /* its link is down */
#define CTL_ENDPOINT_SPENT   5 /* `metered`, and the quota is used up */

struct ctl_endpoint {
	struct mpaddr addr; /* port: of `signal` endpoints */
	uint32_t flags;	    /* MPTCP_PM_ADDR_FLAG_* */
	uint8_t local_id;
	uint8_t state;	  /* 0: usable; or CTL_ENDPOINT_*; others: see pool.h */
	uint8_t section;  /* index of its CTL_OP_SECTIONS record */
	uint8_t from_dev; /* stands for one of the addresses of `dev` */
	uint32_t line;	  /* of the pool file; 0: added while running */
	uint32_t used;	  /* live subflows from it, of all connections */
	uint32_t flaps;	  /* it came and went so often that it waits; 0: it does not, */
	uint32_t held_s;  /* for so long */
	char dev[16];	  /* "": not bound to an interface */
};

struct ctl_section {
	struct mpaddr prefix; /* family 0: [pool], for all other destinations */
	uint8_t len;
	uint8_t excluded; /* connections to it have no pool */
	uint8_t reserved[2];
};

struct ctl_edit {
	char text[2 * CTL_TEXT_MAX]; /* what is wrong with the words; "": done */
};
