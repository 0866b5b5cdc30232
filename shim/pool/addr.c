// SPDX-License-Identifier: MIT
/*
 * addr.c - addresses, prefixes and their text
 */
#include "mptcpaddr/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mpaddr_set(struct mpaddr *addr, uint16_t family, const void *ip)
{
	struct in6_addr v6 = { 0 };

	memcpy(&v6, ip, family == AF_INET ? sizeof(addr->v4) : sizeof(v6));
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6)) {
		family = AF_INET;
		v6 = (struct in6_addr){ .s6_addr32 = { v6.s6_addr32[3] } };
	}
	addr->family = family;
	addr->v6 = v6;
}

int mpaddr_parse(const char *text, struct mpaddr *ret_addr)
{
	const uint16_t family = strchr(text, ':') ? AF_INET6 : AF_INET;
	struct in6_addr ip;

	if (inet_pton(family, text, &ip) != 1)
		return -EINVAL;
	mpaddr_set(ret_addr, family, &ip);
	ret_addr->port = 0;
	return 0;
}

int mpprefix_parse(const char *text, struct mpprefix *ret_prefix)
{
	size_t ip_len = strcspn(text, "/");
	char ip[INET6_ADDRSTRLEN], *end = "";
	struct mpprefix prefix;
	unsigned long len, bits;

	if (ip_len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, ip_len);
	ip[ip_len] = '\0';
	if (mpaddr_parse(ip, &prefix.addr) < 0)
		return -EINVAL;
	len = bits = prefix.addr.family == AF_INET ? 32 : 128;
	text += ip_len;
	if (*text) {
		if (text[1] < '0' || text[1] > '9')
			return -EINVAL;
		len = strtoul(text + 1, &end, 10);
		/* A v4-mapped prefix counts from the start of the IPv6 address. */
		if (bits == 32 && strchr(ip, ':'))
			len = len >= 96 ? len - 96 : 129;
	}
	if (*end || len > bits)
		return -EINVAL;
	prefix.len = len;
	*ret_prefix = prefix;
	return 0;
}

bool mpaddr_is_any(const struct mpaddr *addr)
{
	return IN6_IS_ADDR_UNSPECIFIED(&addr->v6);
}

bool mpaddr_same_ip(const struct mpaddr *a, const struct mpaddr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

bool mpaddr_equal(const struct mpaddr *a, const struct mpaddr *b)
{
	return a->port == b->port && mpaddr_same_ip(a, b);
}

bool mpaddr_accepts(const struct mpaddr *bound, bool v6only, const struct mpaddr *local)
{
	if (bound->port != local->port)
		return false;
	if (!mpaddr_is_any(bound))
		return mpaddr_same_ip(bound, local);
	/* :: accepts IPv4 too, without IPV6_V6ONLY. */
	return bound->family == local->family || (bound->family == AF_INET6 && !v6only);
}

bool mpprefix_covers(const struct mpprefix *prefix, const struct mpaddr *addr)
{
	const uint8_t *p = prefix->addr.ip, *a = addr->ip;
	unsigned int whole = prefix->len / 8, rest = prefix->len % 8;

	if (prefix->addr.family != addr->family || memcmp(p, a, whole))
		return false;
	return !rest || !((p[whole] ^ a[whole]) >> (8 - rest));
}

bool mpprefix_within(const struct mpprefix *inner, const struct mpprefix *outer)
{
	return inner->len >= outer->len && mpprefix_covers(outer, &inner->addr);
}

#define V4(a, b, c, d) .addr = { .family = AF_INET, .ip = { a, b, c, d } }
#define V6(a, b)       .addr = { .family = AF_INET6, .ip = { a, b } }

const struct mpaddr_range *mpaddr_range(const struct mpaddr *addr)
{
	static const struct mpaddr_range ranges[] = {
		{ { V4(0, 0, 0, 0), 8 }, MPADDR_NO_HOST }, /* "this network", RFC 791 */
		{ { V4(224, 0, 0, 0), 4 }, MPADDR_NO_HOST },
		{ { V4(255, 255, 255, 255), 32 }, MPADDR_NO_HOST },
		{ { V6(0, 0), 128 }, MPADDR_NO_HOST },
		{ { V6(0xff, 0), 8 }, MPADDR_NO_HOST },
		{ { V4(127, 0, 0, 0), 8 }, MPADDR_LOOPBACK },
		{ { .addr = { .family = AF_INET6, .ip = { [15] = 1 } }, 128 },
		  MPADDR_LOOPBACK },
		{ { V4(169, 254, 0, 0), 16 }, MPADDR_LINK_LOCAL },
		{ { V6(0xfe, 0x80), 10 }, MPADDR_LINK_LOCAL },
		{ { V4(10, 0, 0, 0), 8 }, MPADDR_PRIVATE }, /* RFC 1918 */
		{ { V4(172, 16, 0, 0), 12 }, MPADDR_PRIVATE },
		{ { V4(192, 168, 0, 0), 16 }, MPADDR_PRIVATE },
		{ { V4(100, 64, 0, 0), 10 }, MPADDR_PRIVATE }, /* RFC 6598 */
		{ { V4(240, 0, 0, 0), 4 }, MPADDR_PRIVATE },   /* reserved, RFC 1112 */
		{ { V6(0xfc, 0), 7 }, MPADDR_PRIVATE },	       /* RFC 4193 */
	};
	unsigned int i;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (mpprefix_covers(&ranges[i].prefix, addr))
			return &ranges[i];
	return NULL;
}

bool mpaddr_is_public(const struct mpaddr *addr)
{
	static const struct mpprefix unicast = { V6(0x20, 0), 3 }, nat64 = {
		{ .family = AF_INET6, .ip = { 0, 0x64, 0xff, 0x9b } }, 96
	};

	if (addr->family == AF_INET6)
		return mpprefix_covers(&unicast, addr) || mpprefix_covers(&nat64, addr);
	return !mpaddr_range(addr);
}

const char *mpaddr_text(const struct mpaddr *addr, char text[MPADDR_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN];

	const bool v6 = addr->family == AF_INET6;

	if (!v6 && addr->family != AF_INET)
		return strcpy(text, "any");
	inet_ntop(addr->family, addr->ip, ip, sizeof(ip));
	if (!addr->port)
		return strcpy(text, ip);
	sprintf(text, v6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
	return text;
}
