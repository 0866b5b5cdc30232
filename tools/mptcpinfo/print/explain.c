// SPDX-License-Identifier: MIT
/*
 * explain.c - why a connection has fewer paths than its pool allows
 *
 * The cause comes first, then the addresses that it keeps out. A connection's own
 * manager knows; where there is none, it is told from what the kernel shows.
 */
#include "explain.h"

#include "mptcpaddr/uapi.h"
#include "text.h"
#include "tools/mptcpinfo/collect/managers.h"
#include "tools/mptcpinfo/snapshot.h"

#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAMED_MAX 4 /* addresses named for one cause; the others are counted */

struct line {
	char *text;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *fmt,
						      ...)
{
	size_t room = EXPLAIN_MAX - line->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line->text + line->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		line->len += (size_t)n < room ? (size_t)n : room - 1;
}

static bool same_cause(const struct pm_announced_report *a,
		       const struct pm_announced_report *b)
{
	return a->state == b->state && a->reason == b->reason && a->error == b->error;
}

/* Every announcement of the cause of number @i, which is the first one of it. */
static void add_cause(struct line *line, const struct announced *announced, size_t n,
		      size_t i)
{
	char reason[NOTE_REASON_MAX], ip[IP_TEXT_MAX];
	size_t j, named = 0, more = 0;

	add(line, "%s%s", line->len ? "; " : "",
	    announced_reason(&announced[i].record, reason));
	for (j = i; j < n; j++) {
		if (!same_cause(&announced[i].record, &announced[j].record))
			continue;
		if (named == NAMED_MAX) {
			more++;
			continue;
		}
		add(line, "%s%s (id %u)", named++ ? ", " : ": ",
		    ctl_ip_text(&announced[j].record.addr, ip),
		    announced[j].record.remote_id);
	}
	if (more)
		add(line, " and %zu more", more);
}

static void add_announced(struct line *line, const struct announced *announced, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		if (announced_state(&announced[i].record) == ANNOUNCED_JOINED)
			continue;
		for (j = 0; j < i; j++) {
			if (same_cause(&announced[i].record, &announced[j].record))
				break;
		}
		if (j == i)
			add_cause(line, announced, n, i);
	}
}

static void add_unavailable(struct line *line, const struct snapshot *snap,
			    const struct connection *conn, const struct manager *manager)
{
	enum endpoint_state state;
	char ip[IP_TEXT_MAX];
	size_t i, n = 0;

	for (i = 0; i < manager->endpoints.n; i++) {
		if (!connection_endpoint(snap, conn, i, &state) ||
		    state != ENDPOINT_UNAVAILABLE)
			continue;
		if (!n++)
			add(line, "%sunavailable (on no interface that is up): ",
			    line->len ? "; " : "");
		else
			add(line, ", ");
		add(line, "%s",
		    ctl_ip_text(&snap->endpoints[manager->endpoints.first + i].addr, ip));
	}
}

static size_t free_endpoints(const struct snapshot *snap, const struct connection *conn,
			     const struct manager *manager)
{
	enum endpoint_state state;
	size_t i, n = 0;

	for (i = 0; i < manager->endpoints.n; i++)
		n += connection_endpoint(snap, conn, i, &state) && state == ENDPOINT_FREE;
	return n;
}

static bool is_excluded(const struct snapshot *snap, const struct connection *conn,
			const struct manager *manager)
{
	size_t i = conn->record.section;

	return i < manager->sections.n &&
	       snap->sections[manager->sections.first + i].excluded;
}

/* Without endpoints for what is announced routing takes the local addresses. */
static bool is_routed(const struct snapshot *snap, const struct connection *conn,
		      const struct manager *manager)
{
	const struct ctl_endpoint *ep = snap->endpoints + manager->endpoints.first;
	size_t i;

	for (i = 0; i < manager->endpoints.n; i++)
		if (ep[i].section == conn->record.section &&
		    ep[i].flags &
			    (MPTCP_PM_ADDR_FLAG_LAMINAR | MPTCP_PM_ADDR_FLAG_FULLMESH))
			return false;
	return true;
}

static void explain_pool(struct line *line, const struct snapshot *snap,
			 const struct connection *conn)
{
	const struct manager *manager = connection_manager(snap, conn);

	if (is_excluded(snap, conn, manager))
		add(line, "no pool for this destination (excluded)");
	else if (manager->endpoints.n == 0 && manager->info.pool_error[0])
		add(line, "no pool: %s", manager->info.pool_error);
	else if (conn->record.endpoints_mine == 0 && !is_routed(snap, conn, manager))
		add(line, "no endpoint of the pool fits this connection");
	if (line->len || conn->record.server_side)
		return;
	add_announced(line, snap->announced + conn->announced.first, conn->announced.n);
	if (!free_endpoints(snap, conn, manager))
		add_unavailable(line, snap, conn, manager);
	else if (line->len)
		return;
	else if (conn->announced.n == 0)
		add(line, "nothing announced: the peer has named no further address");
	else
		add(line, "nothing more announced: all %zu addresses are joined",
		    conn->announced.n);
}

static bool broker_is_there(const struct snapshot *snap)
{
	const struct manager *manager = snap->managers;

	for (; manager < snap->managers + snap->n_managers; manager++)
		if (manager->answered && manager_is_broker(manager->uid, &manager->info))
			return true;
	return false;
}

static void explain_none(struct line *line, const struct snapshot *snap,
			 const struct process *process)
{
	if (process->preload == PRELOAD_NO)
		add(line, "no path manager: the program does not run under "
			  "libmptcpaddr.so");
	else if (process->preload == PRELOAD_YES && broker_is_there(snap))
		add(line, "no pool: mptcpaddrd has none for it (its policy, or the pool "
			  "file is missing, wrong or too long; its log tells more)");
	else if (process->rights_known && !process->rights)
		add(line, "no rights and no broker: it lacks CAP_NET_ADMIN, and no "
			  "mptcpaddrd answers");
	else if (process->preload == PRELOAD_YES)
		add(line, "no path manager: it has no pool file, or MPTCPADDR_LOG tells "
			  "what went wrong");
}

bool explain(const struct snapshot *snap, const struct connection *conn,
	     char out[static EXPLAIN_MAX])
{
	struct line line = { .text = out };

	out[0] = '\0';
	if (conn->fallback) {
		add(&line, "fell back to TCP: the peer, or something on the path, does "
			   "not speak MPTCP");
		return true;
	}
	if (conn->state != TCP_ESTABLISHED)
		return false;
	switch (conn->manager) {
	case MANAGER_KERNEL:
		if (conn->process.preload == PRELOAD_YES)
			add(&line, "kernel path manager: net.mptcp.path_manager was not "
				   "userspace when the socket was made, so no pool "
				   "applies");
		break;
	case MANAGER_UNKNOWN:
		add(&line, "not known: a manager that may have it could not be asked");
		break;
	case MANAGER_NONE:
		explain_none(&line, snap, &conn->process);
		break;
	case MANAGER_OURS:
		explain_pool(&line, snap, conn);
		break;
	}
	return line.len > 0;
}
