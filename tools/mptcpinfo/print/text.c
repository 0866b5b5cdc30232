// SPDX-License-Identifier: MIT
/*
 * text.c - how single values are written and read
 */
#include "text.h"

#include "tools/mptcpinfo/snapshot.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *addr_text(const struct inet_addr *addr, char out[static ADDR_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN] = "?", dev[IF_NAMESIZE] = "";
	bool v6 = addr->family == AF_INET6;

	inet_ntop(addr->family, addr->ip, ip, sizeof(ip));
	if (addr->ifindex && !if_indextoname(addr->ifindex, dev))
		snprintf(dev, sizeof(dev), "%u", addr->ifindex);
	snprintf(out, ADDR_TEXT_MAX, "%s%s%s%s%s:%u", v6 ? "[" : "", ip,
		 dev[0] ? "%" : "", dev, v6 ? "]" : "", addr->port);
	return out;
}

const char *state_text(uint8_t state)
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

	if (state >= sizeof(names) / sizeof(names[0]) || !names[state])
		return "unknown";
	return names[state];
}

const char *manager_text(const struct snapshot *snap, const struct connection *conn)
{
	const struct manager *manager = connection_manager(snap, conn);

	switch (conn->manager) {
	case MANAGER_NONE:
		return "none";
	case MANAGER_UNKNOWN:
		break;
	case MANAGER_KERNEL:
		return "kernel";
	case MANAGER_OURS:
		return manager->info.backend;
	}
	return "";
}

const char *endpoint_text(enum endpoint_state state)
{
	switch (state) {
	case ENDPOINT_FREE:
		return "free";
	case ENDPOINT_PENDING:
		return "pending";
	case ENDPOINT_USED:
		return "used";
	case ENDPOINT_UNAVAILABLE:
		return "unavailable";
	}
	return "unknown";
}

const char *announced_text(enum announced_state state)
{
	switch (state) {
	case ANNOUNCED_JOINED:
		return "joined";
	case ANNOUNCED_WAITING:
		return "waiting";
	case ANNOUNCED_REFUSED:
		return "refused";
	}
	return "unknown";
}

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
static void three_digits(double value, const char *unit, size_t size, char *out)
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
		three_digits((double)value / unit, units[i], SCALED_MAX, out);
	return out;
}

const char *rtt_text(uint32_t us, char out[static RTT_MAX])
{
	if (us < 1000)
		snprintf(out, RTT_MAX, "%uus", us);
	else if (us < 1000000)
		three_digits(us / 1e3, "ms", RTT_MAX, out);
	else if (us < 1000000000)
		three_digits(us / 1e6, "s", RTT_MAX, out);
	else
		snprintf(out, RTT_MAX, ">999s");
	return out;
}

void text_clean(char *dst, size_t dst_size, const char *src, size_t src_size)
{
	size_t i, len = strnlen(src, src_size);
	unsigned char c, before = 0;

	if (len >= dst_size)
		len = dst_size - 1;
	for (i = 0; i < len; i++) {
		c = src[i];
		if (c < 0x20 || c == 0x7f || (before == 0xc2 && c >= 0x80 && c < 0xa0))
			dst[i] = '?';
		else
			dst[i] = c;
		before = c;
	}
	dst[len] = '\0';
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

int read_line(const char *path, char *out, size_t size)
{
	ssize_t n;
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	r = n < 0 ? -errno : 0;
	close(fd);
	if (r < 0)
		return r;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}
