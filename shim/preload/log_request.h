/* SPDX-License-Identifier: MIT */
/*
 * log_request.h - the log that MPTCPADDR_LOG asks for
 */
#pragma once

#include "mptcpaddr/log.h"

struct handover;

/* log_request_read() - parse the environment; for the application's thread. */
void log_request_read(struct handover *handover);

/* log_request_open() - open the requested log as handover->log_fd and write to it. */
void log_request_open(struct handover *handover);

/*
 * log_request_once() - log one line without a manager thread, once a process
 *
 * Its descriptor is closed before the application continues.
 */
void log_request_once(enum log_level level, const char *text);
