// SPDX-License-Identifier: MIT
/*
 * table.c - a snapshot for people: one block a connection, one line a subflow
 */
#include "model.h"
#include "text.h"
#include "writers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct widths {
	int local;
	int remote;
	int state;
};

static void widen(int *width, const char *text)
{
	int len = strlen(text);

	if (*width < len)
		*width = len;
}

/* The same columns in all blocks, so that the eye can run down them. */
static struct widths measure(const struct snapshot *snap)
{
	struct widths w = { strlen("LOCAL"), strlen("REMOTE"), strlen("STATE") };
	const struct connection *conn;
	const struct subflow *sf;
	char text[ADDR_TEXT_MAX];
	size_t i, j;

	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		for (j = 0; j < conn->n_subflows; j++) {
			sf = &snap->subflows[conn->first_subflow + j];
			widen(&w.local, addr_text(&sf->local, text));
			widen(&w.remote, addr_text(&sf->remote, text));
			widen(&w.state, state_text(sf->state));
		}
	}
	return w;
}

static const char *manager_text(const struct connection *conn)
{
	switch (conn->manager) {
	case MANAGER_NONE:
		return "none";
	case MANAGER_UNKNOWN:
		break;
	case MANAGER_KERNEL:
		return "kernel";
	case MANAGER_DIRECT:
		return "direct";
	}
	return "?";
}

static void write_head(const struct connection *conn, FILE *out)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], pid[16] = "-";

	if (conn->pid)
		snprintf(pid, sizeof(pid), "%d", conn->pid);
	fprintf(out, "%s[%s]  token 0x%08x  manager %s  %s%s  %s -> %s\n",
		conn->program[0] ? conn->program : "?", pid, conn->token,
		manager_text(conn), state_text(conn->state),
		conn->fallback ? " (fell back to TCP)" : "",
		addr_text(&conn->local, local), addr_text(&conn->remote, remote));
}

/* "-" for what nobody told, which is not the same as 0. */
static const char *number(bool known, uint64_t value, char out[static 24])
{
	if (known)
		snprintf(out, 24, "%" PRIu64, value);
	else
		strcpy(out, "-");
	return out;
}

static void write_subflow(const struct subflow *sf, const struct widths *w, FILE *out)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	char local_id[24], remote_id[24], sent[24], received[24];

	fprintf(out, "  %3s  %-*s  %-*s  %3s  %-*s  %-6s  %12s  %12s\n",
		number(sf->local_id >= 0, sf->local_id, local_id), w->local,
		addr_text(&sf->local, local), w->remote, addr_text(&sf->remote, remote),
		number(sf->remote_id >= 0, sf->remote_id, remote_id), w->state,
		state_text(sf->state),
		!sf->has_flags ? "?"
		: sf->backup   ? "yes"
			       : "no",
		number(sf->has_tcp, sf->bytes_sent, sent),
		number(sf->has_tcp, sf->bytes_received, received));
}

int write_table(const struct snapshot *snap, FILE *out)
{
	const struct connection *conn;
	struct widths w = measure(snap);
	size_t i, j;

	fprintf(out, "%zu MPTCP connection%s, path manager %s\n", snap->n_connections,
		snap->n_connections == 1 ? "" : "s",
		snap->path_manager[0] ? snap->path_manager : "unknown");
	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		fputc('\n', out);
		write_head(conn, out);
		if (conn->n_subflows)
			fprintf(out, "  %3s  %-*s  %-*s  %3s  %-*s  %-6s  %12s  %12s\n",
				"ID", w.local, "LOCAL", w.remote, "REMOTE", "ID", w.state,
				"STATE", "BACKUP", "SENT", "RECEIVED");
		for (j = 0; j < conn->n_subflows; j++)
			write_subflow(&snap->subflows[conn->first_subflow + j], &w, out);
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
