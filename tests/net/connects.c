// SPDX-License-Identifier: MIT
/*
 * connects.c - every way in which a program opens a connection
 */
#include "net.h"

#define ONE .pool = { { "10.0.3.2" } }, .announced = { { "10.0.2.1" } }

static void run(const struct net_spec *spec)
{
	struct ctl_manager m;
	struct net n;

	net_start(&n, spec, FROM_POOL);
	net_pairs_are(&n, "10.0.3.2-10.0.2.1");
	net_carries_data(&n);
	net_announce(&n, "10.0.3.1"); /* later, with nothing free */
	net_pairs_are(&n, "10.0.3.2-10.0.2.1");
	if (spec->fastopen) /* the data left with the SYN and came back */
		cr_assert_eq(counter(&n.world.client, "TCPFastOpenActive"), 1);
	net_manager(&n, &m);
	cr_assert_eq(m.registrations, 1);
	net_close(&n);
}

Test(pool, nonblocking_connect_is_served)
{
	static const struct net_spec spec = { ONE, .client_args = { "-b" } };

	run(&spec);
}

Test(pool, connection_from_a_thread_that_has_ended_is_served)
{
	static const struct net_spec spec = { ONE, .client_args = { "-t" } };

	run(&spec);
}

Test(pool, fastopen_by_sendto_is_served)
{
	static const struct net_spec spec = { ONE, .fastopen = true,
					      .client_args = { "-o", "sendto" } };

	run(&spec);
}

Test(pool, fastopen_by_sendmsg_is_served)
{
	static const struct net_spec spec = { ONE, .fastopen = true,
					      .client_args = { "-o", "sendmsg" } };

	run(&spec);
}

Test(pool, fastopen_by_sendmmsg_is_served)
{
	static const struct net_spec spec = { ONE, .fastopen = true,
					      .client_args = { "-o", "sendmmsg" } };

	run(&spec);
}

Test(pool, nonblocking_fastopen_is_served)
{
	static const struct net_spec spec = { ONE, .fastopen = true,
					      .client_args = { "-b", "-o", "sendto" } };

	run(&spec);
}

Test(pool, fastopen_on_the_first_write_is_served)
{
	static const struct net_spec spec = { ONE, .fastopen = true,
					      .client_args = { "-o", "firstwrite" } };

	run(&spec);
}
