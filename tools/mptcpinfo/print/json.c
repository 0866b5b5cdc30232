// SPDX-License-Identifier: MIT
/*
 * json.c - snapshots and events for programs; mptcpinfo(8) describes the keys
 *
 * Each connection's object is built, written on a line of its own and freed, so memory
 * does not grow with the number of connections.
 */
#include "print.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N(array)       (sizeof(array) / sizeof((array)[0]))
#define FORMAT_VERSION 2
#define LINE_FLAGS     (JSON_COMPACT | JSON_PRESERVE_ORDER)

/* clang-format off */
#define INFO_FIELDS(N, S)                                                                \
	N(subflows) N(add_addr_signal) N(add_addr_accepted) N(subflows_max)              \
	N(add_addr_signal_max) N(add_addr_accepted_max) N(flags) S(write_seq) S(snd_una) \
	S(rcv_nxt) N(local_addr_used) N(local_addr_max) N(csum_enabled) N(retransmits)   \
	N(bytes_retrans) N(bytes_sent) N(bytes_received) N(bytes_acked)                  \
	N(subflows_total) N(last_data_sent) N(last_data_recv) N(last_ack_recv)
/* clang-format on */

/* Names may be any bytes; JSON takes UTF-8 only. */
static json_t *utf8_json(const char *s)
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

static void put_json(json_t *object, const char *key, json_t *value)
{
	json_object_set_new_nocheck(object, key, value);
}

static void put_text(json_t *object, const char *key, const char *s)
{
	if (s && s[0])
		put_json(object, key, utf8_json(s));
}

static void put_number(json_t *object, const char *key, uint64_t value)
{
	put_json(object, key, json_integer(value));
}

/* Too big for an exact number in many JSON readers: 16 hex digits, like ss. */
static void put_sequence(json_t *object, const char *key, uint64_t value)
{
	char out[20];

	snprintf(out, sizeof(out), "%016" PRIx64, value);
	put_text(object, key, out);
}

static void put_path(json_t *object, const struct path *path)
{
	char out[ADDR_TEXT_MAX];

	put_text(object, "local", local_text(path, out));
	put_text(object, "remote", remote_text(path, out));
}

static json_t *namespace_json(const struct snapshot *snap)
{
	json_t *namespace = json_object(), *counters = json_object();
	const struct counter *counter;

	put_text(namespace, "path_manager", snap->path_manager);
	for_each_in (counter, snap, counters)
		put_number(counters, counter->name, counter->value);
	put_json(namespace, "counters", counters);
	return namespace;
}

static json_t *manager_counters_json(const struct ctl_manager *info)
{
	json_t *counters = json_object();
	size_t i;

	for (i = 0; i < n_manager_fields; i++)
		put_number(counters, manager_fields[i].key,
			   field_value(&manager_fields[i], info));
	put_number(counters, "notes", info->notes);
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
	put_json(object, "counters", manager_counters_json(info));
	return object;
}

static json_t *subflow_json(const struct subflow *sf)
{
	json_t *object = json_object();
	size_t i;

	if (sf->local_id >= 0)
		put_number(object, "local_id", sf->local_id);
	if (sf->remote_id >= 0)
		put_number(object, "remote_id", sf->remote_id);
	put_path(object, &sf->path);
	put_text(object, "state", tcp_state_text(sf->state));
	if (sf->has_flags)
		put_json(object, "backup", json_boolean(sf->backup));
	for (i = 0; i < n_subflow_fields && sf->has_tcp; i++) {
		if (subflow_fields[i].offset != offsetof(struct subflow, backup))
			put_number(object, subflow_fields[i].key,
				   field_value(&subflow_fields[i], sf));
	}
	return object;
}

