// SPDX-License-Identifier: MIT
/*
 * log.c - one line at a time to a descriptor of the manager's own
 *
 * No stdio and no heap: a line is put together on the stack and written at once, so
 * that the lines of several processes do not mix in one file. Of libc as little as can
 * be: each function that is named here costs every exec of a preloaded program something.
 */
#include "mptcpaddr/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_SIZE 1024

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static struct {
	int fd, level, pid;
	char program[32];
} log_to = { .fd = -1, .level = -1 };

void log_open(int fd, int level, const char *program, int pid)
{
	size_t i;

	log_to.fd = fd;
	log_to.level = level;
	log_to.pid = pid;
	for (i = 0; i < sizeof(log_to.program) - 1 && program[i]; i++)
		log_to.program[i] = program[i];
	log_to.program[i] = '\0';
}

bool log_wanted(enum log_level level)
{
	return log_to.fd >= 0 && (int)level <= log_to.level;
}

__attribute__((format(printf, 2, 3))) static int begin(char line[LINE_SIZE],
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
	n = begin(line, "mptcpaddr: %s[%d]: %s: ", log_to.program, log_to.pid,
		  level_names[level]);
	errno = saved; /* for %m */
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (m > 0)
		n += m;
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	line[n] = '\n';
	if (write(log_to.fd, line, n + 1) < 0)
		log_to.fd = -1; /* nobody reads it any more */
	errno = saved;
}

static bool is(const char *text, size_t len, const char *word)
{
	while (len && *word && *text == *word) {
		text++;
		word++;
		len--;
	}
	return !len && !*word;
}

int log_level_parse(const char *text, size_t len)
{
	unsigned int i;

	for (i = 0; i < sizeof(level_names) / sizeof(*level_names); i++)
		if (is(text, len, level_names[i]))
			return i;
	return -1;
}
