// SPDX-License-Identifier: MIT
/*
 * explain.c - why a connection has fewer paths than its pool allows
 *
 * The cause comes first, then the addresses concerned. A connection's own manager
 * reports it; without a manager, it is derived from kernel data.
 */
#include "mptcpaddr/broker.h"
#include "print.h"
#include "shim/common/str.h"
#include "tools/common/broker_command.h"
#include "tools/common/endpoint_reason.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Each of these endpoints has a path of its own. */
#define PATH_KINDS (MPTCP_PM_ADDR_FLAG_SUBFLOW | MPTCP_PM_ADDR_FLAG_SIGNAL)

#define NAMED_MAX 4 /* addresses listed for one cause; the others are counted */

const char *announced_reason(const struct pm_announced_report *record,
			     char out[static NOTE_REASON_MAX])
{
	bool none = record->reason == PM_REASON_NONE;

	if (record->state == PM_ANNOUNCED_JOINED)
		return "";
	if (none && record->state == PM_ANNOUNCED_CLOSED)
		return "its subflow was closed";
	if (none || record->state == PM_ANNOUNCED_PENDING)
		return "being joined"; /* or about to be, after a resync */
	return note_reason_text(record->reason, record->error, out);
}

/* All announcements with the cause of @first, unless an earlier one has it */
static void explain_cause(struct text *ex, const struct connection *conn,
			  const struct pm_announced_report *first)
{
	char reason[NOTE_REASON_MAX], ip[MPADDR_TEXT_MAX];
	const struct pm_announced_report *each;
	size_t named = 0;

	for_each_in (each, conn, announced) {
		if (each->state != first->state || each->reason != first->reason ||
		    each->error != first->error)
			continue;
		if (each < first)
			return;
		if (each == first)
			text_put(ex, "%s%s", ex->len ? "; " : "",
				 announced_reason(first, reason));
		if (named++ < NAMED_MAX)
			text_put(ex, "%s%s (id %u)", each == first ? ": " : ", ",
				 ip_text(&each->addr, ip), each->remote_id);
	}
	if (named > NAMED_MAX)
		text_put(ex, " and %zu more", named - NAMED_MAX);
}

/* An interface's address of another family than the server's; see explain_devices() */
static bool is_spare(const struct connection *conn, const struct ctl_endpoint *ep)
{
	return ep->from_dev && ep->flags & MPTCP_PM_ADDR_FLAG_SUBFLOW &&
	       ep->addr.family != conn->path.remote.family;
}

static bool has_free(const struct connection *conn, const struct manager *manager,
		     uint32_t but_kind)
{
	size_t i;

	for (i = 0; i < manager->n_endpoints; i++)
		if (endpoint_state(conn, manager, i) == ENDPOINT_FREE &&
		    !is_spare(conn, &manager->endpoints[i]) &&
		    !(manager->endpoints[i].flags & but_kind))
			return true;
	return false;
}

/* An address that another endpoint can join needs none; `subflow` ones have a path each.
 */
static void explain_unavailable(struct text *ex, const struct connection *conn,
				const struct manager *manager, bool waiting)
{
	const char *before = waiting ? "unavailable (address tentative or deprecated): "
				     : "unavailable (on no interface that is up): ";
	const bool free = has_free(conn, manager, PATH_KINDS);
	const struct ctl_endpoint *ep = manager->endpoints;
	char ip[MPADDR_TEXT_MAX];
	bool first = true;
	size_t i;

	for (i = 0; i < manager->n_endpoints; i++, ep++) {
		if (endpoint_state(conn, manager, i) != ENDPOINT_UNAVAILABLE ||
		    (ep->state == CTL_ENDPOINT_WAITING) != waiting ||
		    (free && !(ep->flags & PATH_KINDS)))
			continue;
		text_put(ex, "%s%s%s", first && ex->len ? "; " : "",
			 first ? before : ", ", ip_text(&ep->addr, ip));
		first = false;
	}
}