static json_t *info_json(const struct connection *conn, bool maxima)
{
	const struct mptcpaddr_info *info = &conn->info;
	json_t *object = json_object();

#define NUMBER(field)              \
	if (INFO_HAS(conn, field)) \
		put_number(object, #field, info->field);
#define SEQUENCE(field)            \
	if (INFO_HAS(conn, field)) \
		put_sequence(object, #field, info->field);
	INFO_FIELDS(NUMBER, SEQUENCE)
	if (maxima) {
		NUMBER(endp_laminar_max)
		NUMBER(endp_fullmesh_max)
	}
#undef NUMBER
#undef SEQUENCE
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
	char ip[MPADDR_TEXT_MAX];
	size_t i;

	for (i = 0; i < manager->n_endpoints; i++) {
		ep = connection_endpoint(snap, conn, i, &state);
		if (!ep)
			continue;
		object = json_object();
		put_text(object, "address", ip_text(&ep->addr, ip));
		put_number(object, "local_id", ep->local_id);
		put_json(object, "flags", flags_json(ep->flags));
		put_text(object, "state", endpoint_state_words[state]);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *announced_json(const struct connection *conn)
{
	const struct pm_announced_report *record;
	char ip[MPADDR_TEXT_MAX], reason[NOTE_REASON_MAX];
	json_t *array = json_array(), *object;

	for_each_in (record, conn, announced) {
		object = json_object();
		put_number(object, "remote_id", record->remote_id);
		put_text(object, "address", ip_text(&record->addr, ip));
		if (record->addr.port)
			put_number(object, "port", record->addr.port);
		put_text(object, "state", announced_words[announced_state(record)]);
		put_text(object, "reason", announced_reason(record, reason));
		json_array_append_new(array, object);
	}
	return array;
}

static void put_owner(json_t *object, const struct connection *conn)
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
	const struct subflow *sf;
	char why[EXPLAIN_MAX];

	put_owner(object, conn);
	put_number(object, "uid", conn->uid);
	put_text(object, "manager", manager_text(snap, conn));
	put_path(object, &conn->path);
	put_text(object, "state", tcp_state_text(conn->state));
	for_each_in (sf, conn, subflows)
		json_array_append_new(subflows, subflow_json(sf));
	put_json(object, "subflows", subflows);
	if (manager) {
		put_json(object, "endpoints", endpoints_json(snap, conn, manager));
		put_json(object, "announced", announced_json(conn));
	}
	if (explain_connection(snap, conn, why))
		put_text(object, "explain", why);
	put_json(object, "mptcp_info", info_json(conn, snap->has_endpoint_maxima));
	return object;
}

static json_t *connection_counters_json(const struct connection *conn)
{
	json_t *object = json_object(), *counters = json_object();

	put_owner(object, conn);
	put_json(object, "counters", counters);
#define X(name, help) put_number(counters, #name, conn->record.counters.name);
	PM_COUNTERS(X)
#undef X
	return object;
}

/* Written piece by piece: one line each, or all of them on one line. */
static void write_piece(json_t *object, const char *before, FILE *out)
{
	/* json_dumpf() would make a system call for each token. */
	char *text = json_dumps(object, LINE_FLAGS);

	if (!text)
		memory_die();
	fprintf(out, "%s%s", before, text);
	free(text);
	json_decref(object);
}

void write_json(const struct snapshot *snap, bool counters, bool one_line, FILE *out)
{
	const char *end = one_line ? "" : "\n", *next = one_line ? "," : ",\n", *before;
	const struct connection *conn;
	size_t i;

	fprintf(out, "{\"version\":%d,%s\"namespace\":", FORMAT_VERSION, end);
	write_piece(namespace_json(snap), "", out);
	fprintf(out, ",%s\"managers\":[", end);
	for (i = 0, before = end; i < snap->n_managers; i++, before = next)
		write_piece(manager_json(&snap->managers[i]), before, out);
	fprintf(out, "],%s\"connections\":[", end);
	for (i = 0, before = end; i < snap->n_connections; i++) {
		conn = &snap->connections[i];
		if (counters && !connection_manager(snap, conn))
			continue;
		write_piece(counters ? connection_counters_json(conn)
				     : connection_json(snap, conn),
			    before, out);
		before = next;
	}
	fputs("]}\n", out);
}

static const char *note_word(uint16_t what)
{
	static const char *const words[] = {
		[PM_NOTE_ESTABLISHED] = "established",
		[PM_NOTE_CLOSED] = "closed",
		[PM_NOTE_ANNOUNCED] = "announced",
		[PM_NOTE_REPEATED] = "repeated",
		[PM_NOTE_REMOVED] = "removed",
		[PM_NOTE_JOINING] = "joining",
		[PM_NOTE_JOINED] = "joined",
		[PM_NOTE_JOIN_FAILED] = "join_failed",
		[PM_NOTE_SUBFLOW_CLOSED] = "subflow_closed",
		[PM_NOTE_SUBFLOW_FOREIGN] = "subflow_foreign",
		[PM_NOTE_PRIORITY] = "priority",
		[PM_NOTE_SIGNALLED] = "signalled",
		[PM_NOTE_WITHDRAWN] = "withdrawn",
		[PM_NOTE_ENDPOINT_DOWN] = "endpoint_gone",
		[PM_NOTE_ENDPOINT_UP] = "endpoint_back",
		[PM_NOTE_POOL] = "pool",
		[PM_NOTE_OVERRUN] = "overrun",
		[PM_NOTE_BACKUP] = "backup",
	};

	return what < N(words) ? words[what] : NULL;
}

static const char *note_reason_word(uint8_t reason)
{
	static const char *const words[] = {
		[PM_REASON_EXHAUSTED] = "exhausted",
		[PM_REASON_FAMILY] = "family",
		[PM_REASON_LIMIT_SUBFLOWS] = "limit_subflows",
		[PM_REASON_LIMIT_ACCEPTED] = "limit_accepted",
		[PM_REASON_FILTER] = "filter",
		[PM_REASON_ERROR] = "error",
		[PM_REASON_PROHIBITED] = "prohibited",
		[PM_REASON_UNAVAILABLE] = "absent",
		[PM_REASON_EXCLUDED] = "excluded",
		[PM_REASON_INHERITED] = "inherited",
		[PM_REASON_REMOVED] = "removed",
		[PM_REASON_ENDPOINT_DOWN] = "endpoint_gone",
		[PM_REASON_TOO_MANY] = "too_many",
	};

	return reason < N(words) ? words[reason] : NULL;
}

static void put_time(json_t *object, int64_t time_ns)
{
	time_t seconds = time_ns / 1000000000;
	char text[48], day[32];
	struct tm tm;

	strftime(day, sizeof(day), "%FT%T", gmtime_r(&seconds, &tm));
	snprintf(text, sizeof(text), "%s.%06dZ", day, (int)(time_ns % 1000000000 / 1000));
	put_text(object, "time", text);
}

static void put_addr(json_t *object, const char *key, const struct mpaddr *addr)
{
	char text[MPADDR_TEXT_MAX];

	if (addr->family)
		put_text(object, key, mpaddr_text(addr, text));
}

static bool has_backup_flag(const struct pm_note *note)
{
	return note->what == PM_NOTE_JOINING || note->what == PM_NOTE_JOINED ||
	       note->what == PM_NOTE_PRIORITY || note->what == PM_NOTE_BACKUP;
}

static void put_note_keys(json_t *object, const struct pm_note *note)
{
	const char *word = note_word(note->what);

	put_text(object, "event", word ? word : "unknown");
	put_number(object, "seq", note->seq);
	if (note->token)
		put_number(object, "token", note->token);
	if (note->local.family)
		put_number(object, "local_id", note->local_id);
	put_addr(object, "local", &note->local);
	if (note->remote.family || note->what == PM_NOTE_REMOVED)
		put_number(object, "remote_id", note->remote_id);
	put_addr(object, "remote", &note->remote);
	if (has_backup_flag(note))
		put_json(object, "backup",
			 json_boolean(note->flags & PM_NOTE_FLAG_BACKUP));
	if (note->flags & PM_NOTE_FLAG_RETRY)
		put_json(object, "retry", json_true());
	put_text(object, "reason", note_reason_word(note->reason));
	if (note->error) {
		put_number(object, "error", note->error);
		put_text(object, "error_text", strerror(note->error));
	}
}

void write_event_json(const struct event *event, FILE *out)
{
	json_t *object = json_object();

	put_time(object, event->time_ns);
	put_text(object, "program", event->program);
	if (event->pid)
		put_number(object, "pid", event->pid);
	switch (event->kind) {
	case EVENT_NOTE:
		put_note_keys(object, &event->note);
		break;
	case EVENT_MISSED:
		put_text(object, "event", "missed");
		put_number(object, "count", event->missed);
		break;
	case EVENT_FOUND:
		put_text(object, "event", "manager_found");
		break;
	case EVENT_ENDED:
		put_text(object, "event", "manager_ended");
		break;
	case EVENT_FAILED:
		put_text(object, "event", "manager_failed");
		put_text(object, "error_text", event->why);
		break;
	}
	write_piece(object, "", out);
	fputc('\n', out);
}
