// SPDX-License-Identifier: MIT
/*
 * report.c - the table
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int targets, met;

static void number(char *ret, size_t size, double value)
{
	if (isnan(value))
		snprintf(ret, size, "-");
	else
		snprintf(ret, size,
			 value < 1000 && value != rint(value) ? "%.1f" : "%.0f", value);
}

void report_heading(const char *text)
{
	printf("\n%-50s %9s %9s %9s %8s %8s\n", text, "ours", "peer", "without", "ratio",
	       "target");
	fflush(stdout);
}

void report_row(const struct row *row)
{
	char ours[32], peer[32], bare[32], found[32], target[32] = "-";
	const char *verdict = "";
	bool ok = true;

	number(ours, sizeof(ours), row->ours);
	number(peer, sizeof(peer), row->peer);
	number(bare, sizeof(bare), row->bare);
	snprintf(found, sizeof(found), "%.2fx", row->ours / row->peer);
	switch (row->target) {
	case TARGET_NONE:
		break;
	case TARGET_RATIO:
		ok = row->ours <= row->limit * row->peer;
		snprintf(target, sizeof(target), "%.2fx", row->limit);
		break;
	case TARGET_MORE:
		ok = row->ours - row->peer <= row->limit;
		snprintf(found, sizeof(found), "%+.0f", row->ours - row->peer);
		snprintf(target, sizeof(target), "%+.0f", row->limit);
		break;
	case TARGET_MAX:
		ok = row->ours <= row->limit;
		snprintf(target, sizeof(target), "%.0f", row->limit);
		break;
	}
	if (row->target != TARGET_NONE) {
		targets++;
		met += ok;
		verdict = ok ? "met" : "not met";
	}
	printf("  %-48s %9s %9s %9s %8s %8s  %s\n", row->what, ours, peer, bare, found,
	       target, verdict);
	fflush(stdout);
}

void report_end(void)
{
	double load;

	printf("\n%d of %d targets met\n", met, targets);
	if (getloadavg(&load, 1) == 1)
		printf("load average %.1f on %ld processors: the p99 of a busy machine "
		       "is "
		       "that of its load\n",
		       load, sysconf(_SC_NPROCESSORS_ONLN));
}

void samples_add(struct samples *s, double value)
{
	if (!(s->count & (s->count - 1))) {
		s->at = realloc(s->at, (s->count ? 2 * s->count : 1) * sizeof(*s->at));
		if (!s->at)
			abort();
	}
	s->at[s->count++] = value;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_quantile(struct samples *s, double part)
{
	if (!s->count)
		return NAN;
	qsort(s->at, s->count, sizeof(*s->at), ascending);
	return s->at[(size_t)(part * (s->count - 1) + 0.5)];
}

void samples_free(struct samples *s)
{
	free(s->at);
	*s = (struct samples){ 0 };
}
