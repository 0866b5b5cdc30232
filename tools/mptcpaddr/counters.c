// SPDX-License-Identifier: MIT
/*
 * counters.c - what the kernel's MPTCP counters say about this machine as a client, and
 * as a server
 *
 * They count since this network namespace was created; with --since, from now on.
 */
#include "counters.h"
#include "mptcpaddr/netlink.h"
#include "shim/common/clock.h"
#include "shim/common/str.h"
#include "tools/common/blackhole_report.h"
#include "tools/common/ctl.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's MPTCP counters: a line of names, a line of values. */
struct netstat {
	char *names, *values;
	char *before; /* values at the beginning of --since, or NULL */
};

static void read_netstat(struct netstat *ret)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	size_t size[2] = { 0 };

	*ret = (struct netstat){ 0 };
	/* Each table repeats its name in both lines. */
	while (file && getline(&ret->names, &size[0], file) > 0 &&
	       getline(&ret->values, &size[1], file) > 0 &&
	       strncmp(ret->names, "MPTcpExt:", 9) != 0)
		;
	if (file)
		fclose(file);
}

static void free_netstat(struct netstat *netstat)
{
	free(netstat->names);
	free(netstat->values);
	free(netstat->before);
}

/* 0 also if this kernel lacks the counter. */
static unsigned long find_value(const char *names, const char *values, const char *name)
{
	const size_t len = strlen(name);

	for (; names && values;
	     names = strchr(names + 1, ' '), values = strchr(values + 1, ' '))
		if (!strncmp(names + 1, name, len) && strchr(" \n", names[1 + len]))
			return strtoul(values, NULL, 10);
	return 0;
}

static unsigned long get_counter(const struct netstat *netstat, const char *name)
{
	return find_value(netstat->names, netstat->values, name) -
	       find_value(netstat->names, netstat->before, name);
}

/* What of @all was not @done; none if a counter of the time before --since is late. */
static unsigned long get_rest(unsigned long all, unsigned long done)
{
	return all > done ? all - done : 0;
}

/* One in ten may be in flight, or lost to a restart. */
static bool is_many(unsigned long rest, unsigned long all)
{
	return rest * 10 > all;
}

static void read_blackhole(const struct netstat *netstat, struct blackhole *ret)
{
	struct ctl_manager broker;

	ctl_ask_broker(&broker);
	/* The state is now; --since does not matter. */
	blackhole_read(find_value(netstat->names, netstat->values, "Blackhole"),
		       broker.blackhole_s, ret);
}

bool find_blackhole(struct blackhole *ret)
{
	struct netstat netstat;

	read_netstat(&netstat);
	read_blackhole(&netstat, ret);
	free_netstat(&netstat);
	return ret->on;
}

static unsigned long count_unsent(const struct netstat *netstat)
{
	return get_counter(netstat, "MPJoinSynTxCreatSkErr") +
	       get_counter(netstat, "MPJoinSynTxBindErr") +
	       get_counter(netstat, "MPJoinSynTxConnectErr");
}

/* Connections that made the kernel switch MPTCP off, perhaps. */
static void check_blocked(struct findings *findings, const struct netstat *netstat)
{
	const unsigned long blocked = get_counter(netstat, "MPCapableSYNTXDrop");
	struct blackhole blackhole;
	char remedy[80] = "";

	read_blackhole(netstat, &blackhole);
	if (blackhole.on)
		snprintf(remedy, sizeof(remedy), "\nroot: " BLACKHOLE_REMEDY,
			 blackhole.timeout);
	if (blocked || blackhole.on)
		report_problem(findings,
			       "%lu connection%s got an answer only without MPTCP: a "
			       "middlebox drops SYNs with the option%s%s%s\n"
			       "do: try another uplink; ask the firewall's operator to "
			       "allow TCP option 30",
			       blocked, PLURAL(blocked), blackhole.on ? "; " : "",
			       blackhole.text, remedy);
	else
		report_ok(findings, "the kernel has not switched MPTCP off");
}

