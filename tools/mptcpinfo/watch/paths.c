// SPDX-License-Identifier: MIT
/*
 * paths.c - the live view: connections, their subflows, and the traffic of each
 *
 * Lines are cut on the right, so the most important columns are on the left: rate and
 * share first, then the state, then the two ends.
 */
#include "shim/common/str.h"
#include "watch.h"

#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define BAR_CELLS    8
#define BAR_TEXT_MAX (BAR_CELLS * 3 + 1) /* three bytes of UTF-8 each */

struct row {
	const struct connection *conn;
	double sent, received, all; /* sums of the known rates; NAN if there is none */
};

void paths_set_rates(struct snapshot *snap, const struct snapshot *before, double seconds)
{
	struct index by_token = { .key_size = sizeof(uint32_t) };
	const struct subflow *old;
	struct connection *conn;
	struct subflow *sf;
	ssize_t pos;

	for_each_in (conn, before, connections)
		index_add(&by_token, &conn->token, conn - before->connections);
	for_each_in (conn, snap, connections) {
		pos = index_find(&by_token, &conn->token);
		for_each_in (sf, conn, subflows) {
			/* Subflows are matched by their ends: IDs may be unknown. */
			old = pos < 0 ? NULL
				      : connection_subflow(&before->connections[pos],
							   &sf->path);
			sf->sent_rate = sf->received_rate = NAN;
			/* Less than before: another subflow with the same ends */
			if (!old || !old->has_tcp || !sf->has_tcp || seconds <= 0 ||
			    sf->bytes_sent < old->bytes_sent ||
			    sf->bytes_received < old->bytes_received)
				continue;
			sf->sent_rate = (sf->bytes_sent - old->bytes_sent) / seconds;
			sf->received_rate =
				(sf->bytes_received - old->bytes_received) / seconds;
		}
	}
	index_free(&by_token);
}

/* A bar of @share (0 to 1) of BAR_CELLS cells, padded with blanks. Return: @out. */
static const char *bar_text(double share, bool utf8, char out[static BAR_TEXT_MAX])
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

/* The words of ss have up to eleven characters. */
static const char *short_state_text(const struct subflow *sf)
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
		return tcp_state_text(sf->state);
	}
}

static double rate_add(double sum, double value)
{
	if (isnan(value))
		return sum;
	return isnan(sum) ? value : sum + value;
}

static int compare_rates(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;
	double x = rate_add(0, a->all), y = rate_add(0, b->all);

	if (x != y)
		return x > y ? -1 : 1;
	return (a->conn > b->conn) - (a->conn < b->conn); /* as in the snapshot */
}

static void frame_add_path(const struct subflow *sf, double of, struct frame *f)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], text[RATE_MAX];
	char bar[BAR_TEXT_MAX], percent[8] = "-";
	double rate = rate_add(sf->sent_rate, sf->received_rate);
	double share = of > 0 ? rate / of : NAN;

	if (!isnan(share))
		snprintf(percent, sizeof(percent), "%.0f%%", share * 100);
	frame_add(f, sf->state == TCP_ESTABLISHED ? PAINT_PLAIN : PAINT_LABEL,
		  "%11s %4s %s %-8s %s > %s", rate_text(rate, text), percent,
		  bar_text(share, f->utf8, bar), short_state_text(sf),
		  local_text(&sf->path, local), remote_text(&sf->path, remote));
}

/* The head and as many subflows as fit in @room lines */
static void frame_add_row(const struct snapshot *snap, const struct row *row, size_t room,
			  struct frame *f)
{
	char in[RATE_MAX], out[RATE_MAX], pid[16] = "-";
	const struct connection *conn = row->conn;
	const char *manager = manager_text(snap, conn);
	size_t i, n = conn->n_subflows;

	if (!room)
		return;
	if (conn->pid)
		snprintf(pid, sizeof(pid), "%d", conn->pid);
	frame_add(f, PAINT_HEAD, "%s[%s] %08x  in %s  out %s  %s, %s%s",
		  conn->program[0] ? conn->program : "?", pid, conn->token,
		  rate_text(row->received, in), rate_text(row->sent, out),
		  manager[0] ? manager : "?", tcp_state_text(conn->state),
		  conn->fallback ? ", fell back to TCP" : "");
	room--;
	for (i = 0; i < n && (i + 1 < room || (i + 1 == room && n == room)); i++)
		frame_add_path(&conn->subflows[i], row->all, f);
	if (i < n && room)
		frame_add(f, PAINT_LABEL, "%zu more path%s", n - i, PLURAL(n - i));
}

void paths_frame(const struct snapshot *snap, struct frame *f)
{
	struct row *rows = array_alloc(snap->n_connections, sizeof(*rows)), *row = rows;
	size_t i, n = snap->n_connections, room = frame_room(f), lines = n;
	const struct connection *conn;
	const struct subflow *sf;
	bool fit, gaps;

	for_each_in (conn, snap, connections) {
		*row = (struct row){ .conn = conn, .sent = NAN, .received = NAN };
		for_each_in (sf, conn, subflows) {
			row->sent = rate_add(row->sent, sf->sent_rate);
			row->received = rate_add(row->received, sf->received_rate);
		}
		row->all = rate_add(row->sent, row->received);
		lines += conn->n_subflows;
		row++;
	}
	fit = lines <= room;
	gaps = lines + n <= room;
	if (!fit)
		qsort(rows, n, sizeof(*rows), compare_rates);
	for (i = 0; i < n; i++) {
		room = frame_room(f);
		if (!fit && room)
			room--; /* The last line counts the others. */
		if (!fit && i > 0 && 1 + rows[i].conn->n_subflows > room)
			break;
		if (gaps)
			frame_add(f, PAINT_PLAIN, "%s", "");
		frame_add_row(snap, &rows[i], room, f);
	}
	if (i < n)
		frame_add(f, PAINT_LABEL, "%zu more connection%s", n - i, PLURAL(n - i));
	free(rows);
}
