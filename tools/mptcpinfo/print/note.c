// SPDX-License-Identifier: MIT
/*
 * note.c - what a manager noted, for people and for programs
 */
#include "note.h"

#include "text.h"

#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

const char *note_word(uint16_t what)
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
		[PM_NOTE_ENDPOINT_GONE] = "endpoint_gone",
		[PM_NOTE_ENDPOINT_BACK] = "endpoint_back",
		[PM_NOTE_POOL] = "pool",
		[PM_NOTE_OVERRUN] = "overrun",
		[PM_NOTE_BACKUP] = "backup",
	};

	return what < N(words) ? words[what] : NULL;
}

const char *note_reason_word(uint8_t reason)
{
	static const char *const words[] = {
		[PM_REASON_EXHAUSTED] = "exhausted",
		[PM_REASON_FAMILY] = "family",
		[PM_REASON_LIMIT_SUBFLOWS] = "limit_subflows",
		[PM_REASON_LIMIT_ACCEPTED] = "limit_accepted",
		[PM_REASON_FILTER] = "filter",
		[PM_REASON_ERROR] = "error",
		[PM_REASON_PROHIBITED] = "prohibited",
		[PM_REASON_ABSENT] = "absent",
		[PM_REASON_EXCLUDED] = "excluded",
		[PM_REASON_INHERITED] = "inherited",
		[PM_REASON_REMOVED] = "removed",
		[PM_REASON_ENDPOINT_GONE] = "endpoint_gone",
		[PM_REASON_TOO_MANY] = "too_many",
	};

	return reason < N(words) ? words[reason] : NULL;
}

/* The address that is joined; the first one of the peer was never announced. */
static void write_target(const struct pm_note *note, FILE *out)
{
	char ip[IP_TEXT_MAX];

	fputs(ctl_ip_text(&note->remote, ip), out);
	if (note->remote_id)
		fprintf(out, " announced (id %u)", note->remote_id);
}

static void write_source(const struct pm_note *note, FILE *out)
{
	char ip[IP_TEXT_MAX];

	if (!note->local.family)
		return; /* the routing table chooses */
	fprintf(out, " from %s", ctl_ip_text(&note->local, ip));
	if (note->local_id)
		fprintf(out, " (id %u)", note->local_id);
}

static void write_join(const struct pm_note *note, const char *word, FILE *out)
{
	write_target(note, out);
	fprintf(out, " -> %s", word);
	write_source(note, out);
	if (note->flags & PM_NOTE_FLAG_BACKUP)
		fputs(", as backup", out);
	if (note->flags & PM_NOTE_FLAG_RETRY)
		fputs(", again", out);
}

/* "10.0.2.2 -> 10.0.2.1" */
static void write_pair(const struct pm_note *note, FILE *out)
{
	char local[IP_TEXT_MAX], remote[IP_TEXT_MAX];

	fprintf(out, "%s -> %s", ctl_ip_text(&note->local, local),
		ctl_ip_text(&note->remote, remote));
}

static void write_ends(const struct pm_note *note, FILE *out)
{
	char text[ADDR_TEXT_MAX];
	struct inet_addr addr;

	if (!note->local.family || !note->remote.family)
		return;
	ctl_addr_take(&note->local, &addr);
	fprintf(out, " %s", addr_text(&addr, text));
	ctl_addr_take(&note->remote, &addr);
	fprintf(out, " -> %s", addr_text(&addr, text));
}

static void write_why(const struct pm_note *note, const char *before, FILE *out)
{
	char why[REASON_MAX];

	if (note->reason)
		fprintf(out, "%s%s", before, reason_text(note->reason, note->error, why));
	else if (note->error)
		fprintf(out, "%s%s", before, strerror(note->error));
}

static void write_announced(const struct pm_note *note, FILE *out)
{
	char ip[IP_TEXT_MAX];

	fprintf(out, "%s announced%s (id %u)", ctl_ip_text(&note->remote, ip),
		note->what == PM_NOTE_REPEATED ? " again" : "", note->remote_id);
	write_why(note, " -> not joined: ", out);
}

