// SPDX-License-Identifier: MIT
/*
 * log.c - one line at a time to a descriptor of the manager's own
 *
 * No stdio and no heap: each line is built on the stack and written at once, so that
 * lines of several processes do not mix in one file. The file is linked into the preload
 * library, where each libc symbol costs time at every exec: it uses very few.
 */
#include "mptcpaddr/log.h"
#include "str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_SIZE 1024

static const char level_names[][8] = { "error", "warning", "info", "debug" };

static struct {
	int fd, level, pid;
	const char *const *prefixes;
	char program[32];
} log_to = { .fd = -1, .level = -1 };

void log_open(int fd, int level, const char *program, int pid)
{
	log_to.fd = fd;
	log_to.level = level;
	log_to.pid = pid;
	str_append(log_to.program, 0, sizeof(log_to.program) - 1, program);
}

void log_set_prefixes(const char *const prefixes[])
{
	log_to.prefixes = prefixes;
}

bool log_wanted(enum log_level level)
{
	return log_to.fd >= 0 && (int)level <= log_to.level;
}

__attribute__((format(printf, 2, 3))) static int log_format_head(char line[LINE_SIZE],
								 const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, LINE_SIZE, fmt, ap);
	va_end(ap);
	return n;
}

void log_print(enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE];
	int n, m, saved = errno;
	va_list ap;

	if (!log_wanted(level))
		return;
	if (log_to.prefixes)
		n = log_format_head(line, "%s", log_to.prefixes[level]);
	else
		n = log_format_head(line, "mptcpaddr: %s[%d]: %s: ", log_to.program,
				    log_to.pid, level_names[level]);
	errno = saved; /* for %m */
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (m > 0)
		n += m;
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	for (m = 0; m < n; m++) /* lines quote pool files, which may contain anything */
		if ((unsigned char)line[m] < ' ' || line[m] == 0x7f)
			line[m] = '?';
	line[n] = '\n';
	if (write(log_to.fd, line, n + 1) < 0 && !log_to.prefixes)
		log_to.fd = -1; /* the program closed the pipe; a journal may return */
	errno = saved;
}

int log_level_parse(const char *text, size_t len)
{
	unsigned int i;

	for (i = 0; i < sizeof(level_names) / sizeof(*level_names); i++)
		if (str_is(text, text + len, level_names[i]))
			return i;
	return -1;
}
