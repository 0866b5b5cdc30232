// SPDX-License-Identifier: MIT
/*
 * paths.c - the live view: connections, their subflows, and the traffic of each
 *
 * Lines are cut on the right, so the most important columns are on the left: rate, share
 * and history first, then state and round-trip time, then the two ends. Histories grow
 * with the width. Uplinks, the local addresses, come first if they have several paths.
 */
#include "shim/common/str.h"
#include "watch.h"

#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_MIN  6 /* cells of a narrow terminal */
#define HISTORY_MAX  60
#define CELLS_MAX    (HISTORY_MAX * 3 + 1) /* three bytes of UTF-8 each */
#define OTHERS	     36			   /* columns, without the addresses */
#define BAR_CELLS    8
#define WHY_INDENT   7 /* "  why  " */
#define UPLINKS_MAX  8
#define MEASURED_MAX 1000

struct row {
	const struct connection *conn;
	double sent, received, all; /* sums of the known rates; NAN if there is none */
	char *why;		    /* NULL: not shown */
};

struct uplink {
	struct mpaddr local;
	size_t paths;
	double rate;
};

static double rate_add(double sum, double value)
{
	if (isnan(value))
		return sum;
	return isnan(sum) ? value : sum + value;
}

/* With what @old had, if there is such a subflow */
static void history_add(struct subflow *sf, struct subflow *old)
{
	if (old) {
		sf->history = old->history;
		old->history = NULL;
	}
	if (!sf->history) {
		sf->history = array_alloc(HISTORY_MAX, sizeof(*sf->history));
		for (size_t i = 0; i < HISTORY_MAX; i++)
			sf->history[i] = NAN;
	}
	memmove(sf->history + 1, sf->history, (HISTORY_MAX - 1) * sizeof(*sf->history));
	sf->history[0] = (float)rate_add(sf->sent_rate, sf->received_rate);
}

static void set_rates(struct subflow *sf, const struct subflow *old, double seconds)
{
	sf->sent_rate = sf->received_rate = NAN;
	/* Less than before: another subflow with the same ends */
	if (!old || !old->has_tcp || !sf->has_tcp || seconds <= 0 ||
	    sf->bytes_sent < old->bytes_sent || sf->bytes_received < old->bytes_received)
		return;
	sf->sent_rate = (sf->bytes_sent - old->bytes_sent) / seconds;
	sf->received_rate = (sf->bytes_received - old->bytes_received) / seconds;
}

void paths_set_rates(struct snapshot *snap, struct snapshot *before, double seconds)
{
	struct index by_token = { .key_size = sizeof(uint32_t) };
	struct connection *conn;
	struct subflow *sf, *old;
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
			set_rates(sf, old, seconds);
			history_add(sf, old);
		}
	}
	index_free(&by_token);
}

/* A bar of @share (0 to 1) of BAR_CELLS cells, padded with blanks. Return: @out. */
static const char *bar_text(double share, bool utf8, char out[static CELLS_MAX])
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

/* The last @n rates, the newest on the right; @top fills a cell. Return: @out. */
static const char *history_text(const struct subflow *sf, int n, double top, bool utf8,
				char out[static CELLS_MAX])
{
	static const char *const steps[2][8] = {
		{ "_", ".", ":", "-", "=", "+", "*", "#" },
		{ "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
	};
	char *end = out;
	double rate;

	while (n--) {
		rate = sf->history ? sf->history[n] : NAN;
		end = stpcpy(end, isnan(rate) ? " "
				  : top > 0   ? steps[utf8][(int)(rate / top * 7 + 0.5)]
					      : steps[utf8][0]);
	}
	*end = '\0';
	return out;
}

/* Columns available for the history: the line without the longest address pair */
static int history_cells(const struct snapshot *snap, int width)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	const struct connection *conn;
	const struct subflow *sf;
	int cells = width - OTHERS, left, measured = 0;

	for_each_in (conn, snap, connections) {
		for_each_in (sf, conn, subflows) {
			if (measured++ >= MEASURED_MAX)
				break; /* most are not shown: some may be cut */
			left = width - OTHERS - strlen(local_text(&sf->path, local)) -
			       strlen(remote_text(&sf->path, remote));
			cells = left < cells ? left : cells;
		}
	}
	return cells < HISTORY_MIN   ? HISTORY_MIN
	       : cells > HISTORY_MAX ? HISTORY_MAX
				     : cells;
}

/* The fastest of the last @n rates of a connection's subflows */
static double history_top(const struct connection *conn, int n)
{
	const struct subflow *sf;
	double top = 0;

	for_each_in (sf, conn, subflows)
		for (int i = 0; i < n && sf->history; i++)
			if (sf->history[i] > top) /* no NAN is */
				top = sf->history[i];
	return top;
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

static int compare_rates(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;
	double x = rate_add(0, a->all), y = rate_add(0, b->all);

	if (x != y)
		return x > y ? -1 : 1;
	return (a->conn > b->conn) - (a->conn < b->conn); /* as in the snapshot */
}

static const char *share_text(double rate, double of, char out[static 8])
{
	if (!(of > 0) || isnan(rate))
		return "-";
	snprintf(out, 8, "%d%%", percent_of(rate, of));
	return out;
}

static void frame_add_legend(struct frame *f)
{
	frame_add(f, PAINT_LABEL, " %8s %5s %-*s %-8s %6s LOCAL > REMOTE", "RATE",
		  "SHARE", f->cells, "TREND", "STATE", "RTT");
}

static void frame_add_path(const struct subflow *sf, const struct row *row, double top,
			   struct frame *f)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], text[RATE_MAX], rtt[RTT_MAX];
	double rate = rate_add(sf->sent_rate, sf->received_rate);
	char cells[CELLS_MAX], share[8];

	frame_add(f, sf->state == TCP_ESTABLISHED ? PAINT_PLAIN : PAINT_LABEL,
		  " %9s %4s %s %-8s %6s %s > %s", rate_text(rate, text),
		  share_text(rate, row->all, share),
		  history_text(sf, f->cells, top, f->utf8, cells), short_state_text(sf),
		  sf->has_tcp ? rtt_text(sf->rtt_us, rtt) : "-",
		  local_text(&sf->path, local), remote_text(&sf->path, remote));
}

