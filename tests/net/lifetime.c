// SPDX-License-Identifier: MIT
/*
 * lifetime.c - connections that come and go in every way leave nothing in the tables
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "shim.h"

#define TWO                                         \
	.pool = { { "10.0.2.2" }, { "10.0.3.2" } }, \
	.announced = { { "10.0.2.1" }, { "10.0.3.1" } }

static void tell_close(struct net *n)
{
	cr_assert_eq(proc_tell(&n->client, "close"), 0);
	cr_assert(WAIT_FOR(proc_said(&n->client, "closed")));
}

Test(pool, connections_closed_at_once_leave_nothing)
{
	static const struct net_spec spec = { TWO, .client_args = { "-N", "300" } };
	struct net n;

	net_open(&n, &spec, FROM_POOL);
	net_connect(&n, 300);
	tell_close(&n); /* joins are on their way */
	net_tables_are_empty(&n);
	net_close(&n);
}

Test(pool, connections_that_the_server_closed_leave_nothing)
{
	static const struct net_spec spec = { TWO, .client_args = { "-N", "20" } };
	struct net n;

	net_open(&n, &spec, FROM_POOL);
	net_connect(&n, 20);
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 40));
	cr_assert_eq(proc_tell(&n.server, "close"), 0);
	cr_assert(WAIT_FOR(proc_said(&n.server, "closed 20")));
	tell_close(&n);
	net_tables_are_empty(&n);
	net_close(&n);
}

static void plain(const struct net_spec *spec)
{
	struct net n;

	net_open(&n, spec, FROM_POOL);
	n.announced = 0;
	net_connect(&n, 10);
	net_carries_data(&n);
	tell_close(&n);
	net_tables_are_empty(&n);
	net_close(&n);
}

Test(pool, fallback_to_plain_tcp_works_and_leaves_nothing)
{
	static const struct net_spec spec = { TWO, .plain_tcp = true,
					      .client_args = { "-N", "10" } };

	plain(&spec);
}

Test(pool, fallback_of_a_nonblocking_connect_leaves_nothing)
{
	static const struct net_spec spec = { TWO, .plain_tcp = true,
					      .client_args = { "-b", "-N", "10" } };

	plain(&spec);
}

static void refused_connects(const struct net_spec *spec)
{
	struct net n;

	net_open(&n, spec, FROM_POOL);
	n.announced = 0;
	net_connect(&n, 0);
	net_tables_are_empty(&n);
	net_close(&n);
}

#define NOBODY                                                         \
	"table inet t { chain in { type filter hook input priority 0;" \
	" tcp dport 8080 reject with tcp reset; }; }"

Test(pool, refused_connects_leave_nothing)
{
	static const struct net_spec spec = { TWO, .server_nft = NOBODY,
					      .client_args = { "-x", "-N", "10" } };

	refused_connects(&spec);
}

Test(pool, refused_nonblocking_connects_leave_nothing)
{
	static const struct net_spec spec = { TWO, .server_nft = NOBODY,
					      .client_args = { "-b", "-x", "-N", "10" } };

	refused_connects(&spec);
}

/* The second program, with a pool file of its own. */
static void start_other(struct net *n, struct proc *other)
{
	static const char file[] = "/run/other.conf";
	struct shim_env shim;
	char path[PATH_MAX];
	const char *argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
			       "10.0.1.1", NET_PORT, NULL };
	FILE *f = fopen(file, "we");

	cr_assert(f);
	fprintf(f, "[pool]\nendpoint = 10.0.4.2 laminar\nendpoint = 10.0.3.2 laminar\n"
		   "[limits]\nsubflows = 8\nadd_addr_accepted = 8\n");
	fclose(f);
	cr_assert_eq(proc_start(other, &n->world.client, argv, shim_env(&shim, file)), 0);
	cr_assert(WAIT_FOR(proc_said(other, "connected 1")));
}

static uint64_t heard(const struct ctl_manager *m)
{
	return m->counters.add_addr_rx - m->counters.add_addr_repeated;
}

Test(pool, two_programs_at_once_use_their_own_pools)
{
	static const struct net_spec spec = { TWO };
	struct ctl_manager m;
	struct proc other;
	struct net n;
	char *pairs;

	net_start(&n, &spec, FROM_POOL);
	net_settle(&n);
	start_other(&n, &other);
	n.announced *= 2; /* to each connection */
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 4));
	net_announce(&n, "10.0.4.1"); /* to both; neither has an address left */
	n.announced++;
	cr_assert(WAIT_FOR(counter(&n.world.server, "EchoAdd") == n.announced));
	WAIT_FOR((net_manager(&n, &m), heard(&m) >= 3));
	nap_ms(50);
	net_manager(&n, &m);
	cr_assert_eq(m.registrations, 1);
	/* Only its own; a slow echo makes the server repeat an announcement. */
	cr_assert_eq(heard(&m), 3);
	pairs = pairs_text(&n.world.server, 0, true);
	cr_assert_str_eq(pairs, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1 "
				"10.0.3.2-10.0.3.1 10.0.4.2-10.0.2.1");
	free(pairs);
	proc_end(&other);
	net_close(&n);
}

/* Unusable endpoints are skipped at once. */
POOL_CASE(address_missing_on_this_machine_is_skipped,
	  .spec = { .pool = { { "10.0.9.9" }, { "dead:beef:9::9" }, { "10.0.3.2" } },
		    .announced = { { "10.0.2.1" } } },
	  .pairs = "10.0.3.2-10.0.2.1")

POOL_CASE(endpoint_on_a_missing_device_is_skipped,
	  .spec = { .pool = { { "10.0.2.2", .dev = "wwan7" }, { "10.0.3.2" } },
		    .announced = { { "10.0.2.1" } } },
	  .pairs = "10.0.3.2-10.0.2.1")

/*
 * A stopped program does not read its events: the queue overflows, and the end of a
 * subflow is among the lost events.
 */
Test(pool, address_whose_closed_event_was_lost_joins_again)
{
	static const struct net_spec spec = { .pool = { { "10.0.2.2" } } };
	char path[PATH_MAX], *pairs;
	const char *argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
			       "-m",
			       "-N",
			       "4000",
			       "10.0.1.1",
			       NET_PORT,
			       NULL };
	struct ctl_manager m;
	struct proc crowd;
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_announce(&n, "10.0.2.1");
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	cr_assert_eq(kill(n.client.pid, SIGSTOP), 0);
	cr_assert_eq(proc_start(&crowd, &n.world.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&crowd, "connected 4000")));
	proc_end(&crowd);
	net_withdraw(&n, "10.0.2.1");
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 0));
	cr_assert_eq(kill(n.client.pid, SIGCONT), 0);

	cr_assert(WAIT_FOR((net_manager(&n, &m), m.overruns)),
		  "the queue did not run over");
	net_announce(&n, "10.0.4.1");
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 1));
	pairs = pairs_text(&n.world.client, 0, false);
	cr_assert_str_eq(pairs, "10.0.2.2-10.0.4.1");
	free(pairs);
	net_close(&n);
}
