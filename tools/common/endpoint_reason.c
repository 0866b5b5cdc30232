// SPDX-License-Identifier: MIT
/*
 * endpoint_reason.c - why no path leaves from a `subflow` endpoint
 */
#include "endpoint_reason.h"
#include "mptcpaddr/pm.h"

#include <errno.h>
#include <stdio.h>

/* Nobody keeps it by endpoint once no retry is planned. */
static const char *of_connection(uint8_t reason, uint8_t error,
				 char out[static NOTE_REASON_MAX])
{
	char text[NOTE_REASON_MAX];

	snprintf(out, NOTE_REASON_MAX, "%.120s (last error of this connection)",
		 note_reason_text(reason, error, text));
	return out;
}

int endpoint_error(const struct pm_conn_report *conn, size_t i)
{
	return conn->endpoints_failed >> i & 1 ? conn->errors[i] : -1;
}

const char *endpoint_reason(const struct pm_conn_report *conn, bool pending, int error,
			    unsigned int subflows_max, char out[static NOTE_REASON_MAX])
{
	const char *text = "about to be joined";

	if (pending)
		text = "being joined";
	else if (conn->deny_join_id0)
		text = "the server refuses more paths to its first address (C flag)";
	else if (conn->extra_subflows >= subflows_max)
		return note_reason_text(PM_REASON_LIMIT_SUBFLOWS, 0, out);
	else if (error == EHOSTUNREACH) /* there is a route, or mptcpinfo says so */
		text = "join failed: No route to host (from a router, or the gateway "
		       "does not answer)";
	else if (error > 0)
		return note_reason_text(PM_REASON_ERROR, error, out);
	else if (error < 0 && conn->last_reset == PM_RESET_PROHIBITED)
		return of_connection(PM_REASON_PROHIBITED, 0, out);
	else if (error < 0 && conn->last_error)
		return of_connection(PM_REASON_ERROR, conn->last_error, out);
	else if (conn->counters.closed_error || conn->counters.closed_other)
		text = "closed by the server, which may be at its limit of paths";
	snprintf(out, NOTE_REASON_MAX, "%s", text);
	return out;
}
