// SPDX-License-Identifier: MIT
/*
 * doctor_net.c - mptcpaddr doctor: what stands in the way of packets
 *
 * The machine's own firewall as nft(8) lists it, reverse-path filters, and what the
 * kernel has counted since this network namespace began.
 */
#include "doctor.h"
#include "finding.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 100000 /* lines of a rule set that are looked at */

static unsigned int read_filter(const char *device)
{
	unsigned int value = 0;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", device);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%u", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

/* The greater one of "all" and the interface's own is in force. */
void doctor_devices(struct doctor *doctor)
{
	unsigned int all = read_filter("all"), own, i;

	for (i = 0; i < doctor->n_devices; i++) {
		own = read_filter(doctor->devices[i]);
		if ((own > all ? own : all) != 1) {
			well(doctor, "%s: no strict reverse-path filter",
			     doctor->devices[i]);
			continue;
		}
		problem(doctor,
			"%s drops what comes from where another interface has "
			"the better route to (rp_filter is 1)",
			doctor->devices[i]);
		type_this("%ssysctl -w net.ipv4.conf.%s.rp_filter=2", AS_ROOT,
			  doctor->devices[i]);
	}
}

struct rule {
	char family[16], table[64], chain[64];
};

/* Whether a rule of nft's own syntax looks at TCP option 30, and what it does then. */
static const char *judge(const char *rule)
{
	if (strstr(rule, "reset tcp option mptcp") ||
	    strstr(rule, "reset tcp option 30 "))
		return "strips the MPTCP option from";
	if (!strstr(rule, "tcp option mptcp") && !strstr(rule, "tcp option 30 "))
		return NULL;
	if (strstr(rule, " drop") || strstr(rule, " reject"))
		return "refuses";
	return NULL;
}

static void tell_rule(struct doctor *doctor, const struct rule *at, char *rule)
{
	char *handle = strstr(rule, " # handle ");
	const char *does = judge(rule);

	if (!does)
		return;
	if (handle)
		*handle = '\0';
	problem(doctor, "the firewall %s packets: table %s %s, chain %s: %s", does,
		at->family, at->table, at->chain, rule + strspn(rule, " \t"));
	if (handle)
		type_this("%snft delete rule %s %s %s handle %s", AS_ROOT, at->family,
			  at->table, at->chain, handle + strlen(" # handle "));
}

void doctor_firewall(struct doctor *doctor)
{
	/* A user's PATH may be without the folder that it is in. */
	FILE *nft =
		popen("PATH=$PATH:/usr/sbin:/sbin exec nft -a list ruleset 2>&1", "re");
	struct rule at = { .table = "" };
	unsigned int lines = 0, before = doctor->findings;
	char *text = NULL;
	size_t size = 0;
	int status;

	while (nft && lines++ < RULES_MAX && getline(&text, &size, nft) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (sscanf(text, "table %15s %63s", at.family, at.table) != 2 &&
		    sscanf(text, " chain %63s", at.chain) != 1)
			tell_rule(doctor, &at, text);
	}
	free(text);
	status = nft ? pclose(nft) : -1;
	if (status != 0)
		well(doctor, "the firewall's rules could not be read: nft(8) is not "
			     "there, or it takes root");
	else if (doctor->findings == before)
		well(doctor, "no rule of nft(8) is about the MPTCP option");
}

struct counts {
	uint64_t syn_sent, syn_answered, syn_plain, syn_blocked, ack_plain;
	uint64_t announced;
	uint64_t joins, joins_answered, joins_unsent;
	bool counts_joins; /* older kernels count their answers alone */
};

static const struct {
	const char *name;
	size_t offset;
} names[] = {
#define NAME(counter, field)                            \
	{                                               \
		counter, offsetof(struct counts, field) \
	}
	NAME("MPCapableSYNTX", syn_sent),
	NAME("MPCapableSYNACKRX", syn_answered),
	NAME("MPCapableFallbackSYNACK", syn_plain),
	NAME("MPCapableSYNTXDrop", syn_blocked),
	NAME("MPCapableFallbackACK", ack_plain),
	NAME("AddAddr", announced),
	NAME("MPJoinSynTx", joins),
	NAME("MPJoinSynAckRx", joins_answered),
	NAME("MPJoinSynTxCreatSkErr", joins_unsent),
	NAME("MPJoinSynTxBindErr", joins_unsent),
	NAME("MPJoinSynTxConnectErr", joins_unsent),
#undef NAME
};

static void count(struct counts *counts, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i].name, name))
			*(uint64_t *)((char *)counts + names[i].offset) +=
				strtoull(value, NULL, 10);
	counts->counts_joins |= !strcmp(name, "MPJoinSynTx");
}

