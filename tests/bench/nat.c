// SPDX-License-Identifier: MIT
/*
 * nat.c - two uplinks behind NAT routers, the first one down for a while
 *
 * Ours: pools of `dev` and of `ADDRESS dev` endpoints; peer: the kernel's endpoints. All
 * three run at the same time. RUNS= is the number of runs, CELLS= which absences, as
 * "10-download 2.5-upload".
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uplinks.h"

#define CELLS	"2.5-download 10-upload"
#define BACK_MS 1000

static int run_once(const struct absence *absence, struct samples all[UPLINK_SIDES][3])
{
	struct absence_run runs[UPLINK_SIDES];
	struct absence_figures f;
	int r = 0, failed = 0;

	for (int i = 0; i < UPLINK_SIDES && !r; i++)
		r = absence_start(&runs[i], absence, i);
	for (int i = 0; i < UPLINK_SIDES && !r; i++) {
		if (absence_finish(&runs[i], &f) < 0) {
			failed = -EPROTO;
			continue;
		}
		samples_add(&all[i][0], f.stall);
		samples_add(&all[i][1], f.total);
		samples_add(&all[i][2], f.back);
		printf("  (%s: %.0f ms without data, from %+.0f ms; whole transfer %.0f; "
		       "back after %.0f)\n",
		       uplink_side_name(i), f.stall, f.began, f.total, f.back);
	}
	fflush(stdout);
	return r ?: failed;
}

static void report_absence(const struct absence *absence, int runs,
			   struct samples all[UPLINK_SIDES][3])
{
	static const char *const what[] = { "longest stall", "whole transfer",
					    "path back after" };
	static const char *const parts[] = { "median", "worst" };
	char text[64];

	snprintf(text, sizeof(text), "%s, uplink down %g s, %d runs; ms",
		 absence->upload ? "upload" : "download", absence->seconds, runs);
	report_heading(text);
	for (int i = UPLINK_DEV; i < UPLINK_SIDES; i++)
		for (int k = 0; k < 3; k++)
			for (int p = 0; p < 2; p++) {
				snprintf(text, sizeof(text), "%s: %s, %s",
					 uplink_side_name(i), what[k], parts[p]);
				report_row(&(struct row){
					text, samples_quantile(&all[i][k], (p + 1) / 2.0),
					samples_quantile(&all[UPLINK_KERNEL][k],
							 (p + 1) / 2.0),
					NAN, k == 2 ? TARGET_MAX : TARGET_RATIO,
					k == 2 ? BACK_MS : 1 });
			}
}

static int measure_absence(const struct absence *absence, int runs)
{
	struct samples all[UPLINK_SIDES][3] = { 0 };
	int r = 0;

	for (int i = 0; i < runs && !r; i++)
		r = run_once(absence, all);
	if (!r)
		report_absence(absence, runs, all);
	for (int i = 0; i < UPLINK_SIDES * 3; i++)
		samples_free(&all[i / 3][i % 3]);
	return r;
}

int bench_nat(void)
{
	const char *wanted = getenv("CELLS") ?: CELLS;
	const char *runs = getenv("RUNS") ?: "1";
	struct absence absence = { 0 };
	char direction[16];
	int r = 0, n;

	for (; !r && sscanf(wanted, " %lf-%15s%n", &absence.seconds, direction, &n) == 2;
	     wanted += n) {
		absence.upload = !strcmp(direction, "upload");
		r = measure_absence(&absence, atoi(runs));
	}
	return r;
}
