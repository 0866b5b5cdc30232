// SPDX-License-Identifier: MIT
/*
 * keepalive.c - [app] keepalive: an idle connection sends on all of its paths
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "shim.h"

/* Acknowledgements that the client sends on link 1, 2 and 3. */
#define COUNT_ACKS                                                      \
	"table inet k {\ncounter k1 {}\ncounter k2 {}\ncounter k3 {}\n" \
	"chain c {\ntype filter hook output priority 0;\n"              \
	"ip daddr 10.0.1.1 tcp flags == ack counter name k1\n"          \
	"ip daddr 10.0.2.1 tcp flags == ack counter name k2\n"          \
	"ip daddr 10.0.3.1 tcp flags == ack counter name k3\n}\n}\n"

static int acks(int link)
{
	char command[64], text[128];
	int packets = -1;
	FILE *f;

	snprintf(command, sizeof(command), "nft list counter inet k k%d", link);
	f = popen(command, "re");
	cr_assert(f);
	while (fgets(text, sizeof(text), f))
		sscanf(text, " packets %d", &packets);
	pclose(f);
	cr_assert_geq(packets, 0);
	return packets;
}

static void start(struct net *n, const struct net_spec *spec)
{
	net_start(n, spec, FROM_POOL);
	net_settle(n);
	net_announce(n, "10.0.3.1"); /* a later subflow */
	net_pairs_are(n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	cr_assert_eq(host_nft(&n->world.client, COUNT_ACKS), 0);
	cr_assert_eq(host_enter(&n->world.client), 0);
}

#define PATHS .pool = { { "10.0.2.2" }, { "10.0.3.2" } }, .announced = { { "10.0.2.1" } }

Test(pool, keepalive_sends_on_every_path_of_an_idle_connection)
{
	static const struct net_spec spec = { PATHS,
					      .pool_text = "[app]\nkeepalive = 1s\n" };
	struct net n;

	start(&n, &spec);
	for (int link = 1; link <= 3; link++)
		cr_expect(WAIT_FOR(acks(link) >= 3), "link %d: %d", link, acks(link));
	net_carries_data(&n);
	net_close(&n);
}

Test(pool, idle_connection_is_silent_without_keepalive)
{
	static const struct net_spec spec = { PATHS },
				     awake = { PATHS,
					       .pool_text = "[app]\nkeepalive = 1s\n" };
	struct net n, other;

	start(&n, &spec);
	/* As long as the other connection needs for its third probe. */
	start(&other, &awake);
	cr_expect(WAIT_FOR(acks(3) >= 3));
	cr_assert_eq(host_enter(&n.world.client), 0);
	for (int link = 1; link <= 3; link++)
		cr_expect_leq(acks(link), 1, "link %d: %d", link, acks(link));
	net_close(&n);
	net_close(&other);
}

Test(pool, keepalive_that_the_program_has_set_is_its_own)
{
	static const struct net_spec spec = { PATHS,
					      .pool_text = "[app]\nkeepalive = 30s\n" };
	const char *const argv[] = {
		"/usr/bin/python3", "-c",
		"import socket as s\n"
		"for own in 0, 1:\n"
		" c = s.socket()\n"
		" if own:\n"
		"  c.setsockopt(s.SOL_SOCKET, s.SO_KEEPALIVE, 1)\n"
		"  c.setsockopt(s.IPPROTO_TCP, s.TCP_KEEPIDLE, 600)\n"
		" c.connect(('10.0.1.1', 8080))\n"
		" print(c.getsockopt(s.SOL_SOCKET, s.SO_KEEPALIVE),\n"
		"  c.getsockopt(s.IPPROTO_TCP, s.TCP_KEEPIDLE),\n"
		"  c.getsockopt(s.IPPROTO_TCP, s.TCP_KEEPINTVL))\n",
		NULL
	};
	struct shim_env shim;
	struct proc p;
	struct net n;
	char *text;

	net_start(&n, &spec, FROM_POOL);
	cr_assert_eq(proc_start(&p, &n.world.client, argv, shim_env(&shim, n.pool_path)),
		     0);
	cr_expect_eq(proc_wait(&p, EFFECT_MS), 0);
	text = proc_output(&p);
	cr_expect_str_eq(text, "1 30 30\n1 600 75\n");
	free(text);
	proc_end(&p);
	net_close(&n);
}
