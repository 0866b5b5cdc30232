// SPDX-License-Identifier: MIT
/*
 * text.c - how single values are written and read
 */
#include "text.h"

#include "model.h"

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
