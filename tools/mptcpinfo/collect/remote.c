// SPDX-License-Identifier: MIT
/*
 * remote.c - which peers are wanted: ADDRESS[/LEN][:PORT]
 */
#include "remote.h"

#include "collect.h"
#include "tools/mptcpinfo/snapshot.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number up to @max, @min at least; *@text is behind it afterwards. */
static int take_number(const char **text, unsigned int min, unsigned int max,
		       unsigned int *ret)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	value = strtoul(*text, &end, 10);
	if (end - *text > 5 || value < min || value > max)
		return -EINVAL;
	*text = end;
	*ret = value;
	return 0;
}

/* The address, bare or in brackets; *@text is behind it afterwards. */
static int take_address(const char **text, struct remote *remote)
{
	bool bracket = **text == '[';
	const char *from = *text + bracket;
	size_t len = strcspn(from, bracket ? "]" : "/");
	char ip[INET6_ADDRSTRLEN];

	/* A bare IPv6 address has colons of its own: no port can follow it. */
	if (!bracket && strchr(from, ':') == strrchr(from, ':'))
		len = strcspn(from, "/:");
	if (len >= sizeof(ip) || (bracket && from[len] != ']'))
		return -EINVAL;
	memcpy(ip, from, len);
	ip[len] = '\0';
	if (inet_pton(AF_INET6, ip, remote->ip) == 1)
		remote->family = AF_INET6;
	else if (!bracket && inet_pton(AF_INET, ip, remote->ip) == 1)
		remote->family = AF_INET;
	else
		return -EINVAL;
	*text = from + len + bracket;
	return 0;
}

static bool bit_at(const uint8_t *ip, unsigned int i)
{
	return ip[i / 8] & (0x80 >> i % 8);
}

int remote_parse(const char *text, struct remote *ret_remote)
{
	struct remote remote = { 0 };
	unsigned int i, bits, number;

	if (*text != ':' && take_address(&text, &remote) < 0)
		return -EINVAL;
	bits = remote.family == AF_INET6 ? 128 : remote.family == AF_INET ? 32 : 0;
	remote.len = bits;
	if (*text == '/' && bits) {
		text++;
		if (take_number(&text, 0, bits, &number) < 0)
			return -EINVAL;
		remote.len = number;
	}
	for (i = remote.len; i < bits; i++) {
		if (bit_at(remote.ip, i))
			return -EINVAL; /* 10.0.0.1/8: what is meant? */
	}
	if (*text == ':') {
		text++;
		if (take_number(&text, 1, UINT16_MAX, &number) < 0)
			return -EINVAL;
		remote.port = number;
	}
	if (*text)
		return -EINVAL;
	*ret_remote = remote;
	return 0;
}

bool remote_matches(const struct remote *remote, const struct inet_addr *addr)
{
	unsigned int i;

	if (remote->port && remote->port != addr->port)
		return false;
	if (!remote->family)
		return true;
	if (remote->family != addr->family)
		return false;
	for (i = 0; i < remote->len; i++) {
		if (bit_at(remote->ip, i) != bit_at(addr->ip, i))
			return false;
	}
	return true;
}
