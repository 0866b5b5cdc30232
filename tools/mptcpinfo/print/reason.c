// SPDX-License-Identifier: MIT
/*
 * reason.c - the reasons of the control socket, in words
 */
#include "text.h"
#include "tools/mptcpinfo/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
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

/* A reset is the peer's answer; whatever else, nobody knows whose it is. */
static const char *join_text(uint8_t error, char out[static REASON_MAX])
{
	bool peer = error == ECONNREFUSED || error == ECONNRESET;

	snprintf(out, REASON_MAX, "join %s: %s", peer ? "refused by the peer" : "failed",
		 error ? strerror(error) : "no error told");
	return out;
}

const char *reason_text(uint8_t reason, uint8_t error, char out[static REASON_MAX])
{
	static const char *const words[] = {
		[PM_REASON_NONE] = "",
		[PM_REASON_EXHAUSTED] =
			"pool exhausted (every endpoint that fits is in use)",
		[PM_REASON_FAMILY] = "no endpoint of its address family",
		[PM_REASON_LIMIT_SUBFLOWS] = "limit ([limits] subflows)",
		[PM_REASON_LIMIT_ACCEPTED] = "limit ([limits] add_addr_accepted)",
		[PM_REASON_FILTER] = "filter ([accept] does not let it through)",
		[PM_REASON_PROHIBITED] =
			"join refused by the peer: administratively prohibited",
		[PM_REASON_ABSENT] = "every endpoint left is unavailable",
		[PM_REASON_EXCLUDED] = "no pool for this destination",
		[PM_REASON_INHERITED] = "the parent process manages it",
		[PM_REASON_REMOVED] = "withdrawn by the peer",
		[PM_REASON_ENDPOINT_GONE] = "its local address went away",
		[PM_REASON_TOO_MANY] = "too many addresses at once",
	};

	if (reason == PM_REASON_ERROR)
		return join_text(error, out);
	if (reason < sizeof(words) / sizeof(words[0]))
		strcpy(out, words[reason]);
	else
		snprintf(out, REASON_MAX, "reason %u", reason); /* a later manager's */
	return out;
}

const char *announced_reason(const struct pm_announced_report *record,
			     char out[static REASON_MAX])
{
	bool none = record->reason == PM_REASON_NONE;

	if (record->state == PM_ANNOUNCED_JOINED)
		out[0] = '\0';
	else if (none && record->state == PM_ANNOUNCED_CLOSED)
		strcpy(out, "its subflow was closed");
	else if (none || record->state == PM_ANNOUNCED_PENDING)
		strcpy(out, "being joined"); /* or in a moment, after lost events */
	else
		reason_text(record->reason, record->error, out);
	return out;
}
