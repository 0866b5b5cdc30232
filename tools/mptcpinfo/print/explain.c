// SPDX-License-Identifier: MIT
/*
 * explain.c - why a connection has fewer paths than its pool allows
 *
 * The cause comes first, then the addresses concerned. A connection's own manager
 * reports it; without a manager, it is derived from kernel data.
 */
#include "print.h"
#include "tools/mptcpinfo/collect/collect.h"

#include <netinet/tcp.h>
#include <string.h>

#define NAMED_MAX 4 /* addresses listed for one cause; the others are counted */

const char *announced_reason(const struct pm_announced_report *record,
			     char out[static NOTE_REASON_MAX])
{
	bool none = record->reason == PM_REASON_NONE;

	if (record->state == PM_ANNOUNCED_JOINED)
		out[0] = '\0';
	else if (none && record->state == PM_ANNOUNCED_CLOSED)
		strcpy(out, "its subflow was closed");
	else if (none || record->state == PM_ANNOUNCED_PENDING)
		strcpy(out, "being joined"); /* or about to be, after a resync */
	else
		note_reason_text(record->reason, record->error, out);
	return out;
}

static bool is_same_cause(const struct pm_announced_report *a,
			  const struct pm_announced_report *b)
{
	return a->state == b->state && a->reason == b->reason && a->error == b->error;
}

/* All announcements with the cause of announcement @i, the first one */
static void explain_cause(struct text *ex, const struct pm_announced_report *announced,
			  size_t n, size_t i)
{
	char reason[NOTE_REASON_MAX], ip[MPADDR_TEXT_MAX];
	size_t j, named = 0, more = 0;

	text_put(ex, "%s%s", ex->len ? "; " : "",
		 announced_reason(&announced[i], reason));
	for (j = i; j < n; j++) {
		if (!is_same_cause(&announced[i], &announced[j]))
			continue;
		if (named == NAMED_MAX)
			more++;
		else
			text_put(ex, "%s%s (id %u)", named++ ? ", " : ": ",
				 ip_text(&announced[j].addr, ip), announced[j].remote_id);
	}
	if (more)
		text_put(ex, " and %zu more", more);
}

static void explain_announced(struct text *ex,
			      const struct pm_announced_report *announced, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		if (announced_state(&announced[i]) == ANNOUNCED_JOINED)
			continue;
		for (j = 0; !is_same_cause(&announced[i], &announced[j]); j++)
			;
		if (j == i)
			explain_cause(ex, announced, n, i);
	}
}

static void explain_unavailable(struct text *ex, const struct snapshot *snap,
				const struct connection *conn, size_t n)
{
	const char *before = ex->len ? "; unavailable (on no interface that is up): "
				     : "unavailable (on no interface that is up): ";
	const struct ctl_endpoint *ep;
	enum endpoint_state state;
	char ip[MPADDR_TEXT_MAX];
	size_t i;

	for (i = 0; i < n; i++) {
		ep = connection_endpoint(snap, conn, i, &state);
		if (!ep || state != ENDPOINT_UNAVAILABLE)
			continue;
		text_put(ex, "%s%s", before, ip_text(&ep->addr, ip));
		before = ", ";
	}
}

static bool has_free_endpoint(const struct snapshot *snap, const struct connection *conn,
			      size_t n)
{
	enum endpoint_state state;
	size_t i;

	for (i = 0; i < n; i++) {
		if (connection_endpoint(snap, conn, i, &state) && state == ENDPOINT_FREE)
			return true;
	}
	return false;
}

/* Without laminar and fullmesh endpoints the routing table picks local addresses. */
static bool is_routed(const struct connection *conn, const struct manager *manager)
{
	const uint32_t local = MPTCP_PM_ADDR_FLAG_LAMINAR | MPTCP_PM_ADDR_FLAG_FULLMESH;
	const struct ctl_endpoint *ep;

	for_each_in (ep, manager, endpoints)
		if (ep->section == conn->record.section && ep->flags & local)
			return false;
	return true;
}

static void explain_pool(struct text *ex, const struct snapshot *snap,
			 const struct connection *conn)
{
	const struct manager *manager = connection_manager(snap, conn);
	size_t n = manager->n_endpoints, section = conn->record.section;

	if (section < manager->n_sections && manager->sections[section].excluded)
		text_put(ex, "no pool for this destination (excluded)");
	else if (n == 0 && manager->info.pool_error[0])
		text_put(ex, "no pool: %s", manager->info.pool_error);
	else if (conn->record.endpoints_mine == 0 && !is_routed(conn, manager))
		text_put(ex, "no endpoint of the pool fits this connection");
	if (ex->len || conn->record.server_side)
		return;
	explain_announced(ex, conn->announced, conn->n_announced);
	if (!has_free_endpoint(snap, conn, n))
		explain_unavailable(ex, snap, conn, n);
	else if (ex->len)
		return;
	else if (conn->n_announced == 0)
		text_put(ex,
			 "nothing announced: the server has not announced any additional "
			 "address");
	else
		text_put(ex, "nothing more announced: all %zu addresses are joined",
			 conn->n_announced);
}

static bool has_running_broker(const struct snapshot *snap)
{
	const struct manager *manager;

	for_each_in (manager, snap, managers)
		if (manager->answered && manager_is_broker(manager))
			return true;
	return false;
}

static const char *explain_none(const struct snapshot *snap,
				const struct process *process)
{
	if (process->preload == PRELOAD_NO)
		return "no path manager: the program does not run under libmptcpaddr.so";
	if (process->preload == PRELOAD_YES && has_running_broker(snap))
		return "no pool: mptcpaddrd has none for it (by its policy, or the pool "
		       "file is missing, invalid or too long; see its log)";
	if (process->rights_known && !process->rights)
		return "no rights and no broker: it lacks CAP_NET_ADMIN, and no "
		       "mptcpaddrd answers";
	if (process->preload == PRELOAD_YES)
		return "no path manager: it has no pool file, or an error that "
		       "MPTCPADDR_LOG shows";
	return "";
}

static const char *explain_without_pool(const struct snapshot *snap,
					const struct connection *conn)
{
	if (conn->fallback)
		return "fell back to TCP: the peer, or something on the path, does not "
		       "support MPTCP";
	if (conn->state != TCP_ESTABLISHED)
		return "";
	switch (conn->manager) {
	case MANAGER_KERNEL:
		if (conn->process.preload != PRELOAD_YES)
			return "";
		return "kernel path manager: net.mptcp.path_manager was not userspace "
		       "when the socket was created, so no pool applies";
	case MANAGER_UNKNOWN:
		return "unknown: a manager that may have it did not answer";
	case MANAGER_NONE:
		return explain_none(snap, &conn->process);
	case MANAGER_OURS:
		break;
	}
	return NULL;
}

bool explain_connection(const struct snapshot *snap, const struct connection *conn,
			char out[static EXPLAIN_MAX])
{
	const char *text = explain_without_pool(snap, conn);
	struct text ex = { .start = out, .size = EXPLAIN_MAX };

	out[0] = '\0';
	if (text)
		text_put(&ex, "%s", text);
	else
		explain_pool(&ex, snap, conn);
	return ex.len > 0;
}
