/* SPDX-License-Identifier: MIT */
/*
 * control.h - what a manager tells to mptcpinfo, and takes from mptcpaddr
 *
 * A manager listens on a SOCK_SEQPACKET socket in the abstract namespace, bound to
 * "mptcpaddr/PID" (no leading path, no trailing NUL; PID in decimal): scoped to the
 * network namespace, gone with its process. One request datagram gets one answer
 * datagram: a ctl_answer header followed by `count` records of `record_size` bytes.
 * Everything is in host byte order: both ends are on one machine. A manager serves
 * its own user and root (SO_PEERCRED) and hangs up on everybody else.
 */
#pragma once

#include "mptcpaddr/counters.h"

#include <stdint.h>

#define CTL_NAME_PREFIX "mptcpaddr/"
#define CTL_MAGIC	0x4d504144u /* "MPAD" */
#define CTL_VERSION	2
#define CTL_PAGE_MAX	512 /* records in one answer */
#define CTL_TEXT_MAX	256

enum ctl_op {
	CTL_OP_MANAGER = 1,	/* one struct ctl_manager */
	CTL_OP_CONNECTIONS = 2, /* a struct ctl_connection each; paged */
	CTL_OP_ENDPOINTS = 3,	/* a struct ctl_endpoint each: the pool in force */
	CTL_OP_ANNOUNCED = 4, /* a struct ctl_announced each, of all connections; paged */
	CTL_OP_NOTES = 5,     /* a struct ctl_note each, later than `after`; paged */
	/*
	 * The same, and from then on an answer of this kind whenever something happened.
	 * No further request on this socket.
	 */
	CTL_OP_FOLLOW = 6,
	CTL_OP_EDIT = 7,     /* change the pool as `text` says; the text of a ctl_edit */
	CTL_OP_SECTIONS = 8, /* a struct ctl_section each: the pools in the file */
	/* A struct ctl_endpoint each as in the file: a device alone has no address. */
	CTL_OP_CONFIGURED = 9,
};

struct ctl_request {
	uint32_t magic;
	uint16_t version;
	uint16_t op;
	uint64_t after; /* pages: `next` of the answer before, 0 at first; NOTES: a `seq`
			 */
	/* EDIT: the words of `mptcpaddr endpoint` or `mptcpaddr limits` */
	char text[CTL_TEXT_MAX];
};

struct ctl_answer {
	uint32_t magic;
	uint16_t version;
	uint16_t op;
	/* 0, or -EPROTO (version, see `version`), -EINVAL, -EOPNOTSUPP, EDIT's -errno */
	int32_t error;
	uint32_t count;
	uint32_t record_size;
	uint32_t total; /* records that there are in all; ANNOUNCED: 0, unknown */
	uint64_t next;	/* the `after` of the next page; 0: this was the last one */
};

struct ctl_addr {
	uint16_t family; /* AF_INET, AF_INET6; 0: none */
	uint16_t port;	 /* 0: none */
	uint8_t ip[16];	 /* network order; IPv4: the first four */
};

struct ctl_manager {
	uint32_t pid;
	uint32_t uid;
	uint32_t connections;  /* entries of the connection table */
	uint32_t used_ids;     /* entries of the table of used local IDs */
	uint32_t early;	       /* events held for connections not registered yet */
	uint32_t endpoints;    /* CTL_OP_ENDPOINTS has so many */
	uint32_t subflows_max; /* [limits] subflows */
	uint32_t add_addr_accepted_max; /* [limits] add_addr_accepted */
	/* Endpoints of each kind in the pool: MPTCP_INFO has the kernel's own only. */
	uint32_t endp_signal_max, endp_subflow_max;
	uint32_t endp_laminar_max, endp_fullmesh_max;
	uint64_t events;
	uint64_t events_replayed;
	uint64_t events_foreign; /* about connections that are not ours */
	uint64_t overruns;	 /* ENOBUFS on the event socket */
	uint64_t registrations;
	uint64_t registrations_lost;
	uint64_t pool_loads; /* how often a pool file came into force */
	uint64_t notes;	     /* `seq` of the last note */
	struct pm_counters counters;
	char backend[16];		  /* "direct" */
	char program[64];		  /* program_invocation_short_name, cut */
	char pool_file[4 * CTL_TEXT_MAX]; /* the file that is followed, cut */
	/* What is wrong with it now; the pool before it is in force. "": nothing */
	char pool_error[2 * CTL_TEXT_MAX];
};

/* An endpoint has one bit in each mask: the index of its record in CTL_OP_ENDPOINTS. */
struct ctl_connection {
	uint32_t token;
	uint8_t established; /* the kernel confirmed the connection */
	uint8_t server_side;
	uint8_t section;	/* index of its CTL_OP_SECTIONS record */
	uint8_t deny_join_id0;	/* the peer's C flag, RFC 8684, 3.1 */
	uint8_t subflows;	/* live or pending, the first one included */
	uint8_t extra_subflows; /* those that count against the limit */
	uint8_t announced, waiting;
	uint8_t accepted;   /* announcements that count against the limit */
	uint8_t last_error; /* errno of the last join that came to nothing */
	uint8_t reserved[2];
	uint64_t endpoints_mine;    /* those of its section and of a fitting family */
	uint64_t endpoints_used;    /* by a live subflow */
	uint64_t endpoints_pending; /* by a subflow that is being joined */
	struct pm_counters counters;
};

