// SPDX-License-Identifier: MIT
/*
 * journal.c - the broker's log: lines to standard error, as the journal likes them
 *
 * In place of shim/common/log.c, which is for guests.
 */
#include "mptcpaddr/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const char *const journal_names[] = { "<3>", "<4>", "<6>", "<7>" };

static struct {
	int fd, level;
	bool journal;
} log_to = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

void log_open(int fd, int level, const char *program, int pid)
{
	log_to.fd = fd;
	log_to.level = level;
	log_to.journal = getenv("JOURNAL_STREAM");
}

bool log_wanted(enum log_level level)
{
	return (int)level <= log_to.level;
}

void log_print(enum log_level level, const char *fmt, ...)
{
	int saved = errno, n, m;
	char line[1024];
	va_list ap;

	if (!log_wanted(level))
		return;
	n = log_to.journal ? snprintf(line, sizeof(line), "%s", journal_names[level])
			   : snprintf(line, sizeof(line),
				      "mptcpaddrd: %s: ", level_names[level]);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (m > 0)
		n += m;
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	for (m = 0; m < n; m++) /* pool files may have anything in them */
		if ((unsigned char)line[m] < ' ' || line[m] == 0x7f)
			line[m] = '?';
	line[n] = '\n';
	if (write(log_to.fd, line, n + 1) < 0)
		errno = 0; /* there is nowhere to say it */
	errno = saved;
}

int log_level_parse(const char *text, size_t len)
{
	unsigned int i;

	for (i = 0; i < sizeof(level_names) / sizeof(*level_names); i++)
		if (strlen(level_names[i]) == len && !memcmp(level_names[i], text, len))
			return i;
	return -1;
}
