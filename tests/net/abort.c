// SPDX-License-Identifier: MIT
/*
 * abort.c - diag_abort() resets the given subflow and no other socket
 */
#include "net.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "mptcpaddr/addr.h"
#include "mptcpaddr/netlink.h"

static int abort_it(const struct host *h, uint32_t token, const struct address *local,
		    const struct address *remote)
{
	struct mpaddr from, to;

	mpaddr_set(&from, AF_INET6, &local->ip);
	mpaddr_set(&to, AF_INET6, &remote->ip);
	from.port = local->port;
	to.port = remote->port;
	cr_assert_eq(host_enter(h), 0);
	return diag_abort(token, &from, &to, 0);
}

static int established(const struct host *h, struct subflow *ret_first)
{
	struct subflows s = { 0 };
	int n = 0;

	cr_assert_eq(subflows_read(h, &s), 0);
	for (size_t i = 0; i < s.count; i++) {
		if (s.at[i].state != TCP_ESTABLISHED)
			continue;
		if (!s.at[i].joined)
			*ret_first = s.at[i];
		n++;
	}
	subflows_free(&s);
	return n;
}

/* The first subflow's socket has the program's address family. */
static void first_is_aborted(const char *connect)
{
	const struct net_spec spec = { .connect = connect,
				       .pool = { { "10.0.2.2" } },
				       .no_retry = true,
				       .announced = { { "10.0.2.1" } } };
	struct subflow f = { 0 };
	struct net n;
	const struct host *client = &n.world.client, *server = &n.world.server;

	net_start(&n, &spec, FROM_POOL);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	cr_assert_eq(established(client, &f), 2);
	cr_expect_eq(abort_it(client, f.token + 1, &f.local, &f.remote), -ENOENT);
	cr_expect_eq(abort_it(client, f.token, &f.remote, &f.local), -ENOENT);
	cr_assert_eq(established(client, &f), 2, "another one was aborted");
	cr_assert_eq(abort_it(client, f.token, &f.local, &f.remote), 0, "%s", connect);
	cr_assert(WAIT_FOR(established(client, &f) == 1 && established(server, &f) == 1));
	net_carries_data(&n);
	net_close(&n);
}

Test(abort, subflow_of_an_ipv4_socket)
{
	first_is_aborted("10.0.1.1");
}

Test(abort, subflow_of_a_v4_mapped_socket)
{
	first_is_aborted("::ffff:10.0.1.1");
}

Test(abort, subflow_of_an_ipv6_socket)
{
	first_is_aborted("dead:beef:1::1");
}

/* For a closed connection the kernel finds the listening socket instead. */
Test(abort, listener_is_left_alone)
{
	static const char *const listening[] = {
		"sh", "-c", "test -n \"$(ss -Htln sport = :" NET_PORT ")\"", NULL
	};
	static const struct net_spec spec = { .pool = { { "10.0.2.2" } } };
	struct subflow f = { 0 };
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	cr_assert_eq(established(&n.world.server, &f), 1);
	f.remote.port ^= 1;
	cr_expect_eq(abort_it(&n.world.server, f.token, &f.local, &f.remote), -ENOENT);
	cr_expect_eq(proc_run(&n.world.server, NULL, listening), 0, "nobody listens");
	net_close(&n);
}
