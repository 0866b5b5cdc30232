// SPDX-License-Identifier: MIT
/*
 * text.c - single values as text, and the fields that all formats share
 */
#include "print.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIELD(record, member, key, ...)                                   \
	{                                                                 \
		key, offsetof(struct record, member),                     \
			sizeof(((struct record *)0)->member), __VA_ARGS__ \
	}
#define MANAGER(member, metric, help) \
	FIELD(ctl_manager, member, #member, "manager_" metric, help)
#define SUBFLOW(member, metric, help) \
	FIELD(subflow, member, #member, "subflow_" metric, help)

const struct field manager_fields[] = {
	MANAGER(connections, "connections", "Connections in its table"),
	MANAGER(used_ids, "used_ids", "Local address IDs in use"),
	MANAGER(early, "early_events", "Events held for connections not registered yet"),
	MANAGER(events, "events_total", "Kernel events"),
	MANAGER(events_replayed, "events_replayed_total",
		"Kernel events that preceded their connection"),
	MANAGER(events_foreign, "events_foreign_total",
		"Kernel events of other programs' connections"),
	MANAGER(overruns, "overruns_total", "Times that kernel events were lost"),
	MANAGER(registrations, "registrations_total", "Connections registered"),
	MANAGER(registrations_lost, "registrations_lost_total",
		"Connections that could not be registered"),
	FIELD(ctl_manager, endp_signal_max, "endp_signal_max", NULL, NULL),
	FIELD(ctl_manager, endp_subflow_max, "endp_subflow_max", NULL, NULL),
	FIELD(ctl_manager, endp_laminar_max, "endp_laminar_max", NULL, NULL),
	FIELD(ctl_manager, endp_fullmesh_max, "endp_fullmesh_max", NULL, NULL),
	MANAGER(pool_loads, "pool_loads_total", "Pool files loaded"),
#define X(name, help) \
	FIELD(ctl_manager, counters.name, #name, "pm_" #name "_total", help),
	PM_COUNTERS(X)
#undef X
		{ 0 },
};

const struct field subflow_fields[] = {
	SUBFLOW(bytes_sent, "sent_bytes_total",
		"Payload sent, including retransmissions"),
	SUBFLOW(bytes_received, "received_bytes_total", "Payload received"),
	SUBFLOW(rtt_us, "rtt_seconds", "Smoothed round trip time"),
	SUBFLOW(cwnd, "cwnd_segments", "Congestion window"),
	SUBFLOW(retransmits, "retransmits_total", "Segments retransmitted"),
	SUBFLOW(delivery_rate, "delivery_rate_bytes",
		"Bytes per second that the peer acknowledged last"),
	SUBFLOW(backup, "backup", "Whether it is used only when the others fail"),
	{ 0 },
};

uint64_t field_value(const struct field *field, const void *record)
{
	const void *at = (const char *)record + field->offset;

	if (field->size == sizeof(bool))
		return *(const bool *)at;
	return field->size == sizeof(uint32_t) ? *(const uint32_t *)at
					       : *(const uint64_t *)at;
}

const char *const paint_codes[2][PAINT_OFF + 1] = {
	{ "", "", "", "", "", "", "" },
	{ "", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m", "\033[0m" },
};

const char *end_text(const struct mpaddr *addr, uint32_t ifindex,
		     char out[static ADDR_TEXT_MAX])
{
	char ip[MPADDR_TEXT_MAX], dev[IF_NAMESIZE] = "";
	bool v6 = addr->family == AF_INET6;

	if (ifindex && v6 && IN6_IS_ADDR_LINKLOCAL(&addr->v6) &&
	    !if_indextoname(ifindex, dev))
		snprintf(dev, sizeof(dev), "%u", ifindex);
	snprintf(out, ADDR_TEXT_MAX, "%s%s%s%s%s:%u", v6 ? "[" : "", ip_text(addr, ip),
		 dev[0] ? "%" : "", dev, v6 ? "]" : "", addr->port);
	return out;
}

const char *ip_text(const struct mpaddr *addr, char out[static MPADDR_TEXT_MAX])
{
	struct mpaddr ip = *addr;

	ip.port = 0;
	return mpaddr_text(&ip, out);
}

const char *tcp_state_text(uint8_t state)
{
	static const char *const words[] = { "unknown",	  "established", "syn-sent",
					     "syn-recv",  "fin-wait-1",	 "fin-wait-2",
					     "time-wait", "closed",	 "close-wait",
					     "last-ack",  "listening",	 "closing" };

	return words[state <= TCP_CLOSING ? state : 0];
}

const char *iso_text(int64_t time_ns, char out[static ISO_MAX])
{
	time_t seconds = time_ns / 1000000000;
	struct tm tm;
	size_t n = strftime(out, ISO_MAX, "%FT%T", gmtime_r(&seconds, &tm));

	snprintf(out + n, ISO_MAX - n, ".%06dZ", (int)(time_ns % 1000000000 / 1000));
	return out;
}

const char *manager_text(const struct snapshot *snap, const struct connection *conn)
{
	const struct manager *manager = connection_manager(snap, conn);

	return manager				 ? manager->info.backend
	       : conn->manager == MANAGER_KERNEL ? "kernel"
	       : conn->manager == MANAGER_NONE	 ? "none"
						 : "";
}

const struct word endpoint_words[] = {
	[ENDPOINT_FREE] = { "free", PAINT_WARN },
	[ENDPOINT_PENDING] = { "pending", PAINT_WARN },
	[ENDPOINT_USED] = { "used", PAINT_GOOD },
	[ENDPOINT_SILENT] = { "silent", PAINT_BAD },
	[ENDPOINT_NO_LINK] = { "down", PAINT_BAD },
	[ENDPOINT_NO_ROUTE] = { "unrouted", PAINT_BAD },
	[ENDPOINT_NO_QUOTA] = { "spent", PAINT_WARN },
	[ENDPOINT_HELD] = { "held", PAINT_WARN },
	[ENDPOINT_UNAVAILABLE] = { "unavailable", PAINT_BAD },
};

enum endpoint_state endpoint_state(const struct connection *conn,
				   const struct manager *manager, size_t i)
{
	const struct pm_conn_report *report = &conn->record;
	uint64_t bit = i < 64 ? 1ull << i : 0;

	if (!(report->endpoints_mine & bit))
		return ENDPOINT_OTHER;
	if (conn->unrouted & bit)
		return ENDPOINT_NO_ROUTE;
	if (report->endpoints_silent & bit)
		return ENDPOINT_SILENT;
	if (report->endpoints_used & bit)
		return manager->endpoints[i].state == CTL_ENDPOINT_DOWN ? ENDPOINT_NO_LINK
									: ENDPOINT_USED;
	if (report->endpoints_pending & bit)
		return ENDPOINT_PENDING;
	if (manager->endpoints[i].state)
		return manager->endpoints[i].state == CTL_ENDPOINT_SPENT
			       ? ENDPOINT_NO_QUOTA
			       : ENDPOINT_UNAVAILABLE;
	return manager->endpoints[i].held_s ? ENDPOINT_HELD : ENDPOINT_FREE;
}

struct word announced_word(const struct pm_announced_report *record)
{
	if (record->state == PM_ANNOUNCED_JOINED)
		return (struct word){ "joined", PAINT_GOOD };
	if (record->state == PM_ANNOUNCED_REFUSED)
		return (struct word){ "refused", PAINT_BAD };
	/* After its subflow has closed, it waits for another ADD_ADDR. */
	return (struct word){ "waiting", PAINT_WARN };
}

/* Three digits of @value, cut; each of @units is a thousand of the one before. */
static const char *digits_text(uint64_t value, const char *const *units, size_t size,
			       char *out)
{
	uint64_t unit = 1, step = 1, digits;
	int decimals;

	for (; value / unit >= 1000; unit *= 1000)
		units++;
	for (decimals = 0; step * 10 <= unit && value / unit * step < 100; decimals++)
		step *= 10;
	digits = value / (unit / step);
	snprintf(out, size, "%.*f%s", decimals, (double)digits / (double)step, *units);
	return out;
}

const char *scaled_text(uint64_t value, char out[static SCALED_MAX])
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E" };

	return digits_text(value, units, SCALED_MAX, out);
}

const char *rtt_text(uint32_t us, char out[static RTT_MAX])
{
	static const char *const units[] = { "us", "ms", "s" };

	if (us >= 1000000000)
		return strcpy(out, ">999s");
	return digits_text(us, units, RTT_MAX, out);
}

const char *rate_text(double rate, char out[static RATE_MAX])
{
	static const char *const units[] = { "B/s", "kB/s", "MB/s", "GB/s", "TB/s" };
	size_t i = 0;

	if (isnan(rate))
		return strcpy(out, "-");
	/* What would be rounded to 1000 is one of the next unit. */
	while (rate >= 999.5 && i + 1 < sizeof(units) / sizeof(units[0])) {
		rate /= 1000;
		i++;
	}
	snprintf(out, RATE_MAX, i && rate < 99.95 ? "%.1f %s" : "%.0f %s", rate,
		 units[i]);
	return out;
}

static bool number_parse(const char *text, int base, uint32_t *ret)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || *end || value > UINT32_MAX)
		return false;
	*ret = value;
	return true;
}

int token_parse(const char *text, uint32_t ret[static 2])
{
	uint32_t hex, decimal;
	bool is_hex, is_decimal;

	if (!isxdigit((unsigned char)text[0]))
		return -EINVAL;
	is_hex = number_parse(text, 16, &hex);
	/* Not base 0: a leading zero must not mean octal. */
	is_decimal = number_parse(text, 10, &decimal);
	if (!is_hex && !is_decimal)
		return -EINVAL;
	ret[0] = is_hex ? hex : decimal;
	ret[1] = is_decimal ? decimal : hex;
	return 0;
}
