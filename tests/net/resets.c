// SPDX-License-Identifier: MIT
/*
 * resets.c - a middlebox that resets joins, for longer than all quick tries
 *
 * The kernel's own path manager never tries again.
 */
#include <signal.h>
#include <stdio.h>

#include "net.h"

#define TRIES 3
#define LATER 800 /* after the last quick try: ms without another one */

#define SLOW  "[retry]\nfirst = 50ms\nmax = 60s\ntries = 3\n"
#define QUICK "[retry]\nfirst = 50ms\nmax = 3s\ntries = 3\n"

#define RESETS_JOINS                           \
	"table inet t {\nchain c {\n"          \
	"type filter hook input priority 0;\n" \
	"ip saddr 10.0.2.2 tcp flags syn "     \
	"reject with tcp reset\n}\n}\n"

static bool tries_are_over(struct net *n)
{
	const int sent = net_joins_sent(n);

	if (sent <= TRIES)
		return false;
	nap_ms(LATER);
	return net_joins_sent(n) == sent;
}

static void resets_open(struct net *n, const struct net_spec *spec)
{
	NEED_SANDBOX();
	net_start(n, spec, FROM_POOL);
	cr_assert(WAIT_FOR(tries_are_over(n)), "%d joins", net_joins_sent(n));
	cr_assert_eq(joined_count(&n->world.client), 0);
	cr_assert_eq(host_nft(&n->world.server, "flush ruleset\n"), 0);
}

/* Return: after how many milliseconds the path is there. */
static int resets_joined(struct net *n)
{
	const int64_t from = now_ms();

	cr_assert(WAIT_FOR(joined_count(&n->world.client) == 1));
	net_carries_data(n);
	return now_ms() - from;
}

static void joins_within_max(const struct net_spec *spec)
{
	struct net n;
	int ms;

	resets_open(&n, spec);
	ms = resets_joined(&n);
	/* Delays are spread by an eighth. */
	cr_assert_leq(ms, (3000 + 3000 / 8 + 300) * machine_load(), "after %d ms", ms);
	net_close(&n);
}

/* @change: commands for ip(8). */
static void joins_at_once_after(const struct net_spec *spec, const char *change)
{
	struct net n;
	int ms;

	resets_open(&n, spec);
	cr_assert_eq(host_ip(&n.world.client, change), 0);
	ms = resets_joined(&n);
	cr_assert_leq(ms, 1000 * machine_load(), "after %d ms", ms);
	net_close(&n);
}

static const struct net_spec announced = { .pool = { { "10.0.2.2" } },
					   .announced = { { "10.0.2.1" } },
					   .server_nft = RESETS_JOINS,
					   .pool_text = SLOW };
static const struct net_spec subflow = { .pool = { { "10.0.2.2", EP_SUBFLOW } },
					 .server_nft = RESETS_JOINS,
					 .pool_text = SLOW };

#define ROUTE "route add 192.0.2.0/24 via 10.0.2.1\n"
/* With the link, its routes go. */
#define LINK                                 \
	"link set c2 down\nlink set c2 up\n" \
	"route add default via 10.0.2.1 dev c2 metric 20\n"
#define OTHER_LINK "link set c3 down\n"

Test(resets, joined_within_max_once_joins_are_let_through)
{
	static const struct net_spec quick = { .pool = { { "10.0.2.2" } },
					       .announced = { { "10.0.2.1" } },
					       .server_nft = RESETS_JOINS,
					       .pool_text = QUICK };

	joins_within_max(&quick);
}

Test(resets, subflow_endpoint_joins_within_max_once_joins_are_let_through)
{
	static const struct net_spec quick = { .pool = { { "10.0.2.2", EP_SUBFLOW } },
					       .server_nft = RESETS_JOINS,
					       .pool_text = QUICK };

	joins_within_max(&quick);
}

Test(resets, joined_at_once_with_a_new_route)
{
	joins_at_once_after(&announced, ROUTE);
}

Test(resets, subflow_endpoint_joins_at_once_with_a_new_route)
{
	joins_at_once_after(&subflow, ROUTE);
}

Test(resets, joined_at_once_when_its_link_is_back)
{
	joins_at_once_after(&announced, LINK);
}

Test(resets, subflow_endpoint_joins_at_once_when_its_link_is_back)
{
	joins_at_once_after(&subflow, LINK);
}

Test(resets, joined_at_once_when_another_link_changes)
{
	joins_at_once_after(&announced, OTHER_LINK);
}

Test(resets, subflow_endpoint_joins_at_once_when_another_link_changes)
{
	joins_at_once_after(&subflow, OTHER_LINK);
}

#define DROPS_JOINS                            \
	"table inet t {\nchain c {\n"          \
	"type filter hook input priority 0;\n" \
	"tcp flags syn drop\n}\n}\n"

/* @what: a pipe from ss(8) on the server that ends with 0. */
static void server_has(const struct net *n, const char *what)
{
	char command[128];
	const char *const argv[] = { "sh", "-c", command, NULL };

	snprintf(command, sizeof(command), "until ss -H%s; do sleep 0.05; done", what);
	cr_assert_eq(proc_run(&n->world.server, NULL, argv), 0, "%s", what);
}

#define RECEIVED "tni | grep -q bytes_received:15" /* "hello" and ten bytes */
#define UNSENT	 "Mni | grep token | grep -Eqv 'write_seq:([^ ]*) snd_una:\\1 '"

/* Linux 6.18 sends it with the first acknowledgement of data that comes over a path. */
Test(resets, reply_that_was_written_without_a_path_arrives)
{
	static const struct net_spec spec = { .pool = { { "10.0.1.2" } } };
	const char *const reset[] = { "ss", "-K", "-tn", "dst", "10.0.1.1", NULL };
	struct net n;

	NEED_SANDBOX();
	net_start(&n, &spec, FROM_POOL);
	cr_assert_eq(kill(n.server.pid, SIGSTOP), 0);
	cr_assert_eq(proc_tell(&n.client, "echo 10"), 0);
	server_has(&n, RECEIVED);
	nap_ms(1000); /* a timer of "hello" would send it, too */
	cr_assert_eq(host_nft(&n.world.server, DROPS_JOINS), 0);
	cr_assert_eq(proc_run(&n.world.client, NULL, reset), 0);
	cr_assert(WAIT_FOR(tcp_gone_from(&n.world.server, "10.0.1.1")));
	cr_assert_eq(kill(n.server.pid, SIGCONT), 0);
	server_has(&n, UNSENT);
	cr_assert_eq(host_nft(&n.world.server, "flush ruleset\n"), 0);
	cr_assert(WAIT_FOR(proc_said(&n.client, "echoed 10")), "%s",
		  proc_errors(&n.client));
	net_close(&n);
}
