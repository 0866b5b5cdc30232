// SPDX-License-Identifier: MIT
/*
 * table.c - connections and counters for people
 *
 * One block per connection, one line per subflow; or the counters per connection, program
 * and namespace, without those that are 0.
 */
#include "print.h"

#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>

#define WIDTH	    80
#define LABEL_WIDTH 13 /* "  endpoints  " */
#define NAME_WIDTH  30

struct table {
	const struct snapshot *snap;
	bool colour;
	int local, remote, state; /* widths */
	FILE *out;
};

static void widen_column(int *width, const char *text)
{
	int len = strlen(text);

	if (*width < len)
		*width = len;
}

/* The same columns in all blocks, so that the eye can run down them. */
static void measure_columns(struct table *t)
{
	const struct connection *conn;
	const struct subflow *sf;
	char text[ADDR_TEXT_MAX];

	t->local = strlen("LOCAL");
	t->remote = strlen("REMOTE");
	t->state = strlen("established");
	for_each_in (conn, t->snap, connections) {
		for_each_in (sf, conn, subflows) {
			widen_column(&t->local, local_text(&sf->path, text));
			widen_column(&t->remote, remote_text(&sf->path, text));
			widen_column(&t->state, subflow_state_text(sf));
		}
	}
}

static void table_program(const struct table *t, const char *program, pid_t pid)
{
	char number[16] = "-";

	if (pid)
		snprintf(number, sizeof(number), "%d", pid);
	fprintf(t->out, "%s%s[%s]%s", paint_on(t->colour, PAINT_HEAD),
		program[0] ? program : "?", number, paint_off(t->colour));
}

static void table_head(const struct table *t, const struct connection *conn)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	const char *manager = manager_text(t->snap, conn);

	table_program(t, conn->program, conn->pid);
	fprintf(t->out, "  0x%08x  %s  %s -> %s  %s\n", conn->token,
		manager[0] ? manager : "?", local_text(&conn->path, local),
		remote_text(&conn->path, remote), tcp_state_text(conn->state));
}

/* Unknown IDs are shown as "-", never as 0. */
static const char *address_id_text(int id, char out[static 12])
{
	if (id >= 0)
		snprintf(out, 12, "%d", id);
	else
		strcpy(out, "-");
	return out;
}

static void table_subflow(const struct table *t, const struct subflow *sf)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], local_id[12], remote_id[12];
	char rtt[RTT_MAX] = "-", sent[SCALED_MAX] = "-", received[SCALED_MAX] = "-";
	bool in_use = sf->state == TCP_ESTABLISHED && !sf->backup;

	if (sf->has_tcp) {
		rtt_text(sf->rtt_us, rtt);
		scaled_text(sf->bytes_sent, sent);
		scaled_text(sf->bytes_received, received);
	}
	fprintf(t->out, "  %3s  %-*s  %-*s  %3s  %s%-*s%s  %6s  %5s  %5s\n",
		address_id_text(sf->local_id, local_id), t->local,
		local_text(&sf->path, local), t->remote, remote_text(&sf->path, remote),
		address_id_text(sf->remote_id, remote_id),
		paint_on(t->colour, in_use ? PAINT_GOOD : PAINT_WARN), t->state,
		subflow_state_text(sf), paint_off(t->colour), rtt, sent, received);
}

static void table_subflows(const struct table *t, const struct connection *conn)
{
	const struct subflow *sf;

	if (conn->n_subflows == 0)
		return;
	fprintf(t->out, "%s  %3s  %-*s  %-*s  %3s  %-*s  %6s  %5s  %5s%s\n",
		paint_on(t->colour, PAINT_LABEL), "ID", t->local, "LOCAL", t->remote,
		"REMOTE", "ID", t->state, "STATE", "RTT", "SENT", "RECVD",
		paint_off(t->colour));
	for_each_in (sf, conn, subflows)
		table_subflow(t, sf);
}

static void table_label(const struct table *t, const char *label)
{
	fprintf(t->out, "  %s%-*s%s", paint_on(t->colour, PAINT_LABEL), LABEL_WIDTH - 2,
		label, paint_off(t->colour));
}

/* Add an item to a list that is wrapped at WIDTH. */
static void table_item(const struct table *t, const char *label, int *column,
		       const char *name, const char *word, enum paint kind)
{
	int width = strlen(name) + 1 + strlen(word);

	if (*column == 0) {
		table_label(t, label);
		*column = LABEL_WIDTH;
	} else if (*column + 2 + width + 1 > WIDTH) {
		fprintf(t->out, ",\n%*s", LABEL_WIDTH, "");
		*column = LABEL_WIDTH;
	} else {
		fputs(", ", t->out);
		*column += 2;
	}
	fprintf(t->out, "%s %s%s%s", name, paint_on(t->colour, kind), word,
		paint_off(t->colour));
	*column += width;
}