enum ctl_endpoint_state {
	CTL_ENDPOINT_USABLE = 0,
	CTL_ENDPOINT_ABSENT = 1, /* the address is on no interface, or its link is down */
};

struct ctl_endpoint {
	struct ctl_addr addr; /* port: of `signal` endpoints */
	uint32_t flags;	      /* MPTCP_PM_ADDR_FLAG_* */
	uint8_t local_id;
	uint8_t state;	  /* enum ctl_endpoint_state */
	uint8_t section;  /* index of its CTL_OP_SECTIONS record */
	uint8_t from_dev; /* stands for one of the addresses of `dev` */
	uint32_t line;	  /* of the pool file; 0: added while running */
	uint32_t used;	  /* live subflows from it, of all connections */
	char dev[16];	  /* "": not bound to an interface */
};

struct ctl_section {
	struct ctl_addr prefix; /* family 0: [pool], for all other destinations */
	uint8_t len;
	uint8_t excluded; /* connections to it have no pool */
	uint8_t reserved[2];
};

enum ctl_announced_state {
	CTL_ANNOUNCED_WAITING = 0,
	CTL_ANNOUNCED_PENDING = 1, /* a join is under way */
	CTL_ANNOUNCED_JOINED = 2,
	CTL_ANNOUNCED_CLOSED =
		3, /* had its subflow; only a new ADD_ADDR brings another */
	CTL_ANNOUNCED_REFUSED = 4,
};

/* Why an announcement waits or is refused, a join failed or a subflow was closed. */
enum ctl_reason {
	CTL_REASON_NONE = 0,
	CTL_REASON_EXHAUSTED = 1, /* every endpoint that fits is in use */
	CTL_REASON_FAMILY = 2,	  /* no endpoint of this address family */
	CTL_REASON_LIMIT_SUBFLOWS = 3,
	CTL_REASON_LIMIT_ACCEPTED = 4,
	CTL_REASON_FILTER = 5,
	CTL_REASON_ERROR = 6,	   /* see `error` */
	CTL_REASON_PROHIBITED = 7, /* reset by the peer as administratively prohibited */
	CTL_REASON_ABSENT = 8,	 /* the endpoints that are left are not on this machine */
	CTL_REASON_EXCLUDED = 9, /* the destination has no pool */
	CTL_REASON_INHERITED = 10,     /* the parent process serves this connection */
	CTL_REASON_REMOVED = 11,       /* the peer sent REMOVE_ADDR */
	CTL_REASON_ENDPOINT_GONE = 12, /* its local address went away */
	CTL_REASON_TOO_MANY = 13,      /* announcements remembered, or commands at once */
};

struct ctl_announced {
	uint32_t token;
	struct ctl_addr addr;
	uint8_t remote_id;
	uint8_t state;	   /* enum ctl_announced_state */
	uint8_t reason;	   /* enum ctl_reason */
	uint8_t error;	   /* errno of the last join, 0: none */
	uint32_t retry_ms; /* until the next try; 0: no timer runs for it */
};

enum ctl_what {
	CTL_NOTE_ESTABLISHED = 1, /* the connection; local, remote */
	CTL_NOTE_CLOSED = 2,	  /* the connection */
	CTL_NOTE_ANNOUNCED = 3,	  /* ADD_ADDR -> reason says why nothing follows, or 0 */
	CTL_NOTE_REPEATED = 4,	  /* ADD_ADDR of what is reached already */
	CTL_NOTE_REMOVED = 5,	  /* REMOVE_ADDR of remote_id */
	CTL_NOTE_JOINING = 6,	  /* a subflow was requested */
	CTL_NOTE_JOINED = 7,	  /* it is established */
	CTL_NOTE_JOIN_FAILED = 8, /* the kernel refused, or the handshake failed: error */
	CTL_NOTE_SUBFLOW_CLOSED = 9,   /* reason, error */
	CTL_NOTE_SUBFLOW_FOREIGN = 10, /* established, and not by this manager */
	CTL_NOTE_PRIORITY = 11,	       /* the peer's MP_PRIO: flags */
	CTL_NOTE_SIGNALLED = 12,       /* we announced `local` */
	CTL_NOTE_WITHDRAWN = 13,       /* we withdrew `local` */
	CTL_NOTE_ENDPOINT_GONE = 14,   /* token 0: `local` left the machine or the pool */
	CTL_NOTE_ENDPOINT_BACK = 15,   /* token 0: `local` can be used (again) */
	CTL_NOTE_POOL = 16,    /* token 0: a pool came into force; error: it did not */
	CTL_NOTE_OVERRUN = 17, /* token 0: events were lost */
	CTL_NOTE_BACKUP = 18,  /* we sent MP_PRIO: flags */
};

#define CTL_NOTE_FLAG_BACKUP 1
#define CTL_NOTE_FLAG_RETRY  2 /* JOINING: not the first try */

/* A ring of the last CTL_NOTES_MAX is kept; a gap in `seq` tells of what was missed. */
#define CTL_NOTES_MAX 512

struct ctl_note {
	uint64_t seq;
	int64_t time_ns; /* CLOCK_REALTIME */
	uint32_t token;
	uint16_t what;	/* enum ctl_what */
	uint8_t reason; /* enum ctl_reason */
	uint8_t error;	/* errno */
	uint8_t local_id, remote_id;
	uint8_t flags;
	uint8_t reserved[5];
	struct ctl_addr local, remote;
};

struct ctl_edit {
	char text[2 * CTL_TEXT_MAX]; /* what is wrong with the words; "": done */
};
