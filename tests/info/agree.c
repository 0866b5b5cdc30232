// SPDX-License-Identifier: MIT
/*
 * agree.c - mptcpinfo agrees with ss and nstat
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "skip.h"
#include "until.h"

#define SETTLE_TRIES 20

/* One socket as ss prints it, on one line. */
struct line {
	char state[32];
	char local[64];
	char remote[64];
	const char *rest;
};

static char *ss(const struct host *h, const char *flags)
{
	const char *const argv[] = { "ss", flags, NULL };
	struct said said = run(h, argv);

	cr_assert_eq(said.status, 0, "%s", said.err);
	free(said.err);
	return said.out;
}

/* ss prints IPv4 on an IPv6 socket as [::ffff:10.0.1.1]:80. */
static void unmap(char *text)
{
	static const char mapped[] = "[::ffff:";
	char *end;

	if (strncmp(text, mapped, strlen(mapped)) != 0)
		return;
	end = strchr(text, ']');
	memmove(end, end + 1, strlen(end));
	memmove(text, text + strlen(mapped), strlen(text + strlen(mapped)) + 1);
}

static bool parse_line(const char *text, struct line *ret)
{
	int n = 0;

	if (sscanf(text, "%31s %*s %*s %63s %63s %n", ret->state, ret->local, ret->remote,
		   &n) != 3)
		return false;
	ret->rest = text + n;
	unmap(ret->local);
	unmap(ret->remote);
	return true;
}

/* The line of this pair in @all, which cut_lines() has split. */
static struct line line_of(char *all, const char *local, const char *remote)
{
	struct line line;
	char *text;

	for (text = all; *text; text += strlen(text) + 1) {
		if (parse_line(text, &line) && strcmp(line.local, local) == 0 &&
		    strcmp(line.remote, remote) == 0)
			return line;
	}
	cr_assert_fail("ss does not show %s %s", local, remote);
	return line;
}

/* Ends each line with a NUL, the last one with two. Return: their number. */
static size_t cut_lines(char **all)
{
	size_t n = 0, len = strlen(*all);

	*all = realloc(*all, len + 2);
	(*all)[len + 1] = '\0';
	for (size_t i = 0; i < len; i++) {
		if ((*all)[i] == '\n') {
			(*all)[i] = '\0';
			n++;
		}
	}
	return n;
}

/* ss leaves out what is 0. */
static long long value(const struct line *line, const char *key, int base)
{
	const char *found = strstr(line->rest, key);

	return found ? (long long)strtoull(found + strlen(key), NULL, base) : 0;
}

static double rtt_ms(const struct line *line)
{
	const char *found = strstr(line->rest, " rtt:");

	return found ? atof(found + strlen(" rtt:")) : 0;
}

static void compare_ids(const struct line *line, uint32_t token, const json_t *sf)
{
	unsigned int remote_token, local_token, remote_id, local_id;
	const char *found = strstr(line->rest, " token:"), *flags;
	char word[32];

	cr_assert(found, "%s", line->rest);
	cr_assert_eq(sscanf(found, " token:%x(id:%u)/%x(id:%u)", &remote_token,
			    &remote_id, &local_token, &local_id),
		     4, "%s", found);
	cr_assert_eq(local_token, token);
	cr_assert_eq(local_id, number_at(sf, "local_id"));
	cr_assert_eq(remote_id, number_at(sf, "remote_id"));

	flags = strstr(line->rest, " flags:");
	cr_assert(flags && sscanf(flags, " flags:%31s", word) == 1);
	cr_assert_eq(strpbrk(word, "Bb") != NULL, json_is_true(at(sf, "backup")));
}

