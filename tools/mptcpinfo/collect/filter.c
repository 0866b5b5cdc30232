// SPDX-License-Identifier: MIT
/*
 * filter.c - which peers and processes are wanted
 */
#include "collect.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_host_bits(const struct mpprefix *prefix)
{
	unsigned int i;

	for (i = prefix->len; i < 128; i++) { /* of IPv4 the others are 0 */
		if (prefix->addr.ip[i / 8] & (0x80 >> i % 8))
			return true;
	}
	return false;
}

int remote_parse(const char *text, struct remote *ret_remote)
{
	char copy[64], *ip = copy, *after = copy, *port, *slash, *end;
	struct remote remote = { 0 };
	unsigned long number;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return -EINVAL;
	if (*copy == '[') { /* remove the brackets of an IPv6 address */
		after = strchr(++ip, ']');
		if (!after || !memchr(ip, ':', after - ip) || !strchr("/:", after[1]))
			return -EINVAL;
		memmove(after, after + 1, strlen(after));
	}
	port = strchr(after, ':');
	/* A bare IPv6 address has colons of its own, so no port can follow it. */
	if (port && (*copy == '[' || port == strrchr(port, ':'))) {
		*port++ = '\0';
		number = strtoul(port, &end, 10);
		if (!isdigit((unsigned char)*port) || *end || number < 1 ||
		    number > UINT16_MAX)
			return -EINVAL;
		remote.port = number;
	}
	slash = strchr(ip, '/');
	if (slash && strlen(slash) > 4)
		return -EINVAL; /* "/00032" */
	/* 10.0.0.1/8 is ambiguous. */
	if ((*ip || !port) &&
	    (mpprefix_parse(ip, &remote.prefix) < 0 || has_host_bits(&remote.prefix)))
		return -EINVAL;
	*ret_remote = remote;
	return 0;
}

bool remote_matches(const struct remote *remote, const struct mpaddr *addr)
{
	if (remote->port && remote->port != addr->port)
		return false;
	return !remote->prefix.addr.family || mpprefix_covers(&remote->prefix, addr);
}

bool token_matches(const struct filter *filter, uint32_t token)
{
	return !filter->has_token || token == filter->tokens[0] ||
	       token == filter->tokens[1];
}

bool process_matches(const char *process, pid_t pid, const char *program)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	return !process || (pid && strcmp(process, number) == 0) ||
	       strcmp(process, program) == 0;
}
