/* SPDX-License-Identifier: MIT */
/*
 * addr.h - an IPv4 or IPv6 address with a port
 *
 * IPv4-mapped IPv6 addresses are stored as IPv4: the engine compares across families.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct mpaddr {
	uint16_t family; /* AF_INET, AF_INET6; AF_UNSPEC: none */
	uint16_t port;	 /* host order, 0: any */
	union {
		struct in_addr v4; /* network order */
		struct in6_addr v6;
		uint8_t ip[16]; /* IPv4: the first four, the others 0 */
	};
};
_Static_assert(sizeof(struct mpaddr) == 20, "part of control-socket records");

/* Sets of families, AF_INET or AF_INET6 */
#define FAMILY_BIT(family) ((family) == AF_INET6 ? 2U : 1U)
#define FAMILY_ALL	   (FAMILY_BIT(AF_INET) | FAMILY_BIT(AF_INET6))

#define MPADDR_TEXT_MAX 64 /* "[v6%scope]:port" and its NUL */

struct mpprefix {
	struct mpaddr addr;
	uint8_t len; /* 0-32 or 0-128 */
};

enum mpaddr_kind {
	MPADDR_NO_HOST, /* unspecified, multicast, broadcast */
	MPADDR_LOOPBACK,
	MPADDR_LINK_LOCAL,
	MPADDR_PRIVATE,
};

struct mpaddr_range {
	struct mpprefix prefix;
	enum mpaddr_kind kind;
};

/* mpaddr_range() - the special range that @addr is in; NULL: an ordinary address. */
const struct mpaddr_range *mpaddr_range(const struct mpaddr *addr);
/* mpaddr_is_public() - an address of the Internet, perhaps by NAT64 */
bool mpaddr_is_public(const struct mpaddr *addr);

/* mpaddr_set() - @ip in network order, of AF_INET or AF_INET6; the port stays. */
void mpaddr_set(struct mpaddr *addr, uint16_t family, const void *ip);

/* mpaddr_parse() - read a numeric address; the port becomes 0. Return: 0 or -EINVAL. */
int mpaddr_parse(const char *text, struct mpaddr *ret_addr);

/* mpprefix_parse() - read "10.0.0.0/8"; an address alone is a full-length prefix. */
int mpprefix_parse(const char *text, struct mpprefix *ret_prefix);

bool mpaddr_is_any(const struct mpaddr *addr); /* 0.0.0.0 or :: */
bool mpaddr_same_ip(const struct mpaddr *a, const struct mpaddr *b);
bool mpaddr_equal(const struct mpaddr *a, const struct mpaddr *b);
/* mpaddr_accepts() - a socket listening at @bound accepts connections to @local. */
bool mpaddr_accepts(const struct mpaddr *bound, bool v6only, const struct mpaddr *local);
bool mpprefix_covers(const struct mpprefix *prefix, const struct mpaddr *addr);
bool mpprefix_within(const struct mpprefix *inner, const struct mpprefix *outer);

/* mpaddr_text() - "10.0.1.2:4444", "[2001:db8::1]:4444"; no port: "2001:db8::1". */
const char *mpaddr_text(const struct mpaddr *addr, char text[MPADDR_TEXT_MAX]);
