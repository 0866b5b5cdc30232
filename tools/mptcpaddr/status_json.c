// SPDX-License-Identifier: MIT
/*
 * status_json.c - mptcpaddr status for programs; mptcpaddr(8) describes the keys
 *
 * Words and keys are those of mptcpinfo --json, doctor --json and probe --json. Unknown
 * values are left out.
 */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_known(const char *name, const char *text)
{
	if (!*text)
		return;
	putchar(',');
	print_json_text(name, text);
}

static void put_uplinks(const struct status *status)
{
	const struct status_uplink *up = status->uplinks;
	unsigned int i;

	fputs(",\"uplinks\":[", stdout);
	for (i = 0; i < status->n_uplinks; i++, up++) {
		fputs(i ? ",{" : "{", stdout);
		print_json_text("dev", up->dev);
		put_known("local", up->addr);
		printf(",\"addresses\":%u,\"default_route\":%s,\"paths\":%u,\"backups\":%"
		       "u,"
		       "\"bytes_sent\":%" PRIu64 ",\"bytes_received\":%" PRIu64,
		       up->addrs, up->routed ? "true" : "false", up->paths, up->backups,
		       up->sent, up->received);
		if (up->rtt_us)
			printf(",\"rtt_us\":%u", up->rtt_us);
		put_known("health", up->health);
		printf(",\"fails\":%s}", up->fails ? "true" : "false");
	}
	putchar(']');
}

static void put_owner(const char *program, pid_t pid, uint32_t uid)
{
	put_known("program", program);
	if (pid)
		printf(",\"pid\":%d", (int)pid);
	printf(",\"uid\":%u", uid);
}

/* The broker serves all programs of a name and user, with one pool. */
static void put_idle(const struct manager *manager)
{
	if (manager->answered) {
		put_owner(manager->program, manager_is_broker(manager) ? 0 : manager->pid,
			  manager->info.uid);
		put_known("manager", manager->info.backend);
		put_known("pool_file", manager->info.pool_file);
	} else {
		put_owner(manager->program, manager->pid, manager->uid);
	}
	printf(",\"answered\":%s", manager->answered ? "true" : "false");
}

static void put_program(const struct status *status, const struct status_row *row)
{
	const struct connection *conn = row->first;

	printf("{\"connections\":%u,\"paths\":%u,\"plain_tcp\":%u", row->connections,
	       row->paths, row->plain);
	if (conn) {
		put_owner(conn->program, conn->pid, conn->uid);
		put_known("manager", manager_text(&status->snap, conn));
		if (row->manager)
			put_known("pool_file", row->manager->info.pool_file);
		put_known("why", row->why);
	} else {
		put_idle(row->manager);
	}
	putchar('}');
}

void status_print_json(const struct status *status)
{
	char time[ISO_MAX];
	size_t i;

	fputs("],", stdout);
	print_json_text("time", iso_text(status->snap.time_ns, time));
	putchar(',');
	print_json_text("backend", status->backend);
	printf(",\"broker\":%s,\"pool_files\":%u", status->broker ? "true" : "false",
	       status->files.on);
	put_uplinks(status);
	fputs(",\"programs\":[", stdout);
	for (i = 0; i < status->n_rows; i++) {
		fputs(i ? "," : "", stdout);
		put_program(status, &status->rows[i]);
	}
	fputs("],\"last_problems\":[", stdout);
	for (i = status->n_problems; i--;) {
		fputs(i + 1 < status->n_problems ? ",{" : "{", stdout);
		print_json_text("time", iso_text(status->problems[i].time_ns, time));
		put_known("text", status->problems[i].text);
		putchar('}');
	}
	fputs("],\"notes\":[", stdout);
	for (i = 0; i < status->snap.n_notes; i++) {
		fputs(i ? ",{" : "{", stdout);
		print_json_text("text", status->snap.notes[i]);
		putchar('}');
	}
	fputs("],", stdout);
	print_json_text("next", status->next.command);
	put_known("error", status->error ? strerror(status->error) : "");
	printf(",\"problems\":%u}\n", status->files.findings.problems);
}
