// SPDX-License-Identifier: MIT
/*
 * reason.c - the reasons of the control socket, in words
 */
#include "text.h"
#include "tools/mptcpinfo/snapshot.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *ctl_ip_text(const struct mpaddr *addr, char out[static IP_TEXT_MAX])
{
	if (!inet_ntop(addr->family, addr->ip, out, IP_TEXT_MAX))
		strcpy(out, "?");
	return out;
}

void ctl_addr_take(const struct mpaddr *addr, struct inet_addr *ret_addr)
{
	memset(ret_addr, 0, sizeof(*ret_addr));
	ret_addr->family = addr->family;
	ret_addr->port = addr->port;
	memcpy(ret_addr->ip, addr->ip, addr->family == AF_INET6 ? 16 : 4);
}

const char *announced_reason(const struct pm_announced_report *record,
			     char out[static NOTE_REASON_MAX])
{
	bool none = record->reason == PM_REASON_NONE;

	if (record->state == PM_ANNOUNCED_JOINED)
		out[0] = '\0';
	else if (none && record->state == PM_ANNOUNCED_CLOSED)
		strcpy(out, "its subflow was closed");
	else if (none || record->state == PM_ANNOUNCED_PENDING)
		strcpy(out, "being joined"); /* or in a moment, after lost events */
	else
		note_reason_text(record->reason, record->error, out);
	return out;
}
