// SPDX-License-Identifier: MIT
/*
 * connects.c - connect(), by the clock of the program that calls it
 *
 * Ours: a program for TCP under our library, with a pool. Peer: the same program, which
 * asks for MPTCP itself, without any library. The same hosts, the same userspace path
 * manager (with no listener in the peer's case), a server that announces nothing. Only
 * connect() is timed; socket() is in startup.c.
 */
#include "bench.h"
#include "hosts.h"

#include <math.h>

#define ROUNDS 200
#define COUNT  8 /* connections of each program */

static int measure(struct hosts *h, struct samples first[SIDES],
		   struct samples later[SIDES])
{
	int r;

	r = host_path_manager(&h->world.client, PM_USERSPACE);
	for (int i = 0; i < 2 * ROUNDS && !r; i++) {
		int side = i / 2 % 2 ? 1 - i % 2 : i % 2;

		r = hosts_connect(h, side, COUNT, false, &first[side], &later[side]);
	}
	return r;
}

int bench_connects(void)
{
	struct samples first[SIDES] = { 0 }, later[SIDES] = { 0 };
	struct hosts h;
	int r;

	r = hosts_open(&h);
	if (!r)
		r = measure(&h, first, later);
	if (!r) {
		report_heading("connect(), and that of native MPTCP; us");
		report_row(&(struct row){ "first of a process, median",
					  samples_quantile(&first[SIDE_OURS], 0.5),
					  samples_quantile(&first[SIDE_PEER], 0.5), NAN,
					  TARGET_MORE, 200 });
		report_row(&(struct row){ "after the first, median",
					  samples_quantile(&later[SIDE_OURS], 0.5),
					  samples_quantile(&later[SIDE_PEER], 0.5), NAN,
					  TARGET_RATIO, 1.05 });
		report_row(&(struct row){
			"after the first, p90", samples_quantile(&later[SIDE_OURS], 0.9),
			samples_quantile(&later[SIDE_PEER], 0.9), NAN, TARGET_NONE, 0 });
	}
	for (int i = 0; i < SIDES; i++) {
		samples_free(&first[i]);
		samples_free(&later[i]);
	}
	hosts_close(&h);
	return r;
}
