// SPDX-License-Identifier: MIT
/*
 * rearm.c - end the kernel's blackhole state, find the uplink to blame
 *
 * The kernel switches MPTCP off for the whole namespace because of one uplink. While it
 * is off no probe can be MPTCP either, so the state is ended first, by writing the
 * sysctl's own value. Then each uplink gets an MPTCP and a TCP connect() to the same
 * server, which end before the kernel would retransmit the SYN: a probe never begins the
 * state again.
 */
#include "broker.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/blackhole.h"
#include "shim/common/clock.h"
#include "shim/manager/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mptcp.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_MS       900   /* less than the first retransmission timeout */
#define PROBE_PAUSE_MS 10000 /* between the ends of probes and the next ones */
#define BAD_MS	       (3600 * 1000)
/* After 1, 3 and 7 s the kernel repeats a SYN, from some time on without MP_CAPABLE. */
#define LOOK_MS	    1300 /* the first look; later ones after 2 and 4 s more */
#define LOOKS	    3
#define NETSTAT_MAX 32768
#define JOINED_OR_MPTCP                                              \
	(MPTCP_SUBFLOW_FLAG_MCAP_REM | MPTCP_SUBFLOW_FLAG_MCAP_LOC | \
	 MPTCP_SUBFLOW_FLAG_JOIN_REM | MPTCP_SUBFLOW_FLAG_JOIN_LOC)

void rearm_open(struct broker *b)
{
	int fd;

	if (!b->policy.rearm)
		return;
	b->rearm.sysctl_fd = open(BLACKHOLE_SYSCTL, O_RDWR | O_CLOEXEC);
	if (b->rearm.sysctl_fd < 0)
		log_warning("rearm: cannot write net.mptcp.blackhole_timeout: %s; it "
			    "needs Linux 6.12, CAP_NET_ADMIN and a writable /proc/sys",
			    strerror(errno));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	b->rearm.no_probes = fd < 0;
	if (fd < 0)
		log_warning("rearm: cannot probe uplinks: %s; a service needs "
			    "RestrictAddressFamilies=AF_INET AF_INET6 and an empty "
			    "IPAddressDeny=",
			    strerror(errno));
	else
		close(fd);
}

/* The counter @name in the table MPTcpExt, whose names end before @values. */
static unsigned long find_counter(const char *names, const char *values, const char *name)
{
	const size_t len = strlen(name);
	const char *end = strchr(names, '\n');

	while (names && values && names < end) {
		names = strchr(names + 1, ' ');
		values = strchr(values + 1, ' ');
		if (names && values && !strncmp(names + 1, name, len) &&
		    (names[1 + len] == ' ' || names[1 + len] == '\n'))
			return strtoul(values, NULL, 10);
	}
	return 0;
}

/* A state that began, or refused a connection, since the last look is still there. */
static bool has_state(struct rearm *rearm)
{
	static char text[NETSTAT_MAX];
	int fd = open("/proc/self/net/netstat", O_RDONLY | O_CLOEXEC);
	const char *names, *values;
	unsigned long sum;
	size_t len = 0;
	ssize_t n;
	bool more;

	while (fd >= 0 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	if (fd >= 0)
		close(fd);
	names = strstr(text, "\nMPTcpExt: ");
	values = names ? strstr(names + 1, "\nMPTcpExt: ") : NULL;
	if (!values)
		return false;
	sum = find_counter(names + 1, values + 1, "Blackhole") +
	      find_counter(names + 1, values + 1, "MPCapableSYNTXDisabled");
	more = sum > rearm->counted;
	rearm->counted = sum;
	return more;
}

static struct uplink *find_uplink(struct rearm *rearm, const char *dev)
{
	unsigned int i;

	for (i = 0; i < rearm->n_uplinks; i++)
		if (!strcmp(rearm->uplinks[i].dev, dev))
			return &rearm->uplinks[i];
	return NULL;
}

static void add_uplink(struct rearm *rearm, const char *dev)
{
	struct uplink *new = &rearm->uplinks[rearm->n_uplinks];

	if (!dev[0] || !strcmp(dev, "lo") || rearm->n_uplinks == REARM_UPLINKS_MAX ||
	    find_uplink(rearm, dev))
		return;
	*new = (struct uplink){ .fds = { -1, -1 } };
	strcpy(new->dev, dev);
	rearm->n_uplinks++;
}

/* A connection that is TCP from its SYN on, or since the SYN was repeated. */
static int on_fallback(void *ctx, const struct inet_diag_msg *msg,
		       struct nlattr *const *tb)
{
	struct nlattr *mptcp[MPTCP_SUBFLOW_ATTR_MAX + 1];
	struct broker *b = ctx;
	struct pm_event ev = { 0 };

	if (diag_parse_subflow(tb, mptcp) < 0 || !mptcp[MPTCP_SUBFLOW_ATTR_FLAGS] ||
	    netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_FLAGS]) & JOINED_OR_MPTCP)
		return 0;
	diag_fill_event(msg, &ev);
	add_uplink(&b->rearm, broker_device_of(&b->table, &ev.local));
	b->rearm.server = ev.remote;
	return 0;
}