static void compare_subflow(char *tcp, uint32_t token, const json_t *sf)
{
	struct line line = line_of(tcp, text_at(sf, "local"), text_at(sf, "remote"));
	long long retransmits = 0;
	const char *found;
	char rtt[32];

	cr_assert_str_eq(line.state, "ESTAB");
	cr_assert_str_eq(text_at(sf, "state"), "established");
	compare_ids(&line, token, sf);
	cr_assert_eq(number_at(sf, "bytes_sent"), value(&line, " bytes_sent:", 10));
	cr_assert_eq(number_at(sf, "bytes_received"),
		     value(&line, " bytes_received:", 10));
	cr_assert_eq(number_at(sf, "cwnd"), value(&line, " cwnd:", 10));
	/* It prints six digits: a second and more is rounded. */
	snprintf(rtt, sizeof(rtt), "%g", number_at(sf, "rtt_us") / 1000.0);
	cr_assert_eq(atof(rtt), rtt_ms(&line), "%s", rtt);
	/* In bits per second there. */
	cr_assert_eq(number_at(sf, "delivery_rate") * 8,
		     value(&line, " delivery_rate ", 10));
	found = strstr(line.rest, " retrans:"); /* now/in all */
	if (found)
		sscanf(found, " retrans:%*u/%lld", &retransmits);
	cr_assert_eq(number_at(sf, "retransmits"), retransmits);
}

static void compare_info(const struct line *line, const json_t *info)
{
	static const char *const numbers[] = {
		"subflows",	 "add_addr_signal",	"add_addr_accepted",
		"subflows_max",	 "add_addr_signal_max", "add_addr_accepted_max",
		"bytes_retrans", "bytes_sent",		"bytes_received",
		"bytes_acked"
	};
	static const char *const sequences[] = { "write_seq", "snd_una", "rcv_nxt" };
	char key[64];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(key, sizeof(key), " %s:", numbers[i]);
		/* An ss older than a field does not print it; 0 is not printed either. */
		if (strstr(line->rest, key))
			cr_assert_eq(number_at(info, numbers[i]), value(line, key, 10),
				     "%s", numbers[i]);
	}
	/* Hexadecimal numbers in iproute2 6.1, decimal ones in 6.15 */
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		long long seq =
			(long long)strtoull(text_at(info, sequences[i]), NULL, 16);

		snprintf(key, sizeof(key), " %s:", sequences[i]);
		cr_assert(seq == value(line, key, 16) || seq == value(line, key, 10),
			  "%s", sequences[i]);
	}
}

/* "lastsnd" and its like only count the milliseconds. */
static bool same_but_for_clocks(const char *a, const char *b)
{
	size_t na, nb;

	for (;; a += na, b += nb) {
		a += strspn(a, " \n");
		b += strspn(b, " \n");
		na = strcspn(a, " \n");
		nb = strcspn(b, " \n");
		if (na == 0 || nb == 0)
			return na == nb;
		if (strncmp(a, "last", 4) == 0 && strncmp(b, "last", 4) == 0)
			continue;
		if (na != nb || strncmp(a, b, na) != 0)
			return false;
	}
}

/* Look until nothing changes: a change in between is no disagreement. */
static json_t *look(const struct host *h, char **ret_tcp, char **ret_mptcp)
{
	char *before, *after, *mptcp;
	json_t *root;
	bool same;

	for (int i = 0; i < SETTLE_TRIES; i++) {
		before = ss(h, "-tniHO");
		mptcp = ss(h, "-MniHO");
		root = info_json(h, NULL);
		after = ss(h, "-tniHO");
		same = same_but_for_clocks(before, after);
		free(before);
		if (same) {
			*ret_tcp = after;
			*ret_mptcp = mptcp;
			return root;
		}
		free(after);
		free(mptcp);
		json_decref(root);
		nap_ms(100);
	}
	cr_assert_fail("the connections never come to rest");
	return NULL;
}

/* Every connection of @h, field by field. */
static void compare_host(const struct host *h, size_t connections, size_t subflows)
{
	const json_t *conn, *sf;
	size_t i, j, lines;
	struct line line;
	char *tcp, *mptcp;
	json_t *root;

	root = look(h, &tcp, &mptcp);
	lines = cut_lines(&tcp);
	cr_assert_eq(lines, subflows, "ss shows %zu subflows", lines);
	cr_assert_eq(cut_lines(&mptcp), connections);
	cr_assert_eq(json_array_size(at(root, "connections")), connections);
	cr_assert_eq(subflow_count(root), subflows);

	json_array_foreach((json_t *)at(root, "connections"), i, conn)
	{
		line = line_of(mptcp, text_at(conn, "local"), text_at(conn, "remote"));
		cr_assert_str_eq(text_at(conn, "state"), "established");
		cr_assert_eq(number_at(conn, "token"), value(&line, " token:", 16));
		compare_info(&line, at(conn, "mptcp_info"));
		json_array_foreach((json_t *)at(conn, "subflows"), j, sf)
			compare_subflow(tcp, number_at(conn, "token"), sf);
	}
	json_decref(root);
	free(tcp);
	free(mptcp);
}

