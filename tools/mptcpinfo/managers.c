// SPDX-License-Identifier: MIT
/*
 * managers.c - find every manager of this namespace and ask it
 *
 * Anybody in the namespace may bind a name like a manager's. So a manager is who the
 * kernel says it is (SO_PEERCRED), and it is believed about its own user's connections
 * only, unless it is root's.
 */
#include "managers.h"

#include "ctl.h"
#include "index.h"
#include "model.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANAGERS_MAX	4096
#define ALL_TIMEOUT_MS	3000 /* for those that do not answer, taken together */
#define UNIX_SEQPACKET	0x0005
#define UNIX_ACCEPTCON	(1u << 16) /* a listener: accepted sockets bear its name too */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

struct claims {
	struct snapshot *snap;
	const struct manager *manager;
	const struct index *by_token;
};

/* A line of /proc/net/unix. Return: whether it is a manager's; then its name. */
static bool parse_unix_line(const char *line, char name[static 80])
{
	static const char prefix[] = "@" CTL_NAME_PREFIX;
	unsigned int flags, type;
	int at = 0;
	size_t len;

	if (sscanf(line, "%*x: %*x %*x %x %x %*x %*u %n", &flags, &type, &at) != 2 || !at)
		return false;
	if (!(flags & UNIX_ACCEPTCON) || type != UNIX_SEQPACKET ||
	    strncmp(line + at, prefix, sizeof(prefix) - 1) != 0)
		return false;
	len = strspn(line + at + sizeof(prefix) - 1, NAME_CHARACTERS);
	if (len == 0 || len > 64 || line[at + sizeof(prefix) - 1 + len] != '\n')
		return false;
	snprintf(name, 80, "%.*s", (int)(sizeof(prefix) - 2 + len), line + at + 1);
	return true;
}

static int find_managers(struct snapshot *snap)
{
	struct manager *manager;
	char name[80], *line = NULL;
	size_t size = 0;
	int r = 0;
	FILE *f;

	f = fopen("/proc/net/unix", "re");
	if (!f)
		return -errno;
	while (r == 0 && getline(&line, &size, f) > 0) {
		if (!parse_unix_line(line, name))
			continue;
		if (snap->n_managers == MANAGERS_MAX) {
			snapshot_note(snap, "only the first %d managers are asked",
				      MANAGERS_MAX);
			break;
		}
		manager =
			array_grow(&snap->managers, &snap->n_managers, sizeof(*manager));
		if (manager)
			strcpy(manager->name, name);
		else
			r = -ENOMEM;
	}
	free(line);
	fclose(f);
	return r;
}

static int on_claim(void *ctx, const struct ctl_connection *record)
{
	const struct claims *claims = ctx;
	const struct manager *manager = claims->manager;
	struct connection *conn;
	ssize_t pos;

	pos = index_find(claims->by_token, &record->token);
	if (pos < 0)
		return 0; /* closed, or made since the dump */
	conn = &claims->snap->connections[pos];
	if (manager->uid != 0 && manager->uid != conn->uid)
		return 0;
	conn->manager = MANAGER_DIRECT;
	conn->pid = manager->pid;
	memcpy(conn->program, manager->program, sizeof(conn->program));
	return 0;
}

static int ask_manager(struct claims *claims, struct manager *manager, struct ctl *ctl)
{
	char path[64], comm[32] = "";
	int r;

	r = ctl_open(manager->name, ctl);
	if (r < 0)
		return r;
	manager->pid = ctl->pid;
	manager->uid = ctl->uid;
	snprintf(path, sizeof(path), "/proc/%d/comm", manager->pid);
	if (read_line(path, comm, sizeof(comm)) == 0)
		text_clean(manager->program, sizeof(manager->program), comm,
			   sizeof(comm));

	r = ctl_manager(ctl, &manager->info);
	if (r == 0 && !comm[0])
		text_clean(manager->program, sizeof(manager->program),
			   manager->info.program, sizeof(manager->info.program));
	if (r == 0) {
		manager->answered = true;
		claims->manager = manager;
		r = ctl_connections(ctl, on_claim, claims);
	}
	return r;
}

static void note_failure(struct snapshot *snap, const struct manager *manager,
			 const struct ctl *ctl, int error)
{
	const char *why = strerror(-error);
	char version[64];

	if (error == -ECONNREFUSED && !manager->pid)
		return; /* it has just ended */
	if (error == -ETIMEDOUT)
		why = "it does not answer";
	else if (error == -EAGAIN)
		why = "it takes nobody in";
	else if (error == -ECONNRESET)
		why = "it hung up: it answers only its own user and root";
	else if (error == -EBADMSG)
		why = "its answer makes no sense";
	if (error == -EPROTO) {
		snprintf(version, sizeof(version), "it speaks version %u, not %u",
			 ctl->version, CTL_VERSION);
		why = version;
	}
	snapshot_note(snap, "manager %s (%s): %s", manager->name,
		      manager->program[0] ? manager->program : "unknown program", why);
}

static void ask_all(struct snapshot *snap, const struct index *by_token)
{
	struct claims claims = { .snap = snap, .by_token = by_token };
	uint64_t start, lost = 0;
	struct ctl ctl;
	size_t i;
	int r;

	for (i = 0; i < snap->n_managers; i++) {
		if (lost > ALL_TIMEOUT_MS) {
			snapshot_note(snap,
				      "too many managers do not answer: %zu not asked",
				      snap->n_managers - i);
			return;
		}
		ctl = (struct ctl){ .fd = -1 };
		start = now_ms();
		r = ask_manager(&claims, &snap->managers[i], &ctl);
		if (r < 0) {
			note_failure(snap, &snap->managers[i], &ctl, r);
			lost += now_ms() - start;
		}
		ctl_close(&ctl);
	}
}

int managers_read(struct snapshot *snap)
{
	struct index *by_token;
	size_t i;
	int r;

	r = find_managers(snap);
	if (r < 0)
		return r;
	by_token = index_new(snap->n_connections, sizeof(uint32_t));
	if (!by_token)
		return -ENOMEM;
	for (i = 0; i < snap->n_connections && r == 0; i++)
		r = index_add(by_token, &snap->connections[i].token, i);
	if (r == 0)
		ask_all(snap, by_token);
	index_free(by_token);
	return r;
}