static void write_removed(const struct pm_note *note, FILE *out)
{
	char ip[IP_TEXT_MAX];

	if (note->remote.family)
		fprintf(out, "%s withdrawn by the peer (id %u)",
			ctl_ip_text(&note->remote, ip), note->remote_id);
	else
		fprintf(out, "id %u withdrawn by the peer", note->remote_id);
}

static void write_failed(const struct pm_note *note, FILE *out)
{
	write_target(note, out);
	fputs(" -> join", out);
	write_source(note, out);
	if (note->reason == PM_REASON_NONE || note->reason == PM_REASON_ERROR)
		fprintf(out, " failed: %s",
			note->error ? strerror(note->error) : "no error told");
	else
		write_why(note, " failed: ", out);
}

static void write_priority(const struct pm_note *note, const char *who, FILE *out)
{
	write_pair(note, out);
	fprintf(out, ": %s: %s", who,
		note->flags & PM_NOTE_FLAG_BACKUP ? "backup" : "no backup any more");
}

static void write_local(const struct pm_note *note, const char *what, FILE *out)
{
	char text[ADDR_TEXT_MAX], ip[IP_TEXT_MAX];
	struct inet_addr addr;

	ctl_addr_take(&note->local, &addr);
	fprintf(out, "%s %s", what,
		addr.port ? addr_text(&addr, text) : ctl_ip_text(&note->local, ip));
	if (note->local_id)
		fprintf(out, " (id %u)", note->local_id);
}

static void write_pool(const struct pm_note *note, FILE *out)
{
	if (note->error || note->reason)
		write_why(note, "the pool file was not taken: ", out);
	else
		fputs("the pool file is in force", out);
}

static void write_foreign(const struct pm_note *note, FILE *out)
{
	write_pair(note, out);
	fputs(" established, and not by this manager", out);
}

static void write_subflow_closed(const struct pm_note *note, FILE *out)
{
	write_pair(note, out);
	fputs(" closed", out);
	/* What is not a failed join needs no more than its error. */
	if (note->reason == PM_REASON_ERROR && note->error)
		fprintf(out, ": %s", strerror(note->error));
	else
		write_why(note, ": ", out);
}

void note_write(const struct pm_note *note, FILE *out)
{
	switch ((enum pm_note_what)note->what) {
	case PM_NOTE_ESTABLISHED:
		fputs("established", out);
		return write_ends(note, out);
	case PM_NOTE_CLOSED:
		fputs("closed", out);
		return write_why(note, ": ", out);
	case PM_NOTE_ANNOUNCED:
	case PM_NOTE_REPEATED:
		return write_announced(note, out);
	case PM_NOTE_REMOVED:
		return write_removed(note, out);
	case PM_NOTE_JOINING:
		return write_join(note, "joining", out);
	case PM_NOTE_JOINED:
		return write_join(note, "joined", out);
	case PM_NOTE_JOIN_FAILED:
		return write_failed(note, out);
	case PM_NOTE_SUBFLOW_CLOSED:
		return write_subflow_closed(note, out);
	case PM_NOTE_SUBFLOW_FOREIGN:
		return write_foreign(note, out);
	case PM_NOTE_PRIORITY:
		return write_priority(note, "the peer says", out);
	case PM_NOTE_BACKUP:
		return write_priority(note, "told to the peer", out);
	case PM_NOTE_SIGNALLED:
		return write_local(note, "announced to the peer:", out);
	case PM_NOTE_WITHDRAWN:
		return write_local(note, "withdrawn from the peer:", out);
	case PM_NOTE_ENDPOINT_GONE:
		return write_local(note, "endpoint gone:", out);
	case PM_NOTE_ENDPOINT_BACK:
		return write_local(note, "endpoint can be used:", out);
	case PM_NOTE_POOL:
		return write_pool(note, out);
	case PM_NOTE_OVERRUN:
		fputs("events were lost; the state was read anew", out);
		return;
	}
	fprintf(out, "note %u of a later version", note->what);
}
