// SPDX-License-Identifier: MIT
/*
 * checks_net.c - what stops packets: packet filters, and what the kernel has counted
 *
 * The machine's own firewall as nft(8) lists it, reverse-path filters, and the MPTCP
 * counters since this network namespace was created.
 */
#include "checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 100000 /* lines of a rule set that are read */

static unsigned long read_rp_filter(const char *device)
{
	char name[64], value[16];

	snprintf(name, sizeof(name), "net/ipv4/conf/%s/rp_filter", device);
	return read_sysctl(name, value, sizeof(value)) ? strtoul(value, NULL, 10) : 0;
}

/* The greater one of "all" and the interface's own applies. */
static void check_rp_filter(struct findings *findings, const char *device)
{
	unsigned long all = read_rp_filter("all"), own = read_rp_filter(device);

	if ((own > all ? own : all) != 1)
		report_ok(findings, "%s: no strict reverse-path filter", device);
	else
		report_problem(findings,
			       remedy_text("root: sysctl -w net.ipv4.conf.%s.rp_filter=2",
					   device),
			       "%s drops packets from addresses that another interface "
			       "has the better route to (rp_filter is 1)",
			       device);
}

struct rule {
	char family[16], table[64], chain[64];
};

/* What a rule in nft's own syntax does to packets with TCP option 30; NULL: nothing. */
static const char *classify_rule(const char *rule)
{
	if (strstr(rule, "reset tcp option mptcp") ||
	    strstr(rule, "reset tcp option 30 "))
		return "strips the MPTCP option from";
	if (!strstr(rule, "tcp option mptcp") && !strstr(rule, "tcp option 30 "))
		return NULL;
	return strstr(rule, " drop") || strstr(rule, " reject") ? "refuses" : NULL;
}

static void check_rule(struct findings *findings, const struct rule *at, char *rule)
{
	const char *effect = classify_rule(rule), *remedy = "";
	char *handle = strstr(rule, " # handle ");

	if (!effect)
		return;
	if (handle) {
		remedy = remedy_text("root: nft delete rule %s %s %s handle %s",
				     at->family, at->table, at->chain,
				     handle + strlen(" # handle "));
		*handle = '\0';
	}
	report_problem(findings, remedy,
		       "the firewall %s packets: table %s %s, chain %s: %s", effect,
		       at->family, at->table, at->chain, rule + strspn(rule, " \t"));
}

static void check_firewall(struct findings *findings)
{
	/* A user's PATH may lack its directory. */
	FILE *nft =
		popen("PATH=$PATH:/usr/sbin:/sbin exec nft -a list ruleset 2>&1", "re");
	const unsigned int before = findings->problems;
	struct rule at = { .table = "" };
	unsigned int lines = 0;
	char *text = NULL;
	size_t size = 0;

	while (nft && lines++ < RULES_MAX && getline(&text, &size, nft) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (sscanf(text, "table %15s %63s", at.family, at.table) != 2 &&
		    sscanf(text, " chain %63s", at.chain) != 1)
			check_rule(findings, &at, text);
	}
	free(text);
	if (!nft || pclose(nft) != 0)
		report_ok(findings, "the firewall's rules could not be read: nft(8) is "
				    "missing, or requires root");
	else if (findings->problems == before)
		report_ok(findings, "no rule of nft(8) concerns the MPTCP option");
}

/* Of /proc/net/netstat; some add up to one. */
enum counter {
	SYN_SENT,
	SYN_ANSWERED,
	SYN_PLAIN,
	SYN_BLOCKED,
	ACK_PLAIN,
	ANNOUNCED,
	JOINS,
	JOINS_ANSWERED,
	JOINS_UNSENT,
	COUNTERS,
};

struct counters {
	uint64_t v[COUNTERS];
	bool has_joins; /* older kernels count their answers alone */
};

static void add_counter(struct counters *counters, const char *name, const char *value)
{
	static const struct {
		const char *name;
		enum counter counter;
	} names[] = {
		{ "MPCapableSYNTX", SYN_SENT },
		{ "MPCapableSYNACKRX", SYN_ANSWERED },
		{ "MPCapableFallbackSYNACK", SYN_PLAIN },
		{ "MPCapableSYNTXDrop", SYN_BLOCKED },
		{ "MPCapableFallbackACK", ACK_PLAIN },
		{ "AddAddr", ANNOUNCED },
		{ "MPJoinSynTx", JOINS },
		{ "MPJoinSynAckRx", JOINS_ANSWERED },
		{ "MPJoinSynTxCreatSkErr", JOINS_UNSENT },
		{ "MPJoinSynTxBindErr", JOINS_UNSENT },
		{ "MPJoinSynTxConnectErr", JOINS_UNSENT },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i].name, name))
			counters->v[names[i].counter] += strtoull(value, NULL, 10);
	counters->has_joins |= !strcmp(name, "MPJoinSynTx");
}

