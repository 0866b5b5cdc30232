/* SPDX-License-Identifier: MIT */
/*
 * uapi.h - additions to <linux/mptcp.h> of Debian 12 (6.1)
 *
 * Numbers as of Linux 6.18, include/uapi/linux/mptcp.h and mptcp_pm.h. Missing names have
 * the kernel's spelling; structures that have grown have names of our own.
 */
#pragma once

#include <linux/mptcp.h>
#include <stddef.h>
#include <stdint.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

/* Endpoint flags of MPTCP_PM_ADDR_ATTR_FLAGS; laminar is new in 6.18. */
#ifndef MPTCP_PM_ADDR_FLAG_LAMINAR
#define MPTCP_PM_ADDR_FLAG_LAMINAR (1 << 5)
#endif

/* Of MPTCP_ATTR_FLAGS in an event. */
#define MPTCPADDR_EV_FLAG_DENY_JOIN_ID0 (1 << 0)

/* Event attributes and numbers without a name in 6.1. */
#define MPTCPADDR_ATTR_SERVER_SIDE    18 /* MPTCP_ATTR_SERVER_SIDE, 5.19 */
#define MPTCPADDR_EV_LISTENER_CREATED 15 /* 6.2 */
#define MPTCPADDR_EV_LISTENER_CLOSED  16 /* 6.2 */

/*
 * struct mptcp_info of 6.18. It only grows: pass this size, and treat fields beyond the
 * returned length as absent, not as 0.
 */
struct mptcpaddr_info {
	uint8_t subflows; /* additional ones */
	uint8_t add_addr_signal, add_addr_accepted;
	/* limits: of the in-kernel path manager only */
	uint8_t subflows_max, add_addr_signal_max, add_addr_accepted_max;
	uint32_t flags;
	uint32_t token; /* host order */
	uint64_t write_seq, snd_una, rcv_nxt;
	uint8_t local_addr_used, local_addr_max;
	uint8_t csum_enabled;
	/* 6.5 */
	uint32_t retransmits;
	uint64_t bytes_retrans, bytes_sent, bytes_received, bytes_acked;
	/* 6.8; the endpoint maxima 6.18 */
	uint8_t subflows_total, endp_laminar_max, endp_fullmesh_max;
	uint8_t reserved;
	/* 6.10, milliseconds */
	uint32_t last_data_sent, last_data_recv, last_ack_recv;
};
