// SPDX-License-Identifier: MIT
/*
 * main.c - the parts of the bench, in its own namespaces
 *
 * Exits with 0 if everything was measured, whether or not the targets are met.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"

static const struct {
	const char *name;
	int (*run)(void);
} parts[] = {
	{ "startup", bench_startup },	  { "connects", bench_connects },
	{ "broker", bench_broker },	  { "joins", bench_joins },
	{ "memory", bench_memory },	  { "timers", bench_timers },
	{ "links", bench_links },	  { "watch", bench_watch },
	{ "scale", bench_scale },	  { "nat", bench_nat },
	{ "supervise", bench_supervise },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* Ignore the settings of the machine's user. */
static int prepare(void)
{
	static const char *const names[] = { "LD_PRELOAD", "MPTCPADDR_CONFIG",
					     "MPTCPADDR_DISABLE", "MPTCPADDR_BACKEND",
					     "MPTCPADDR_LOG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	if (mkdir(BENCH_DIR, 0755) < 0)
		return -errno;
	if (mount("tmpfs", "/etc/mptcpaddr", "tmpfs", 0, NULL) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static bool wanted(const char *name, int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
	}
	return argc == 1;
}

int main(int argc, char *argv[])
{
	int r = sandbox_enter(), failed = 0;

	if (!r)
		r = prepare();
	if (r < 0) {
		fprintf(stderr, "no namespaces of our own: %s\n", strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < PARTS; i++) {
		if (!wanted(parts[i].name, argc, argv))
			continue;
		r = parts[i].run();
		if (r < 0) {
			fprintf(stderr, "%s: not measured: %s\n", parts[i].name,
				strerror(-r));
			failed = 1;
		}
	}
	report_end();
	return failed;
}
