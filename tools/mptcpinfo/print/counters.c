// SPDX-License-Identifier: MIT
/*
 * counters.c - what the path managers and the kernel have counted, for people
 *
 * Per connection, per program, and the namespace's own. Zeroes are left out: of some 20
 * counters a connection has moved a few.
 */
#include "paint.h"
#include "text.h"
#include "tools/mptcpinfo/snapshot.h"
#include "writers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NAME_WIDTH 30

struct sheet {
	FILE *out;
	bool colour;
};

static void write_counter(const struct sheet *s, const char *name, uint64_t value)
{
	if (value)
		fprintf(s->out, "  %s%-*s%s %12" PRIu64 "\n",
			paint(s->colour, PAINT_LABEL), NAME_WIDTH, name,
			unpaint(s->colour), value);
}

static void write_pm_counters(const struct sheet *s, const struct pm_counters *counters)
{
#define X(name, help) write_counter(s, #name, counters->name);
	PM_COUNTERS(X)
#undef X
}

static void write_manager(const struct sheet *s, const struct manager *manager)
{
	const struct ctl_manager *info = &manager->info;

	fprintf(s->out, "\n%s%s[%d]%s  %s  %s%s%s\n", paint(s->colour, PAINT_HEAD),
		manager->program[0] ? manager->program : "?", manager->pid,
		unpaint(s->colour), manager->answered ? info->backend : "?",
		manager->answered ? info->pool_file : "did not answer",
		info->pool_error[0] ? "  " : "", info->pool_error);
	if (!manager->answered)
		return;
#define WRITE(field) write_counter(s, #field, info->field)
	WRITE(connections);
	WRITE(used_ids);
	WRITE(early);
	WRITE(events);
	WRITE(events_replayed);
	WRITE(events_foreign);
	WRITE(overruns);
	WRITE(registrations);
	WRITE(registrations_lost);
	WRITE(endp_signal_max);
	WRITE(endp_subflow_max);
	WRITE(endp_laminar_max);
	WRITE(endp_fullmesh_max);
	WRITE(pool_loads);
#undef WRITE
	write_pm_counters(s, &info->counters);
}

static void write_connection(const struct sheet *s, const struct snapshot *snap,
			     const struct connection *conn)
{
	char remote[ADDR_TEXT_MAX];

	if (!connection_manager(snap, conn))
		return;
	fprintf(s->out, "\n%s%s[%d]%s  0x%08x  -> %s\n", paint(s->colour, PAINT_HEAD),
		conn->program[0] ? conn->program : "?", conn->pid, unpaint(s->colour),
		conn->token, addr_text(&conn->remote, remote));
	write_pm_counters(s, &conn->record.counters);
}

int write_counters(const struct snapshot *snap, bool colour, FILE *out)
{
	const struct sheet s = { .out = out, .colour = colour };
	size_t i;

	fprintf(out, "%snamespace%s  path manager %s\n", paint(colour, PAINT_HEAD),
		unpaint(colour), snap->path_manager[0] ? snap->path_manager : "unknown");
	for (i = 0; i < snap->n_counters; i++)
		write_counter(&s, snap->counters[i].name, snap->counters[i].value);
	for (i = 0; i < snap->n_managers; i++)
		write_manager(&s, &snap->managers[i]);
	for (i = 0; i < snap->n_connections; i++)
		write_connection(&s, snap, &snap->connections[i]);
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
