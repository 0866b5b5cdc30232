/* SPDX-License-Identifier: MIT */
/*
 * address.h - an IP address of either family in one type
 *
 * IPv4 is kept as v4-mapped IPv6, which is also how the kernel shows the subflows of
 * a v4 connection on an AF_INET6 socket: the two compare equal.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_TEXT_MAX 48

struct address {
	struct in6_addr ip;
	uint16_t port; /* host order */
};

/* Return: 0, -EINVAL if @text is not an address. */
int address_parse(const char *text, struct address *ret);
struct address address_from_raw(int family, const void *ip, uint16_t port);
bool address_is_v4(const struct address *a);
const void *address_v4(const struct address *a);
/* Without the port, v4-mapped as v4. Return: @ret. */
const char *address_text(const struct address *a, char ret[ADDRESS_TEXT_MAX]);
bool address_same_ip(const struct address *a, const struct address *b);
/* An order for qsort(): by IP, then by port. */
int address_compare(const struct address *a, const struct address *b);
