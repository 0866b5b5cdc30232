// SPDX-License-Identifier: MIT
/*
 * table.c - a snapshot for people: one block a connection, one line a subflow
 */
#include "explain.h"
#include "paint.h"
#include "text.h"
#include "tools/mptcpinfo/snapshot.h"
#include "writers.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <string.h>

#define WIDTH	    80
#define LABEL_WIDTH 13 /* "  endpoints  " */

struct table {
	const struct snapshot *snap;
	bool colour;
	int local, remote, state; /* widths */
	FILE *out;
};

static void widen(int *width, const char *text)
{
	int len = strlen(text);

	if (*width < len)
		*width = len;
}

/* A path that the other ones must fail for is not what "established" promises. */
static const char *path_state(const struct subflow *sf)
{
	return sf->state == TCP_ESTABLISHED && sf->backup ? "backup"
							  : state_text(sf->state);
}

/* The same columns in all blocks, so that the eye can run down them. */
static void measure(struct table *t)
{
	char text[ADDR_TEXT_MAX];
	const struct subflow *sf;
	size_t i;

	t->local = strlen("LOCAL");
	t->remote = strlen("REMOTE");
	t->state = strlen("established");
	for (i = 0; i < t->snap->n_subflows; i++) {
		sf = &t->snap->subflows[i];
		widen(&t->local, addr_text(&sf->local, text));
		widen(&t->remote, addr_text(&sf->remote, text));
		widen(&t->state, path_state(sf));
	}
}

static void write_head(const struct table *t, const struct connection *conn)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], pid[16] = "-";
	const char *manager = manager_text(t->snap, conn);

	if (conn->pid)
		snprintf(pid, sizeof(pid), "%d", conn->pid);
	fprintf(t->out, "%s%s[%s]%s  0x%08x  %s  %s -> %s  %s\n",
		paint(t->colour, PAINT_HEAD), conn->program[0] ? conn->program : "?", pid,
		unpaint(t->colour), conn->token, manager[0] ? manager : "?",
		addr_text(&conn->local, local), addr_text(&conn->remote, remote),
		state_text(conn->state));
}

/* "-" for what nobody told, which is not the same as 0. */
static const char *id_text(int id, char out[static 12])
{
	if (id >= 0)
		snprintf(out, 12, "%d", id);
	else
		strcpy(out, "-");
	return out;
}

static void write_subflow(const struct table *t, const struct subflow *sf)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], local_id[12], remote_id[12];
	char rtt[RTT_MAX] = "-", sent[SCALED_MAX] = "-", received[SCALED_MAX] = "-";
	enum paint state =
		sf->state != TCP_ESTABLISHED || sf->backup ? PAINT_WARN : PAINT_GOOD;

	if (sf->has_tcp) {
		rtt_text(sf->rtt_us, rtt);
		scaled_text(sf->bytes_sent, sent);
		scaled_text(sf->bytes_received, received);
	}
	fprintf(t->out, "  %3s  %-*s  %-*s  %3s  %s%-*s%s  %6s  %5s  %5s\n",
		id_text(sf->local_id, local_id), t->local, addr_text(&sf->local, local),
		t->remote, addr_text(&sf->remote, remote),
		id_text(sf->remote_id, remote_id), paint(t->colour, state), t->state,
		path_state(sf), unpaint(t->colour), rtt, sent, received);
}

static void write_subflows(const struct table *t, const struct connection *conn)
{
	size_t i;

	if (conn->subflows.n == 0)
		return;
	fprintf(t->out, "%s  %3s  %-*s  %-*s  %3s  %-*s  %6s  %5s  %5s%s\n",
		paint(t->colour, PAINT_LABEL), "ID", t->local, "LOCAL", t->remote,
		"REMOTE", "ID", t->state, "STATE", "RTT", "SENT", "RECVD",
		unpaint(t->colour));
	for (i = 0; i < conn->subflows.n; i++)
		write_subflow(t, &t->snap->subflows[conn->subflows.first + i]);
}

static void write_label(const struct table *t, const char *label)
{
	fprintf(t->out, "  %s%-*s%s", paint(t->colour, PAINT_LABEL), LABEL_WIDTH - 2,
		label, unpaint(t->colour));
}

/* One more of a list that goes on in the next line where this one is full. */
static void write_item(const struct table *t, const char *label, int *column,
		       const char *name, const char *word, enum paint kind)
{
	int width = strlen(name) + 1 + strlen(word);

	if (*column == 0) {
		write_label(t, label);
		*column = LABEL_WIDTH;
	} else if (*column + 2 + width + 1 > WIDTH) {
		fprintf(t->out, ",\n%*s", LABEL_WIDTH, "");
		*column = LABEL_WIDTH;
	} else {
		fputs(", ", t->out);
		*column += 2;
	}
	fprintf(t->out, "%s %s%s%s", name, paint(t->colour, kind), word,
		unpaint(t->colour));
	*column += width;
}

static void write_endpoints(const struct table *t, const struct connection *conn)
{
	const struct manager *manager = connection_manager(t->snap, conn);
	enum endpoint_state state;
	char ip[IP_TEXT_MAX];
	int column = 0;
	size_t i;

	for (i = 0; manager && i < manager->endpoints.n; i++) {
		if (!connection_endpoint(t->snap, conn, i, &state))
			continue;
		ctl_ip_text(&t->snap->endpoints[manager->endpoints.first + i].addr, ip);
		write_item(t, "endpoints", &column, ip, endpoint_text(state),
			   state == ENDPOINT_USED	   ? PAINT_GOOD
			   : state == ENDPOINT_UNAVAILABLE ? PAINT_BAD
							   : PAINT_WARN);
	}
	if (column)
		fputc('\n', t->out);
}

static void write_announced(const struct table *t, const struct connection *conn)
{
	const struct pm_announced_report *record;
	char ip[IP_TEXT_MAX], name[IP_TEXT_MAX + 16];
	enum announced_state state;
	int column = 0;
	size_t i;

	for (i = 0; i < conn->announced.n; i++) {
		record = &t->snap->announced[conn->announced.first + i].record;
		state = announced_state(record);
		snprintf(name, sizeof(name), "%s (id %u)", ctl_ip_text(&record->addr, ip),
			 record->remote_id);
		write_item(t, "announced", &column, name, announced_text(state),
			   state == ANNOUNCED_JOINED	? PAINT_GOOD
			   : state == ANNOUNCED_WAITING ? PAINT_WARN
							: PAINT_BAD);
	}
	if (column)
		fputc('\n', t->out);
}

static void write_connection(const struct table *t, const struct connection *conn)
{
	char why[EXPLAIN_MAX];

	fputc('\n', t->out);
	write_head(t, conn);
	write_subflows(t, conn);
	write_endpoints(t, conn);
	write_announced(t, conn);
	if (explain(t->snap, conn, why)) {
		write_label(t, "why");
		fprintf(t->out, "%s%s%s\n", paint(t->colour, PAINT_WARN), why,
			unpaint(t->colour));
	}
}

int write_table(const struct snapshot *snap, bool colour, FILE *out)
{
	struct table t = { .snap = snap, .colour = colour, .out = out };
	size_t i;

	measure(&t);
	fprintf(out, "%zu MPTCP connection%s, path manager %s\n", snap->n_connections,
		snap->n_connections == 1 ? "" : "s",
		snap->path_manager[0] ? snap->path_manager : "unknown");
	for (i = 0; i < snap->n_connections; i++)
		write_connection(&t, &snap->connections[i]);
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
