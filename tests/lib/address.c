// SPDX-License-Identifier: MIT
/*
 * address.c - an IP address of either family in one type
 */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

struct address address_from_raw(int family, const void *ip, uint16_t port)
{
	struct address a = { .port = port };

	if (family == AF_INET) {
		a.ip.s6_addr[10] = a.ip.s6_addr[11] = 0xff;
		memcpy(&a.ip.s6_addr[12], ip, 4);
	} else {
		memcpy(&a.ip, ip, sizeof(a.ip));
	}
	return a;
}

int address_parse(const char *text, struct address *ret)
{
	struct in6_addr ip;

	if (inet_pton(AF_INET, text, &ip) == 1)
		*ret = address_from_raw(AF_INET, &ip, 0);
	else if (inet_pton(AF_INET6, text, &ip) == 1)
		*ret = address_from_raw(AF_INET6, &ip, 0);
	else
		return -EINVAL;
	return 0;
}

bool address_is_v4(const struct address *a)
{
	return IN6_IS_ADDR_V4MAPPED(&a->ip);
}

const void *address_v4(const struct address *a)
{
	return &a->ip.s6_addr[12];
}

const char *address_text(const struct address *a, char ret[ADDRESS_TEXT_MAX])
{
	if (address_is_v4(a))
		inet_ntop(AF_INET, address_v4(a), ret, ADDRESS_TEXT_MAX);
	else
		inet_ntop(AF_INET6, &a->ip, ret, ADDRESS_TEXT_MAX);
	return ret;
}

bool address_same_ip(const struct address *a, const struct address *b)
{
	return !memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

int address_compare(const struct address *a, const struct address *b)
{
	int d = memcmp(&a->ip, &b->ip, sizeof(a->ip));

	return d ? d : a->port - b->port;
}