enum device_lack {
	DEVICE_LACKS_NOTHING,
	DEVICE_MISSING,
	DEVICE_LACKS_ADDRESS,
	DEVICE_LACKS_IPV4, /* it has another address */
	DEVICE_LACKS_IPV6,
	DEVICE_LACKS
};

/* What @dev lacks; an announced address of another family may have a path from it. */
static enum device_lack device_lack(const struct connection *conn,
				    const struct manager *manager,
				    const struct ctl_endpoint *configured,
				    const char *dev)
{
	const struct pm_conn_report *report = &conn->record;
	const uint16_t family = conn->path.remote.family;
	const struct ctl_endpoint *ep;
	bool other = false;

	for_each_in (ep, manager, endpoints) {
		const size_t i = ep - manager->endpoints;

		if (ep->section != configured->section ||
		    strncmp(ep->dev, configured->dev, sizeof(ep->dev)) != 0)
			continue;
		if (ep->addr.family == family ||
		    (report->endpoints_used | report->endpoints_pending) >> i & 1)
			return DEVICE_LACKS_NOTHING;
		other = true;
	}
	if (other)
		return family == AF_INET ? DEVICE_LACKS_IPV4 : DEVICE_LACKS_IPV6;
	return if_nametoindex(dev) ? DEVICE_LACKS_ADDRESS : DEVICE_MISSING;
}

/* Interfaces of the pool file without an address for this connection */
static void explain_devices(struct text *ex, const struct connection *conn,
			    const struct manager *manager, enum device_lack lack)
{
	static const char *const words[] = {
		[DEVICE_MISSING] = "unavailable (no such interface): ",
		[DEVICE_LACKS_ADDRESS] = "unavailable (no address on the interface): ",
		[DEVICE_LACKS_IPV4] = "unavailable (no IPv4 address on the interface): ",
		[DEVICE_LACKS_IPV6] = "unavailable (no IPv6 address on the interface): ",
	};
	const char *before = words[lack];
	const bool free = has_free(conn, manager, PATH_KINDS);
	const struct ctl_endpoint *ep;
	char dev[IFNAMSIZ];
	bool first = true;

	for_each_in (ep, manager, configured) {
		snprintf(dev, sizeof(dev), "%.15s", ep->dev);
		str_clean(dev, strlen(dev));
		if (ep->addr.family || !*dev || ep->section != conn->record.section ||
		    device_lack(conn, manager, ep, dev) != lack ||
		    (free && !(ep->flags & PATH_KINDS)))
			continue;
		text_put(ex, "%s%s%s", first && ex->len ? "; " : "",
			 first ? before : ", ", dev);
		first = false;
	}
}

/* What endpoint @i waits for: its kind; 0: an announcement, or nothing */
static uint32_t endpoint_kind(const struct connection *conn,
			      const struct ctl_endpoint *ep)
{
	const struct pm_announced_report *announced;

	if (ep->flags & MPTCP_PM_ADDR_FLAG_SUBFLOW)
		return is_spare(conn, ep) ? 0 : MPTCP_PM_ADDR_FLAG_SUBFLOW;
	/* It joins what others have joined; what waits has a reason of its own. */
	if (ep->flags & MPTCP_PM_ADDR_FLAG_FULLMESH)
		for_each_in (announced, conn, announced)
			if (announced->state == PM_ANNOUNCED_JOINED)
				return MPTCP_PM_ADDR_FLAG_FULLMESH;
	if (ep->flags & (MPTCP_PM_ADDR_FLAG_FULLMESH | MPTCP_PM_ADDR_FLAG_LAMINAR))
		return 0;
	return ep->flags & MPTCP_PM_ADDR_FLAG_SIGNAL;
}

