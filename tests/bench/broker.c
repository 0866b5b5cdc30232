// SPDX-License-Identifier: MIT
/*
 * broker.c - connect() with a broker: the cost of registration
 *
 * As in connects.c, with mptcpaddrd on the client for both sides: ours registers each
 * connection, the peer does not.
 */
#include "bench.h"
#include "hosts.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "until.h"

#define ROUNDS	 200
#define COUNT	 8 /* connections of each program */
#define START_MS 5000

static bool serves(const struct proc *broker)
{
	char *said = proc_errors(broker);
	bool yes = strstr(said, "serving programs");

	free(said);
	return yes;
}

static int start_broker(struct hosts *h, struct proc *broker)
{
	static const char conf[] = BENCH_DIR "/broker.conf";
	char path[PATH_MAX];
	const char *const argv[] = {
		built("mptcpaddrd", path, sizeof(path)), "-c", conf, "-s", BENCH_DIR, NULL
	};
	int r;

	r = host_path_manager(&h->world.client, PM_USERSPACE);
	if (!r)
		r = put_file(conf, "[broker]\n");
	if (!r)
		r = proc_start(broker, &h->world.client, argv, NULL);
	if (!r && !WAIT_UNTIL(serves(broker), START_MS))
		r = -ETIMEDOUT;
	return r;
}

/* @cpu: by the calling thread's CPU clock. */
static int measure(struct hosts *h, bool cpu, struct samples first[SIDES],
		   struct samples later[SIDES])
{
	int r = 0;

	if (cpu)
		setenv("CONNECTS_CLOCK", "cpu", 1);
	for (int i = 0; i < 2 * ROUNDS && !r; i++) {
		int side = i / 2 % 2 ? 1 - i % 2 : i % 2;

		r = hosts_connect(h, side, COUNT, false, &first[side], &later[side]);
	}
	unsetenv("CONNECTS_CLOCK");
	return r;
}

static void report(const char *what, struct samples samples[SIDES], double limit)
{
	report_row(&(struct row){ what, samples_quantile(&samples[SIDE_OURS], 0.5),
				  samples_quantile(&samples[SIDE_PEER], 0.5), NAN,
				  limit > 0 ? TARGET_MORE : TARGET_NONE, limit });
}

int bench_broker(void)
{
	struct samples first[2][SIDES] = { 0 }, later[2][SIDES] = { 0 };
	struct proc broker = { .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	struct hosts h;
	int r;

	r = hosts_open(&h);
	if (!r)
		r = start_broker(&h, &broker);
	for (int cpu = 0; cpu < 2 && !r; cpu++)
		r = measure(&h, cpu, first[cpu], later[cpu]);
	if (!r) {
		report_heading("connect() with a broker, and native MPTCP; us");
		report("first of a process, median", first[0], 200);
		report("after the first, median", later[0], 15);
		report("  of it in the thread that connects", later[1], 0);
	}
	for (int i = 0; i < SIDES; i++)
		for (int cpu = 0; cpu < 2; cpu++) {
			samples_free(&first[cpu][i]);
			samples_free(&later[cpu][i]);
		}
	proc_end(&broker);
	hosts_close(&h);
	return r;
}
