// SPDX-License-Identifier: MIT
/*
 * json.c - a snapshot for programs; the keys are documented in mptcpinfo(8)
 *
 * One object a connection is built, written on a line of its own and freed, so that
 * memory does not grow with the number of connections.
 */
#include "explain.h"
#include "text.h"
#include "tools/mptcpinfo/snapshot.h"
#include "writers.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION 1
#define LINE_FLAGS     (JSON_COMPACT | JSON_PRESERVE_ORDER)

/* A name may be any bytes; JSON takes UTF-8 only. */
static json_t *text(const char *s)
{
	json_t *value = json_string(s);
	char ascii[1024];
	size_t i;

	if (value)
		return value;
	for (i = 0; i < sizeof(ascii) - 1 && s[i]; i++)
		ascii[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
	ascii[i] = '\0';
	return json_string(ascii);
}

static void put_text(json_t *object, const char *key, const char *s)
{
	if (s[0])
		json_object_set_new(object, key, text(s));
}

static void put_number(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

/* Beyond what JSON readers take for an exact number: the 16 hex digits of ss. */
static void put_sequence(json_t *object, const char *key, uint64_t value)
{
	char out[20];

	snprintf(out, sizeof(out), "%016" PRIx64, value);
	put_text(object, key, out);
}

static void put_addr(json_t *object, const char *key, const struct inet_addr *addr)
{
	char out[ADDR_TEXT_MAX];

	put_text(object, key, addr_text(addr, out));
}

static json_t *namespace_json(const struct snapshot *snap)
{
	json_t *namespace = json_object(), *counters = json_object();
	size_t i;

	put_text(namespace, "path_manager", snap->path_manager);
	for (i = 0; i < snap->n_counters; i++)
		put_number(counters, snap->counters[i].name, snap->counters[i].value);
	json_object_set_new(namespace, "counters", counters);
	return namespace;
}

static void put_pm_counters(json_t *object, const struct pm_counters *counters)
{
#define X(name, help) put_number(object, #name, counters->name);
	PM_COUNTERS(X)
#undef X
}

static json_t *manager_counters(const struct ctl_manager *info)
{
	json_t *counters = json_object();

#define PUT(field) put_number(counters, #field, info->field)
	PUT(connections);
	PUT(used_ids);
	PUT(early);
	PUT(endp_signal_max);
	PUT(endp_subflow_max);
	PUT(endp_laminar_max);
	PUT(endp_fullmesh_max);
	PUT(events);
	PUT(events_replayed);
	PUT(events_foreign);
	PUT(overruns);
	PUT(registrations);
	PUT(registrations_lost);
	PUT(pool_loads);
	PUT(notes);
#undef PUT
	put_pm_counters(counters, &info->counters);
	return counters;
}

static json_t *manager_json(const struct manager *manager)
{
	const struct ctl_manager *info = &manager->info;
	json_t *object = json_object();

	if (manager->pid)
		put_number(object, "pid", manager->pid);
	put_text(object, "program", manager->program);
	if (!manager->answered)
		return object;
	put_text(object, "backend", info->backend);
	put_text(object, "pool_file", info->pool_file);
	put_text(object, "pool_error", info->pool_error);
	json_object_set_new(object, "counters", manager_counters(info));
	return object;
}

static json_t *subflow_json(const struct subflow *sf)
{
	json_t *object = json_object();

	if (sf->local_id >= 0)
		put_number(object, "local_id", sf->local_id);
	if (sf->remote_id >= 0)
		put_number(object, "remote_id", sf->remote_id);
	put_addr(object, "local", &sf->local);
	put_addr(object, "remote", &sf->remote);
	put_text(object, "state", state_text(sf->state));
	if (sf->has_flags)
		json_object_set_new(object, "backup", json_boolean(sf->backup));
	if (sf->has_tcp) {
		put_number(object, "bytes_sent", sf->bytes_sent);
		put_number(object, "bytes_received", sf->bytes_received);
		put_number(object, "rtt_us", sf->rtt_us);
		put_number(object, "cwnd", sf->cwnd);
		put_number(object, "retransmits", sf->retransmits);
		put_number(object, "delivery_rate", sf->delivery_rate);
	}
	return object;
}

static json_t *info_json(const struct connection *conn, bool maxima)
{
	const struct mptcpaddr_info *info = &conn->info;
	json_t *object = json_object();

#define PUT_AS(put, field)                                \
	do {                                              \
		if (INFO_HAS(conn, field))                \
			put(object, #field, info->field); \
	} while (0)
#define PUT(field) PUT_AS(put_number, field)
	PUT(subflows);
	PUT(add_addr_signal);
	PUT(add_addr_accepted);
	PUT(subflows_max);
	PUT(add_addr_signal_max);
	PUT(add_addr_accepted_max);
	PUT(flags);
	PUT_AS(put_sequence, write_seq);
	PUT_AS(put_sequence, snd_una);
	PUT_AS(put_sequence, rcv_nxt);
	PUT(local_addr_used);
	PUT(local_addr_max);
	PUT(csum_enabled);
	PUT(retransmits);
	PUT(bytes_retrans);
	PUT(bytes_sent);
	PUT(bytes_received);
	PUT(bytes_acked);
	PUT(subflows_total);
	if (maxima) {
		PUT(endp_laminar_max);
		PUT(endp_fullmesh_max);
	}
	PUT(last_data_sent);
	PUT(last_data_recv);
	PUT(last_ack_recv);
#undef PUT
#undef PUT_AS
	return object;
}

static json_t *flags_json(uint32_t flags)
{
	json_t *array = json_array();
	const char *word;

	for (uint32_t bit = 1; bit; bit <<= 1) {
		word = flags & bit ? endpoint_flag_text(bit) : NULL;
		if (word)
			json_array_append_new(array, json_string(word));
	}
	return array;
}

static json_t *endpoints_json(const struct snapshot *snap, const struct connection *conn,
			      const struct manager *manager)
{
	json_t *array = json_array(), *object;
	const struct ctl_endpoint *ep;
	enum endpoint_state state;
	char ip[IP_TEXT_MAX];
	size_t i;

	for (i = 0; i < manager->endpoints.n; i++) {
		if (!connection_endpoint(snap, conn, i, &state))
			continue;
		ep = &snap->endpoints[manager->endpoints.first + i];
		object = json_object();
		put_text(object, "address", ctl_ip_text(&ep->addr, ip));
		put_number(object, "local_id", ep->local_id);
		json_object_set_new(object, "flags", flags_json(ep->flags));
		put_text(object, "state", endpoint_text(state));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *announced_json(const struct snapshot *snap, const struct connection *conn)
{
	const struct pm_announced_report *record;
	char ip[IP_TEXT_MAX], reason[NOTE_REASON_MAX];
	json_t *array = json_array(), *object;
	size_t i;

	for (i = 0; i < conn->announced.n; i++) {
		record = &snap->announced[conn->announced.first + i].record;
		object = json_object();
		put_number(object, "remote_id", record->remote_id);
		put_text(object, "address", ctl_ip_text(&record->addr, ip));
		if (record->addr.port)
			put_number(object, "port", record->addr.port);
		put_text(object, "state", announced_text(announced_state(record)));
		put_text(object, "reason", announced_reason(record, reason));
		json_array_append_new(array, object);
	}
	return array;
}

static void put_who(json_t *object, const struct connection *conn)
{
	put_number(object, "token", conn->token);
	if (conn->pid)
		put_number(object, "pid", conn->pid);
	put_text(object, "program", conn->program);
}

static json_t *connection_json(const struct snapshot *snap, const struct connection *conn)
{
	const struct manager *manager = connection_manager(snap, conn);
	json_t *object = json_object(), *subflows = json_array();
	char why[EXPLAIN_MAX];
	size_t i;

	put_who(object, conn);
	put_number(object, "uid", conn->uid);
	put_text(object, "manager", manager_text(snap, conn));
	put_addr(object, "local", &conn->local);
	put_addr(object, "remote", &conn->remote);
	put_text(object, "state", state_text(conn->state));
	for (i = 0; i < conn->subflows.n; i++)
		json_array_append_new(
			subflows,
			subflow_json(&snap->subflows[conn->subflows.first + i]));
	json_object_set_new(object, "subflows", subflows);
	if (manager) {
		json_object_set_new(object, "endpoints",
				    endpoints_json(snap, conn, manager));
		json_object_set_new(object, "announced", announced_json(snap, conn));
	}
	if (explain(snap, conn, why))
		put_text(object, "explain", why);
	json_object_set_new(object, "mptcp_info",
			    info_json(conn, snap->has_endpoint_maxima));
	return object;
}

static json_t *connection_counters(const struct snapshot *snap,
				   const struct connection *conn)
{
	json_t *object = json_object(), *counters = json_object();

	put_who(object, conn);
	put_pm_counters(counters, &conn->record.counters);
	json_object_set_new(object, "counters", counters);
	return object;
}

/* A document is written piece by piece: a line each, or all of it on one. */
struct sheet {
	FILE *out;
	const char *end; /* of a line within */
	int r;
};

static void put_piece(struct sheet *sheet, json_t *object, const char *before)
{
	/* Not json_dumpf(), which makes a write of each token. */
	char *text = json_dumps(object, LINE_FLAGS);

	fputs(before, sheet->out);
	if (!text)
		sheet->r = -ENOMEM;
	else if (fputs(text, sheet->out) < 0)
		sheet->r = -EIO;
	free(text);
	json_decref(object);
}

static void put_element(struct sheet *sheet, json_t *object, bool first)
{
	fputs(first ? "" : ",", sheet->out);
	put_piece(sheet, object, sheet->end);
}

static void put_head(struct sheet *sheet, const struct snapshot *snap)
{
	size_t i;

	fprintf(sheet->out, "{\"version\":%d,%s\"namespace\":", FORMAT_VERSION,
		sheet->end);
	put_piece(sheet, namespace_json(snap), "");
	fprintf(sheet->out, ",%s\"managers\":[", sheet->end);
	for (i = 0; i < snap->n_managers && sheet->r == 0; i++)
		put_element(sheet, manager_json(&snap->managers[i]), i == 0);
	fprintf(sheet->out, "],%s\"connections\":[", sheet->end);
}

static int put_tail(struct sheet *sheet)
{
	fputs("]}\n", sheet->out);
	if (sheet->r == 0 && (fflush(sheet->out) != 0 || ferror(sheet->out)))
		sheet->r = -EIO;
	return sheet->r;
}

int write_json(const struct snapshot *snap, bool one_line, FILE *out)
{
	struct sheet sheet = { .out = out, .end = one_line ? "" : "\n" };
	size_t i;

	put_head(&sheet, snap);
	for (i = 0; i < snap->n_connections && sheet.r == 0; i++)
		put_element(&sheet, connection_json(snap, &snap->connections[i]), i == 0);
	return put_tail(&sheet);
}

int write_counters_json(const struct snapshot *snap, bool one_line, FILE *out)
{
	struct sheet sheet = { .out = out, .end = one_line ? "" : "\n" };
	bool first = true;
	size_t i;

	put_head(&sheet, snap);
	for (i = 0; i < snap->n_connections && sheet.r == 0; i++) {
		if (!connection_manager(snap, &snap->connections[i]))
			continue;
		put_element(&sheet, connection_counters(snap, &snap->connections[i]),
			    first);
		first = false;
	}
	return put_tail(&sheet);
}
