// SPDX-License-Identifier: MIT
/*
 * told.c - what a manager told, for programs
 */
#include "told.h"

#include "note.h"
#include "text.h"
#include "tools/mptcpinfo/monitor/follow.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

static void put_text(json_t *object, const char *key, const char *value)
{
	/* A name may be any bytes; JSON takes UTF-8 only. */
	if (value && value[0] && json_object_set_new(object, key, json_string(value)) < 0)
		json_object_set_new(object, key, json_string("?"));
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
	char text[ADDR_TEXT_MAX], ip[IP_TEXT_MAX];
	struct inet_addr inet;

	if (!addr->family)
		return;
	ctl_addr_take(addr, &inet);
	put_text(object, key,
		 addr->port ? addr_text(&inet, text) : ctl_ip_text(addr, ip));
}

static bool has_remote_id(const struct pm_note *note)
{
	return note->remote.family || note->what == PM_NOTE_REMOVED;
}

static bool has_flags(const struct pm_note *note)
{
	return note->what == PM_NOTE_JOINING || note->what == PM_NOTE_JOINED ||
	       note->what == PM_NOTE_PRIORITY || note->what == PM_NOTE_BACKUP;
}

static void put_note(json_t *object, const struct pm_note *note)
{
	const char *word = note_word(note->what);

	put_text(object, "event", word ? word : "unknown");
	json_object_set_new(object, "seq", json_integer((json_int_t)note->seq));
	if (note->token)
		json_object_set_new(object, "token", json_integer(note->token));
	if (note->local.family)
		json_object_set_new(object, "local_id", json_integer(note->local_id));
	put_addr(object, "local", &note->local);
	if (has_remote_id(note))
		json_object_set_new(object, "remote_id", json_integer(note->remote_id));
	put_addr(object, "remote", &note->remote);
	if (has_flags(note))
		json_object_set_new(object, "backup",
				    json_boolean(note->flags & PM_NOTE_FLAG_BACKUP));
	if (note->flags & PM_NOTE_FLAG_RETRY)
		json_object_set_new(object, "retry", json_true());
	put_text(object, "reason", note_reason_word(note->reason));
	if (note->error) {
		json_object_set_new(object, "error", json_integer(note->error));
		put_text(object, "error_text", strerror(note->error));
	}
}

void told_json(const struct told *told, FILE *out)
{
	json_t *object = json_object();

	put_time(object, told->time_ns);
	put_text(object, "program", told->program);
	if (told->pid)
		json_object_set_new(object, "pid", json_integer(told->pid));
	switch (told->kind) {
	case TOLD_NOTE:
		put_note(object, &told->note);
		break;
	case TOLD_MISSED:
		put_text(object, "event", "missed");
		json_object_set_new(object, "count",
				    json_integer((json_int_t)told->missed));
		break;
	case TOLD_BEGUN:
		put_text(object, "event", "manager_found");
		break;
	case TOLD_ENDED:
		put_text(object, "event", "manager_ended");
		break;
	case TOLD_FAILED:
		put_text(object, "event", "manager_failed");
		put_text(object, "error_text", told->why);
		break;
	}
	json_dumpf(object, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', out);
	json_decref(object);
}
