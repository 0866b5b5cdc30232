/* SPDX-License-Identifier: MIT */
/*
 * endpoint_reason.h - why no path leaves from a `subflow` endpoint
 */
#pragma once

#include "mptcpaddr/note.h"

/*
 * endpoint_reason() - why no path to the server's first address leaves from a usable
 * `subflow` endpoint of the connection's section and family
 * @error: of endpoint_error(); @subflows_max: [limits] subflows
 *
 * Return: @out.
 */
const char *endpoint_reason(const struct pm_conn_report *conn, bool pending, int error,
			    unsigned int subflows_max, char out[static NOTE_REASON_MAX]);
/* endpoint_error() - the errno of endpoint @i; -1: the connection's */
int endpoint_error(const struct pm_conn_report *conn, size_t i);
