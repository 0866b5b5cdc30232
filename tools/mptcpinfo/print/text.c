// SPDX-License-Identifier: MIT
/*
 * text.c - single values as text, and the fields that all formats share
 */
#include "print.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define FIELD(record, member)                                      \
	.key = #member, .offset = offsetof(struct record, member), \
	.size = sizeof(((struct record *)NULL)->member)
#define MANAGER(member, name, kind, text)                                              \
	{                                                                              \
		FIELD(ctl_manager, member), .metric = name, .type = kind, .help = text \
	}
#define SUBFLOW(member, name, kind, text)                                          \
	{                                                                          \
		FIELD(subflow, member), .metric = name, .type = kind, .help = text \
	}

const struct field manager_fields[] = {
	MANAGER(connections, "manager_connections", "gauge", "Connections in its table"),
	MANAGER(used_ids, "manager_used_ids", "gauge", "Local address IDs in use"),
	MANAGER(early, "manager_early_events", "gauge",
		"Events held for connections not registered yet"),
	MANAGER(events, "manager_events_total", "counter", "Kernel events"),
	MANAGER(events_replayed, "manager_events_replayed_total", "counter",
		"Kernel events that preceded their connection"),
	MANAGER(events_foreign, "manager_events_foreign_total", "counter",
		"Kernel events of other programs' connections"),
	MANAGER(overruns, "manager_overruns_total", "counter",
		"Times that kernel events were lost"),
	MANAGER(registrations, "manager_registrations_total", "counter",
		"Connections registered"),
	MANAGER(registrations_lost, "manager_registrations_lost_total", "counter",
		"Connections that could not be registered"),
	MANAGER(endp_signal_max, NULL, NULL, NULL),
	MANAGER(endp_subflow_max, NULL, NULL, NULL),
	MANAGER(endp_laminar_max, NULL, NULL, NULL),
	MANAGER(endp_fullmesh_max, NULL, NULL, NULL),
	MANAGER(pool_loads, "manager_pool_loads_total", "counter", "Pool files loaded"),
#define X(name, text)                                                  \
	{ .key = #name,                                                \
	  .offset = offsetof(struct ctl_manager, counters.name),       \
	  .size = sizeof(((struct ctl_manager *)NULL)->counters.name), \
	  .metric = "pm_" #name "_total",                              \
	  .type = "counter",                                           \
	  .help = text },
	PM_COUNTERS(X)
#undef X
};
const size_t n_manager_fields = N(manager_fields);

const struct field subflow_fields[] = {
	SUBFLOW(bytes_sent, "subflow_sent_bytes_total", "counter",
		"Payload sent, including retransmissions"),
	SUBFLOW(bytes_received, "subflow_received_bytes_total", "counter",
		"Payload received"),
	SUBFLOW(rtt_us, "subflow_rtt_seconds", "gauge", "Smoothed round trip time"),
	SUBFLOW(cwnd, "subflow_cwnd_segments", "gauge", "Congestion window"),
	SUBFLOW(retransmits, "subflow_retransmits_total", "counter",
		"Segments retransmitted"),
	SUBFLOW(delivery_rate, "subflow_delivery_rate_bytes", "gauge",
		"Bytes per second that the peer acknowledged last"),
	SUBFLOW(backup, "subflow_backup", "gauge",
		"Whether it is used only when the others fail"),
};
const size_t n_subflow_fields = N(subflow_fields);

uint64_t field_value(const struct field *field, const void *record)
{
	const void *at = (const char *)record + field->offset;

	if (field->size == sizeof(bool))
		return *(const bool *)at;
	return field->size == sizeof(uint32_t) ? *(const uint32_t *)at
					       : *(const uint64_t *)at;
}