/* What keeps endpoint @i of @kind from having a path. Return: @out. */
static const char *kind_reason(const struct connection *conn,
			       const struct manager *manager, size_t i, uint32_t kind,
			       char out[static NOTE_REASON_MAX])
{
	const unsigned int max = manager->info.subflows_max;
	struct pm_conn_report report = conn->record;

	/* The flag is about the server's first address alone. */
	report.deny_join_id0 &= kind == MPTCP_PM_ADDR_FLAG_SUBFLOW;
	if (kind == MPTCP_PM_ADDR_FLAG_SUBFLOW &&
	    manager->endpoints[i].addr.family != conn->path.remote.family)
		return strcpy(out, "the server's first address has another family");
	if (kind == MPTCP_PM_ADDR_FLAG_SIGNAL && report.extra_subflows < max)
		return strcpy(out, "announced, but the peer has not joined it");
	return endpoint_reason(&report,
			       endpoint_state(conn, manager, i) == ENDPOINT_PENDING,
			       endpoint_error(&report, i), max, out);
}

/* Endpoints of @kind in @state, by their reasons; a state but OTHER has 64 at most. */
static void explain_kind(struct text *ex, const struct connection *conn,
			 const struct manager *manager, uint32_t kind,
			 enum endpoint_state state)
{
	char first[NOTE_REASON_MAX], reason[NOTE_REASON_MAX], ip[MPADDR_TEXT_MAX];
	uint64_t left = 0;
	bool named;
	size_t i;

	for (i = 0; i < manager->n_endpoints; i++)
		if (endpoint_state(conn, manager, i) == state &&
		    endpoint_kind(conn, &manager->endpoints[i]) == kind)
			left |= UINT64_C(1) << i;
	while (left) {
		named = false;
		for (i = 0; i < 64; i++) {
			if (!(left >> i & 1))
				continue;
			kind_reason(conn, manager, i, kind, reason);
			if (!named)
				text_put(ex, "%s%s: ", ex->len ? "; " : "",
					 strcpy(first, reason));
			else if (strcmp(reason, first))
				continue;
			text_put(ex, "%s%s", named ? ", " : "",
				 ip_text(&manager->endpoints[i].addr, ip));
			named = true;
			left &= ~(UINT64_C(1) << i);
		}
	}
}

/* When a route or link is lost during a download, the path stays, without data. */
static void explain_state(struct text *ex, const struct connection *conn,
			  const struct manager *manager, enum endpoint_state state,
			  const char *reason)
{
	const struct ctl_endpoint *ep;
	char ip[MPADDR_TEXT_MAX], dev[IFNAMSIZ];
	bool named = false;
	size_t i;

	for (i = 0; i < manager->n_endpoints; i++) {
		if (endpoint_state(conn, manager, i) != state)
			continue;
		ep = &manager->endpoints[i];
		snprintf(dev, sizeof(dev), "%.15s", ep->dev);
		str_clean(dev, strlen(dev));
		if (!named)
			text_put(ex, "%s%s: ", ex->len ? "; " : "", reason);
		text_put(ex, "%s%s", named ? ", " : "", ip_text(&ep->addr, ip));
		if (*dev)
			text_put(ex, " (%s)", dev);
		named = true;
	}
}

static void explain_endpoints(struct text *ex, const struct connection *conn,
			      const struct manager *manager)
{
	enum device_lack lack;

	if (!conn->record.server_side) {
		explain_kind(ex, conn, manager, MPTCP_PM_ADDR_FLAG_SUBFLOW,
			     ENDPOINT_PENDING);
		explain_kind(ex, conn, manager, MPTCP_PM_ADDR_FLAG_SUBFLOW,
			     ENDPOINT_FREE);
		explain_kind(ex, conn, manager, MPTCP_PM_ADDR_FLAG_FULLMESH,
			     ENDPOINT_FREE);
	}
	explain_kind(ex, conn, manager, MPTCP_PM_ADDR_FLAG_SIGNAL, ENDPOINT_FREE);
	explain_state(ex, conn, manager, ENDPOINT_NO_ROUTE, "no route to the server");
	explain_state(ex, conn, manager, ENDPOINT_NO_LINK, "link down");
	explain_state(ex, conn, manager, ENDPOINT_NO_QUOTA, "the quota is used up");
	explain_unavailable(ex, conn, manager, false);
	explain_unavailable(ex, conn, manager, true);
	for (lack = DEVICE_MISSING; lack < DEVICE_LACKS; lack++)
		explain_devices(ex, conn, manager, lack);
}

