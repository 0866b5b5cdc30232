// SPDX-License-Identifier: MIT
/*
 * json.c - a snapshot for programs; the keys are documented in mptcpinfo(8)
 *
 * One object a connection is built, written on a line of its own and freed, so that
 * memory does not grow with the number of connections.
 */
#include "model.h"
#include "text.h"
#include "writers.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define FORMAT_VERSION 1
#define LINE_FLAGS     (JSON_COMPACT | JSON_PRESERVE_ORDER)

/* A name may be any bytes; JSON takes UTF-8 only. */
static json_t *text(const char *s)
{
	json_t *value = json_string(s);
	char ascii[256];
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

static json_t *manager_counters(const struct ctl_manager *info)
{
	json_t *counters = json_object();

#define PUT(field) put_number(counters, #field, info->field)
	PUT(connections);
	PUT(used_ids);
	PUT(early);
	PUT(events);
	PUT(events_replayed);
	PUT(events_foreign);
	PUT(overruns);
	PUT(add_addr_received);
	PUT(add_addr_repeated);
	PUT(add_addr_joined);
	PUT(add_addr_waiting);
	PUT(add_addr_refused);
	PUT(rm_addr_received);
	PUT(subflows_requested);
	PUT(subflows_established);
	PUT(subflows_failed);
	PUT(subflows_closed);
	PUT(registrations);
	PUT(registrations_lost);
#undef PUT
	return counters;
}

static void put_fixed(json_t *object, const char *key, const char *field, size_t size)
{
	char clean[256];

	text_clean(clean, sizeof(clean), field, size);
	put_text(object, key, clean);
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
	put_fixed(object, "backend", info->backend, sizeof(info->backend));
	put_fixed(object, "pool_file", info->pool_file, sizeof(info->pool_file));
	put_fixed(object, "pool_error", info->pool_error, sizeof(info->pool_error));
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

static const char *manager_key(enum manager_kind kind)
{
	switch (kind) {
	case MANAGER_NONE:
		return "none";
	case MANAGER_UNKNOWN:
		break;
	case MANAGER_KERNEL:
		return "kernel";
	case MANAGER_DIRECT:
		return "direct";
	}
	return "";
}

static json_t *connection_json(const struct snapshot *snap, const struct connection *conn)
{
	json_t *object = json_object(), *subflows = json_array();
	size_t i;

	put_number(object, "token", conn->token);
	if (conn->pid)
		put_number(object, "pid", conn->pid);
	put_text(object, "program", conn->program);
	put_number(object, "uid", conn->uid);
	put_text(object, "manager", manager_key(conn->manager));
	put_addr(object, "local", &conn->local);
	put_addr(object, "remote", &conn->remote);
	put_text(object, "state", state_text(conn->state));
	for (i = 0; i < conn->n_subflows; i++)
		json_array_append_new(
			subflows, subflow_json(&snap->subflows[conn->first_subflow + i]));
	json_object_set_new(object, "subflows", subflows);
	if (conn->fallback)
		put_text(object, "explain", "fell back to TCP");
	json_object_set_new(object, "mptcp_info",
			    info_json(conn, snap->has_endpoint_maxima));
	return object;
}

/* Return: -ENOMEM or -EIO if it is not written whole. */
static int put_line(json_t *object, const char *before, FILE *out)
{
	int r;

	if (!object)
		return -ENOMEM;
	fputs(before, out);
	r = json_dumpf(object, out, LINE_FLAGS);
	json_decref(object);
	return r < 0 ? -EIO : 0;
}

int write_json(const struct snapshot *snap, FILE *out)
{
	size_t i;
	int r;

	fprintf(out, "{\"version\":%d,\n\"namespace\":", FORMAT_VERSION);
	r = put_line(namespace_json(snap), "", out);
	fputs(",\n\"managers\":[", out);
	for (i = 0; i < snap->n_managers && r == 0; i++)
		r = put_line(manager_json(&snap->managers[i]), i ? ",\n" : "\n", out);
	fputs("],\n\"connections\":[", out);
	for (i = 0; i < snap->n_connections && r == 0; i++)
		r = put_line(connection_json(snap, &snap->connections[i]),
			     i ? ",\n" : "\n", out);
	fputs("]}\n", out);
	if (r == 0 && (fflush(out) != 0 || ferror(out)))
		r = -EIO;
	return r;
}
