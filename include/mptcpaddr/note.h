/* SPDX-License-Identifier: MIT */
/*
 * note.h - what an engine reports: notes, counters, connections and announcements
 *
 * Control-socket records contain these structures, so their layout is fixed. Numbers are
 * in host byte order.
 */
#pragma once

#include "mptcpaddr/addr.h"

/*
 * Engine, control socket, JSON and Prometheus use these names in this order. Prometheus
 * prints the help texts.
 */
#define PM_COUNTERS(X)                                                             \
	X(add_addr_rx, "ADD_ADDRs received")                                       \
	X(add_addr_repeated, "ADD_ADDRs of an address already known or reached")   \
	X(add_addr_joined, "ADD_ADDRs that led to an established subflow")         \
	X(add_addr_waiting, "ADD_ADDRs that found no free endpoint")               \
	X(add_addr_filtered, "ADD_ADDRs refused by the [accept] filter")           \
	X(add_addr_limited, "ADD_ADDRs that met a limit")                          \
	X(rm_addr_rx, "REMOVE_ADDRs received")                                     \
	X(add_addr_tx, "addresses announced to the peer")                          \
	X(rm_addr_tx, "announced addresses withdrawn")                             \
	X(subflows_requested, "subflows requested from the kernel")                \
	X(subflows_refused, "requested subflows that the kernel refused")          \
	X(subflows_established, "requested subflows that were established")        \
	X(subflows_foreign, "subflows established by others")                      \
	X(subflows_failed, "joins that failed with an error")                      \
	X(closed_error, "established subflows closed with an error")               \
	X(closed_removed, "established subflows closed after REMOVE_ADDR")         \
	X(closed_local, "established subflows closed after losing their endpoint") \
	X(closed_other, "established subflows closed normally")                    \
	X(exhausted, "times that all endpoints were in use")                       \
	X(retries, "joins retried after a delay")                                  \
	X(paths_silent, "paths that carried nothing while their link was up")      \
	X(paths_renewed, "silent paths made anew when a probe was answered")       \
	X(probes, "joins that asked whether a silent path answers")

struct pm_counters {
#define X(name, help) uint64_t name;
	PM_COUNTERS(X)
#undef X
};

/* Why an announcement waits or is refused, a join failed or a subflow was closed. */
enum pm_reason {
	PM_REASON_NONE = 0,
	PM_REASON_EXHAUSTED = 1, /* all matching endpoints are in use */
	PM_REASON_FAMILY = 2,	 /* no endpoint of this address family */
	PM_REASON_LIMIT_SUBFLOWS = 3,
	PM_REASON_LIMIT_ACCEPTED = 4,
	PM_REASON_FILTER = 5,
	PM_REASON_ERROR = 6,	   /* see `error` */
	PM_REASON_PROHIBITED = 7,  /* reset by the peer as administratively prohibited */
	PM_REASON_UNAVAILABLE = 8, /* all remaining endpoints are down */
	PM_REASON_EXCLUDED = 9,	   /* the destination has no pool */
	PM_REASON_INHERITED = 10,  /* the parent process manages this connection */
	PM_REASON_REMOVED = 11,	   /* the peer sent REMOVE_ADDR */
	PM_REASON_ENDPOINT_DOWN = 12, /* removed, or down during the join */
	PM_REASON_TOO_MANY = 13,  /* announcements remembered, or commands at a time */
	PM_REASON_OWN = 14,	  /* the announced address is this machine's */
	PM_REASON_PRIVATE = 15,	  /* [accept] private */
	PM_REASON_STALLED = 16,	  /* no data since its link went down */
	PM_REASON_LINK_DOWN = 17, /* of the endpoint */
	PM_REASON_WAITING = 18,	  /* the endpoint's address is tentative or deprecated */
	/* ESTABLISHED: why the first path leaves from `local`; as enum first_why */
	PM_REASON_FIRST_ORDER = 19,
	PM_REASON_FIRST_AVOIDED = 20,
	PM_REASON_FIRST_RACE = 21,
	PM_REASON_SILENT = 22,	 /* no data while its link was up, and it answers again */
	PM_REASON_FLAPPING = 23, /* the endpoint came and went often, and must wait */
	/* BACKUP: why [policy] takes, or leaves, the uplink of `local` */
	PM_REASON_PREFERRED = 24,
	PM_REASON_TROUBLE = 25,
	PM_REASON_LATENCY = 26,
	PM_REASON_QUOTA = 27, /* [policy] quota is used up */
};

