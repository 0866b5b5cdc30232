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

static void write_metric(FILE *out, const char *name, const char *text)
{
	/* Some MPTcpExt counters are gauges, but the kernel does not say which. */
	const char *type = strcmp(name, "mptcp_ext") == 0 ? "untyped"
			   : strstr(name, "_total")	  ? "counter"
							  : "gauge";

	fprintf(out, "# HELP " PREFIX "%s %s.\n# TYPE " PREFIX "%s %s\n", name, text,
		name, type);
}

/* Backslash and quote are escaped; only UTF-8 is allowed. */
static void write_metric_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', out);
		fputc((unsigned char)*value < 0x80 ? *value : '?', out);
	}
	fputc('"', out);
}

static void write_process_sample(FILE *out, const char *name, pid_t pid,
				 const char *program)
{
	char number[16] = "";

	if (pid)
		snprintf(number, sizeof(number), "%d", pid);
	fprintf(out, PREFIX "%s{pid=\"%s\"", name, number);
	write_metric_label(out, ",program", program);
}

static void write_connection_sample(FILE *out, const char *name,
				    const struct connection *conn)
{
	write_process_sample(out, name, conn->pid, conn->program);
	fprintf(out, ",token=\"%08x\"", conn->token);
}

static void write_namespace_metrics(const struct snapshot *snap, FILE *out)
{
	const struct counter *counter;

	write_metric(out, "info", "The path manager of the namespace; always 1");
	write_metric_label(out, PREFIX "info{path_manager", snap->path_manager);
	fputs("} 1\n", out);
	write_metric(out, "connections", "MPTCP connections shown");
	fprintf(out, PREFIX "connections %zu\n", snap->n_connections);
	write_metric(out, "mptcp_ext",
		     "The MPTcpExt counters of the namespace, by their names in nstat");
	for_each_in (counter, snap, counters) {
		write_metric_label(out, PREFIX "mptcp_ext{name", counter->name);
		fprintf(out, "} %" PRIu64 "\n", counter->value);
	}
}

static void write_manager_metric(const struct snapshot *snap, const struct field *field,
				 FILE *out)
{
	const struct manager *manager;

	write_metric(out, field->metric, field->help);
	for_each_in (manager, snap, managers) {
		if (!manager->answered)
			continue;
		write_process_sample(out, field->metric, manager->pid, manager->program);
		fprintf(out, "} %" PRIu64 "\n", field_value(field, &manager->info));
	}
}

static void write_subflow_value(const struct connection *conn, const struct subflow *sf,
				const struct field *field, FILE *out)
{
	char addr[ADDR_TEXT_MAX];

	if (field->size == sizeof(bool) ? !sf->has_flags : !sf->has_tcp)
		return;
	write_connection_sample(out, field->metric, conn);
	write_metric_label(out, ",local", local_text(&sf->path, addr));
	write_metric_label(out, ",remote", remote_text(&sf->path, addr));
	if (field->offset == offsetof(struct subflow, rtt_us))
		fprintf(out, "} %u.%06u\n", sf->rtt_us / 1000000, sf->rtt_us % 1000000);
	else
		fprintf(out, "} %" PRIu64 "\n", field_value(field, sf));
}

void write_prometheus(const struct snapshot *snap, FILE *out)
{
	const struct connection *conn;
	const struct subflow *sf;
	const struct field *field;

	write_namespace_metrics(snap, out);
	for (field = manager_fields; field->key; field++)
		if (field->metric)
			write_manager_metric(snap, field, out);
	write_metric(out, "connection_subflows", "Subflows of a connection");
	for_each_in (conn, snap, connections) {
		write_connection_sample(out, "connection_subflows", conn);
		write_metric_label(out, ",manager", manager_text(snap, conn));
		fprintf(out, "} %zu\n", conn->n_subflows);
	}
	for (field = subflow_fields; field->key; field++) {
		write_metric(out, field->metric, field->help);
		for_each_in (conn, snap, connections)
			for_each_in (sf, conn, subflows)
				write_subflow_value(conn, sf, field, out);
	}
}
