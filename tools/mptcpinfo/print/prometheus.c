// SPDX-License-Identifier: MIT
/*
 * prometheus.c - a snapshot in Prometheus' text exposition format, version 0.0.4
 *
 * All samples of a metric stand together below one HELP and one TYPE, so every metric is
 * one run over its table. Times are seconds, and a counter's name ends in _total.
 */
#include "text.h"
#include "tools/mptcpinfo/snapshot.h"
#include "writers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PREFIX "mptcpaddr_"

struct page {
	const struct snapshot *snap;
	FILE *out;
};

static void write_metric(const struct page *p, const char *name, const char *type,
			 const char *text)
{
	fprintf(p->out, "# HELP " PREFIX "%s %s.\n# TYPE " PREFIX "%s %s\n", name, text,
		name, type);
}

/* Backslash, quote and line end are escaped; what is no UTF-8 may not be in it. */
static void write_label(const struct page *p, const char *name, const char *value,
			const char *before)
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

static void write_process(const struct page *p, pid_t pid, const char *program)
{
	char number[16] = "";

	if (pid)
		snprintf(number, sizeof(number), "%d", pid);
	write_label(p, "pid", number, "{");
	write_label(p, "program", program, ",");
}

static void write_token(const struct page *p, const struct connection *conn)
{
	char token[16];

	write_process(p, conn->pid, conn->program);
	snprintf(token, sizeof(token), "0x%08x", conn->token);
	write_label(p, "token", token, ",");
}

static void write_end(const struct page *p, uint64_t value)
{
	fprintf(p->out, "} %" PRIu64 "\n", value);
}

static void write_namespace(const struct page *p)
{
	const struct snapshot *snap = p->snap;
	size_t i;

	write_metric(p, "info", "gauge", "The path manager of the namespace; always 1");
	fputs(PREFIX "info", p->out);
	write_label(p, "path_manager", snap->path_manager, "{");
	write_end(p, 1);
	write_metric(p, "connections", "gauge", "MPTCP connections shown");
	fprintf(p->out, PREFIX "connections %zu\n", snap->n_connections);
	/* Some of them go up and down, and the kernel does not say which. */
	write_metric(p, "mptcp_ext", "untyped",
		     "The MPTcpExt counters of the namespace, by their names in nstat");
	for (i = 0; i < snap->n_counters; i++) {
		fputs(PREFIX "mptcp_ext", p->out);
		write_label(p, "name", snap->counters[i].name, "{");
		write_end(p, snap->counters[i].value);
	}
}

/* A value of each manager that has answered; @offset is where it is in its answer. */
static void write_manager_metric(const struct page *p, const char *name, const char *type,
				 const char *text, size_t offset, size_t size)
{
	const struct manager *manager;
	uint64_t value;
	uint32_t small;
	size_t i;

	write_metric(p, name, type, text);
	for (i = 0; i < p->snap->n_managers; i++) {
		manager = &p->snap->managers[i];
		if (!manager->answered)
			continue;
		if (size == sizeof(small)) {
			memcpy(&small, (const char *)&manager->info + offset,
			       sizeof(small));
			value = small;
		} else {
			memcpy(&value, (const char *)&manager->info + offset,
			       sizeof(value));
		}
		fprintf(p->out, PREFIX "%s", name);
		write_process(p, manager->pid, manager->program);
		write_end(p, value);
	}
}

#define WRITE(name, type, text, field)                                                 \
	write_manager_metric(p, name, type, text, offsetof(struct ctl_manager, field), \
			     sizeof(((struct ctl_manager *)0)->field))

static void write_managers(const struct page *p)
{
	WRITE("manager_connections", "gauge", "Connections in its table", connections);
	WRITE("manager_used_ids", "gauge", "Local address IDs in use", used_ids);
	WRITE("manager_early_events", "gauge",
	      "Events held for connections not registered yet", early);
	WRITE("manager_events_total", "counter", "Events of the kernel", events);
	WRITE("manager_events_replayed_total", "counter",
	      "Events that came before their connection", events_replayed);
	WRITE("manager_events_foreign_total", "counter",
	      "Events of other programs' connections", events_foreign);
	WRITE("manager_overruns_total", "counter", "Times that events were lost",
	      overruns);
	WRITE("manager_registrations_total", "counter", "Connections registered",
	      registrations);
	WRITE("manager_registrations_lost_total", "counter",
	      "Connections that could not be registered", registrations_lost);
	WRITE("manager_pool_loads_total", "counter", "Times a pool file came into force",
	      pool_loads);
#define X(name, help) WRITE("pm_" #name "_total", "counter", help, counters.name);
	PM_COUNTERS(X)
#undef X
}