static int open_probe(const struct mpaddr *server, const char *dev, int protocol)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	union socket_address name;
	const socklen_t len = socket_address_set(&name, server);
	int fd = socket(server->family, type, protocol);

	if (fd >= 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev)) < 0 ||
	     (connect(fd, &name.any, len) < 0 && errno != EINPROGRESS))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void start_probes(struct broker *b)
{
	struct rearm *rearm = &b->rearm;
	const struct endpoint *ep;
	struct client *client;
	unsigned int i;

	for (client = b->clients; client; client = client->next)
		for_each_endpoint (client->watch.pool, ep)
			add_uplink(rearm,
				   ep->dev[0] ? ep->dev
					      : broker_device_of(&b->table, &ep->addr));
	diag_dump(IPPROTO_TCP, DIAG_CONNECTED, on_fallback, b);
	if (!rearm->server.family)
		return; /* no server is known that speaks MPTCP */
	for (i = 0; i < rearm->n_uplinks; i++) {
		rearm->uplinks[i].fds[0] =
			open_probe(&rearm->server, rearm->uplinks[i].dev, IPPROTO_MPTCP);
		rearm->uplinks[i].fds[1] =
			open_probe(&rearm->server, rearm->uplinks[i].dev, IPPROTO_TCP);
	}
	rearm->due_ms = clock_ms() + PROBE_MS;
}

static bool is_connected(int fd)
{
	struct pollfd poll_fd = { fd, POLLOUT, 0 };

	return fd >= 0 && poll(&poll_fd, 1, 0) == 1 &&
	       !(poll_fd.revents & (POLLERR | POLLHUP));
}

