/* SPDX-License-Identifier: MIT */
/*
 * pm.h - path-manager events and commands: the words between kernel, netlink and engine
 */
#ifndef MPTCPADDR_PM_H
#define MPTCPADDR_PM_H

#include "mptcpaddr/mpaddr.h"

enum pm_event_type {
	PM_EVENT_CREATED,
	PM_EVENT_ESTABLISHED,
	PM_EVENT_CLOSED,
	PM_EVENT_ANNOUNCED,
	PM_EVENT_REMOVED,
	PM_EVENT_SUB_ESTABLISHED,
	PM_EVENT_SUB_CLOSED,
	PM_EVENT_SUB_PRIORITY,
};

struct pm_event {
	enum pm_event_type type;
	uint32_t token;	 /* host order */
	uint16_t family; /* of the subflow's socket: AF_INET6 for a mapped IPv4 address */
	struct mpaddr local, remote;
	uint8_t local_id, remote_id;
	uint8_t error; /* errno, positive; 0: none */
	bool backup;   /* the peer's */
	bool server_side;
};

enum pm_cmd_type {
	PM_CMD_SUBFLOW_CREATE,
};

#define PM_CMD_NO_ENDPOINT (-1) /* routing picks the local address */

struct pm_cmd {
	enum pm_cmd_type type;
	uint32_t token;
	struct mpaddr local;  /* port 0; 0.0.0.0 or ::: routing picks the address */
	struct mpaddr remote; /* with its port */
	uint8_t local_id;     /* 1-255 */
	uint32_t flags;	      /* MPTCP_PM_ADDR_FLAG_BACKUP or 0 */
	int endpoint;	      /* index into the pool, or PM_CMD_NO_ENDPOINT */
};

#define PM_CMDS_MAX 16

/* What one event led to. Full: what is left over stays waiting in the engine. */
struct pm_cmds {
	unsigned int n;
	struct pm_cmd v[PM_CMDS_MAX];
};

/* What connect() knows of a connection. */
struct pm_registration {
	uint32_t token;
	bool v6only;  /* IPV6_V6ONLY is set */
	int64_t when; /* seconds of any steady clock */
};

const char *pm_event_name(enum pm_event_type type);

#endif
