// SPDX-License-Identifier: MIT
/*
 * main.c - the parts of the bench, in its own namespaces
 *
 * Exits with 0 if everything was measured, whether or not the targets are met.
 */
#include "bench.h"

#include <errno.h>
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
	{ "startup", bench_startup },	    { "connects", bench_connects },
	{ "broker", bench_broker },	    { "joins", bench_joins },
	{ "memory", bench_memory },	    { "timers", bench_timers },
	{ "links", bench_links },	    { "watch", bench_watch },
	{ "scale", bench_scale },	    { "nat", bench_nat },
	{ "supervise", bench_supervise },   { "crowd", bench_crowd },
	{ "throughput", bench_throughput },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

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

/* PART/TEXT: a line of the table, or some. */
static void select_line(char *line, char *argv[])
{
	char *text = strchr(line, '/');

	if (text) {
		*text++ = '\0';
		report_select(text);
	}
	argv[1] = line;
}

int main(int argc, char *argv[])
{
	int r = sandbox_enter(), failed = 0;

	if (argc == 3 && !strcmp(argv[1], "--line"))
		select_line(argv[--argc], argv);
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
	if (!report_end()) {
		fputs("no such line: LINE='PART/TEXT', with words of the table\n",
		      stderr);
		failed = 1;
	}
	return failed;
}