/* Return: whether the uplink drops SYNs for their MPTCP option. */
static bool end_probe(struct rearm *rearm, struct uplink *uplink)
{
	const bool mptcp = is_connected(uplink->fds[0]);
	const bool tcp = is_connected(uplink->fds[1]);
	char text[MPADDR_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (uplink->fds[i] >= 0)
			close(uplink->fds[i]);
	uplink->fds[0] = uplink->fds[1] = -1;
	if (mptcp)
		uplink->bad_until_ms = 0;
	if (mptcp || !tcp)
		return false;
	uplink->bad_until_ms = clock_ms() + BAD_MS;
	log_warning("uplink %s drops MPTCP: %s answers TCP there, and no SYN with "
		    "MP_CAPABLE; ask its operator to allow TCP option 30",
		    uplink->dev, mpaddr_text(&rearm->server, text));
	return true;
}

static void end_probes(struct rearm *rearm)
{
	unsigned int i, bad = 0;

	for (i = 0; i < rearm->n_uplinks; i++)
		bad += end_probe(rearm, &rearm->uplinks[i]);
	if (!bad)
		log_info("no uplink of the pools drops MPTCP now: a SYN was lost");
	rearm->due_ms = 0;
	rearm->next_ms = clock_ms() + PROBE_PAUSE_MS;
}

void rearm_tick(struct broker *b)
{
	struct rearm *rearm = &b->rearm;

	if (rearm->due_ms && clock_ms() >= rearm->due_ms)
		end_probes(rearm);
	if (!rearm->look_ms || clock_ms() < rearm->look_ms)
		return;
	rearm->look_ms =
		++rearm->looks < LOOKS ? clock_ms() + 1000 * (1 << rearm->looks) : 0;
	rearm_notice(b);
}

int rearm_wait(const struct broker *b)
{
	const struct rearm *rearm = &b->rearm;
	int wait = rearm->due_ms ? clock_left_ms(rearm->due_ms) : -1;

	return rearm->look_ms ? pump_earlier(wait, clock_left_ms(rearm->look_ms)) : wait;
}

void rearm_registered(struct broker *b)
{
	b->rearm.looks = 0;
	b->rearm.look_ms = clock_ms() + LOOK_MS;
}

void rearm_avoid(struct broker *b, struct first_table *table)
{
	const struct uplink *uplink;
	struct first_endpoint *ep;
	uint32_t until;

	for (ep = table->endpoints; ep < table->endpoints + table->n_endpoints; ep++) {
		uplink = find_uplink(&b->rearm, broker_device_of(&b->table, &ep->addr));
		until = uplink ? uplink->bad_until_ms / 1000 : 0;
		if (until > clock_ms() / 1000 && until > ep->avoid)
			ep->avoid = until;
	}
}

/* Write the sysctl's own value. Return: whether that worked. */
static bool end_state(struct rearm *rearm, const char *value)
{
	if (lseek(rearm->sysctl_fd, 0, SEEK_SET) == 0 &&
	    write(rearm->sysctl_fd, value, strlen(value)) > 0) {
		rearm->noticed_s = 0;
		log_info("switched MPTCP on again (net.mptcp.blackhole_timeout=%s)",
			 value);
		return true;
	}
	log_error("rearm: cannot write net.mptcp.blackhole_timeout: %s", strerror(errno));
	return false;
}

void rearm_notice(struct broker *b)
{
	struct rearm *rearm = &b->rearm;
	char value[16] = "";
	ssize_t n;
	int fd;

	if (!has_state(rearm))
		return;
	fd = open(BLACKHOLE_SYSCTL, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, value, sizeof(value) - 1);
	value[n > 0 ? n - 1 : 0] = '\0'; /* without the newline */
	if (fd >= 0)
		close(fd);
	if (!rearm->noticed_s)
		log_warning("the kernel has switched MPTCP off for at least %s s: an "
			    "uplink drops its SYNs; connections are plain TCP%s%s",
			    value,
			    rearm->sysctl_fd >= 0
				    ? ""
				    : "; set \"rearm = yes\" in broker.conf "
				      "and restart, or type: sysctl -w "
				      "net.mptcp.blackhole_timeout=",
			    rearm->sysctl_fd >= 0 ? "" : value);
	rearm->noticed_s = rearm->noticed_s ?: clock_ms() / 1000;
	if (rearm->sysctl_fd < 0 || !b->policy.rearm || !end_state(rearm, value))
		return;
	if (!rearm->no_probes && !rearm->due_ms && clock_ms() >= rearm->next_ms)
		start_probes(b);
}

void rearm_established(struct broker *b, const struct pm_event *ev)
{
	struct rearm *rearm = &b->rearm;
	struct uplink *uplink =
		rearm->n_uplinks
			? find_uplink(rearm, broker_device_of(&b->table, &ev->local))
			: NULL;

	rearm->noticed_s = 0; /* such a connection ends the state */
	rearm->look_ms = 0;
	if (!rearm->due_ms)
		rearm->server = ev->remote;
	if (uplink)
		uplink->bad_until_ms = 0;
}