/* Three connections of @per subflows each; @rules: of nft for their packets. */
static void agree_open(struct stage *s, const char *address, size_t per,
		       const char *rules)
{
	stage_open(s, 3);
	stage_endpoints(s);
	stage_connect(s, address, "3");
	cr_assert(WAIT_FOR(subflows_on(&s->w.client) == 3 * per &&
			   subflows_on(&s->w.server) == 3 * per),
		  "%zu and %zu subflows", subflows_on(&s->w.client),
		  subflows_on(&s->w.server));
	if (rules)
		cr_assert_eq(host_nft(&s->w.server, rules), 0);
	proc_tell(&s->client, "echo 300000");
	cr_assert(WAIT_FOR(proc_said(&s->client, "echoed")));
}

static void agrees(const char *address, size_t per)
{
	struct stage s;

	NEED_SANDBOX();
	agree_open(&s, address, per, NULL);
	compare_host(&s.w.client, 3, 3 * per);
	compare_host(&s.w.server, 3, 3 * per);
	stage_close(&s);
}

Test(agree, ipv4_on_both_hosts_field_by_field_with_ss)
{
	/* first, subflow endpoint, two announcements joined */
	agrees("10.0.1.1", 4);
}

Test(agree, ipv6_on_both_hosts_field_by_field_with_ss)
{
	/* first, subflow endpoint, its announcement, and two of IPv4 */
	agrees("dead:beef:1::1", 5);
}

Test(agree, retransmissions_are_those_of_ss)
{
	static const char lossy[] =
		"add table inet t\n"
		"add chain inet t c { type filter hook input priority 0; }\n"
		"add rule inet t c tcp dport " SERVER_PORT
		" numgen random mod 10 < 1 drop\n";
	const json_t *conn, *sf;
	long long again = 0;
	struct stage s;
	json_t *root;
	size_t i, j;

	NEED_SANDBOX();
	agree_open(&s, "10.0.1.1", 4, lossy);
	cr_assert_eq(host_nft(&s.w.server, "flush ruleset\n"), 0);
	compare_host(&s.w.client, 3, 12);
	root = info_json(&s.w.client, NULL);
	json_array_foreach((json_t *)at(root, "connections"), i, conn)
	{
		json_array_foreach((json_t *)at(conn, "subflows"), j, sf) again +=
			number_at(sf, "retransmits");
	}
	cr_assert_gt(again, 0);
	json_decref(root);
	stage_close(&s);
}

Test(agree, ipv4_on_an_ipv6_socket_is_written_as_ipv4)
{
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	stage_open(&s, 1); /* the server listens on :: */
	stage_connect(&s, "10.0.1.1", "1");
	root = info_json(&s.w.server, NULL);
	cr_assert_str_eq(text_at(root, "connections.0.local"), "10.0.1.1:" SERVER_PORT);
	cr_assert_str_eq(text_at(root, "connections.0.subflows.0.local"),
			 "10.0.1.1:" SERVER_PORT);
	json_decref(root);
	stage_close(&s);
}

static void look_at_nstat(const struct host *h, struct said ret[2])
{
	ret[0] = run(h, (const char *[]){ "nstat", "-asz", "MPTcpExt*", NULL });
}

Test(agree, counters_of_the_namespace_are_those_of_nstat)
{
	struct said all[2], said;
	long long number;
	struct stage s;
	size_t n = 0;
	json_t *root;
	char name[64], path[96], *save, *line;

	NEED_SANDBOX();
	stage_open(&s, 3);
	stage_endpoints(&s);
	stage_connect(&s, "10.0.1.1", "2");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 8));
	root = info_steady(&s.w.client, look_at_nstat, all);
	said = all[0];
	for (line = strtok_r(said.out, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "MPTcpExt%63s %lld", name, &number) != 2)
			continue;
		snprintf(path, sizeof(path), "namespace.counters.%s", name);
		cr_assert_eq(number_at(root, path), number, "%s", name);
		n++;
	}
	cr_assert_eq(n, json_object_size(at(root, "namespace.counters")));
	cr_assert_eq(number_at(root, "namespace.counters.MPJoinSynAckRx"), 6);
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}
