// SPDX-License-Identifier: MIT
/*
 * json.c - snapshots and events for programs; mptcpinfo(8) describes the keys
 *
 * Each connection's object is built, written on a line of its own and freed, so memory
 * does not grow with the number of connections.
 */
#include "print.h"
#include "shim/common/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void put_json(json_t *object, const char *key, json_t *value)
{
	json_object_set_new_nocheck(object, key, value);
}

/* Nothing for "". Names may be any bytes; JSON takes UTF-8 only. */
static void put_text(json_t *object, const char *key, const char *s)
{
	json_t *value = *s ? json_string(s) : NULL;
	char ascii[1024], *c;

	if (*s && !value) {
		snprintf(ascii, sizeof(ascii), "%s", s);
		for (c = ascii; *c; c++)
			*c = (unsigned char)*c < 0x80 ? *c : '?';
		value = json_string(ascii);
	}
	if (value)
		put_json(object, key, value);
}

static void put_number(json_t *object, const char *key, uint64_t value)
{
	put_json(object, key, json_integer(value));
}

static void put_nonzero(json_t *object, const char *key, uint64_t value)
{
	if (value)
		put_number(object, key, value);
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

static void put_time(json_t *object, const char *key, int64_t time_ns)
{
	char text[ISO_MAX];

	if (time_ns)
		put_text(object, key, iso_text(time_ns, text));
}

/* While the kernel has switched MPTCP off. */
static json_t *blackhole_json(const struct blackhole *blackhole)
{
	json_t *object = json_object();

	put_number(object, "timeout", blackhole->timeout);
	put_time(object, "since", blackhole->since * 1000000000);
	put_time(object, "until", blackhole->until * 1000000000);
	return object;
}

static json_t *namespace_json(const struct snapshot *snap)
{
	json_t *namespace = json_object(), *counters = json_object();
	const struct counter *counter;

	put_text(namespace, "path_manager", snap->path_manager);
	if (snap->blackhole.on)
		put_json(namespace, "blackhole", blackhole_json(&snap->blackhole));
	for_each_in (counter, snap, counters)
		put_number(counters, counter->name, counter->value);
	put_json(namespace, "counters", counters);
	return namespace;
}

static json_t *manager_json(const struct manager *manager)
{
	json_t *object = json_object(), *counters;
	const struct ctl_manager *info = &manager->info;
	const struct field *field;

	put_nonzero(object, "pid", manager->pid);
	put_text(object, "program", manager->program);
	if (!manager->answered)
		return object;
	put_text(object, "backend", info->backend);
	put_text(object, "pool_file", info->pool_file);
	put_text(object, "pool_error", info->pool_error);
	put_text(object, "options_refused", info->options);
	put_json(object, "counters", counters = json_object());
	for (field = manager_fields; field->key; field++)
		put_number(counters, field->key, field_value(field, info));
	put_number(counters, "notes", info->notes);
	return object;
}

static json_t *subflow_json(const struct subflow *sf)
{
	json_t *object = json_object();
	const struct field *field;

	if (sf->local_id >= 0)
		put_number(object, "local_id", sf->local_id);
	if (sf->remote_id >= 0)
		put_number(object, "remote_id", sf->remote_id);
	put_path(object, &sf->path);
	put_text(object, "state", tcp_state_text(sf->state));
	if (sf->has_flags)
		put_json(object, "backup", json_boolean(sf->backup));
	for (field = subflow_fields; sf->has_tcp && field->key; field++)
		if (field->size != sizeof(bool))
			put_number(object, field->key, field_value(field, sf));
	return object;
}

static json_t *info_json(const struct connection *conn, bool maxima)
{
	json_t *object = json_object();

#define PUT(put, field)            \
	if (INFO_HAS(conn, field)) \
		put(object, #field, conn->info.field);
#define NUMBER(field)	PUT(put_number, field)
#define SEQUENCE(field) PUT(put_sequence, field)
	/* clang-format off */
	NUMBER(subflows) NUMBER(add_addr_signal) NUMBER(add_addr_accepted)
	NUMBER(subflows_max) NUMBER(add_addr_signal_max) NUMBER(add_addr_accepted_max)
	NUMBER(flags) SEQUENCE(write_seq) SEQUENCE(snd_una) SEQUENCE(rcv_nxt)
	NUMBER(local_addr_used) NUMBER(local_addr_max) NUMBER(csum_enabled)
	NUMBER(retransmits) NUMBER(bytes_retrans) NUMBER(bytes_sent)
	NUMBER(bytes_received) NUMBER(bytes_acked) NUMBER(subflows_total)
	NUMBER(last_data_sent) NUMBER(last_data_recv) NUMBER(last_ack_recv)
	if (maxima) {
		NUMBER(endp_laminar_max)
		NUMBER(endp_fullmesh_max)
	}
	/* clang-format on */
	return object;
}

static json_t *flags_json(uint32_t flags)
{
	/* MPTCP_PM_ADDR_FLAG_SIGNAL is bit 0; pool files do not have bit 4, IMPLICIT. */
	static const char *const words[] = { "signal",	 "subflow", "backup",
					     "fullmesh", NULL,	    "laminar" };
	json_t *array = json_array();

	for (size_t i = 0; i < N(words); i++)
		if (flags >> i & 1 && words[i])
			json_array_append_new(array, json_string(words[i]));
	if (flags & ENDPOINT_METERED)
		json_array_append_new(array, json_string("metered"));
	return array;
}

static json_t *endpoints_json(const struct connection *conn,
			      const struct manager *manager)
{
	json_t *array = json_array(), *object;
	const struct ctl_endpoint *ep;
	enum endpoint_state state;
	char ip[MPADDR_TEXT_MAX];

	for_each_in (ep, manager, endpoints) {
		state = endpoint_state(conn, manager, ep - manager->endpoints);
		if (state == ENDPOINT_OTHER)
			continue;
		json_array_append_new(array, object = json_object());
		put_text(object, "address", ip_text(&ep->addr, ip));
		put_number(object, "local_id", ep->local_id);
		put_json(object, "flags", flags_json(ep->flags));
		put_text(object, "state", endpoint_words[state].text);
		put_nonzero(object, "cost", ENDPOINT_COST(ep->flags));
		put_nonzero(object, "held_s", ep->held_s);
		put_nonzero(object, "flaps", ep->flaps);
	}
	return array;
}

static json_t *announced_json(const struct connection *conn)
{
	const struct pm_announced_report *record;
	char ip[MPADDR_TEXT_MAX], reason[NOTE_REASON_MAX];
	json_t *array = json_array(), *object;

	for_each_in (record, conn, announced) {
		json_array_append_new(array, object = json_object());
		put_number(object, "remote_id", record->remote_id);
		put_text(object, "address", ip_text(&record->addr, ip));
		put_nonzero(object, "port", record->addr.port);
		put_text(object, "state", announced_word(record).text);
		put_text(object, "reason", announced_reason(record, reason));
	}
	return array;
}

static json_t *connection_json(const struct snapshot *snap, const struct connection *conn,
			       bool only_counters)
{
	const struct manager *manager = connection_manager(snap, conn);
	json_t *object = json_object(), *counters, *subflows;
	const struct subflow *sf;
	char why[EXPLAIN_MAX];

	put_number(object, "token", conn->token);
	put_nonzero(object, "pid", conn->pid);
	put_text(object, "program", conn->program);
	if (only_counters) {
		put_json(object, "counters", counters = json_object());
#define X(name, help) put_number(counters, #name, conn->record.counters.name);
		PM_COUNTERS(X)
#undef X
		return object;
	}
	put_number(object, "uid", conn->uid);
	put_text(object, "manager", manager_text(snap, conn));
	put_path(object, &conn->path);
	put_text(object, "state", tcp_state_text(conn->state));
	put_json(object, "subflows", subflows = json_array());
	for_each_in (sf, conn, subflows)
		json_array_append_new(subflows, subflow_json(sf));
	if (manager) {
		put_json(object, "endpoints", endpoints_json(conn, manager));
		put_json(object, "announced", announced_json(conn));
		put_nonzero(object, "silent_s", conn->record.silent_s);
	}
	if (explain_connection(snap, conn, why))
		put_text(object, "explain", why);
	put_json(object, "mptcp_info", info_json(conn, snap->has_endpoint_maxima));
	return object;
}

/* Written piece by piece: one line each, or all of them on one line. */
static void write_piece(json_t *object, const char *before, FILE *out)
{
	/* json_dumpf() would make a system call for each token. */
	char *text = json_dumps(object, JSON_COMPACT);

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
	const struct manager *manager;
	char time[ISO_MAX];

	fprintf(out,
		"{\"version\":2,%s\"time\":\"%s\",\"monotonic_us\":%" PRId64
		",%s\"namespace\":",
		end, iso_text(snap->time_ns, time), snap->time_us, end);
	write_piece(namespace_json(snap), "", out);
	fprintf(out, ",%s\"managers\":[", end);
	before = end;
	for_each_in (manager, snap, managers) {
		write_piece(manager_json(manager), before, out);
		before = next;
	}
	fprintf(out, "],%s\"connections\":[", end);
	before = end;
	for_each_in (conn, snap, connections) {
		if (counters && conn->manager != MANAGER_OURS)
			continue;
		write_piece(connection_json(snap, conn, counters), before, out);
		before = next;
	}
	fputs("]}\n", out);
}

/* By the numbers of note.h, which are part of the control protocol */
static const char *const note_words[] = {
	NULL,	       "established",	 "closed",	    "announced",
	"repeated",    "removed",	 "joining",	    "joined",
	"join_failed", "subflow_closed", "subflow_foreign", "priority",
	"signalled",   "withdrawn",	 "endpoint_gone",   "endpoint_back",
	"pool",	       "overrun",	 "backup",	    NULL,
	"unanswered",  "silent",	 "heard",	    "renewed"
};
static const char *const reason_words[] = {
	NULL,	     "exhausted", "family",	   "limit_subflows", "limit_accepted",
	"filter",    "error",	  "prohibited",	   "absent",	     "excluded",
	"inherited", "removed",	  "endpoint_gone", "too_many",	     "own_address",
	"private",   "stalled",	  "link_down",	   "waiting",	     "first_usable",
	"avoided",   "raced",	  "silent",	   "flapping",	     "preferred",
	"trouble",   "latency",	  "quota"
};

static void put_addr(json_t *object, const char *key, const struct mpaddr *addr)
{
	char text[MPADDR_TEXT_MAX];

	if (addr->family)
		put_text(object, key, mpaddr_text(addr, text));
}

static void put_note_keys(json_t *object, const struct pm_note *note)
{
	put_text(object, "event",
		 (note->what < N(note_words) ? note_words[note->what] : NULL)
			 ?: "unknown");
	put_number(object, "seq", note->seq);
	put_nonzero(object, "token", note->token);
	if (note->local.family)
		put_number(object, "local_id", note->local_id);
	put_addr(object, "local", &note->local);
	if (note->remote.family || note->what == PM_NOTE_REMOVED)
		put_number(object, "remote_id", note->remote_id);
	put_addr(object, "remote", &note->remote);
	if (note->what == PM_NOTE_JOINING || note->what == PM_NOTE_JOINED ||
	    note->what == PM_NOTE_PRIORITY || note->what == PM_NOTE_BACKUP)
		put_json(object, "backup",
			 json_boolean(note->flags & PM_NOTE_FLAG_BACKUP));
	if (note->flags & PM_NOTE_FLAG_RETRY)
		put_json(object, "retry", json_true());
	if (note->reason < N(reason_words) && reason_words[note->reason])
		put_text(object, "reason", reason_words[note->reason]);
	put_nonzero(object, "seconds", note->seconds);
	put_nonzero(object, "error", note->error);
	put_text(object, "error_text", note->error ? strerror(note->error) : "");
}

void write_event_json(const struct event *event, FILE *out)
{
	static const char *const words[] = { [EVENT_MISSED] = "missed",
					     [EVENT_FOUND] = "manager_found",
					     [EVENT_ENDED] = "manager_ended",
					     [EVENT_FAILED] = "manager_failed" };
	json_t *object = json_object();

	put_time(object, "time", event->time_ns);
	put_number(object, "monotonic_us",
		   clock_us() - (clock_real_ns() - event->time_ns) / 1000);
	put_text(object, "program", event->program);
	put_nonzero(object, "pid", event->pid);
	if (event->kind == EVENT_NOTE)
		put_note_keys(object, &event->note);
	else
		put_text(object, "event", words[event->kind]);
	if (event->kind == EVENT_MISSED)
		put_number(object, "count", event->missed);
	if (event->kind == EVENT_FAILED)
		put_text(object, "error_text", event->why);
	write_piece(object, "", out);
	fputc('\n', out);
}
