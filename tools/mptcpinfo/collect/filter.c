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

#define PREFIX_TEXT_MAX 64

/* @text is ":PORT". */
static int parse_port(const char *text, uint16_t *ret_port)
{
	unsigned long port;
	char *end;

	if (!isdigit((unsigned char)text[1]))
		return -EINVAL;
	port = strtoul(text + 1, &end, 10);
	if (*end || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = port;
	return 0;
}

static bool has_host_bits(const struct mpprefix *prefix)
{
	unsigned int i;

	for (i = prefix->len; i < 128; i++) { /* of IPv4 the others are 0 */
		if (prefix->addr.ip[i / 8] & (0x80 >> i % 8))
			return true;
	}
	return false;
}

/*
 * Splits ADDRESS[/LEN] from the port and takes the brackets off. A bare IPv6 address has
 * colons of its own, so no port can follow it. Return: the port's colon, or the end.
 */
static const char *split_prefix(const char *text, char out[static PREFIX_TEXT_MAX])
{
	const char *close = *text == '[' ? strchr(text, ']') : NULL, *port;

	if (*text == '[' && (!close || !memchr(text, ':', close - text)))
		return NULL;
	port = strchr(close ? close : text, ':');
	if (!port || (!close && port != strrchr(text, ':')))
		port = text + strlen(text);
	if (port - text >= PREFIX_TEXT_MAX)
		return NULL;
	if (close)
		snprintf(out, PREFIX_TEXT_MAX, "%.*s%.*s", (int)(close - text - 1),
			 text + 1, (int)(port - close - 1), close + 1);
	else
		snprintf(out, PREFIX_TEXT_MAX, "%.*s", (int)(port - text), text);
	return port;
}

int remote_parse(const char *text, struct remote *ret_remote)
{
	char prefix[PREFIX_TEXT_MAX];
	struct remote remote = { 0 };
	const char *port, *slash;

	port = split_prefix(text, prefix);
	if (!port || (!prefix[0] && !*port))
		return -EINVAL;
	slash = strchr(prefix, '/');
	if (slash && strlen(slash) > 4)
		return -EINVAL; /* "/00032" */
	if (prefix[0] &&
	    (mpprefix_parse(prefix, &remote.prefix) < 0 || has_host_bits(&remote.prefix)))
		return -EINVAL; /* 10.0.0.1/8 is ambiguous */
	if (*port && parse_port(port, &remote.port) < 0)
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

bool filter_has_process(const struct filter *filter, pid_t pid, const char *program)
{
	char number[16];

	if (!filter->process)
		return true;
	snprintf(number, sizeof(number), "%d", pid);
	return (pid && strcmp(filter->process, number) == 0) ||
	       strcmp(filter->process, program) == 0;
}
