/* SPDX-License-Identifier: MIT */
/*
 * log_request.h - the log that MPTCPADDR_LOG asks for
 */
#pragma once

#include "mptcpaddr/log.h"

#include <stdatomic.h>

struct handover;

/* log_request_read() - parse the environment; for the application's thread. */
void log_request_read(struct handover *handover);

/* log_request_open() - open the requested log as handover->log_fd. Changes errno. */
void log_request_open(struct handover *handover);

/*
 * log_request_keep() - open a requested file now, under a high number: the program is
 * about to change its root directory or user
 *
 * log_request_kept() - that number, or negative. Both change errno.
 */
void log_request_keep(void);
int log_request_kept(void);

/*
 * log_request_print() - log @text and @more without a manager thread
 *
 * Its descriptor is closed before the application continues. Keeps errno and signals.
 */
void log_request_print(enum log_level level, const char *text, const char *more);

/* LOG_REQUEST_ONCE() - likewise, once a process at this place. */
#define LOG_REQUEST_ONCE(level, text, more)                         \
	do {                                                        \
		static _Atomic bool done_;                          \
		if (!atomic_exchange(&done_, true))                 \
			log_request_print((level), (text), (more)); \
	} while (0)
