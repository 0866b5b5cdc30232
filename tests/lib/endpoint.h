/* SPDX-License-Identifier: MIT */
/*
 * endpoint.h - the kernel's own endpoints and limits, on a host
 *
 * By netlink, since the distribution's ip(8) does not know `laminar`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mptcpaddr/uapi.h"

struct host;

#define EP_SIGNAL   MPTCP_PM_ADDR_FLAG_SIGNAL
#define EP_SUBFLOW  MPTCP_PM_ADDR_FLAG_SUBFLOW
#define EP_BACKUP   MPTCP_PM_ADDR_FLAG_BACKUP
#define EP_FULLMESH MPTCP_PM_ADDR_FLAG_FULLMESH
#define EP_LAMINAR  MPTCP_PM_ADDR_FLAG_LAMINAR

struct endpoint_spec {
	const char *addr;
	uint32_t flags;
	uint8_t id;	 /* 0: the kernel chooses */
	uint16_t port;	 /* 0: none */
	const char *dev; /* NULL: none */
};

/* All of these return 0 or -errno. */

/* A `signal` endpoint is announced at once on the connections that exist. */
int endpoint_add(const struct host *h, const struct endpoint_spec *spec);
/* By address, whatever ID it got; a `signal` endpoint is withdrawn (RM_ADDR). */
int endpoint_del(const struct host *h, const char *addr);
/* `backup` and `fullmesh` of the endpoint with this address become those of @spec. */
int endpoint_change(const struct host *h, const struct endpoint_spec *spec);
int limits_set(const struct host *h, uint32_t subflows, uint32_t add_addr_accepted);
/* Whether @h's kernel has laminar endpoints (Linux 6.18). Adds none. */
int endpoint_laminar_known(const struct host *h, bool *ret);
