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
	size_t i;

	write_metric(p, "info", "gauge", "The path manager of the namespace; always 1");
	fputs(PREFIX "info", p->out);
	write_metric_label(p, "path_manager", snap->path_manager, "{");
	write_value(p, 1);
	write_metric(p, "connections", "gauge", "MPTCP connections shown");
	fprintf(p->out, PREFIX "connections %zu\n", snap->n_connections);
	/* Some of these are gauges, but the kernel does not say which. */
	write_metric(p, "mptcp_ext", "untyped",
		     "The MPTcpExt counters of the namespace, by their names in nstat");
	for (i = 0; i < snap->n_counters; i++) {
		fputs(PREFIX "mptcp_ext", p->out);
		write_metric_label(p, "name", snap->counters[i].name, "{");
		write_value(p, snap->counters[i].value);
	}
}

static void write_manager_metrics(const struct exposition *p)
{
	const struct manager *manager;
	const struct field *field;
	size_t i;

	for (field = manager_fields; field < manager_fields + n_manager_fields; field++) {
		if (!field->metric)
			continue;
		write_metric(p, field->metric, field->type, field->help);
		for (i = 0; i < p->snap->n_managers; i++) {
			manager = &p->snap->managers[i];
			if (!manager->answered)
				continue;
			fprintf(p->out, PREFIX "%s", field->metric);
			write_process_labels(p, manager->pid, manager->program);
			write_value(p, field_value(field, &manager->info));
		}
	}
}

/* @field NULL: the backup flag */
static void write_subflow_value(const struct exposition *p, const char *metric,
				const struct connection *conn, const struct subflow *sf,
				const struct field *field)
{
	char addr[ADDR_TEXT_MAX];

	if (field ? !sf->has_tcp : !sf->has_flags)
		return;
	fprintf(p->out, PREFIX "%s", metric);
	write_connection_labels(p, conn);
	write_metric_label(p, "local", local_text(&sf->path, addr), ",");
	write_metric_label(p, "remote", remote_text(&sf->path, addr), ",");
	if (field && field->offset == offsetof(struct subflow, rtt_us))
		fprintf(p->out, "} %u.%06u\n", sf->rtt_us / 1000000,
			sf->rtt_us % 1000000);
	else
		write_value(p, field ? field_value(field, sf) : sf->backup);
}

static void write_subflow_metric(const struct exposition *p, const char *metric,
				 const struct field *field)
{
	const struct connection *conn;
	size_t i, j;

	for (i = 0; i < p->snap->n_connections; i++) {
		conn = &p->snap->connections[i];
		for (j = 0; j < conn->n_subflows; j++)
			write_subflow_value(p, metric, conn, &conn->subflows[j], field);
	}
}

static void write_subflow_metrics(const struct exposition *p)
{
	const struct field *field;

	for (field = subflow_fields; field < subflow_fields + n_subflow_fields; field++) {
		write_metric(p, field->metric, field->type, field->help);
		write_subflow_metric(p, field->metric, field);
	}
	write_metric(p, "subflow_backup", "gauge",
		     "Whether it is used only when the others fail");
	write_subflow_metric(p, "subflow_backup", NULL);
}

void write_prometheus(const struct snapshot *snap, FILE *out)
{
	const struct exposition p = { .snap = snap, .out = out };
	const struct connection *conn;
	size_t i;

	write_namespace_metrics(&p);
	write_manager_metrics(&p);
	write_metric(&p, "connection_subflows", "gauge", "Subflows of a connection");
	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		fputs(PREFIX "connection_subflows", out);
		write_connection_labels(&p, conn);
		write_metric_label(&p, "manager", manager_text(snap, conn), ",");
		write_value(&p, conn->n_subflows);
	}
	write_subflow_metrics(&p);
}
