// SPDX-License-Identifier: MIT
/*
 * note_text.c - notes and reasons in English, for mptcpinfo and for the log
 */
#include "mptcpaddr/note.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_put(struct text *out, const char *fmt, ...)
{
	size_t room = out->size - out->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out->start + out->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		out->len += (size_t)n < room ? (size_t)n : room - 1;
}

const char *note_reason_text(uint8_t reason, uint8_t error,
			     char out[static NOTE_REASON_MAX])
{
	static const char *const words[] = {
		[PM_REASON_NONE] = "",
		[PM_REASON_EXHAUSTED] =
			"pool exhausted (all matching endpoints are in use)",
		[PM_REASON_FAMILY] = "no endpoint of its address family",
		[PM_REASON_LIMIT_SUBFLOWS] = "limit ([limits] subflows)",
		[PM_REASON_LIMIT_ACCEPTED] = "limit ([limits] add_addr_accepted)",
		[PM_REASON_FILTER] = "filter ([accept] refuses it)",
		[PM_REASON_PROHIBITED] =
			"join refused by the peer: administratively prohibited",
		[PM_REASON_UNAVAILABLE] = "all remaining endpoints are unavailable",
		[PM_REASON_EXCLUDED] = "no pool for this destination",
		[PM_REASON_INHERITED] = "the parent process manages it",
		[PM_REASON_REMOVED] = "withdrawn by the peer",
		[PM_REASON_ENDPOINT_DOWN] = "local address removed or down",
		[PM_REASON_TOO_MANY] = "too many addresses",
		[PM_REASON_OWN] = "filter (an address of this machine)",
		[PM_REASON_PRIVATE] = "filter (private address: [accept] private)",
		[PM_REASON_STALLED] = "no data since its link went down",
		[PM_REASON_LINK_DOWN] = "link down",
		[PM_REASON_WAITING] = "address tentative or deprecated",
		[PM_REASON_FIRST_ORDER] = "first usable endpoint",
		[PM_REASON_FIRST_AVOIDED] = "an earlier endpoint did not answer lately",
		[PM_REASON_FIRST_RACE] = "the earlier endpoints did not answer in time",
		[PM_REASON_FLAPPING] = "the endpoint came and went often, and waits",
		[PM_REASON_SILENT] = "black hole, replaced by its probe",
		[PM_REASON_PREFERRED] = "by preference ([policy])",
		[PM_REASON_TROUBLE] = "an uplink is in trouble ([policy])",
		[PM_REASON_LATENCY] = "an uplink is faster ([policy])",
		[PM_REASON_QUOTA] = "the quota is used up ([policy])",
	};
	/* Only a reset is the peer's for certain. */
	const bool peer = error == ECONNREFUSED || error == ECONNRESET;

	if (reason == PM_REASON_ERROR)
		snprintf(out, NOTE_REASON_MAX, "join %s: %s",
			 peer ? "refused by the peer" : "failed",
			 error ? strerror(error) : "no error reported");
	else if (reason < sizeof(words) / sizeof(words[0]) && words[reason])
		strcpy(out, words[reason]);
	else
		snprintf(out, NOTE_REASON_MAX, "reason %u",
			 reason); /* from a newer manager */
	return out;
}

static void put_ip(struct text *out, const char *before, const struct mpaddr *addr)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	inet_ntop(addr->family, addr->ip, ip, sizeof(ip));
	text_put(out, "%s%s", before, ip);
}

static void put_id(struct text *out, const char *before, uint8_t id)
{
	text_put(out, "%s(id %u)", before, id);
}

static void put_reason(struct text *out, const char *before, const struct pm_note *note)
{
	char why[NOTE_REASON_MAX];

	if (note->reason)
		text_put(out, "%s%s", before,
			 note_reason_text(note->reason, note->error, why));
	else if (note->error)
		text_put(out, "%s%s", before, strerror(note->error));
}

/*
 * "10.0.2.1 announced (id 1) -> joined from 10.0.2.2 (id 2)". The peer's first address
 * was never announced. Without a local address, routing picks it.
 */
static void put_join(struct text *out, const struct pm_note *note, const char *verb)
{
	put_ip(out, "", &note->remote);
	if (note->remote_id)
		put_id(out, " announced ", note->remote_id);
	text_put(out, " -> %s", verb);
	if (!note->local.family)
		return;
	put_ip(out, " from ", &note->local);
	if (note->local_id)
		put_id(out, " ", note->local_id);
}

static void put_joined(struct text *out, const struct pm_note *note, const char *verb)
{
	put_join(out, note, verb);
	if (note->flags & PM_NOTE_FLAG_BACKUP)
		text_put(out, ", as backup");
	if (note->flags & PM_NOTE_FLAG_RETRY)
		text_put(out, ", again");
}

static void put_join_failed(struct text *out, const struct pm_note *note)
{
	put_join(out, note, "join");
	if (note->reason == PM_REASON_NONE || note->reason == PM_REASON_ERROR)
		text_put(out, " failed: %s",
			 note->error ? strerror(note->error) : "no error reported");
	else
		put_reason(out, " failed: ", note);
}

