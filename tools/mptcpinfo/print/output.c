// SPDX-License-Identifier: MIT
/*
 * output.c - write the selected view, and standard output without stdio
 */
#include "print.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 100

int write_view(const struct options *o, const struct snapshot *snap, bool one_line,
	       FILE *out)
{
	if (o->json)
		write_json(snap, o->counters, one_line, out);
	else if (o->prometheus)
		write_prometheus(snap, out);
	else if (o->counters)
		write_counters(snap, o->colour, out);
	else
		write_table(snap, o->wide, o->colour, out);
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

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
		return EXIT_SUCCESS;
	fprintf(stderr, "mptcpinfo: output: %s\n", strerror(-r));
	return EXIT_FAILURE;
}

void page_open(struct page *page)
{
	page->out = open_memstream(&page->text, &page->size);
	if (!page->out)
		memory_die();
}

int page_write(struct page *page)
{
	int r;

	if (fclose(page->out) != 0)
		memory_die();
	r = stdout_write(page->text, page->size);
	free(page->text);
	return r;
}