/* Of the first line of @text, which is wrapped at blanks; @width 0: nowhere */
static size_t line_length(const char *text, int width)
{
	size_t n = strlen(text), cut = width > WHY_INDENT ? width - WHY_INDENT : 1;

	if (!width || n <= cut)
		return n;
	for (n = cut; n && text[n] != ' '; n--)
		;
	return n ?: cut;
}

static size_t count_lines(const char *text, int width)
{
	size_t n;

	for (n = 0; *text; n++) {
		text += line_length(text, width);
		text += *text == ' ';
	}
	return n;
}

static void frame_add_why(const char *text, struct frame *f)
{
	const char *label = "why";
	size_t n;

	for (; *text; text += n + (text[n] == ' '), label = "") {
		n = line_length(text, f->width);
		frame_add(f, PAINT_WARN, "  %-3s  %.*s", label, (int)n, text);
	}
}

/* The head and as many subflows as fit in @room lines */
static void frame_add_row(const struct snapshot *snap, const struct row *row, size_t room,
			  struct frame *f)
{
	char in[RATE_MAX], out[RATE_MAX], pid[16] = "-";
	const struct connection *conn = row->conn;
	const char *manager = manager_text(snap, conn);
	double top = history_top(conn, f->cells);
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
		frame_add_path(&conn->subflows[i], row, top, f);
	if (i < n && room)
		frame_add(f, PAINT_LABEL, "%zu more path%s", n - i, PLURAL(n - i));
	if (row->why)
		frame_add_why(row->why, f);
}

/* Return: their number; 0: more than UPLINKS_MAX. */
static size_t list_uplinks(const struct snapshot *snap, struct uplink list[UPLINKS_MAX])
{
	const struct connection *conn;
	const struct subflow *sf;
	size_t i, n = 0;

	for_each_in (conn, snap, connections) {
		for_each_in (sf, conn, subflows) {
			for (i = 0; i < n; i++)
				if (mpaddr_same_ip(&list[i].local, &sf->path.local))
					break;
			if (i == UPLINKS_MAX)
				return 0;
			if (i == n)
				list[n++] = (struct uplink){ .local = sf->path.local,
							     .rate = NAN };
			list[i].paths++;
			list[i].rate = rate_add(list[i].rate, sf->sent_rate);
			list[i].rate = rate_add(list[i].rate, sf->received_rate);
		}
	}
	return n;
}

/* Not if there is one alone, or if they say what the paths say. */
static void frame_add_uplinks(const struct snapshot *snap, struct frame *f)
{
	char ip[MPADDR_TEXT_MAX], device[IF_NAMESIZE], rate[RATE_MAX], share[8];
	struct uplink list[UPLINKS_MAX];
	size_t n = list_uplinks(snap, list), paths = 0;
	double all = NAN, part;
	char bar[CELLS_MAX];

	for (size_t i = 0; i < n; i++) {
		paths += list[i].paths;
		all = rate_add(all, list[i].rate);
	}
	if (n < 2 || paths == n || frame_room(f) < 3 * n)
		return;
	for (size_t i = 0; i < n; i++) {
		part = all > 0 ? rate_add(0, list[i].rate) / all : NAN;
		device_of(&list[i].local, device);
		frame_add(f, PAINT_PLAIN, " %9s %4s %s %s %s: %zu path%s",
			  rate_text(list[i].rate, rate),
			  share_text(list[i].rate, all, share),
			  bar_text(part, f->utf8, bar), device,
			  ip_text(&list[i].local, ip), list[i].paths,
			  PLURAL(list[i].paths));
	}
}

/* Reasons for missing paths, if there is room for all. Return: the lines of all rows. */
static size_t explain_rows(const struct snapshot *snap, struct row *rows,
			   const struct frame *f)
{
	size_t i, n = snap->n_connections, lines = n, whys = 0;
	char text[EXPLAIN_MAX];

	for (i = 0; i < n; i++)
		lines += rows[i].conn->n_subflows;
	for (i = 0; i < n && lines + whys <= frame_room(f); i++) {
		if (!explain_connection(snap, rows[i].conn, text))
			continue;
		rows[i].why = strdup(text);
		if (!rows[i].why)
			memory_die();
		whys += count_lines(text, f->width);
	}
	if (lines + whys <= frame_room(f))
		return lines + whys;
	for (i = 0; i < n; i++) {
		free(rows[i].why);
		rows[i].why = NULL;
	}
	return lines;
}

void paths_frame(const struct snapshot *snap, struct frame *f)
{
	struct row *rows = array_alloc(snap->n_connections, sizeof(*rows)), *row = rows;
	size_t i, n = snap->n_connections, room, lines;
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
		row++;
	}
	f->cells = history_cells(snap, f->width);
	frame_add_uplinks(snap, f);
	lines = explain_rows(snap, rows, f);
	room = frame_room(f);
	fit = lines <= room;
	if (n && lines < room) {
		frame_add_legend(f);
		room--;
	}
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
	for (i = 0; i < n; i++)
		free(rows[i].why);
	free(rows);
}
