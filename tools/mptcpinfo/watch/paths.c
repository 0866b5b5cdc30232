// SPDX-License-Identifier: MIT
/*
 * paths.c - the live view: connections, their paths, and what each of them carries
 *
 * What matters most stands on the left, since lines are cut on the right: rate and share
 * first, then the state, then the two ends.
 */
#include "paths.h"

#include "frame.h"
#include "rates.h"
#include "tools/mptcpinfo/print/text.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const struct connection *conn;
	struct rate sum; /* of the paths that are known; NAN if none is */
};

const char *rate_text(double rate, char out[static RATE_TEXT_MAX])
{
	static const char *const units[] = { "B/s", "kB/s", "MB/s", "GB/s", "TB/s" };
	size_t i = 0;

	if (isnan(rate))
		return strcpy(out, "-");
	/* What would be rounded to 1000 is one of the next unit. */
	while (rate >= 999.5 && i + 1 < sizeof(units) / sizeof(units[0])) {
		rate /= 1000;
		i++;
	}
	snprintf(out, RATE_TEXT_MAX, i && rate < 99.95 ? "%.1f %s" : "%.0f %s", rate,
		 units[i]);
	return out;
}

const char *bar_text(double share, bool utf8, char out[static BAR_TEXT_MAX])
{
	static const char *const eighths[] = {
		" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"
	};
	int fine = isnan(share) ? 0 : (int)(share * BAR_CELLS * 8 + 0.5), cell;
	char *end = out;

	for (int i = 0; i < BAR_CELLS; i++) {
		cell = fine - i * 8;
		cell = cell < 0 ? 0 : cell > 8 ? 8 : cell;
		if (utf8)
			end = stpcpy(end, eighths[cell]);
		else
			*end++ = cell >= 4 ? '#' : ' ';
	}
	*end = '\0';
	return out;
}

/* Short ones: ss's own words are up to eleven characters. */
static const char *short_state(const struct subflow *sf)
{
	switch (sf->state) {
	case TCP_ESTABLISHED:
		return sf->backup ? "backup" : "estab";
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		return "fin-wait";
	case TCP_CLOSE_WAIT:
		return "cl-wait";
	default:
		return state_text(sf->state);
	}
}

static double add(double sum, double value)
{
	if (isnan(value))
		return sum;
	return isnan(sum) ? value : sum + value;
}

static double total(struct rate rate)
{
	return add(rate.sent, rate.received);
}

static struct rate sum_of(const struct connection *conn, const struct rates *rates)
{
	struct rate sum = { NAN, NAN };
	size_t i;

	for (i = 0; i < conn->subflows.n; i++) {
		sum.sent = add(sum.sent, rates->at[conn->subflows.first + i].sent);
		sum.received =
			add(sum.received, rates->at[conn->subflows.first + i].received);
	}
	return sum;
}

static int busiest_first(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;
	double x = add(0, total(a->sum)), y = add(0, total(b->sum));

	if (x != y)
		return x > y ? -1 : 1;
	return (a->conn > b->conn) - (a->conn < b->conn); /* as in the snapshot */
}

static void add_head(const struct snapshot *snap, const struct row *row, struct frame *f)
{
	char in[RATE_TEXT_MAX], out[RATE_TEXT_MAX], pid[16] = "-";
	const struct connection *conn = row->conn;
	const char *manager = manager_text(snap, conn);

	if (conn->pid)
		snprintf(pid, sizeof(pid), "%d", conn->pid);
	frame_add(f, LOOK_HEAD, "%s[%s] 0x%08x  in %s  out %s  %s, %s%s",
		  conn->program[0] ? conn->program : "?", pid, conn->token,
		  rate_text(row->sum.received, in), rate_text(row->sum.sent, out),
		  manager[0] ? manager : "?", state_text(conn->state),
		  conn->fallback ? ", fell back to TCP" : "");
}

static void add_path(const struct subflow *sf, struct rate rate, double of, bool utf8,
		     struct frame *f)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], text[RATE_TEXT_MAX];
	char bar[BAR_TEXT_MAX], percent[8] = "-";
	double share = of > 0 ? total(rate) / of : NAN;

	if (!isnan(share))
		snprintf(percent, sizeof(percent), "%.0f%%", share * 100);
	frame_add(f, sf->state == TCP_ESTABLISHED ? LOOK_PLAIN : LOOK_FAINT,
		  "%11s %4s %s %-8s %s > %s", rate_text(total(rate), text), percent,
		  bar_text(share, utf8, bar), short_state(sf),
		  addr_text(&sf->local, local), addr_text(&sf->remote, remote));
}

/* As many of its paths as there is room for in @room lines, the head's included. */
static void add_connection(const struct snapshot *snap, const struct rates *rates,
			   const struct row *row, bool utf8, size_t room, struct frame *f)
{
	size_t i, pos, n = row->conn->subflows.n;
	double of = total(row->sum);

	if (!room)
		return;
	add_head(snap, row, f);
	room--;
	for (i = 0; i < n && (i + 1 < room || (i + 1 == room && n == room)); i++) {
		pos = row->conn->subflows.first + i;
		add_path(&snap->subflows[pos], rates->at[pos], of, utf8, f);
	}
	if (i < n && room)
		frame_add(f, LOOK_FAINT, "%zu more path%s", n - i, n - i == 1 ? "" : "s");
}

static size_t height_of(const struct row *row)
{
	return 1 + row->conn->subflows.n;
}

/* Blank lines between the connections are the first to go. */
static bool spaced(const struct row *rows, size_t n, size_t room)
{
	size_t i, lines = 0;

	for (i = 0; i < n && lines <= room; i++)
		lines += height_of(&rows[i]) + 1;
	return lines <= room;
}

static bool all_fit(const struct row *rows, size_t n, size_t room)
{
	size_t i, lines = 0;

	for (i = 0; i < n && lines <= room; i++)
		lines += height_of(&rows[i]);
	return lines <= room;
}

static void add_all(const struct snapshot *snap, const struct rates *rates,
		    const struct row *rows, size_t n, bool utf8, struct frame *f)
{
	bool fit = all_fit(rows, n, frame_room(f)), gaps = spaced(rows, n, frame_room(f));
	size_t i, room;

	for (i = 0; i < n; i++) {
		/* The last line is for those that are left out. */
		room = frame_room(f) - (fit || !frame_room(f) ? 0 : 1);
		if (!fit && i > 0 && height_of(&rows[i]) > room)
			break;
		if (gaps)
			frame_add(f, LOOK_PLAIN, "%s", "");
		add_connection(snap, rates, &rows[i], utf8, room, f);
	}
	if (i < n)
		frame_add(f, LOOK_FAINT, "%zu more connection%s", n - i,
			  n - i == 1 ? "" : "s");
}

int paths_frame(const struct snapshot *snap, const struct rates *rates, bool utf8,
		struct frame *f)
{
	struct row *rows = calloc(snap->n_connections + 1, sizeof(*rows));
	size_t i, n = snap->n_connections;

	if (!rows)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		rows[i].conn = &snap->connections[i];
		rows[i].sum = sum_of(rows[i].conn, rates);
	}
	if (!all_fit(rows, n, frame_room(f)))
		qsort(rows, n, sizeof(*rows), busiest_first);
	add_all(snap, rates, rows, n, utf8, f);
	free(rows);
	return 0;
}
