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

enum counter {
	/* Of /proc/net/netstat; some add up to one. */
	SYN_SENT,
	SYN_ANSWERED,
	SYN_PLAIN,
	SYN_BLOCKED,
	ACK_PLAIN,
	ANNOUNCED,
	JOINS,
	JOINS_ANSWERED,
	JOINS_UNSENT,
	HAS_JOINS, /* 0: an older kernel, which counts their answers alone */
	/* Derived from these. */
	ALL_PLAIN,
	JOINS_LOST,
	UNJOINED,
	UNANNOUNCED,
	COUNTERS,
};

static void add_counter(uint64_t v[COUNTERS], const char *name, const char *value)
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
			v[names[i].counter] += strtoull(value, NULL, 10);
	v[HAS_JOINS] |= !strcmp(name, "MPJoinSynTx");
}

/* A table is two lines: its name and the names, then its name and the values. */
static void read_netstat(uint64_t v[COUNTERS])
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
			add_counter(v, name, value);
	}
	free(names);
	free(values);
	if (file)
		fclose(file);
}

static const struct {
	enum counter counter;
	const char *text; /* with the counter, and then all joins */
	const char *remedies;
} counter_problems[] = {
	{ SYN_BLOCKED,
	  "%" PRIu64 " connections got an answer only without MPTCP: a middlebox drops "
	  "SYNs that have the option",
	  "do: try another uplink; ask the firewall's operator to allow TCP option 30" },
	{ ALL_PLAIN,
	  "none of %" PRIu64 " servers answered with MPTCP: they lack it, or a middlebox "
	  "strips the option",
	  "root: tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # here and on the "
	  "server: where is mptcp missing?" },
	{ ACK_PLAIN,
	  "%" PRIu64 " clients began with MPTCP and fell back to TCP: a middlebox strips "
	  "the option",
	  "root: tcpdump -nvi any 'tcp[tcpflags] & tcp-ack != 0'    # here and on the "
	  "client: where is mptcp missing?" },
	{ JOINS_UNSENT,
	  "%" PRIu64
	  " joins could not be sent: no route from an endpoint's address to an "
	  "announced one",
	  "type: ip route get ANNOUNCED from ENDPOINT" },
	{ JOINS_LOST,
	  "%" PRIu64 " of %" PRIu64
	  " joins had no answer: the announced addresses cannot "
	  "be reached from the endpoints",
	  "type: mptcpinfo --events    # which ones\n"
	  "do: check the firewalls at both ends, and the routes back" },
	{ UNJOINED, "%" PRIu64 " addresses were announced, but none was joined",
	  "type: mptcpinfo    # says why, while such a connection is open" },
	{ UNANNOUNCED, "no server announced an address to %" PRIu64 " MPTCP connections",
	  "type: ip mptcp endpoint add ADDRESS dev DEVICE signal    # on the server" },
};

static void derive_counters(uint64_t v[COUNTERS])
{
	const bool no_join = v[HAS_JOINS] && !v[JOINS] && !v[JOINS_UNSENT];

	if (!v[SYN_ANSWERED])
		v[ALL_PLAIN] = v[SYN_PLAIN];
	if (v[JOINS] > v[JOINS_ANSWERED])
		v[JOINS_LOST] = v[JOINS] - v[JOINS_ANSWERED];
	/* One in ten may be in flight, or lost to a server's restart. */
	if (v[JOINS_LOST] * 10 <= v[JOINS])
		v[JOINS_LOST] = 0;
	if (no_join)
		v[v[ANNOUNCED] ? UNJOINED : UNANNOUNCED] =
			v[ANNOUNCED] ?: v[SYN_ANSWERED];
}

static void check_counters(struct findings *findings)
{
	uint64_t v[COUNTERS] = { 0 };
	size_t i;

	read_netstat(v);
	derive_counters(v);
	for (i = 0; i < sizeof(counter_problems) / sizeof(*counter_problems); i++)
		if (v[counter_problems[i].counter])
			report_problem(findings, counter_problems[i].remedies,
				       counter_problems[i].text,
				       v[counter_problems[i].counter], v[JOINS]);
	if (v[SYN_ANSWERED])
		report_ok(findings,
			  "%" PRIu64 " of %" PRIu64 " connections to servers are MPTCP",
			  v[SYN_ANSWERED], v[SYN_SENT]);
	if (v[JOINS] && !v[JOINS_LOST])
		report_ok(findings, "%" PRIu64 " of %" PRIu64 " joins were answered",
			  v[JOINS_ANSWERED], v[JOINS]);
}

void check_network(struct findings *findings, const struct devices *devices)
{
	unsigned int i;

	for (i = 0; i < devices->n; i++)
		check_rp_filter(findings, devices->names[i]);
	check_firewall(findings);
	check_counters(findings);
}
