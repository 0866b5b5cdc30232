// SPDX-License-Identifier: MIT
/*
 * manager.c - what mptcpinfo reads from a manager, and prints
 *
 * Input: answers, one a request: a byte of flags, then what the flags select; see
 * take_answer(). send() and recv() are the manager's (--wrap).
 */
#include "fuzz.h"
#include "tools/common/ctl.h"
#include "tools/mptcpinfo/collect/collect.h"
#include "tools/mptcpinfo/print/print.h"

#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

static struct input *answers;
static uint16_t asked; /* the last operation */

int __wrap_ctl_open(const char *name, struct ctl_budget *budget, struct ctl *ret_ctl);
int __wrap_ctl_find_names(char (**ret_names)[NAME_TEXT_MAX], size_t *ret_n);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t size, int flags);

int __wrap_ctl_find_names(char (**ret_names)[NAME_TEXT_MAX], size_t *ret_n)
{
	*ret_names = calloc(2, sizeof(**ret_names));
	strcpy((*ret_names)[0], CTL_NAME_PREFIX "1");
	strcpy((*ret_names)[1], CTL_NAME_PREFIX "broker");
	*ret_n = 2;
	return 0;
}

int __wrap_ctl_open(const char *name, struct ctl_budget *budget, struct ctl *ret_ctl)
{
	const bool broker = strstr(name, "broker");

	(void)budget;
	*ret_ctl = (struct ctl){ .fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
				 .give_up_ms = INT64_MAX,
				 .uid = broker ? 0 : 1000,
				 .pid = broker ? 1 : 0x7fffffff,
				 .buffer = malloc(512 * 1024) };
	return input_left(answers) ? 0 : -ECONNREFUSED;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	const struct ctl_request *request = data;

	(void)fd;
	(void)flags;
	asked = request->op;
	return len;
}

static size_t record_size(uint16_t op)
{
	switch (op) {
	case CTL_OP_MANAGER:
		return sizeof(struct ctl_manager);
	case CTL_OP_CONNECTIONS:
		return sizeof(struct pm_conn_report);
	case CTL_OP_ENDPOINTS:
	case CTL_OP_CONFIGURED:
		return sizeof(struct ctl_endpoint);
	case CTL_OP_ANNOUNCED:
		return sizeof(struct pm_announced_report);
	case CTL_OP_SECTIONS:
		return sizeof(struct ctl_section);
	}
	return sizeof(struct pm_note);
}

/* A record is zeros and the changes that follow: a place, a length, the bytes. */
static void take_record(struct input *in, void *to, size_t size)
{
	uint8_t changes = input_u8(in) % 16;

	memset(to, 0, size);
	for (; changes; changes--) {
		const size_t at = input_u16(in) % size, len = input_u8(in) % 64;

		input_take(in, (char *)to + at, len < size - at ? len : size - at);
	}
}

/*
 * Bits of the flags: 1: the whole head follows; 2: the size of the records follows; 4:
 * more pages; 8: the length follows; 0x10: an error; the others: the number of records.
 */
static size_t take_answer(struct input *in, char *to, size_t room)
{
	const uint8_t flags = input_u8(in);
	struct ctl_answer head = { .magic = CTL_MAGIC,
				   .version = CTL_VERSION,
				   .op = asked,
				   .count = flags >> 5,
				   .record_size = record_size(asked) };
	size_t len = sizeof(head);

	if (asked == CTL_OP_MANAGER)
		head.count = 1;
	if (flags & 2)
		head.record_size = input_u16(in) % 8192;
	if (flags & 4)
		head.next = 1;
	if (flags & 0x10)
		head.error = -(int)input_u8(in);
	if (flags & 1)
		input_take(in, &head, sizeof(head));
	for (uint32_t i = 0; i < head.count && i < 8 && head.record_size; i++) {
		if (len + head.record_size > room)
			break;
		take_record(in, to + len, head.record_size);
		len += head.record_size;
	}
	memcpy(to, &head, sizeof(head));
	return flags & 8 ? input_u16(in) % (len + 1) : len;
}

ssize_t __wrap_recv(int fd, void *data, size_t size, int flags)
{
	static char answer[64 * 1024];
	size_t len;

	(void)fd;
	(void)flags;
	if (!input_left(answers))
		return 0;
	len = take_answer(answers, answer, sizeof(answer));
	memcpy(data, answer, len < size ? len : size);
	return len;
}

/* Connections of root and of user 1000. */
static void add_connections(struct snapshot *snap)
{
	static const char *const ips[] = { "10.0.1.2", "2001:db8::2" };
	struct connection *conn;
	struct subflow *sf;

	snap->by_token.key_size = sizeof(uint32_t);
	strcpy(snap->path_manager, "userspace");
	for (unsigned int i = 0; i < 2; i++) {
		conn = array_add(snap, connections);
		conn->token = i;
		conn->uid = i ? 1000 : 0;
		conn->state = 1;
		mpaddr_parse(ips[i], &conn->path.local);
		mpaddr_parse(ips[i], &conn->path.remote);
		sf = array_add(conn, subflows);
		sf->path = conn->path;
		sf->state = 1;
		index_add(&snap->by_token, &conn->token, i);
	}
}

/* No byte moves the cursor of a terminal: also no C1 control character in UTF-8. */
static void check_text(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	for (; *at; at++)
		fuzz_check((*at >= ' ' || *at == '\n') && *at != 0x7f &&
				   !(*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0),
			   "\\x%02x for the terminal: %s", *at, text);
}

static void check_json(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);

	fuzz_check(json, "JSON: %s in %s", error.text, text);
	json_decref(json);
}

static void print_all(const struct snapshot *snap)
{
	char *text = NULL;
	size_t size;

	for (unsigned int i = 0; i < 5; i++) {
		FILE *out = open_memstream(&text, &size);

		if (i == 0)
			write_table(snap, false, false, out);
		else if (i == 1)
			write_counters(snap, false, out);
		else if (i == 2)
			write_prometheus(snap, out);
		else
			write_json(snap, i == 3, i == 4, out);
		fclose(out);
		check_text(text);
		if (i >= 3)
			check_json(text);
		free(text);
	}
	for (size_t i = 0; i < snap->n_notes; i++)
		check_text(snap->notes[i]);
}

/* mptcpinfo --events */
static void print_notes(void)
{
	struct event event = { .kind = EVENT_NOTE };
	char text[NOTE_TEXT_MAX], *json = NULL;
	struct pm_note *note;
	size_t n = 0, size;
	struct ctl ctl;

	if (ctl_open(CTL_NAME_PREFIX "1", NULL, &ctl) == 0 &&
	    ctl_read(&ctl, CTL_OP_NOTES, sizeof(*note), &note, &n) == 0) {
		for (size_t i = 0; i < n; i++) {
			FILE *out = open_memstream(&json, &size);

			event.note = note[i];
			check_text(note_text(&note[i], text));
			write_event_json(&event, out);
			fclose(out);
			check_text(json);
			check_json(json);
			free(json);
		}
		free(note);
	}
	ctl_close(&ctl);
}

FUZZ_TARGET(data, size)
{
	struct snapshot snap = { 0 };
	struct input in = { data, data + size };

	answers = &in;
	if (input_u8(&in) & 1) {
		print_notes();
		return 0;
	}
	add_connections(&snap);
	collect_managers(&snap);
	print_all(&snap);
	snapshot_free(&snap);
	return 0;
}
