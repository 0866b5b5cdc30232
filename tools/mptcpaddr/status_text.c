// SPDX-License-Identifier: MIT
/*
 * status_text.c - the screen of mptcpaddr status
 */
#include "status.h"

#include "shim/common/str.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROGRAMS_MAX 8 /* rows; the others are counted */

void status_print_head(const struct status *status, bool any_pool)
{
	if (!strcmp(status->backend, "broker"))
		puts("paths     managed by the broker, mptcpaddrd");
	else if (!strcmp(status->backend, "direct"))
		puts("paths     managed by each program itself (CAP_NET_ADMIN)");
	else
		puts("paths     not managed by mptcpaddr: pools have no effect");
	printf("broker    %s\n", status->broker ? "running" : "not running");
	if (status->files.on || !any_pool)
		printf("pools     %u file%s%s\n", status->files.on,
		       PLURAL(status->files.on),
		       any_pool ? "" : ": programs have MPTCP without a pool");
	else
		puts("pools     none in force");
}

static void print_uplink(const struct status_uplink *up)
{
	char sent[SCALED_MAX], received[SCALED_MAX], rtt[RTT_MAX] = "-", addr[64];

	snprintf(addr, sizeof(addr), "%s", up->addr[0] ? up->addr : "-");
	if (up->addrs > 1)
		snprintf(addr, sizeof(addr), "%s +%u", up->addr, up->addrs - 1);
	if (up->rtt_us)
		rtt_text(up->rtt_us, rtt);
	printf("  %-10s %-18s %5u %6s %6s %7s  %s\n", up->dev, addr, up->paths,
	       scaled_text(up->sent, sent), scaled_text(up->received, received), rtt,
	       up->health);
}

static void print_uplinks(const struct status *status)
{
	unsigned int i;

	if (!status->n_uplinks) {
		puts("\nno uplinks: no default route, no pool, no connection");
		return;
	}
	printf("\n  %-10s %-18s %5s %6s %6s %7s  %s\n", "UPLINK", "ADDRESS", "PATHS",
	       "SENT", "RECVD", "RTT", "HEALTH");
	for (i = 0; i < status->n_uplinks; i++)
		print_uplink(&status->uplinks[i]);
}

static void print_program(const char *name, pid_t pid, const char *manager)
{
	char text[PROGRAM_MAX + 48];

	snprintf(text, sizeof(text), pid ? "%s[%d]" : "%s", *name ? name : "?", pid);
	printf("  %-24s %-8s ", text, *manager ? manager : "?");
}

/* The broker serves all programs of a name and user, with one pool. */
static void print_manager(const struct manager *manager)
{
	char name[PROGRAM_MAX + 32];

	snprintf(name, sizeof(name), "%s of user %u", manager->program,
		 manager->info.uid);
	print_program(manager_is_broker(manager) ? name : manager->program,
		      manager_is_broker(manager) ? 0 : manager->pid,
		      manager->answered ? manager->info.backend : "");
}

static void print_row(const struct status *status, const struct status_row *row)
{
	const struct connection *conn = row->first;
	const struct manager *manager = row->manager;

	if (conn) {
		print_program(conn->program, conn->pid,
			      manager_text(&status->snap, conn));
		printf("%u connection%s, %u path%s", row->connections,
		       PLURAL(row->connections), row->paths, PLURAL(row->paths));
	} else {
		print_manager(manager);
		fputs(manager->answered ? "no connection" : "does not answer", stdout);
	}
	if (row->plain)
		printf(", %u plain TCP", row->plain);
	printf("%s%s\n", manager && manager->info.pool_file[0] ? "  " : "",
	       manager ? manager->info.pool_file : "");
	if (row->why[0])
		printf("    why: %s\n", row->why);
}

static void print_programs(const struct status *status)
{
	size_t i;

	printf("\n  %-24s %-8s %s\n", "PROGRAM", "MANAGER", "CONNECTIONS");
	for (i = 0; i < status->n_rows && i < PROGRAMS_MAX; i++)
		print_row(status, &status->rows[i]);
	if (!status->n_rows)
		puts("  none: no program has an MPTCP connection");
	else if (status->n_rows > PROGRAMS_MAX)
		printf("  and %zu more: type mptcpinfo\n", status->n_rows - PROGRAMS_MAX);
}

static void print_problems(const struct status *status)
{
	unsigned int i = status->n_problems;
	time_t seconds;
	struct tm tm;
	char at[32];

	if (i)
		puts("\n  LAST PROBLEMS");
	while (i--) {
		seconds = status->problems[i].time_ns / 1000000000;
		strftime(at, sizeof(at), "%T", localtime_r(&seconds, &tm));
		printf("  %s  %s\n", at, status->problems[i].text);
	}
}

void status_print_text(const struct status *status)
{
	size_t i;

	print_uplinks(status);
	print_programs(status);
	print_problems(status);
	for (i = 0; i < status->snap.n_notes; i++)
		printf("\nnote: %s\n", status->snap.notes[i]);
	if (status->error)
		printf("\ncannot list the connections: %s\n", strerror(status->error));
	printf("\nnext: %s%s", status->next.advice, status->next.command);
	if (*status->next.comment)
		printf("    # %s", status->next.comment);
	putchar('\n');
}
