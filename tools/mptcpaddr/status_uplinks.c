// SPDX-License-Identifier: MIT
/*
 * status_uplinks.c - the uplinks of mptcpaddr status: what they carry, and their health
 *
 * An uplink is an interface that has a default route, that a pool names, or that carries
 * a path. Nothing is sent: an uplink without connections may be dead without being known
 * to be.
 */
#include "default_routes.h"
#include "status.h"

#include "shim/common/str.h"
#include "tools/mptcpinfo/print/print.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

/* Return: NULL: there are too many. */
static struct status_uplink *uplinks_add(struct status *status, const char *dev)
{
	struct status_uplink *uplink = status->uplinks;

	for (; uplink < status->uplinks + status->n_uplinks; uplink++)
		if (!strcmp(uplink->dev, dev))
			return uplink;
	if (status->n_uplinks == UPLINKS_MAX || !*dev)
		return NULL;
	status->n_uplinks++;
	snprintf(uplink->dev, sizeof(uplink->dev), "%s", dev);
	uplink->if_idx = if_nametoindex(dev);
	return uplink;
}

static void uplinks_add_route(void *ctx, int if_idx, uint32_t metric)
{
	char dev[IF_NAMESIZE];
	struct status_uplink *up =
		if_indextoname(if_idx, dev) ? uplinks_add(ctx, dev) : NULL;

	if (up)
		up->routed = true;
}

/* Return: the uplink that has @addr; NULL: none, or loopback. */
static struct status_uplink *uplinks_find(struct status *status,
					  const struct mpaddr *addr)
{
	const struct rtnl_table *machine = &status->files.machine;
	const struct mpaddr_range *range = mpaddr_range(addr);
	char dev[IF_NAMESIZE];
	unsigned int i;

	for (i = 0; i < machine->n_addrs; i++)
		if (mpaddr_same_ip(&machine->addrs[i].addr, addr) &&
		    (!range || range->kind == MPADDR_PRIVATE) &&
		    if_indextoname(machine->addrs[i].if_idx, dev))
			return uplinks_add(status, dev);
	return NULL;
}

static void read_links(struct status *status)
{
	const struct rtnl_table *machine = &status->files.machine;
	const struct rtnl_address *addr;
	const struct mpaddr_range *range;
	struct status_uplink *up;
	unsigned int i;

	for (up = status->uplinks; up < status->uplinks + status->n_uplinks; up++) {
		for (i = 0; i < machine->n_links; i++)
			if (machine->links[i].if_idx == up->if_idx)
				up->up = machine->links[i].up;
		for (i = 0; i < machine->n_addrs; i++) {
			addr = &machine->addrs[i];
			range = mpaddr_range(&addr->addr);
			if (addr->if_idx != up->if_idx ||
			    (range && range->kind != MPADDR_PRIVATE))
				continue;
			if (!up->addrs++ ||
			    (addr->addr.family == AF_INET && strchr(up->addr, ':')))
				mpaddr_text(&addr->addr, up->addr);
		}
	}
}

static void count_subflow(struct status *status, const struct subflow *sf)
{
	struct status_uplink *up = uplinks_find(status, &sf->path.local);

	if (!up)
		return;
	up->paths += sf->state == TCP_ESTABLISHED;
	up->backups += sf->state == TCP_ESTABLISHED && sf->backup;
	up->pending += sf->state == TCP_SYN_SENT;
	if (!sf->has_tcp)
		return;
	up->unanswered += sf->state == TCP_SYN_SENT && sf->retransmits;
	up->sent += sf->bytes_sent;
	up->received += sf->bytes_received;
	if (sf->rtt_us && sf->state == TCP_ESTABLISHED &&
	    (!up->rtt_us || sf->rtt_us < up->rtt_us))
		up->rtt_us = sf->rtt_us;
}

