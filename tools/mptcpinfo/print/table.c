// SPDX-License-Identifier: MIT
/*
 * table.c - connections and counters for people
 *
 * One block per connection, one line per subflow; or the counters per connection, program
 * and namespace, without those that are 0.
 */
#include "print.h"
#include "shim/common/str.h"

#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>

#define WIDTH	    80
#define LABEL_WIDTH 13 /* "  endpoints  " */
#define NAME_WIDTH  30
#define STATE_WIDTH 11 /* "established" */

struct table {
	const struct snapshot *snap;
	const char *const *paint;
	bool wide;
	int local, remote; /* widths */
	int column;	   /* in a list; 0: it is empty */
	FILE *out;
};

/* The same columns in all blocks, so that the eye can run down them. */
static void measure_columns(struct table *t)
{
	const struct connection *conn;
	const struct subflow *sf;
	char text[ADDR_TEXT_MAX];
	int width;

	for_each_in (conn, t->snap, connections) {
		for_each_in (sf, conn, subflows) {
			width = strlen(local_text(&sf->path, text));
			t->local = width > t->local ? width : t->local;
			width = strlen(remote_text(&sf->path, text));
			t->remote = width > t->remote ? width : t->remote;
		}
	}
}

/* Unknown numbers are shown as "-", never as 0. */
static const char *number_text(int number, bool known, char out[static 12])
{
	if (!known)
		return "-";
	snprintf(out, 12, "%d", number);
	return out;
}

static void table_program(const struct table *t, const char *program, pid_t pid)
{
	char number[12];

	fprintf(t->out, "%s%s[%s]%s", t->paint[PAINT_HEAD], program[0] ? program : "?",
		number_text(pid, pid, number), t->paint[PAINT_OFF]);
}

static void table_head(const struct table *t, const struct connection *conn)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	const char *manager = manager_text(t->snap, conn);

	table_program(t, conn->program, conn->pid);
	fprintf(t->out, "  %08x  %s  %s -> %s  %s\n", conn->token,
		manager[0] ? manager : "?", local_text(&conn->path, local),
		remote_text(&conn->path, remote), tcp_state_text(conn->state));
	if (conn->n_subflows)
		fprintf(t->out, "%s  %3s  %-*s  %-*s  %3s  %-*s  %6s  %5s  %5s%s%s\n",
			t->paint[PAINT_LABEL], "LID", t->local, "LOCAL", t->remote,
			"REMOTE", "RID", STATE_WIDTH, "STATE", "RTT", "SENT", "RECVD",
			t->wide ? "   CWND   RETR   RATE  SHARE" : "",
			t->paint[PAINT_OFF]);
}

/* @all: bytes of the connection */
static void table_wide(const struct table *t, const struct subflow *sf, uint64_t all)
{
	char cwnd[SCALED_MAX], retransmits[SCALED_MAX], rate[SCALED_MAX];
	char share[16] = "-";

	if (!sf->has_tcp) {
		fprintf(t->out, "  %5s  %5s  %5s  %5s", "-", "-", "-", "-");
		return;
	}
	if (all)
		snprintf(share, sizeof(share), "%d%%",
			 percent_of(subflow_bytes(sf), all));
	fprintf(t->out, "  %5s  %5s  %5s  %5s", scaled_text(sf->cwnd, cwnd),
		scaled_text(sf->retransmits, retransmits),
		scaled_text(sf->delivery_rate, rate), share);
}

static void table_subflow(const struct table *t, const struct subflow *sf, uint64_t all)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], local_id[12], remote_id[12];
	char rtt[RTT_MAX] = "-", sent[SCALED_MAX] = "-", received[SCALED_MAX] = "-";
	bool established = sf->state == TCP_ESTABLISHED;

	if (sf->has_tcp) {
		rtt_text(sf->rtt_us, rtt);
		scaled_text(sf->bytes_sent, sent);
		scaled_text(sf->bytes_received, received);
	}
	fprintf(t->out, "  %3s  %-*s  %-*s  %3s  %s%-*s%s  %6s  %5s  %5s",
		number_text(sf->local_id, sf->local_id >= 0, local_id), t->local,
		local_text(&sf->path, local), t->remote, remote_text(&sf->path, remote),
		number_text(sf->remote_id, sf->remote_id >= 0, remote_id),
		t->paint[established && !sf->backup ? PAINT_GOOD : PAINT_WARN],
		STATE_WIDTH,
		established && sf->backup ? "backup" : tcp_state_text(sf->state),
		t->paint[PAINT_OFF], rtt, sent, received);
	if (t->wide)
		table_wide(t, sf, all);
	fputc('\n', t->out);
}

static void table_label(const struct table *t, const char *label)
{
	fprintf(t->out, "  %s%-*s%s", t->paint[PAINT_LABEL], LABEL_WIDTH - 2, label,
		t->paint[PAINT_OFF]);
}

/* Add an item to a list that is wrapped at WIDTH. */
static void table_item(struct table *t, const char *label, const char *name,
		       struct word word)
{
	int width = strlen(name) + 1 + strlen(word.text);

