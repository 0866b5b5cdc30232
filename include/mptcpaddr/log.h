/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line at a time to a descriptor of the manager's own
 *
 * Silent until log_open(): the libraries run inside other programs. Never waits for a
 * reader. SIGPIPE, SIGXFSZ and SIGTTOU must be blocked or ignored.
 */
#pragma once

#include "mptcpaddr/pool.h"

struct log_target {
	int fd, level, pid; /* fd: borrowed; -1 in fd or level: no log */
	bool is_file;
	/*
	 * NULL, or for each level (borrowed) what lines begin with, "<3>" and so on for
	 * the journal. A failed write does not turn such a log off.
	 */
	const char *const *prefixes;
	char program[32];
};

/* For one thread; others have a target of their own. */
extern __attribute__((visibility("hidden"))) struct log_target log_manager;

/* log_target_open() - write lines up to @level to @fd */
void log_target_open(struct log_target *to, int fd, int level, const char *program,
		     int pid);
bool log_wanted(const struct log_target *to, enum log_level level);
__attribute__((format(printf, 3, 4))) void log_target_print(struct log_target *to,
							    enum log_level level,
							    const char *fmt, ...);

#define log_open(...)	      log_target_open(&log_manager, __VA_ARGS__)
#define log_print(level, ...) log_target_print(&log_manager, level, __VA_ARGS__)
#define log_error(...)	      log_print(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...)      log_print(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	      log_print(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	      log_print(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* log_level_parse() - "error", "warning", "info", "debug" of @len bytes; -1: none. */
int log_level_parse(const char *text, size_t len);
