/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line at a time to a descriptor of the manager's own
 *
 * Silent until log_open(): the libraries run inside other programs. Never waits for a
 * reader. SIGPIPE,
 * SIGXFSZ and SIGTTOU must be blocked or ignored. log_print() is for one thread.
 */
#pragma once

#include "mptcpaddr/pool.h"

/* log_open() - write lines up to @level to @fd (borrowed); -1 in either: no log */
void log_open(int fd, int level, const char *program, int pid);

/*
 * log_set_prefixes() - begin lines with the level's prefix, "<3>" and so on for the
 * journal
 *
 * @prefixes: borrowed. A failed write does not turn such a log off.
 */
void log_set_prefixes(const char *const prefixes[]);

/* A log of its own, for a thread besides the manager's. */
struct log_target {
	int fd, level, pid;
	bool is_file;
	const char *const *prefixes;
	char program[32];
};

void log_target_open(struct log_target *ret, int fd, int level, const char *program,
		     int pid);
__attribute__((format(printf, 3, 4))) void log_target_print(struct log_target *to,
							    enum log_level level,
							    const char *fmt, ...);

#define log_error(...)	 log_print(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_print(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_print(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_print(LOG_LEVEL_DEBUG, __VA_ARGS__)

bool log_wanted(enum log_level level);
__attribute__((format(printf, 2, 3))) void log_print(enum log_level level,
						     const char *fmt, ...);

/* log_level_parse() - "error", "warning", "info", "debug" of @len bytes; -1: none. */
int log_level_parse(const char *text, size_t len);
