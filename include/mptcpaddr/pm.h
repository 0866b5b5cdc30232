/* SPDX-License-Identifier: MIT */
/*
 * pm.h - path-manager events and commands, between netlink and engine
 */
#pragma once

#include "mptcpaddr/addr.h"
#include "mptcpaddr/uapi.h"

enum pm_event_type {
	PM_EVENT_CREATED = MPTCP_EVENT_CREATED,
	PM_EVENT_ESTABLISHED = MPTCP_EVENT_ESTABLISHED,
	PM_EVENT_CLOSED = MPTCP_EVENT_CLOSED,
	PM_EVENT_ANNOUNCED = MPTCP_EVENT_ANNOUNCED,
	PM_EVENT_REMOVED = MPTCP_EVENT_REMOVED,
	PM_EVENT_SUB_ESTABLISHED = MPTCP_EVENT_SUB_ESTABLISHED,
	PM_EVENT_SUB_CLOSED = MPTCP_EVENT_SUB_CLOSED,
	PM_EVENT_SUB_PRIORITY = MPTCP_EVENT_SUB_PRIORITY,
	/* `local` alone; the engine ignores it */
	PM_EVENT_LISTENER_CLOSED = MPTCPADDR_EV_LISTENER_CLOSED,
};

struct pm_event {
	enum pm_event_type type;
	uint32_t token;	 /* host order */
	uint16_t family; /* of the subflow's socket: AF_INET6 for a mapped IPv4 address */
	struct mpaddr local, remote;
	uint8_t local_id, remote_id;
	uint8_t error;	      /* errno, positive; 0: none */
	uint8_t reset_reason; /* of MP_TCPRST, RFC 8684, 3.6; 0: unspecified, or none */
	bool backup;	      /* the peer's */
	bool server_side;
	bool deny_join_id0; /* the peer's C flag, RFC 8684, 3.1 */
};

/* A subflow that the kernel has */
struct pm_subflow {
	/* Like a SUB_ESTABLISHED; server_side: the peer opened it; backup: ours */
	struct pm_event sub;
	bool live;    /* false while it connects */
	bool initial; /* of MP_CAPABLE */
	bool active;  /* this side sent MP_CAPABLE */
};

#define PM_RESET_PROHIBITED 3 /* "administratively prohibited" */

enum pm_cmd_type {
	PM_CMD_SUBFLOW_CREATE = MPTCP_PM_CMD_SUBFLOW_CREATE,
	/* local and remote with their ports */
	PM_CMD_SUBFLOW_DESTROY = MPTCP_PM_CMD_SUBFLOW_DESTROY,
	PM_CMD_ANNOUNCE = MPTCP_PM_CMD_ANNOUNCE,   /* ADD_ADDR of `local` and its port */
	PM_CMD_REMOVE = MPTCP_PM_CMD_REMOVE,	   /* REMOVE_ADDR of `local_id` */
	PM_CMD_SET_FLAGS = MPTCP_PM_CMD_SET_FLAGS, /* MP_PRIO from `local` to `remote` */
	/* Not the kernel's: ask for the health of a subflow, for engine_checked(). */
	PM_CMD_CHECK = 255,
};

struct pm_cmd {
	enum pm_cmd_type type;
	uint32_t token;
	struct mpaddr local;  /* CREATE: port 0; 0.0.0.0 or ::: routing picks */
	struct mpaddr remote; /* with its port */
	uint8_t local_id;     /* 1-255; 0 is the address of the first subflow */
	uint8_t remote_id;    /* CREATE: REMOVE_ADDR then ends the join, too; 0: none */
	uint32_t flags;	      /* MPTCP_PM_ADDR_FLAG_BACKUP or 0 */
	int endpoint;	      /* index in the pool; -1: routing picks the address */
	int if_idx;	      /* bind to this interface; 0: none, -1: it does not exist */
	int link; /* CHECK: that has `local`; 0: unknown, -1: no matter, nor a route */
	/*
	 * CREATE: from an endpoint that was lost: only if there is a route. DESTROY: of a
	 * join without an answer, which is repeated.
	 */
	bool again;
	bool reset; /* DESTROY: by a RST, because nobody will answer a FIN */
};

/* How a subflow fares. The counts of bytes wrap. */
struct pm_health {
	bool routed;	    /* a route leads from its link and address to the peer */
	bool unacked;	    /* the connection has sent data without an answer */
	uint32_t quiet_ms;  /* since it received data; UINT32_MAX: unknown */
	bool received;	    /* the subflow has brought data */
	uint32_t carried;   /* bytes received and acknowledged on the subflow */
	uint32_t delivered; /* on the connection */
	uint32_t rtt_ms, min_rtt_ms; /* min: rounded up; very large: unknown */
	uint8_t retransmits;	     /* of its oldest segment: no answer to so many */
};

#define PM_CMDS_MAX 16

/* The commands of one event. If they fill up, the engine keeps the rest waiting. */
struct pm_cmds {
	unsigned int n;
	struct pm_cmd v[PM_CMDS_MAX];
};

/* A connection, as connect() knows it */
struct pm_registration {
	uint32_t token;
	bool v6only;	/* IPV6_V6ONLY is set */
	uint8_t first;	/* enum first_why */
	bool inherited; /* the parent process manages it while it lives */
	int64_t when;	/* seconds of any steady clock */
};

const char *pm_event_name(enum pm_event_type type);
