// SPDX-License-Identifier: MIT
/*
 * supervise.c - socket() of a static program: supervised, native, and under the library
 */
#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "proc.h"

#define ROUNDS	5
#define WAIT_MS 60000

enum way {
	SUPERVISED,
	PRELOADED,
	NATIVE,
	WAYS
};

/* Return: us for a pair; -1: it failed. */
static double run_rate(enum way way, const char *pairs, const char *threads)
{
	char tool[PATH_MAX], program[PATH_MAX], preload[PATH_MAX + 16], library[PATH_MAX];
	const char *const env[] = { "HOME=" BENCH_DIR "/supervise",
				    "MPTCPADDR_BACKEND=none",
				    way == PRELOADED ? preload : NULL, NULL };
	const char *argv[8] = { NULL }, **arg = argv;
	struct proc p;
	double us = -1;
	char *said;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
		 built("libmptcpaddr.so", library, sizeof(library)));
	if (way == SUPERVISED) {
		*arg++ = built("mptcpaddr", tool, sizeof(tool));
		*arg++ = "run";
	}
	*arg++ = built(way == PRELOADED ? "tests/bench-rate" : "tests/bench-static-rate",
		       program, sizeof(program));
	*arg++ = pairs;
	*arg++ = threads;
	if (proc_start(&p, NULL, argv, env) < 0)
		return -1;
	proc_eof(&p);
	if (proc_wait(&p, WAIT_MS) == 0) {
		said = proc_output(&p);
		us = atof(said);
		free(said);
	}
	proc_end(&p);
	return us;
}

static int add_row(const char *what, const char *pairs, const char *threads, double limit)
{
	struct samples us[WAYS] = { 0 };
	double each = 0;
	int i;

	for (i = 0; i < ROUNDS * WAYS && each >= 0; i++) {
		each = run_rate(i % WAYS, pairs, threads);
		samples_add(&us[i % WAYS], each);
	}
	if (each >= 0)
		report_row(&(struct row){ what, samples_quantile(&us[SUPERVISED], 0.5),
					  samples_quantile(&us[PRELOADED], 0.5),
					  samples_quantile(&us[NATIVE], 0.5), TARGET_MAX,
					  limit });
	for (i = 0; i < WAYS; i++)
		samples_free(&us[i]);
	return each < 0 ? -ECHILD : 0;
}

int bench_supervise(void)
{
	const char *const mkdir_pool[] = { "mkdir", "-p",
					   BENCH_DIR "/supervise/.config/mptcpaddr",
					   NULL };
	int r;

	if (proc_run(NULL, NULL, mkdir_pool) ||
	    put_file(BENCH_DIR "/supervise/.config/mptcpaddr/default.conf",
		     "[pool]\nendpoint = 10.0.1.2\n") < 0)
		return -EIO;
	report_heading("socket() and close(): supervised, under the library, native");
	r = add_row("us, one thread", "2000", "1", 1000);
	return r ?: add_row("us, 8 threads (1000: 1000 a second)", "250", "8", 1000);
}