static void table_endpoints(const struct table *t, const struct connection *conn)
{
	const struct manager *manager = connection_manager(t->snap, conn);
	const struct ctl_endpoint *ep;
	enum endpoint_state state;
	char ip[MPADDR_TEXT_MAX];
	int column = 0;
	size_t i;

	for (i = 0; manager && i < manager->n_endpoints; i++) {
		ep = connection_endpoint(t->snap, conn, i, &state);
		if (!ep)
			continue;
		ip_text(&ep->addr, ip);
		table_item(t, "endpoints", &column, ip, endpoint_state_words[state],
			   state == ENDPOINT_USED	   ? PAINT_GOOD
			   : state == ENDPOINT_UNAVAILABLE ? PAINT_BAD
							   : PAINT_WARN);
	}
	if (column)
		fputc('\n', t->out);
}

static void table_announced(const struct table *t, const struct connection *conn)
{
	const struct pm_announced_report *record;
	char ip[MPADDR_TEXT_MAX], name[MPADDR_TEXT_MAX + 16];
	enum announced_state state;
	int column = 0;

	for_each_in (record, conn, announced) {
		state = announced_state(record);
		snprintf(name, sizeof(name), "%s (id %u)", ip_text(&record->addr, ip),
			 record->remote_id);
		table_item(t, "announced", &column, name, announced_words[state],
			   state == ANNOUNCED_JOINED	? PAINT_GOOD
			   : state == ANNOUNCED_WAITING ? PAINT_WARN
							: PAINT_BAD);
	}
	if (column)
		fputc('\n', t->out);
}

static void table_connection(const struct table *t, const struct connection *conn)
{
	char why[EXPLAIN_MAX];

	fputc('\n', t->out);
	table_head(t, conn);
	table_subflows(t, conn);
	table_endpoints(t, conn);
	table_announced(t, conn);
	if (explain_connection(t->snap, conn, why)) {
		table_label(t, "why");
		fprintf(t->out, "%s%s%s\n", paint_on(t->colour, PAINT_WARN), why,
			paint_off(t->colour));
	}
}

void write_table(const struct snapshot *snap, bool colour, FILE *out)
{
	struct table t = { .snap = snap, .colour = colour, .out = out };
	const struct connection *conn;

	measure_columns(&t);
	fprintf(out, "%zu MPTCP connection%s, path manager %s\n", snap->n_connections,
		snap->n_connections == 1 ? "" : "s",
		snap->path_manager[0] ? snap->path_manager : "unknown");
	for_each_in (conn, snap, connections)
		table_connection(&t, conn);
}

static void write_counter(const struct table *t, const char *name, uint64_t value)
{
	if (value)
		fprintf(t->out, "  %s%-*s%s %12" PRIu64 "\n",
			paint_on(t->colour, PAINT_LABEL), NAME_WIDTH, name,
			paint_off(t->colour), value);
}

static void write_manager_counters(const struct table *t, const struct manager *manager)
{
	const struct ctl_manager *info = &manager->info;
	size_t i;

	fputc('\n', t->out);
	table_program(t, manager->program, manager->pid);
	fprintf(t->out, "  %s  %s%s%s\n", manager->answered ? info->backend : "?",
		manager->answered ? info->pool_file : "did not answer",
		info->pool_error[0] ? "  " : "", info->pool_error);
	for (i = 0; i < n_manager_fields && manager->answered; i++)
		write_counter(t, manager_fields[i].key,
			      field_value(&manager_fields[i], info));
}

static void write_connection_counters(const struct table *t,
				      const struct connection *conn)
{
	char remote[ADDR_TEXT_MAX];

	if (!connection_manager(t->snap, conn))
		return;
	fputc('\n', t->out);
	table_program(t, conn->program, conn->pid);
	fprintf(t->out, "  0x%08x  -> %s\n", conn->token,
		remote_text(&conn->path, remote));
#define X(name, help) write_counter(t, #name, conn->record.counters.name);
	PM_COUNTERS(X)
#undef X
}

void write_counters(const struct snapshot *snap, bool colour, FILE *out)
{
	const struct table t = { .snap = snap, .colour = colour, .out = out };
	const struct connection *conn;
	const struct manager *manager;
	const struct counter *counter;

	fprintf(out, "%snamespace%s  path manager %s\n", paint_on(colour, PAINT_HEAD),
		paint_off(colour),
		snap->path_manager[0] ? snap->path_manager : "unknown");
	for_each_in (counter, snap, counters)
		write_counter(&t, counter->name, counter->value);
	for_each_in (manager, snap, managers)
		write_manager_counters(&t, manager);
	for_each_in (conn, snap, connections)
		write_connection_counters(&t, conn);
}