/* Two lines a table: its name and the names, then its name and the values. */
static int read_counts(struct counts *counts)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	char *heads = NULL, *values = NULL, *head, *value, *save[2];
	size_t size[2] = { 0 };

	if (!file)
		return -errno;
	while (getline(&heads, &size[0], file) > 0 &&
	       getline(&values, &size[1], file) > 0) {
		if (strncmp(heads, "MPTcpExt:", 9))
			continue;
		strtok_r(heads, " \n", &save[0]);
		strtok_r(values, " \n", &save[1]);
		while ((head = strtok_r(NULL, " \n", &save[0])) &&
		       (value = strtok_r(NULL, " \n", &save[1])))
			count(counts, head, value);
	}
	free(heads);
	free(values);
	fclose(file);
	return 0;
}

static void tell_connections(struct doctor *doctor, const struct counts *c)
{
	if (c->syn_blocked) {
		problem(doctor,
			"%" PRIu64 " connections got an answer only without MPTCP: "
			"something on the way drops SYNs that have the option",
			c->syn_blocked);
		do_this("try another uplink; ask whoever runs the firewall to let TCP "
			"option 30 through");
	}
	if (c->syn_plain && !c->syn_answered) {
		problem(doctor,
			"none of %" PRIu64 " servers answered with MPTCP: they "
			"have none, or something on the way strips the option",
			c->syn_plain);
		type_this("%stcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # here "
			  "and on the server: where is mptcp missing?",
			  AS_ROOT);
	}
	if (c->ack_plain) {
		problem(doctor,
			"%" PRIu64 " clients began with MPTCP and went on without: "
			"something on the way strips the option",
			c->ack_plain);
		type_this("%stcpdump -nvi any 'tcp[tcpflags] & tcp-ack != 0'    # here "
			  "and on the client: where is mptcp missing?",
			  AS_ROOT);
	}
	if (c->syn_answered)
		well(doctor,
		     "%" PRIu64 " of %" PRIu64 " connections to servers are MPTCP",
		     c->syn_answered, c->syn_sent);
}

static void tell_joins(struct doctor *doctor, const struct counts *c)
{
	uint64_t sent = c->joins, unsent = c->joins_unsent;
	uint64_t lost = sent > c->joins_answered ? sent - c->joins_answered : 0;

	if (!c->counts_joins)
		return;
	if (unsent) {
		problem(doctor,
			"%" PRIu64 " joins could not be sent: no route from an "
			"endpoint's address to an announced one",
			unsent);
		type_this("ip route get ANNOUNCED from ENDPOINT");
	}
	/* One in ten may be on its way, or a server's restart. */
	if (lost * 10 > sent) {
		problem(doctor,
			"%" PRIu64 " of %" PRIu64 " joins had no answer: the announced "
			"addresses are not reached from the endpoints'",
			lost, sent);
		type_this("mptcpinfo --events    # which ones");
		do_this("look at the firewalls of both ends, and at the routes back");
	} else if (sent) {
		well(doctor, "%" PRIu64 " of %" PRIu64 " joins were answered",
		     c->joins_answered, sent);
	}
}

void doctor_counters(struct doctor *doctor)
{
	struct counts c = { 0 };

	if (read_counts(&c) < 0)
		return;
	tell_connections(doctor, &c);
	tell_joins(doctor, &c);
	if (c.announced && c.counts_joins && !c.joins && !c.joins_unsent) {
		problem(doctor,
			"%" PRIu64 " announced addresses arrived, and none was "
			"joined",
			c.announced);
		type_this("mptcpinfo    # says why, while such a connection is open");
	}
	if (c.syn_answered && !c.announced && c.counts_joins && !c.joins &&
	    !c.joins_unsent) {
		problem(doctor,
			"no server announced an address to %" PRIu64 " MPTCP "
			"connections",
			c.syn_answered);
		type_this("ip mptcp endpoint add ADDRESS dev DEVICE signal    # on the "
			  "server");
	}
}