/* A table is two lines: its name and the names, then its name and the values. */
static void read_mptcp_counters(struct counters *counters)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	char *names = NULL, *values = NULL, *name, *value, *save[2];
	size_t size[2] = { 0 };

	while (file && getline(&names, &size[0], file) > 0 &&
	       getline(&values, &size[1], file) > 0) {
		if (strncmp(names, "MPTcpExt:", 9))
			continue;
		strtok_r(names, " \n", &save[0]);
		strtok_r(values, " \n", &save[1]);
		while ((name = strtok_r(NULL, " \n", &save[0])) &&
		       (value = strtok_r(NULL, " \n", &save[1])))
			add_counter(counters, name, value);
	}
	free(names);
	free(values);
	if (file)
		fclose(file);
}

static void check_connections(struct findings *findings, const uint64_t v[COUNTERS])
{
	if (v[SYN_BLOCKED])
		report_problem(findings,
			       "do: try another uplink; ask the firewall's operator to "
			       "allow TCP option 30",
			       "%" PRIu64
			       " connections got an answer only without MPTCP: "
			       "a middlebox drops SYNs that have the option",
			       v[SYN_BLOCKED]);
	if (v[SYN_PLAIN] && !v[SYN_ANSWERED])
		report_problem(findings,
			       "root: tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    "
			       "# here and on the server: where is mptcp missing?",
			       "none of %" PRIu64 " servers answered with MPTCP: they "
			       "lack it, or a middlebox strips the option",
			       v[SYN_PLAIN]);
	if (v[ACK_PLAIN])
		report_problem(findings,
			       "root: tcpdump -nvi any 'tcp[tcpflags] & tcp-ack != 0'    "
			       "# here and on the client: where is mptcp missing?",
			       "%" PRIu64 " clients began with MPTCP and fell back to "
			       "TCP: a middlebox strips the option",
			       v[ACK_PLAIN]);
	if (v[SYN_ANSWERED])
		report_ok(findings,
			  "%" PRIu64 " of %" PRIu64 " connections to servers are MPTCP",
			  v[SYN_ANSWERED], v[SYN_SENT]);
}

static void check_joins(struct findings *findings, const uint64_t v[COUNTERS])
{
	const uint64_t sent = v[JOINS];
	const uint64_t lost = sent > v[JOINS_ANSWERED] ? sent - v[JOINS_ANSWERED] : 0;

	if (v[JOINS_UNSENT])
		report_problem(findings, "type: ip route get ANNOUNCED from ENDPOINT",
			       "%" PRIu64 " joins could not be sent: no route from an "
			       "endpoint's address to an announced one",
			       v[JOINS_UNSENT]);
	/* One in ten may be in flight, or lost to a server's restart. */
	if (lost * 10 > sent)
		report_problem(
			findings,
			"type: mptcpinfo --events    # which ones\n"
			"do: check the firewalls at both ends, and the routes back",
			"%" PRIu64 " of %" PRIu64 " joins had no answer: the "
			"announced addresses cannot be reached from the endpoints",
			lost, sent);
	else if (sent)
		report_ok(findings, "%" PRIu64 " of %" PRIu64 " joins were answered",
			  v[JOINS_ANSWERED], sent);
	if (v[ANNOUNCED] && !sent && !v[JOINS_UNSENT])
		report_problem(
			findings,
			"type: mptcpinfo    # says why, while such a connection is "
			"open",
			"%" PRIu64 " addresses were announced, but none was joined",
			v[ANNOUNCED]);
	if (v[SYN_ANSWERED] && !v[ANNOUNCED] && !sent && !v[JOINS_UNSENT])
		report_problem(findings,
			       "type: ip mptcp endpoint add ADDRESS dev DEVICE signal    "
			       "# on the server",
			       "no server announced an address to %" PRIu64 " MPTCP "
			       "connections",
			       v[SYN_ANSWERED]);
}

void check_network(struct findings *findings, const struct devices *devices)
{
	struct counters counters = { .has_joins = false };
	unsigned int i;

	for (i = 0; i < devices->n; i++)
		check_rp_filter(findings, devices->names[i]);
	check_firewall(findings);
	read_mptcp_counters(&counters);
	check_connections(findings, counters.v);
	if (counters.has_joins)
		check_joins(findings, counters.v);
}
