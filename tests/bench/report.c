// SPDX-License-Identifier: MIT
/*
 * report.c - the table, samples and files
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *selected;
static char heading[64];
static bool heading_due;
static int rows, targets, met;

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

static void number(char *ret, size_t size, double value)
{
	if (isnan(value))
		snprintf(ret, size, "-");
	else
		snprintf(ret, size,
			 value < 1000 && value != rint(value) ? "%.1f" : "%.0f", value);
}

void report_select(const char *text)
{
	selected = text;
}

void report_heading(const char *text)
{
	snprintf(heading, sizeof(heading), "%s", text);
	heading_due = true;
}

/* Under its heading, which is printed with the first row. */
static bool begin_row(const char *what)
{
	if (selected && !strcasestr(what, selected) && !strcasestr(heading, selected))
		return false;
	if (heading_due)
		printf("\n%-50s %9s %9s %9s %8s %8s\n", heading, "ours", "peer",
		       "without", "ratio", "target");
	heading_due = false;
	rows++;
	return true;
}

void report_row(const struct row *row)
{
	char ours[32], peer[32], bare[32], found[32], target[32] = "-";
	const char *verdict = "";
	bool ok = true;

	if (!begin_row(row->what))
		return;
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

bool report_end(void)
{
	double load;

	printf("\n%d of %d targets met\n", met, targets);
	if (getloadavg(&load, 1) == 1)
		printf("load average %.1f on %ld processors: the p99 of a busy machine "
		       "is "
		       "that of its load\n",
		       load, sysconf(_SC_NPROCESSORS_ONLN));
	return rows;
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
