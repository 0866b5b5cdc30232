// SPDX-License-Identifier: MIT
/*
 * output.c - which view is written, and standard output of views that never end
 */
#include "print.h"
#include "tools/mptcpinfo/options.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 100

/* The main loops read signals from a signalfd: they do not interrupt write(). */
static bool is_end_pending(void)
{
	sigset_t set;

	return sigpending(&set) == 0 &&
	       (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
		sigismember(&set, SIGHUP));
}

int stdout_write(const char *text, size_t len)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t n;

	while (len) {
		if (poll(&pfd, 1, WAIT_MS) == 0) {
			if (is_end_pending())
				return -EINTR;
			continue;
		}
		/* A pipe that poll() calls writable has room for this much. */
		n = write(STDOUT_FILENO, text, len < PIPE_BUF ? len : PIPE_BUF);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			text += n;
			len -= n;
		}
	}
	return 0;
}

int stdout_status(int r)
{
	if (r == 0 || r == -EPIPE || r == -EINTR)
		return EXIT_OK;
	fprintf(stderr, "mptcpinfo: output: %s\n", strerror(-r));
	return EXIT_FAILED;
}

int page_open(struct page *page)
{
	*page = (struct page){ 0 };
	page->out = open_memstream(&page->text, &page->size);
	return page->out ? 0 : -errno;
}

int page_write(struct page *page, int r)
{
	if (fclose(page->out) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = stdout_write(page->text, page->size);
	free(page->text);
	return r;
}

int write_view(const struct options *o, const struct snapshot *snap, bool one_line,
	       FILE *out)
{
	switch (o->format) {
	case FORMAT_JSON:
		return write_json(snap, o->counters, one_line, out);
	case FORMAT_PROMETHEUS:
		return write_prometheus(snap, out);
	case FORMAT_TABLE:
		break;
	}
	return o->counters ? write_counters(snap, o->colour, out)
			   : write_table(snap, o->colour, out);
}
