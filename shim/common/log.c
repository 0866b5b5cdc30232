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
#include "time64.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOWAIT /* musl; of <linux/fs.h> */
#define RWF_NOWAIT 8
#endif

#define LINE_SIZE 1024

static const char level_names[][8] = { "error", "warning", "info", "debug" };

struct log_target log_manager = { .fd = -1, .level = -1 };

void log_target_open(struct log_target *to, int fd, int level, const char *program,
		     int pid)
{
	to->fd = fd;
	to->is_file = fd >= 0 && syscall(SYS_lseek, fd, 0, SEEK_CUR) >= 0;
	to->level = level;
	to->pid = pid;
	str_append(to->program, 0, sizeof(to->program) - 1, program);
}

bool log_wanted(const struct log_target *to, enum log_level level)
{
	return to->fd >= 0 && (int)level <= to->level;
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

/*
 * The description may be the program's: O_NONBLOCK must not change. RWF_NOWAIT works for
 * pipes (Linux 6.4) and sockets; elsewhere poll() must do. Return: 0, -errno.
 */
static int log_line_write(const struct log_target *to, const char *line, size_t len)
{
	struct pollfd fds = { .fd = to->fd, .events = POLLOUT };
	struct iovec v = { (void *)(uintptr_t)line, len };
	static const timespec64 now;
	long r = -1;

	if (!to->is_file) {
		if (syscall(TIME64_PPOLL, &fds, 1, &now, NULL, 0) == 0)
			return -EAGAIN;
		r = syscall(SYS_pwritev2, to->fd, &v, 1, -1L, -1L, RWF_NOWAIT);
		if (r < 0 && (errno == EAGAIN || errno == EPIPE))
			return -errno;
	}
	if (r < 0)
		r = syscall(SYS_write, to->fd, line, len);
	return r < 0 ? -errno : 0;
}

void log_target_print(struct log_target *to, enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE];
	int n, m, saved = errno;
	va_list ap;

	if (!log_wanted(to, level))
		return;
	if (to->prefixes)
		n = log_format_head(line, "%s", to->prefixes[level]);
	else
		n = log_format_head(line, "mptcpaddr: %s[%d]: %s: ", to->program, to->pid,
				    level_names[level]);
	errno = saved; /* for %m */
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (m > 0)
		n += m;
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	str_clean(line, n); /* it may quote a pool file, which may contain anything */
	line[n] = '\n';
	m = log_line_write(to, line, n + 1); /* lost if there is no room */
	if (m < 0 && m != -EAGAIN && !to->prefixes)
		to->fd = -1; /* the program closed the pipe; a journal may return */
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