const char *paint_on(bool colour, enum paint paint)
{
	static const char *const codes[] = {
		[PAINT_PLAIN] = "",	   [PAINT_HEAD] = "\033[1m",
		[PAINT_LABEL] = "\033[2m", [PAINT_GOOD] = "\033[32m",
		[PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[31m",
	};

	return colour ? codes[paint] : "";
}

const char *paint_off(bool colour)
{
	return colour ? "\033[0m" : "";
}

static const char *end_text(const struct mpaddr *addr, uint32_t ifindex, char *out)
{
	char ip[INET6_ADDRSTRLEN] = "?", dev[IF_NAMESIZE] = "";
	bool v6 = addr->family == AF_INET6;

	inet_ntop(addr->family, addr->ip, ip, sizeof(ip));
	if (ifindex && v6 && IN6_IS_ADDR_LINKLOCAL(&addr->v6) &&
	    !if_indextoname(ifindex, dev))
		snprintf(dev, sizeof(dev), "%u", ifindex);
	snprintf(out, ADDR_TEXT_MAX, "%s%s%s%s%s:%u", v6 ? "[" : "", ip,
		 dev[0] ? "%" : "", dev, v6 ? "]" : "", addr->port);
	return out;
}

const char *local_text(const struct path *path, char out[static ADDR_TEXT_MAX])
{
	return end_text(&path->local, path->ifindex, out);
}

const char *remote_text(const struct path *path, char out[static ADDR_TEXT_MAX])
{
	return end_text(&path->remote, path->ifindex, out);
}

const char *ip_text(const struct mpaddr *addr, char out[static MPADDR_TEXT_MAX])
{
	struct mpaddr ip = *addr;

	ip.port = 0;
	return mpaddr_text(&ip, out);
}

const char *tcp_state_text(uint8_t state)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "established",
		[TCP_SYN_SENT] = "syn-sent",
		[TCP_SYN_RECV] = "syn-recv",
		[TCP_FIN_WAIT1] = "fin-wait-1",
		[TCP_FIN_WAIT2] = "fin-wait-2",
		[TCP_TIME_WAIT] = "time-wait",
		[TCP_CLOSE] = "closed",
		[TCP_CLOSE_WAIT] = "close-wait",
		[TCP_LAST_ACK] = "last-ack",
		[TCP_LISTEN] = "listening",
		[TCP_CLOSING] = "closing",
	};

	if (state >= N(names) || !names[state])
		return "unknown";
	return names[state];
}

/* An established subflow may be unused as long as the others work. */
const char *subflow_state_text(const struct subflow *sf)
{
	return sf->state == TCP_ESTABLISHED && sf->backup ? "backup"
							  : tcp_state_text(sf->state);
}

const char *manager_text(const struct snapshot *snap, const struct connection *conn)
{
	static const char *const words[] = {
		[MANAGER_NONE] = "none",
		[MANAGER_UNKNOWN] = "",
		[MANAGER_KERNEL] = "kernel",
	};
	const struct manager *manager = connection_manager(snap, conn);

	return manager ? manager->info.backend : words[conn->manager];
}

const char *const endpoint_state_words[] = {
	[ENDPOINT_FREE] = "free",
	[ENDPOINT_PENDING] = "pending",
	[ENDPOINT_USED] = "used",
	[ENDPOINT_UNAVAILABLE] = "unavailable",
};

const char *const announced_words[] = {
	[ANNOUNCED_JOINED] = "joined",
	[ANNOUNCED_WAITING] = "waiting",
	[ANNOUNCED_REFUSED] = "refused",
};

const char *endpoint_flag_text(uint32_t bit)
{
	switch (bit) {
	case MPTCP_PM_ADDR_FLAG_SIGNAL:
		return "signal";
	case MPTCP_PM_ADDR_FLAG_SUBFLOW:
		return "subflow";
	case MPTCP_PM_ADDR_FLAG_BACKUP:
		return "backup";
	case MPTCP_PM_ADDR_FLAG_FULLMESH:
		return "fullmesh";
	case MPTCP_PM_ADDR_FLAG_LAMINAR:
		return "laminar";
	}
	return NULL;
}

/* Three digits of @value, which is less than 1000, without rounding up to a fourth. */
static void put_three_digits(double value, const char *unit, size_t size, char *out)
{
	int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
	double step = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;

	snprintf(out, size, "%.*f%s", decimals, (uint64_t)(value * step) / step, unit);
}

const char *scaled_text(uint64_t value, char out[static SCALED_MAX])
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E" };
	uint64_t unit = 1;
	size_t i;

	for (i = 0; value / unit >= 1000 && i < 6; i++)
		unit *= 1000;
	if (i == 0)
		snprintf(out, SCALED_MAX, "%u", (unsigned int)value);
	else
		put_three_digits((double)value / unit, units[i], SCALED_MAX, out);
	return out;
}

const char *rtt_text(uint32_t us, char out[static RTT_MAX])
{
	if (us < 1000)
		snprintf(out, RTT_MAX, "%uus", us);
	else if (us < 1000000)
		put_three_digits(us / 1e3, "ms", RTT_MAX, out);
	else if (us < 1000000000)
		put_three_digits(us / 1e6, "s", RTT_MAX, out);
	else
		snprintf(out, RTT_MAX, ">999s");
	return out;
}

int token_parse(const char *text, uint32_t *ret_token)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	/* Not base 0: a leading zero must not mean octal. */
	value = strtoull(text, &end, strncasecmp(text, "0x", 2) ? 10 : 16);
	if (errno || *end || value > UINT32_MAX)
		return -EINVAL;
	*ret_token = value;
	return 0;
}