enum pm_note_what {
	PM_NOTE_ESTABLISHED = 1,      /* the connection; local, remote */
	PM_NOTE_CLOSED = 2,	      /* the connection */
	PM_NOTE_ANNOUNCED = 3,	      /* ADD_ADDR; reason: why no join follows, or 0 */
	PM_NOTE_REPEATED = 4,	      /* ADD_ADDR of a reached or prohibited address */
	PM_NOTE_REMOVED = 5,	      /* REMOVE_ADDR of remote_id */
	PM_NOTE_JOINING = 6,	      /* a subflow was requested */
	PM_NOTE_JOINED = 7,	      /* it is established */
	PM_NOTE_JOIN_FAILED = 8,      /* refused, or the handshake failed: error */
	PM_NOTE_SUBFLOW_CLOSED = 9,   /* reason, error */
	PM_NOTE_SUBFLOW_FOREIGN = 10, /* established by others */
	PM_NOTE_PRIORITY = 11,	      /* the peer's MP_PRIO: flags */
	PM_NOTE_SIGNALLED = 12,	      /* we announced `local` */
	PM_NOTE_WITHDRAWN = 13,	      /* we withdrew `local` */
	PM_NOTE_ENDPOINT_DOWN = 14,   /* token 0: `local` is not usable: reason, or 0 */
	PM_NOTE_ENDPOINT_UP = 15,     /* likewise: usable; FLAPPING: in `seconds` */
	PM_NOTE_POOL = 16,	      /* token 0: a pool was loaded, or rejected: error */
	PM_NOTE_OVERRUN = 17,	      /* token 0: events were lost */
	PM_NOTE_BACKUP = 18,	      /* we sent MP_PRIO: flags */
	PM_NOTE_UNANSWERED = 20,      /* the SYN of a first path; local, remote */
	PM_NOTE_SILENT = 21,	      /* no data for `seconds`, its link is up: probing */
	PM_NOTE_HEARD = 22,	      /* data again, after `seconds`, by itself */
	PM_NOTE_RENEWED = 23,	      /* a probe was answered, and replaces the path */
};

#define PM_NOTE_FLAG_BACKUP  1
#define PM_NOTE_FLAG_RETRY   2 /* JOINING: not the first try */
#define PM_NOTE_FLAG_REFUSED 4 /* JOIN_FAILED: by the kernel, at once */

/* In the flags of endpoints: in reserve, and not for first paths; what comes first */
#define ENDPOINT_METERED     0x40000000u
#define ENDPOINT_COST_MASK   0x00ff0000u
#define ENDPOINT_COST_SHIFT  16
#define ENDPOINT_COST(flags) (((flags)&ENDPOINT_COST_MASK) >> ENDPOINT_COST_SHIFT)

/* A ring keeps the last PM_NOTES_MAX; a gap in `seq` shows missed notes. */
#define PM_NOTES_MAX 512

struct pm_note {
	uint64_t seq;
	int64_t time_ns; /* CLOCK_REALTIME */
	uint32_t token;
	uint16_t what;	/* enum pm_note_what */
	uint8_t reason; /* enum pm_reason */
	uint8_t error;	/* errno */
	uint8_t local_id, remote_id;
	uint8_t flags;
	uint8_t reserved;
	uint32_t seconds; /* SILENT, HEARD, RENEWED: since it carried data; ENDPOINT_UP */
	struct mpaddr local, remote;
};

/* The bits of the masks are the indices of CTL_OP_ENDPOINTS records. */
struct pm_conn_report {
	uint32_t token;
	uint8_t established; /* the kernel confirmed the connection */
	uint8_t server_side;
	uint8_t section;	/* index of its CTL_OP_SECTIONS record */
	uint8_t deny_join_id0;	/* the peer's C flag, RFC 8684, 3.1 */
	uint8_t subflows;	/* live or pending, the first one included */
	uint8_t extra_subflows; /* those that count against the limit */
	uint8_t announced, waiting;
	uint8_t accepted;   /* announcements that count against the limit */
	uint8_t last_error; /* errno of the last failed join */
	uint8_t first; /* enum pm_reason: why the first path is where it is; 0: routing */
	uint8_t last_reset;	    /* its reason (RFC 8684, 3.6); 0: none */
	uint64_t endpoints_mine;    /* of its section and a matching family */
	uint64_t endpoints_used;    /* by a live subflow */
	uint64_t endpoints_pending; /* by a pending subflow */
	uint64_t endpoints_silent;  /* by a path that carries nothing, and is probed */
	uint64_t silent_s;	    /* since when, the longest */
	struct pm_counters counters;
	uint64_t endpoints_failed; /* their last join did: errors[i]; 0: none reported */
	uint8_t errors[64];
};

enum pm_announced_state {
	PM_ANNOUNCED_WAITING = 0,
	PM_ANNOUNCED_PENDING = 1, /* a join is under way */
	PM_ANNOUNCED_JOINED = 2,
	PM_ANNOUNCED_CLOSED = 3, /* its subflow was closed; waits for another ADD_ADDR */
	PM_ANNOUNCED_REFUSED = 4,
};

struct pm_announced_report {
	uint32_t token;
	struct mpaddr addr;
	uint8_t remote_id;
	uint8_t state;	   /* enum pm_announced_state */
	uint8_t reason;	   /* enum pm_reason */
	uint8_t error;	   /* errno of the last join, 0: none */
	uint32_t retry_ms; /* until the next try; 0: no timer */
};

/* A text that grows in @start; what exceeds @size is cut. */
struct text {
	char *start;
	size_t size, len;
};

void text_put(struct text *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Sizes with the NUL */
#define NOTE_REASON_MAX 160
#define NOTE_TEXT_MAX	400

/* note_text() - "10.0.2.1 announced (id 1) -> joined from 10.0.2.2 (id 2)". */
const char *note_text(const struct pm_note *note, char text[static NOTE_TEXT_MAX]);
/* note_reason_text() - "" for PM_REASON_NONE; @error: errno of PM_REASON_ERROR. */
const char *note_reason_text(uint8_t reason, uint8_t error,
			     char out[static NOTE_REASON_MAX]);
