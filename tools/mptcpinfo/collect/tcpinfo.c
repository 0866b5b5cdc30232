// SPDX-License-Identifier: MIT
/*
 * tcpinfo.c - what the kernel's struct tcp_info says of a subflow
 *
 * Apart from subflows.c, because libnl's headers bring in the C library's struct
 * tcp_info, which ends before the byte counts.
 */
#include "tcpinfo.h"

#include "tools/mptcpinfo/snapshot.h"

#include <linux/tcp.h>
#include <string.h>

void tcpinfo_fill(struct subflow *sf, const void *data, size_t len)
{
	struct tcp_info info = { 0 };

	if (len < offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof(uint64_t))
		return;
	memcpy(&info, data, len < sizeof(info) ? len : sizeof(info));
	sf->has_tcp = true;
	sf->bytes_sent = info.tcpi_bytes_sent;
	sf->bytes_received = info.tcpi_bytes_received;
	sf->rtt_us = info.tcpi_rtt;
	sf->cwnd = info.tcpi_snd_cwnd;
	sf->retransmits = info.tcpi_total_retrans;
	sf->delivery_rate = info.tcpi_delivery_rate;
}