static void check_syns(struct findings *findings, const struct netstat *netstat)
{
	const unsigned long servers = get_counter(netstat, "MPCapableFallbackSYNACK");
	const unsigned long unsent = count_unsent(netstat);

	if (servers && !get_counter(netstat, "MPCapableSYNACKRX"))
		report_problem(
			findings,
			"none of %lu server%s answered with MPTCP: they lack it, or a "
			"middlebox strips the option\n"
			"root: tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # here "
			"and on the server: where is mptcp missing?",
			servers, PLURAL(servers));
	if (unsent)
		report_problem(
			findings,
			"%lu join%s could not be sent: no route from an endpoint's "
			"address to an announced one\n"
			"type: ip route get ANNOUNCED from ENDPOINT",
			unsent, PLURAL(unsent));
}

static void check_joins(struct findings *findings, const struct netstat *netstat,
			const char *laminar_path, bool has_subflow)
{
	const unsigned long joins = get_counter(netstat, "MPJoinSynTx");
	const unsigned long answered = get_counter(netstat, "MPJoinSynAckRx");
	const unsigned long announced = get_counter(netstat, "AddAddr");
	const unsigned long servers = get_counter(netstat, "MPCapableSYNACKRX");
	const unsigned long unanswered = get_rest(joins, answered);
	const bool lost = is_many(unanswered, joins);
	/* An older kernel counts their answers alone. */
	const bool no_join = laminar_path &&
			     strstr(netstat->names ?: "", " MPJoinSynTx ") && !joins &&
			     !count_unsent(netstat);

	if (lost)
		report_problem(
			findings,
			"%lu of %lu join%s had no answer: the server's addresses "
			"cannot be reached from the endpoints\n"
			"type: mptcpinfo --events    # which ones\n"
			"do: check the firewalls at both ends, and the routes back",
			unanswered, joins, PLURAL(joins));
	if (no_join && announced)
		report_problem(findings,
			       "%lu address%s announced, but none was joined\n"
			       "type: mptcpinfo    # says why, while such a connection "
			       "is open",
			       announced, announced == 1 ? " was" : "es were");
	else if (no_join && servers)
		report_problem(
			findings,
			"no server announced an address to %lu MPTCP connection%s, "
			"and no \"subflow\" endpoint opened a path\n%s",
			servers, PLURAL(servers),
			has_subflow ? "type: mptcpinfo    # says why, while such a "
				      "connection is open"
				    : "do: write subflow in addition to laminar into the "
				      "pool file: it needs no announcement\n"
				      "type: ip mptcp endpoint add ADDRESS dev DEVICE "
				      "signal    # on a server of your own");
	else if (servers && !announced && laminar_path && *laminar_path)
		report_problem(
			findings,
			"no server announced an address to %lu MPTCP connection%s, "
			"and %s has only laminar endpoints, which join announced ones\n"
			"do: write subflow in addition to laminar",
			servers, PLURAL(servers), laminar_path);
	if (servers)
		report_ok(findings, "MPTCP connections to servers: %lu of %lu", servers,
			  get_counter(netstat, "MPCapableSYNTX"));
	if (joins && !lost)
		report_ok(findings, "answered joins: %lu of %lu", answered, joins);
}

static int count_listener(void *ctx, const struct inet_diag_msg *msg,
			  struct nlattr *const *tb)
{
	++*(unsigned int *)ctx;
	return 0;
}

