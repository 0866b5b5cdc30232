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

#define UPLINKS_MAX 16
#define HEALTH_MAX  (NOTE_REASON_MAX + 40)

struct status_uplink {
	char dev[IFNAMSIZ];
	int if_idx; /* 0: there is no such interface */
	bool up;
	bool routed;		    /* it has a default route */
	char addr[MPADDR_TEXT_MAX]; /* one of them, IPv4 if there is any; "": none */
	unsigned int addrs, paths, backups;
	unsigned int pending, unanswered; /* joins and first paths */
	uint64_t sent, received;
	uint32_t rtt_us;	      /* the lowest; 0: unknown */
	char health[HEALTH_MAX];      /* from managers; "": nothing is wrong */
	const struct pm_note *latest; /* about a path's success or failure */
};

struct uplinks {
	struct status *status;
	struct status_uplink v[UPLINKS_MAX];
	unsigned int n;
};

/* Return: NULL: there are too many. */
static struct status_uplink *uplinks_add(struct uplinks *uplinks, const char *dev)
{
	struct status_uplink *uplink = uplinks->v;

	for (; uplink < uplinks->v + uplinks->n; uplink++)
		if (!strcmp(uplink->dev, dev))
			return uplink;
	if (uplinks->n == UPLINKS_MAX || !*dev)
		return NULL;
	uplinks->n++;
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
static struct status_uplink *uplinks_find(struct uplinks *uplinks,
					  const struct mpaddr *addr)
{
	const struct rtnl_table *machine = &uplinks->status->files.machine;
	const struct mpaddr_range *range = mpaddr_range(addr);
	char dev[IF_NAMESIZE];
	unsigned int i;

	for (i = 0; i < machine->n_addrs; i++)
		if (mpaddr_same_ip(&machine->addrs[i].addr, addr) &&
		    (!range || range->kind == MPADDR_PRIVATE) &&
		    if_indextoname(machine->addrs[i].if_idx, dev))
			return uplinks_add(uplinks, dev);
	return NULL;
}

static void read_links(struct uplinks *uplinks)
{
	const struct rtnl_table *machine = &uplinks->status->files.machine;
	const struct rtnl_address *addr;
	const struct mpaddr_range *range;
	struct status_uplink *up;
	unsigned int i;

	for (up = uplinks->v; up < uplinks->v + uplinks->n; up++) {
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

static void count_subflow(struct uplinks *uplinks, const struct subflow *sf)
{
	struct status_uplink *up = uplinks_find(uplinks, &sf->path.local);

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
static void read_endpoints(struct uplinks *uplinks, const struct connection *conn)
{
	const struct manager *manager = connection_manager(&uplinks->status->snap, conn);
	const struct ctl_endpoint *ep;
	struct status_uplink *up;
	size_t i;

	for (i = 0; manager && i < manager->n_endpoints; i++) {
		ep = &manager->endpoints[i];
		up = uplinks_find(uplinks, &ep->addr);
		if (!up)
			continue;
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

static void read_connections(struct uplinks *uplinks)
{
	const struct status *status = uplinks->status;
	const struct connection *conn;
	const struct subflow *sf;
	const struct status_note *noted;
	struct status_uplink *up;

	for_each_in (conn, &status->snap, connections) {
		for_each_in (sf, conn, subflows)
			count_subflow(uplinks, sf);
		read_endpoints(uplinks, conn);
	}
	for_each_in (noted, status, notes) {
		up = is_outcome(&noted->note) ? uplinks_find(uplinks, &noted->note.local)
					      : NULL;
		if (up)
			up->latest = &noted->note;
	}
}

/* Return: its health; @ret_fails: it is up, and does not answer. */
static const char *judge_uplink(struct status_uplink *up, bool *ret_fails)
{
	const struct pm_note *latest = up->latest;
	char why[NOTE_REASON_MAX];

	*ret_fails = false;
	if (!up->if_idx)
		return "no such interface";
	if (!up->up)
		return "link down";
	if (!up->addrs)
		return "no address";
	*ret_fails = up->health[0] || up->unanswered;
	if (up->health[0])
		return up->health;
	if (up->unanswered)
		return "no answer to its SYN";
	if (latest && status_is_problem(latest) && (up->pending || !up->paths)) {
		*ret_fails = true;
		if (latest->what == PM_NOTE_UNANSWERED)
			return "no answer to its SYN";
		snprintf(up->health, sizeof(up->health), "its last %s",
			 note_reason_text(latest->reason ?: PM_REASON_ERROR,
					  latest->error, why));
		return up->health;
	}
	if (up->pending)
		return "being joined";
	if (!up->paths)
		return up->routed ? "up, unused" : "no default route";
	snprintf(up->health, sizeof(up->health), "ok%s%s",
		 up->paths == up->backups ? ", backup" : "",
		 up->routed ? "" : ", no default route");
	return up->health;
}

static void print_uplink(struct status_uplink *up, bool *fails)
{
	char sent[SCALED_MAX], received[SCALED_MAX], rtt[RTT_MAX] = "-", addr[64];
	bool its;

	snprintf(addr, sizeof(addr), "%s", up->addr[0] ? up->addr : "-");
	if (up->addrs > 1)
		snprintf(addr, sizeof(addr), "%s +%u", up->addr, up->addrs - 1);
	if (up->rtt_us)
		rtt_text(up->rtt_us, rtt);
	printf("  %-10s %-18s %5u %6s %6s %7s  %s\n", up->dev, addr, up->paths,
	       scaled_text(up->sent, sent), scaled_text(up->received, received), rtt,
	       judge_uplink(up, &its));
	*fails |= its;
}

void status_print_uplinks(struct status *status)
{
	struct uplinks uplinks = { .status = status };
	unsigned int i;

	default_routes_read(uplinks_add_route, &uplinks);
	for (i = 0; i < status->files.devices.n; i++)
		uplinks_add(&uplinks, status->files.devices.names[i]);
	read_connections(&uplinks);
	read_links(&uplinks);
	if (!uplinks.n) {
		puts("\nno uplinks: no default route, no pool, no connection");
		return;
	}
	printf("\n  %-10s %-18s %5s %6s %6s %7s  %s\n", "UPLINK", "ADDRESS", "PATHS",
	       "SENT", "RECVD", "RTT", "HEALTH");
	for (i = 0; i < uplinks.n; i++)
		print_uplink(&uplinks.v[i], &status->path_fails);
}