/* Without `dev` or a rule for the address, packets take the best route of all. */
static bool is_lost_on_detour(const struct connection *conn,
			      const struct manager *manager, size_t i)
{
	const int error = endpoint_error(&conn->record, i);

	switch (endpoint_state(conn, manager, i)) {
	case ENDPOINT_PENDING:
	case ENDPOINT_SILENT:
		return conn->detoured >> i & 1;
	case ENDPOINT_FREE:
		return conn->detoured >> i & 1 &&
		       (error == ETIMEDOUT || error == EHOSTUNREACH);
	case ENDPOINT_OTHER:
	case ENDPOINT_USED:
	case ENDPOINT_NO_LINK:
	case ENDPOINT_NO_ROUTE:
	case ENDPOINT_NO_QUOTA:
	case ENDPOINT_HELD:
	case ENDPOINT_UNAVAILABLE:
		break;
	}
	return false;
}

static void explain_detours(struct text *ex, const struct connection *conn,
			    const struct manager *manager)
{
	const char *before = "leaves by another interface (append \"dev\"): ";
	char ip[MPADDR_TEXT_MAX];
	size_t i;

	for (i = 0; i < manager->n_endpoints; i++) {
		if (!is_lost_on_detour(conn, manager, i))
			continue;
		text_put(ex, "%s%s%s", *before == 'l' && ex->len ? "; " : "", before,
			 ip_text(&manager->endpoints[i].addr, ip));
		before = ", ";
	}
}

/* Paths that carry nothing while their link is up */
static void explain_silent(struct text *ex, const struct connection *conn,
			   const struct manager *manager)
{
	const char *before = ": ";
	char ip[MPADDR_TEXT_MAX];
	size_t i;

	if (!(conn->record.endpoints_silent & ~conn->unrouted))
		return;
	text_put(ex, "%sno data for %llu s while the link is up, being probed",
		 ex->len ? "; " : "", (unsigned long long)conn->record.silent_s);
	for (i = 0; i < manager->n_endpoints; i++) {
		if (endpoint_state(conn, manager, i) != ENDPOINT_SILENT)
			continue;
		text_put(ex, "%s%s", before, ip_text(&manager->endpoints[i].addr, ip));
		before = ", ";
	}
}