static void check_clients(struct findings *findings, const struct netstat *netstat)
{
	const unsigned long clients = get_counter(netstat, "MPCapableFallbackACK");
	const unsigned long syns = get_counter(netstat, "MPCapableSYNRX");
	const unsigned long served = get_counter(netstat, "MPCapableACKRX");
	unsigned int listeners = 0;

	if (clients)
		report_problem(
			findings,
			"%lu client%s began with MPTCP and fell back to TCP: a middlebox "
			"strips the option\n"
			"root: tcpdump -nvi any 'tcp[tcpflags] & tcp-ack != 0'    # here "
			"and on the client: where is mptcp missing?",
			clients, PLURAL(clients));
	diag_dump(IPPROTO_MPTCP, DIAG_LISTENING, count_listener, &listeners);
	if (syns || listeners)
		report_ok(findings, "listening MPTCP sockets: %u", listeners);
	if (syns)
		report_ok(findings, "MPTCP connections from clients: %lu of %lu", served,
			  syns);
}

static void check_client_joins(struct findings *findings, const struct netstat *netstat)
{
	const unsigned long joins = get_counter(netstat, "MPJoinSynRx");
	const unsigned long done = get_counter(netstat, "MPJoinAckRx");
	const unsigned long rejected = get_counter(netstat, "MPJoinRejected");
	const unsigned long announced = get_counter(netstat, "AddAddrTx");
	const unsigned long confirmed = get_counter(netstat, "EchoAdd");
	const unsigned long lost = get_rest(joins, done + rejected);

	if (rejected)
		report_problem(
			findings,
			"%lu join%s from clients %s rejected: the limit of subflows is "
			"reached, or the connection has no path manager\n"
			"root: ip mptcp limits set subflows 8    # with the in-kernel "
			"path manager\n"
			"do: or raise [limits] subflows in the server program's pool "
			"file",
			rejected, PLURAL(rejected), rejected == 1 ? "was" : "were");
	if (is_many(lost, joins))
		report_problem(
			findings,
			"%lu of %lu join%s from clients %s not completed: the answers "
			"do not reach them\n"
			"do: check the route back from each announced address, "
			"rp_filter, and the firewalls",
			lost, joins, PLURAL(joins), lost == 1 ? "was" : "were");
	else if (joins)
		report_ok(findings, "completed joins from clients: %lu of %lu", done,
			  joins);
	if (announced && !confirmed)
		report_problem(
			findings,
			"%lu address%s announced, and no client confirmed one: the "
			"clients have no path manager, or a middlebox strips the "
			"option\n"
			"type: mptcpaddr doctor    # on a client",
			announced, announced == 1 ? " was" : "es were");
	else if (announced)
		report_ok(findings, "confirmed announcements: %lu of %lu", confirmed,
			  announced);
}

/* Count from now on. */
static void read_since(struct netstat *netstat, unsigned int ms)
{
	const int64_t end = clock_ms() + ms;
	char *before;

	fprintf(stderr, "mptcpaddr doctor: counting for %g s: use the program now\n",
		ms / 1000.0);
	before = netstat->values;
	free(netstat->names);
	while (clock_ms() < end)
		poll(NULL, 0, end - clock_ms());
	read_netstat(netstat);
	netstat->before = before;
}

bool check_counters(struct findings *findings, unsigned int since_ms,
		    const char *laminar_path, bool has_subflow)
{
	char since[64] = "since this network namespace was created", title[128];
	struct netstat netstat;
	bool any;

	read_netstat(&netstat);
	if (since_ms) {
		read_since(&netstat, since_ms);
		snprintf(since, sizeof(since), "in the last %g s", since_ms / 1000.0);
	}
	snprintf(title, sizeof(title), "as a client, %s:", since);
	report_part(findings, "client", title);
	check_blocked(findings, &netstat);
	check_syns(findings, &netstat);
	check_joins(findings, &netstat, laminar_path, has_subflow);
	snprintf(title, sizeof(title), "as a server, %s:", since);
	report_part(findings, "server", title);
	check_clients(findings, &netstat);
	check_client_joins(findings, &netstat);
	report_part(findings, "machine", NULL);
	any = get_counter(&netstat, "MPCapableSYNTX") ||
	      get_counter(&netstat, "MPCapableSYNRX") ||
	      get_counter(&netstat, "MPCapableSYNTXDisabled");
	free_netstat(&netstat);
	return any;
}
