// SPDX-License-Identifier: MIT
/*
 * names.c - the control sockets of this network namespace (/proc/net/unix)
 */
#include "names.h"
#include "mptcpaddr/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIX_SEQPACKET	0x0005
#define UNIX_ACCEPTCON	(1u << 16) /* a listener: accepted sockets bear its name too */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

/* A line of /proc/net/unix. Return: whether it is a manager's; then its name. */
static bool parse_line(const char *line, char name[static NAME_TEXT_MAX])
{
	static const char prefix[] = "@" CTL_NAME_PREFIX;
	unsigned int flags, type;
	int at = 0;
	size_t len;

	if (sscanf(line, "%*x: %*x %*x %x %x %*x %*u %n", &flags, &type, &at) != 2 || !at)
		return false;
	if (!(flags & UNIX_ACCEPTCON) || type != UNIX_SEQPACKET ||
	    strncmp(line + at, prefix, sizeof(prefix) - 1) != 0)
		return false;
	len = strspn(line + at + sizeof(prefix) - 1, NAME_CHARACTERS);
	if (len == 0 || len > 64 || line[at + sizeof(prefix) - 1 + len] != '\n')
		return false;
	snprintf(name, NAME_TEXT_MAX, "%.*s", (int)(sizeof(prefix) - 2 + len),
		 line + at + 1);
	return true;
}

int names_find(char (**ret_names)[NAME_TEXT_MAX], size_t *ret_n)
{
	char(*names)[NAME_TEXT_MAX] = NULL, (*grown)[NAME_TEXT_MAX];
	char name[NAME_TEXT_MAX], *line = NULL;
	size_t size = 0, n = 0;
	int r = 0;
	FILE *f;

	f = fopen("/proc/net/unix", "re");
	if (!f)
		return -errno;
	while (r == 0 && getline(&line, &size, f) > 0) {
		if (!parse_line(line, name))
			continue;
		if (n == NAMES_MAX) {
			r = -E2BIG;
			break;
		}
		grown = reallocarray(names, n + 1, sizeof(*names));
		if (!grown) {
			r = -ENOMEM;
			break;
		}
		names = grown;
		memcpy(names[n++], name, sizeof(name));
	}
	free(line);
	fclose(f);
	if (r == -ENOMEM) {
		free(names);
		return r;
	}
	*ret_names = names;
	*ret_n = n;
	return r;
}