/* A value of each subflow. */
enum field {
	FIELD_SENT,
	FIELD_RECEIVED,
	FIELD_RETRANSMITS,
	FIELD_CWND,
	FIELD_RATE,
	FIELD_BACKUP,
	FIELD_RTT,
};

static bool has_field(const struct subflow *sf, enum field field)
{
	return field == FIELD_BACKUP ? sf->has_flags : sf->has_tcp;
}

static void write_field(const struct page *p, const struct subflow *sf, enum field field)
{
	switch (field) {
	case FIELD_SENT:
		write_end(p, sf->bytes_sent);
		break;
	case FIELD_RECEIVED:
		write_end(p, sf->bytes_received);
		break;
	case FIELD_RETRANSMITS:
		write_end(p, sf->retransmits);
		break;
	case FIELD_CWND:
		write_end(p, sf->cwnd);
		break;
	case FIELD_RATE:
		write_end(p, sf->delivery_rate);
		break;
	case FIELD_BACKUP:
		write_end(p, sf->backup);
		break;
	case FIELD_RTT:
		fprintf(p->out, "} %u.%06u\n", sf->rtt_us / 1000000,
			sf->rtt_us % 1000000);
		break;
	}
}

static void write_subflow_metric(const struct page *p, const char *name, const char *type,
				 const char *text, enum field field)
{
	char addr[ADDR_TEXT_MAX];
	const struct connection *conn;
	const struct subflow *sf;
	size_t i, j;

	write_metric(p, name, type, text);
	for (i = 0; i < p->snap->n_connections; i++) {
		conn = &p->snap->connections[i];
		for (j = 0; j < conn->subflows.n; j++) {
			sf = &p->snap->subflows[conn->subflows.first + j];
			if (!has_field(sf, field))
				continue;
			fprintf(p->out, PREFIX "%s", name);
			write_token(p, conn);
			write_label(p, "local", addr_text(&sf->local, addr), ",");
			write_label(p, "remote", addr_text(&sf->remote, addr), ",");
			write_field(p, sf, field);
		}
	}
}

static void write_subflows(const struct page *p)
{
	write_subflow_metric(p, "subflow_sent_bytes_total", "counter",
			     "Payload sent, repeated bytes included", FIELD_SENT);
	write_subflow_metric(p, "subflow_received_bytes_total", "counter",
			     "Payload received", FIELD_RECEIVED);
	write_subflow_metric(p, "subflow_retransmits_total", "counter",
			     "Segments sent again", FIELD_RETRANSMITS);
	write_subflow_metric(p, "subflow_cwnd_segments", "gauge", "Congestion window",
			     FIELD_CWND);
	write_subflow_metric(p, "subflow_delivery_rate_bytes", "gauge",
			     "Bytes per second that the peer acknowledged last",
			     FIELD_RATE);
	write_subflow_metric(p, "subflow_backup", "gauge",
			     "Whether it is used only when the others fail",
			     FIELD_BACKUP);
	write_subflow_metric(p, "subflow_rtt_seconds", "gauge",
			     "Smoothed round trip time", FIELD_RTT);
}

int write_prometheus(const struct snapshot *snap, FILE *out)
{
	const struct page p = { .snap = snap, .out = out };
	const struct connection *conn;
	size_t i;

	write_namespace(&p);
	write_managers(&p);
	write_metric(&p, "connection_subflows", "gauge", "Subflows of a connection");
	for (i = 0; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		fputs(PREFIX "connection_subflows", out);
		write_token(&p, conn);
		write_label(&p, "manager", manager_text(snap, conn), ",");
		write_end(&p, conn->subflows.n);
	}
	write_subflows(&p);
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