/* Endpoints that came and went often */
static void explain_held(struct text *ex, const struct manager *manager)
{
	const struct ctl_endpoint *ep;
	char ip[MPADDR_TEXT_MAX];

	for_each_in (ep, manager, endpoints)
		if (ep->held_s)
			text_put(ex, "%s%s came and went %u time%s: used again in %u s",
				 ex->len ? "; " : "", ip_text(&ep->addr, ip), ep->flaps,
				 PLURAL(ep->flaps), ep->held_s);
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

/* Whether the pool has endpoints for its destination, of whatever family */
static bool has_section(const struct connection *conn, const struct manager *manager)
{
	const struct ctl_endpoint *ep;

	for_each_in (ep, manager, endpoints)
		if (ep->section == conn->record.section)
			return true;
	return false;
}

static void explain_pool(struct text *ex, const struct connection *conn,
			 const struct manager *manager)
{
	const struct pm_announced_report *announced;
	size_t section = conn->record.section;

	if (section < manager->n_sections && manager->sections[section].excluded)
		text_put(ex, "no pool for this destination (excluded)");
	else if (manager->n_endpoints == 0 && manager->info.pool_error[0])
		text_put(ex, "no pool: %s", manager->info.pool_error);
	else if (conn->record.endpoints_mine == 0 && !is_routed(conn, manager))
		text_put(ex, "no endpoint of the pool fits this connection");
	if (ex->len)
		return;
	for_each_in (announced, conn, announced)
		if (announced->state != PM_ANNOUNCED_JOINED)
			explain_cause(ex, conn, announced);
	explain_endpoints(ex, conn, manager);
	if (ex->len || conn->record.server_side ||
	    (conn->record.endpoints_mine && !has_free(conn, manager, 0)))
		return;
	if (!conn->record.endpoints_mine && manager->n_endpoints)
		text_put(ex, has_section(conn, manager)
				     ? "no endpoint of the pool fits this connection"
				     : "the pool has no endpoint for this destination");
	else if (conn->n_announced == 0)
		text_put(ex, "nothing announced: the server has not announced any "
			     "additional address; \"subflow\" endpoints need none");
	else
		text_put(ex, "nothing more announced: each announced address is joined");
}

/* Of a changed file, while the previous pool stays; endpoints that a policy refuses */
static void explain_pool_error(struct text *ex, const struct manager *manager)
{
	if (manager->info.pool_error[0] && !strstr(ex->start, manager->info.pool_error))
		text_put(ex, "%spool file: %s", ex->len ? "; " : "",
			 manager->info.pool_error);
}

/* [app] first; the first usable endpoint needs no reason */
static void explain_first(struct text *ex, const struct connection *conn)
{
	char why[NOTE_REASON_MAX];

	if (conn->record.first && conn->record.first != PM_REASON_FIRST_ORDER)
		text_put(ex, "%sfirst path: %s", ex->len ? "; " : "",
			 note_reason_text(conn->record.first, 0, why));
}

static bool broker_answers(const struct snapshot *snap)
{
	const struct manager *manager;

	for_each_in (manager, snap, managers)
		if (manager->answered && manager_is_broker(manager))
			return true;
	return false;
}

/* Same words as mptcpaddr run and check. The broker also selects the path manager. */
static bool explain_rights(struct text *ex, const struct snapshot *snap,
			   const struct process *process)
{
	char command[BROKER_COMMAND_MAX];

	if (process->preload == PRELOAD_NO || !process->rights_known || process->rights ||
	    broker_answers(snap))
		return false;
	text_put(ex, BROKER_LACKING ": pools have no effect; type: %s%.256s", AS_ROOT,
		 broker_command_find(command));
	return true;
}

static const char *explain_none(const struct snapshot *snap,
				const struct process *process)
{
	if (process->preload == PRELOAD_NO)
		return "no path manager: the program does not run under libmptcpaddr.so";
	if (process->preload == PRELOAD_YES && broker_answers(snap))
		return "no pool: mptcpaddrd has none for it (by its policy, or "
		       "the pool file is missing, invalid or too long; see its "
		       "log)";
	if (process->preload == PRELOAD_YES)
		return "no path manager: it has no pool file, or an error that "
		       "MPTCPADDR_LOG shows";
	return "";
}

bool explain_connection(const struct snapshot *snap, const struct connection *conn,
			char out[static EXPLAIN_MAX])
{
	struct text ex = { .start = out, .size = EXPLAIN_MAX };

	out[0] = '\0';
	if (conn->fallback)
		text_put(&ex,
			 snap->blackhole.on
				 ? "fell back to TCP: the kernel has switched MPTCP off"
				 : "fell back to TCP: the peer, or something on the "
				   "path, does not support MPTCP");
	else if (conn->state != TCP_ESTABLISHED)
		return false;
	else if (conn->manager == MANAGER_OURS) {
		explain_pool(&ex, conn, connection_manager(snap, conn));
		explain_pool_error(&ex, connection_manager(snap, conn));
		explain_first(&ex, conn);
		explain_silent(&ex, conn, connection_manager(snap, conn));
		explain_detours(&ex, conn, connection_manager(snap, conn));
		explain_held(&ex, connection_manager(snap, conn));
	} else if (conn->manager == MANAGER_NONE &&
		   !explain_rights(&ex, snap, &conn->process))
		text_put(&ex, "%s", explain_none(snap, &conn->process));
	else if (conn->manager == MANAGER_UNKNOWN)
		text_put(&ex, "unknown: a manager that may have it did not answer");
	else if (conn->manager == MANAGER_KERNEL &&
		 conn->process.preload == PRELOAD_YES &&
		 !explain_rights(&ex, snap, &conn->process))
		text_put(&ex, "kernel path manager: net.mptcp.path_manager was not "
			      "userspace when the socket was created, so no pool "
			      "applies");
	return ex.len > 0;
}
