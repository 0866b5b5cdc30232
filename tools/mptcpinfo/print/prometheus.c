// SPDX-License-Identifier: MIT
/*
 * prometheus.c - a snapshot in Prometheus' text exposition format, version 0.0.4
 *
 * All samples of a metric must follow its HELP and TYPE, so each metric is one pass over
 * its table. Times are in seconds; the names of counters end in _total.
 */
#include "print.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "mptcpaddr_"

struct exposition {
	const struct snapshot *snap;
	FILE *out;
};

static void write_metric(const struct exposition *p, const char *name, const char *type,
			 const char *text)
{
	fprintf(p->out, "# HELP " PREFIX "%s %s.\n# TYPE " PREFIX "%s %s\n", name, text,
		name, type);
}

/* Backslash, quote and line end are escaped; only UTF-8 is allowed. */
static void write_metric_label(const struct exposition *p, const char *name,
			       const char *value, const char *before)
{
	fprintf(p->out, "%s%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', p->out);
		if (*value == '\n')
			fputs("\\n", p->out);
		else
			fputc((unsigned char)*value < 0x80 ? *value : '?', p->out);
	}
	fputc('"', p->out);
}

static void write_process_labels(const struct exposition *p, pid_t pid,
				 const char *program)
{
	char number[16] = "";

	if (pid)
		snprintf(number, sizeof(number), "%d", pid);
	write_metric_label(p, "pid", number, "{");
	write_metric_label(p, "program", program, ",");
}

static void write_connection_labels(const struct exposition *p,
				    const struct connection *conn)
{
	char token[16];

	write_process_labels(p, conn->pid, conn->program);
	snprintf(token, sizeof(token), "0x%08x", conn->token);
	write_metric_label(p, "token", token, ",");
}

static void write_value(const struct exposition *p, uint64_t value)
{
	fprintf(p->out, "} %" PRIu64 "\n", value);
}

static void write_namespace_metrics(const struct exposition *p)
{
	const struct snapshot *snap = p->snap;
	const struct counter *counter;

	write_metric(p, "info", "gauge", "The path manager of the namespace; always 1");
	fputs(PREFIX "info", p->out);
	write_metric_label(p, "path_manager", snap->path_manager, "{");
	write_value(p, 1);
	write_metric(p, "connections", "gauge", "MPTCP connections shown");
	fprintf(p->out, PREFIX "connections %zu\n", snap->n_connections);
	/* Some of these are gauges, but the kernel does not say which. */
	write_metric(p, "mptcp_ext", "untyped",
		     "The MPTcpExt counters of the namespace, by their names in nstat");
	for_each_in (counter, snap, counters) {
		fputs(PREFIX "mptcp_ext", p->out);
		write_metric_label(p, "name", counter->name, "{");
		write_value(p, counter->value);
	}
}

static void write_manager_metrics(const struct exposition *p)
{
	const struct manager *manager;
	const struct field *field;

	for (field = manager_fields; field < manager_fields + n_manager_fields; field++) {
		if (!field->metric)
			continue;
		write_metric(p, field->metric, field->type, field->help);
		for_each_in (manager, p->snap, managers) {
			if (!manager->answered)
				continue;
			fprintf(p->out, PREFIX "%s", field->metric);
			write_process_labels(p, manager->pid, manager->program);
			write_value(p, field_value(field, &manager->info));
		}
	}
}

static void write_subflow_value(const struct exposition *p, const struct connection *conn,
				const struct subflow *sf, const struct field *field)
{
	bool is_flag = field->offset == offsetof(struct subflow, backup);
	char addr[ADDR_TEXT_MAX];

	if (is_flag ? !sf->has_flags : !sf->has_tcp)
		return;
	fprintf(p->out, PREFIX "%s", field->metric);
	write_connection_labels(p, conn);
	write_metric_label(p, "local", local_text(&sf->path, addr), ",");
	write_metric_label(p, "remote", remote_text(&sf->path, addr), ",");
	if (field->offset == offsetof(struct subflow, rtt_us))
		fprintf(p->out, "} %u.%06u\n", sf->rtt_us / 1000000,
			sf->rtt_us % 1000000);
	else
		write_value(p, field_value(field, sf));
}

static void write_subflow_metrics(const struct exposition *p)
{
	const struct connection *conn;
	const struct subflow *sf;
	const struct field *field;

	for (field = subflow_fields; field < subflow_fields + n_subflow_fields; field++) {
		write_metric(p, field->metric, field->type, field->help);
		for_each_in (conn, p->snap, connections) {
			for_each_in (sf, conn, subflows)
				write_subflow_value(p, conn, sf, field);
		}
	}
}

void write_prometheus(const struct snapshot *snap, FILE *out)
{
	const struct exposition p = { .snap = snap, .out = out };
	const struct connection *conn;

	write_namespace_metrics(&p);
	write_manager_metrics(&p);
	write_metric(&p, "connection_subflows", "gauge", "Subflows of a connection");
	for_each_in (conn, snap, connections) {
		fputs(PREFIX "connection_subflows", out);
		write_connection_labels(&p, conn);
		write_metric_label(&p, "manager", manager_text(snap, conn), ",");
		write_value(&p, conn->n_subflows);
	}
	write_subflow_metrics(&p);
}
