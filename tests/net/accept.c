// SPDX-License-Identifier: MIT
/*
 * accept.c - which announced addresses are joined: own, private and public ones
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

#define OWN	"10.0.4.2" /* the client's */
#define PRIVATE "10.0.2.1"
#define PUBLIC	"203.0.113.1"
#define SERVER	"198.51.100.1"

/* Where the client's SYNs with MP_JOIN went: "10.0.2.1 203.0.113.1". */
static void read_joins(struct net *n, char ret[80])
{
	static const char *const known[] = { OWN, PRIVATE, PUBLIC };
	char ip[ADDRESS_TEXT_MAX];
	const struct seen *s;
	size_t i, k;

	*ret = '\0';
	cr_assert_eq(capture_read(&n->wire), 0, "the capture missed packets");
	for (k = 0; k < 3; k++) {
		for (i = 0; (s = capture_nth(&n->wire, SEEN_MP_JOIN, i)); i++)
			if (s->outgoing && !strcmp(address_text(&s->dst, ip), known[k]))
				break;
		if (s)
			sprintf(ret + strlen(ret), "%s%s", *ret ? " " : "", known[k]);
	}
}

static bool has_joined(struct net *n, const char *joins)
{
	char now[80];

	read_joins(n, now);
	return !strcmp(now, joins);
}

/* The server announces an address of the client, a private and a public one. */
static void joins_are(enum net_side side, const char *peer, const char *pool_text,
		      const char *joins)
{
	/* Older kernels have no laminar endpoints. */
	const uint32_t kind = side == FROM_KERNEL ? EP_FULLMESH : EP_LAMINAR;
	const struct net_spec spec = {
		.connect = peer,
		.pool = { { "10.0.2.2", kind }, { "10.0.3.2", kind } },
		.announced = { { OWN }, { PRIVATE }, { PUBLIC } },
		.pool_text = pool_text,
		.no_retry = true,
	};
	char now[80];
	struct net n;

	net_open(&n, &spec, side);
	cr_assert_eq(host_ip(&n.world.server, "address add " SERVER "/32 dev s1\n"
					      "address add " PUBLIC "/32 dev s3\n"),
		     0);
	net_connect(&n, 1);
	cr_expect(WAIT_FOR(has_joined(&n, joins)));
	net_settle(&n);
	read_joins(&n, now);
	cr_expect_str_eq(now, joins, "%s from %s: \"%s\", wanted \"%s\"",
			 pool_text ?: "default", peer, now, joins);
	net_close(&n);
}

Test(kernel, own_private_and_public_addresses_are_all_joined)
{
	joins_are(FROM_KERNEL, SERVER, NULL, OWN " " PRIVATE " " PUBLIC);
}

Test(pool, public_server_gets_joins_to_public_addresses_only)
{
	joins_are(FROM_POOL, SERVER, NULL, PUBLIC);
	joins_are(FROM_POOL, SERVER, "[accept]\nprivate = same\n", PUBLIC);
}

Test(pool, private_server_gets_joins_to_private_addresses)
{
	joins_are(FROM_POOL, "10.0.1.1", NULL, PRIVATE " " PUBLIC);
	joins_are(FROM_POOL, "10.0.1.1", "[accept]\nprivate = same\n",
		  PRIVATE " " PUBLIC);
}

Test(pool, private_all_joins_private_addresses_of_public_servers)
{
	joins_are(FROM_POOL, SERVER, "[accept]\nprivate = all\n", PRIVATE " " PUBLIC);
	joins_are(FROM_POOL, "10.0.1.1", "[accept]\nprivate = all\n", PRIVATE " " PUBLIC);
}

Test(pool, private_none_joins_no_private_address)
{
	joins_are(FROM_POOL, SERVER, "[accept]\nprivate = none\n", PUBLIC);
	joins_are(FROM_POOL, "10.0.1.1", "[accept]\nprivate = none\n", PUBLIC);
}

Test(pool, own_address_is_joined_if_allowed_by_name)
{
	joins_are(FROM_POOL, "10.0.1.1", "[accept]\nallow = " OWN " 203.0.113.0/24\n",
		  OWN " " PUBLIC);
}