/* "10.0.2.2 -> 10.0.2.1" */
static void put_pair(struct text *out, const struct pm_note *note)
{
	put_ip(out, "", &note->local);
	put_ip(out, " -> ", &note->remote);
}

static void put_established(struct text *out, const struct pm_note *note)
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX];

	text_put(out, "established");
	if (note->local.family && note->remote.family)
		text_put(out, " %s -> %s", mpaddr_text(&note->local, local),
			 mpaddr_text(&note->remote, remote));
	put_reason(out, ": ", note);
}

static void put_announced(struct text *out, const struct pm_note *note)
{
	put_ip(out, "", &note->remote);
	text_put(out, " announced%s", note->what == PM_NOTE_REPEATED ? " again" : "");
	put_id(out, " ", note->remote_id);
	put_reason(out, " -> not joined: ", note);
}

static void put_removed(struct text *out, const struct pm_note *note)
{
	if (note->remote.family) {
		put_ip(out, "", &note->remote);
		put_id(out, " withdrawn by the peer ", note->remote_id);
	} else {
		text_put(out, "id %u withdrawn by the peer", note->remote_id);
	}
}

static void put_subflow_closed(struct text *out, const struct pm_note *note)
{
	put_pair(out, note);
	text_put(out, " closed");
	/* For a subflow that was established, the error says enough. */
	if (note->reason == PM_REASON_ERROR && note->error)
		text_put(out, ": %s", strerror(note->error));
	else
		put_reason(out, ": ", note);
}

static void put_priority(struct text *out, const struct pm_note *note, const char *who)
{
	put_pair(out, note);
	text_put(out, ": %s: %s", who,
		 note->flags & PM_NOTE_FLAG_BACKUP ? "backup" : "no backup");
	put_reason(out, ": ", note);
}

static void put_local(struct text *out, const char *what, const struct pm_note *note)
{
	char addr[MPADDR_TEXT_MAX];

	text_put(out, "%s %s", what, mpaddr_text(&note->local, addr));
	if (note->local_id)
		put_id(out, " ", note->local_id);
}

static void put_silence(struct text *out, const struct pm_note *note)
{
	put_pair(out, note);
	if (note->what == PM_NOTE_UNANSWERED)
		text_put(out, ": no answer; first paths avoid this endpoint");
	else if (note->what == PM_NOTE_SILENT)
		text_put(out, ": no data for %u s while its link is up; probing",
			 note->seconds);
	else if (note->what == PM_NOTE_HEARD)
		text_put(out, ": data again after %u s", note->seconds);
	else
		text_put(out, ": replaced, as it answers again after %u s",
			 note->seconds);
}

static void put_up(struct text *out, const struct pm_note *note)
{
	put_local(out, "endpoint up:", note);
	if (note->reason)
		text_put(out, ": came and went often, used again in %u s", note->seconds);
}

static void put_note(struct text *out, const struct pm_note *note)
{
	switch ((enum pm_note_what)note->what) {
	case PM_NOTE_ESTABLISHED:
		return put_established(out, note);
	case PM_NOTE_CLOSED:
		text_put(out, "closed");
		return put_reason(out, ": ", note);
	case PM_NOTE_ANNOUNCED:
	case PM_NOTE_REPEATED:
		return put_announced(out, note);
	case PM_NOTE_REMOVED:
		return put_removed(out, note);
	case PM_NOTE_JOINING:
		return put_joined(out, note, "joining");
	case PM_NOTE_JOINED:
		return put_joined(out, note, "joined");
	case PM_NOTE_JOIN_FAILED:
		return put_join_failed(out, note);
	case PM_NOTE_SUBFLOW_CLOSED:
		return put_subflow_closed(out, note);
	case PM_NOTE_SUBFLOW_FOREIGN:
		put_pair(out, note);
		return text_put(out, " established by others");
	case PM_NOTE_PRIORITY:
		return put_priority(out, note, "MP_PRIO from the peer");
	case PM_NOTE_BACKUP:
		return put_priority(out, note, "MP_PRIO to the peer");
	case PM_NOTE_SIGNALLED:
		return put_local(out, "announced to the peer:", note);
	case PM_NOTE_WITHDRAWN:
		return put_local(out, "withdrawn from the peer:", note);
	case PM_NOTE_ENDPOINT_DOWN:
		put_local(out, "endpoint down:", note);
		return put_reason(out, ": ", note);
	case PM_NOTE_ENDPOINT_UP:
		return put_up(out, note);
	case PM_NOTE_POOL:
		if (!note->error && !note->reason)
			return text_put(out, "pool file loaded");
		return text_put(out, "pool file rejected, keeping the previous pool");
	case PM_NOTE_UNANSWERED:
	case PM_NOTE_SILENT:
	case PM_NOTE_HEARD:
	case PM_NOTE_RENEWED:
		return put_silence(out, note);
	case PM_NOTE_OVERRUN:
		return text_put(out, "kernel events were lost; resynchronised");
	}
	text_put(out, "note %u of a newer version", note->what);
}

const char *note_text(const struct pm_note *note, char text[static NOTE_TEXT_MAX])
{
	struct text out = { .start = text, .size = NOTE_TEXT_MAX };

	put_note(&out, note);
	return text;
}
