// SPDX-License-Identifier: MIT
/*
 * emit.c - standard output, of views that go on and on
 */
#include "emit.h"

#include "tools/mptcpinfo/options.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 100

/* Signals that are read from a descriptor do not interrupt a reader that is slow. */
static bool told_to_end(void)
{
	sigset_t set;

	return sigpending(&set) == 0 &&
	       (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
		sigismember(&set, SIGHUP));
}

int emit(const char *text, size_t len)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t n;

	while (len) {
		if (poll(&pfd, 1, LOOK_MS) == 0) {
			if (told_to_end())
				return -EINTR;
			continue;
		}
		/* So much fits in a pipe that poll() calls writable. */
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

int emit_status(int r)
{
	if (r == 0 || r == -EPIPE || r == -EINTR)
		return EXIT_OK;
	fprintf(stderr, "mptcpinfo: output: %s\n", strerror(-r));
	return EXIT_FAILED;
}