	if (t->column == 0) {
		table_label(t, label);
		t->column = LABEL_WIDTH;
	} else if (t->column + 2 + width + 1 > WIDTH) {
		fprintf(t->out, ",\n%*s", LABEL_WIDTH, "");
		t->column = LABEL_WIDTH;
	} else {
		fputs(", ", t->out);
		t->column += 2;
	}
	fprintf(t->out, "%s %s%s%s", name, t->paint[word.paint], word.text,
		t->paint[PAINT_OFF]);
	t->column += width;
}

static void table_end_list(struct table *t)
{
	if (t->column)
		fputc('\n', t->out);
	t->column = 0;
}

static void table_refused(struct table *t, const struct manager *manager)
{
	if (!manager->info.options[0])
		return;
	table_label(t, "refused");
	fprintf(t->out, "%s\n", manager->info.options);
}

static void table_lists(struct table *t, const struct connection *conn)
{
	const struct manager *manager = connection_manager(t->snap, conn);
	char ip[MPADDR_TEXT_MAX], name[MPADDR_TEXT_MAX + 16];
	const struct pm_announced_report *record;
	enum endpoint_state state;

	for (size_t i = 0; manager && i < manager->n_endpoints; i++) {
		state = endpoint_state(conn, manager, i);
		if (state != ENDPOINT_OTHER)
			table_item(t, "endpoints",
				   ip_text(&manager->endpoints[i].addr, ip),
				   endpoint_words[state]);
	}
	table_end_list(t);
	for_each_in (record, conn, announced) {
		snprintf(name, sizeof(name), "%s (id %u)", ip_text(&record->addr, ip),
			 record->remote_id);
		table_item(t, "announced", name, announced_word(record));
	}
	table_end_list(t);
	if (manager)
		table_refused(t, manager);
}

void write_table(const struct snapshot *snap, bool wide, bool colour, FILE *out)
{
	struct table t = { .snap = snap,
			   .wide = wide,
			   .paint = paint_codes[colour],
			   .local = strlen("LOCAL"),
			   .remote = strlen("REMOTE"),
			   .out = out };
	const struct connection *conn;
	const struct manager *manager;
	const struct subflow *sf;
	char why[EXPLAIN_MAX];

	measure_columns(&t);
	fprintf(out, "%zu MPTCP connection%s, path manager %s\n", snap->n_connections,
		PLURAL(snap->n_connections),
		snap->path_manager[0] ? snap->path_manager : "unknown");
	if (snap->blackhole.on)
		fprintf(out, "%s%s%s\nroot: " BLACKHOLE_REMEDY "\n", t.paint[PAINT_WARN],
			snap->blackhole.text, t.paint[PAINT_OFF],
			snap->blackhole.timeout);
	for_each_in (conn, snap, connections) {
		fputc('\n', out);
		table_head(&t, conn);
		for_each_in (sf, conn, subflows)
			table_subflow(&t, sf, connection_bytes(conn));
		table_lists(&t, conn);
		if (!explain_connection(snap, conn, why))
			continue;
		table_label(&t, "why");
		fprintf(out, "%s%s%s\n", t.paint[PAINT_WARN], why, t.paint[PAINT_OFF]);
	}
	for_each_in (manager, snap, managers) {
		if (!manager->info.options[0] || manager->info.connections)
			continue;
		fputc('\n', out);
		table_program(&t, manager->program, manager->pid);
		fputs("  no MPTCP connection\n", out);
		table_refused(&t, manager);
	}
}

static void write_counter(const struct table *t, const char *name, uint64_t value)
{
	if (value)
		fprintf(t->out, "  %s%-*s%s %12" PRIu64 "\n", t->paint[PAINT_LABEL],
			NAME_WIDTH, name, t->paint[PAINT_OFF], value);
}

static void write_manager_counters(const struct table *t, const struct manager *manager)
{
	const struct ctl_manager *info = &manager->info;
	const struct field *field;

	fputc('\n', t->out);
	table_program(t, manager->program, manager->pid);
	if (!manager->answered) {
		fputs("  ?  did not answer\n", t->out);
		return;
	}
	fprintf(t->out, "  %s  %s%s%s\n", info->backend, info->pool_file,
		info->pool_error[0] ? "  " : "", info->pool_error);
	for (field = manager_fields; field->key; field++)
		write_counter(t, field->key, field_value(field, info));
}

static void write_connection_counters(const struct table *t,
				      const struct connection *conn)
{
	char remote[ADDR_TEXT_MAX];

	if (conn->manager != MANAGER_OURS)
		return;
	fputc('\n', t->out);
	table_program(t, conn->program, conn->pid);
	fprintf(t->out, "  %08x  -> %s\n", conn->token, remote_text(&conn->path, remote));
#define X(name, help) write_counter(t, #name, conn->record.counters.name);
	PM_COUNTERS(X)
#undef X
}

void write_counters(const struct snapshot *snap, bool colour, FILE *out)
{
	const struct table t = { .snap = snap, .paint = paint_codes[colour], .out = out };
	const struct connection *conn;
	const struct manager *manager;
	const struct counter *counter;

	fprintf(out, "%snamespace%s  path manager %s\n", t.paint[PAINT_HEAD],
		t.paint[PAINT_OFF],
		snap->path_manager[0] ? snap->path_manager : "unknown");
	for_each_in (counter, snap, counters)
		write_counter(&t, counter->name, counter->value);
	for_each_in (manager, snap, managers)
		write_manager_counters(&t, manager);
	for_each_in (conn, snap, connections)
		write_connection_counters(&t, conn);
}