/* What a connection's manager knows of the paths from its endpoints */
static void read_endpoints(struct status *status, const struct connection *conn)
{
	const struct manager *manager = connection_manager(&status->snap, conn);
	const struct ctl_endpoint *ep;
	struct status_uplink *up;
	size_t i;

	for (i = 0; manager && i < manager->n_endpoints; i++) {
		ep = &manager->endpoints[i];
		up = uplinks_find(status, &ep->addr);
		if (!up)
			continue;
		up->spent |= ep->state == CTL_ENDPOINT_SPENT;
		if (endpoint_state(conn, manager, i) == ENDPOINT_SILENT)
			snprintf(up->health, sizeof(up->health),
				 "no data for %llu s while the link is up, being probed",
				 (unsigned long long)conn->record.silent_s);
		else if (ep->held_s)
			snprintf(up->health, sizeof(up->health),
				 "came and went %u time%s: used again in %u s", ep->flaps,
				 PLURAL(ep->flaps), ep->held_s);
	}
}

static bool is_outcome(const struct pm_note *note)
{
	return note->what == PM_NOTE_ESTABLISHED || note->what == PM_NOTE_JOINED ||
	       note->what == PM_NOTE_HEARD || note->what == PM_NOTE_RENEWED ||
	       note->what == PM_NOTE_JOIN_FAILED || note->what == PM_NOTE_UNANSWERED;
}

static void read_connections(struct status *status)
{
	const struct connection *conn;
	const struct subflow *sf;
	const struct status_note *noted;
	struct status_uplink *up;

	for_each_in (conn, &status->snap, connections) {
		for_each_in (sf, conn, subflows)
			count_subflow(status, sf);
		read_endpoints(status, conn);
	}
	for_each_in (noted, status, notes) {
		up = is_outcome(&noted->note) ? uplinks_find(status, &noted->note.local)
					      : NULL;
		if (up)
			up->latest = &noted->note;
	}
}

/* Return: what is wrong with its link; "": nothing. */
static const char *judge_link(const struct status_uplink *up)
{
	if (!up->if_idx)
		return "no such interface";
	if (!up->up)
		return "link down";
	return up->addrs ? "" : "no address";
}

/* Return: what does not answer over it; "": nothing known. */
static const char *judge_answers(struct status_uplink *up, char out[static HEALTH_MAX])
{
	const struct pm_note *latest = up->latest;
	char why[NOTE_REASON_MAX];

	if (up->health[0])
		return up->health;
	if (up->unanswered)
		return "no answer to its SYN";
	if (!latest || !status_is_problem(latest) || (!up->pending && up->paths))
		return "";
	if (latest->what == PM_NOTE_UNANSWERED)
		return "no answer to its SYN";
	snprintf(out, HEALTH_MAX, "its last %s",
		 note_reason_text(latest->reason ?: PM_REASON_ERROR, latest->error, why));
	return out;
}

static void judge_uplink(struct status_uplink *up)
{
	char text[HEALTH_MAX];
	const char *health = judge_link(up);

	if (!*health) {
		health = judge_answers(up, text);
		up->fails = *health;
	}
	if (!*health && up->pending)
		health = "being joined";
	else if (!*health && up->spent)
		health = "quota used up";
	else if (!*health && !up->paths)
		health = up->routed ? "up, unused" : "no default route";
	if (!*health) {
		snprintf(text, sizeof(text), "ok%s%s",
			 up->paths == up->backups ? ", backup" : "",
			 up->routed ? "" : ", no default route");
		health = text;
	}
	if (health != up->health)
		snprintf(up->health, sizeof(up->health), "%s", health);
}

void status_read_uplinks(struct status *status)
{
	unsigned int i;

	default_routes_read(uplinks_add_route, status);
	for (i = 0; i < status->files.devices.n; i++)
		uplinks_add(status, status->files.devices.names[i]);
	read_connections(status);
	read_links(status);
	for (i = 0; i < status->n_uplinks; i++)
		judge_uplink(&status->uplinks[i]);
}
