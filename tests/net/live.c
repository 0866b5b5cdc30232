// SPDX-License-Identifier: MIT
/*
 * live.c - pools, limits, addresses and interfaces that change while programs run
 *
 * Changes that the kernel supports for its own endpoints run on both sides and are
 * compared; the others have their own expectations.
 */
#include "outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TWO                                                           \
	.pool = { { "10.0.2.2", .id = 2 }, { "10.0.3.2", .id = 3 } }, \
	.announced = { { "10.0.2.1" }, { "10.0.3.1" } }

struct live_case {
	const struct net_spec *spec;
	void (*steps)(struct net *n);
};

/* Waits for the first announcement, so that the same pairs join on both sides. */
static char *run(void *arg, enum net_side side)
{
	const struct live_case *c = arg;
	struct net n;
	char *text;

	net_start(&n, c->spec, side);
	net_settle(&n);
	c->steps(&n);
	net_settle(&n);
	net_carries_data(&n);
	text = outcome_text(&n);
	net_close(&n);
	return text;
}

static void same(const struct net_spec *spec, void (*steps)(struct net *))
{
	struct live_case c = { spec, steps };

	net_compare("live", run, &c);
}

/* The same steps with this spec on both sides. */
#define SAME_TEST(name, steps, ...)                                                    \
	Test(live, name)                                                               \
	{                                                                              \
		static const struct net_spec spec = { __VA_ARGS__, .no_retry = true }; \
		same(&spec, steps);                                                    \
	}

static size_t sent(struct net *n, enum seen_kind kind, uint8_t id)
{
	size_t count = 0;

	capture_read(&n->wire);
	for (size_t i = 0; i < n->wire.count; i++)
		count += n->wire.at[i].kind == kind && n->wire.at[i].outgoing &&
			 n->wire.at[i].address_id == id;
	return count;
}

static void del_laminar(struct net *n)
{
	net_pairs_are(n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_del(n, "10.0.2.2");
	cr_assert(WAIT_FOR(joined_count(&n->world.server) == 1));
	net_pairs_are(n, "10.0.3.2-10.0.3.1");
	cr_assert(WAIT_FOR(sent(n, SEEN_RM_ADDR, 2)), "no RM_ADDR");
}

SAME_TEST(deleted_laminar_endpoint_closes_its_subflow, del_laminar, TWO)

static void del_subflow(struct net *n)
{
	net_pairs_are(n, "10.0.2.2-10.0.1.1 10.0.3.2-10.0.1.1");
	net_del(n, "10.0.2.2");
	cr_assert(WAIT_FOR(joined_count(&n->world.server) == 1));
	net_pairs_are(n, "10.0.3.2-10.0.1.1");
	cr_assert(WAIT_FOR(sent(n, SEEN_RM_ADDR, 20)), "no RM_ADDR");
}

/* The kernel's "userspace pm create destroy subflow": with ID 20. */
SAME_TEST(deleted_subflow_endpoint_closes_its_subflow, del_subflow,
	  .pool = { { "10.0.2.2", EP_SUBFLOW, .id = 20 },
		    { "10.0.3.2", EP_SUBFLOW, .id = 21 } })

static void del_fullmesh(struct net *n)
{
	net_pairs_are(n, "10.0.2.2-10.0.2.1 10.0.2.2-10.0.3.1 10.0.3.2-10.0.2.1 "
			 "10.0.3.2-10.0.3.1");
	net_del(n, "10.0.2.2");
	cr_assert(WAIT_FOR(joined_count(&n->world.server) == 2));
	net_pairs_are(n, "10.0.3.2-10.0.2.1 10.0.3.2-10.0.3.1");
}

SAME_TEST(deleted_fullmesh_endpoint_closes_all_its_subflows, del_fullmesh,
	  .pool = { { "10.0.2.2", EP_FULLMESH, .id = 20 },
		    { "10.0.3.2", EP_FULLMESH, .id = 21 } },
	  .announced = { { "10.0.2.1" }, { "10.0.3.1" } })

static void del_signal(struct net *n)
{
	cr_assert(WAIT_FOR(sent(n, SEEN_ADD_ADDR, 7)), "no ADD_ADDR");
	net_settle(n);
	net_del(n, "10.0.2.2");
	cr_assert(WAIT_FOR(sent(n, SEEN_RM_ADDR, 7)), "no RM_ADDR");
}

SAME_TEST(deleted_signal_endpoint_is_withdrawn, del_signal,
	  .pool = { { "10.0.2.2", EP_SIGNAL, .id = 7 } })

static void add_each(struct net *n)
{
	static const struct endpoint_spec subflow = { "10.0.2.2", EP_SUBFLOW, .id = 8 };
	static const struct endpoint_spec signal = { "10.0.3.2", EP_SIGNAL, .id = 9 };

	net_pairs_are(n, "");
	net_add(n, &subflow);
	cr_assert(WAIT_FOR(joined_count(&n->world.server) == 1));
	net_pairs_are(n, "10.0.2.2-10.0.1.1");
	net_add(n, &signal);
	cr_assert(WAIT_FOR(sent(n, SEEN_ADD_ADDR, 9)), "no ADD_ADDR");
}

SAME_TEST(added_endpoints_are_used_and_announced_at_once, add_each, .connect = NULL)

static void prio(struct net *n)
{
	net_change(n, "10.0.2.2", EP_LAMINAR | EP_BACKUP);
	cr_assert(WAIT_FOR(counter(&n->world.server, "MPPrioRx") == 1));
	net_settle(n);
	cr_assert_eq(counter(&n->world.client, "MPPrioTx"), 1);
	net_change(n, "10.0.2.2", EP_LAMINAR);
	cr_assert(WAIT_FOR(counter(&n->world.server, "MPPrioRx") == 2));
	net_settle(n);
	cr_assert_eq(counter(&n->world.client, "MPPrioTx"), 2);
}

SAME_TEST(changed_backup_flag_sends_one_mp_prio, prio, TWO)

static void prio_subflow(struct net *n)
{
	net_change(n, "10.0.2.2", EP_SUBFLOW | EP_BACKUP);
	cr_assert(WAIT_FOR(counter(&n->world.server, "MPPrioRx") == 1));
	net_settle(n);
	cr_assert_eq(counter(&n->world.client, "MPPrioTx"), 1);
}

SAME_TEST(changed_backup_flag_of_a_subflow_endpoint_sends_one_mp_prio, prio_subflow,
	  .pool = { { "10.0.2.2", EP_SUBFLOW, .id = 20 },
		    { "10.0.3.2", EP_SUBFLOW, .id = 21 } })

/* The kernel's "set (no)fullmesh flag test", with an announced address. */
static void mesh(enum net_side side)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.4.2", EP_SUBFLOW, .id = 20 } },
		.announced = { { "10.0.2.1" } },
	};
	const char *without = "10.0.2.2-10.0.2.1 10.0.4.2-10.0.1.1";
	struct net n;

	net_start(&n, &spec, side);
	net_pairs_are(&n, without);
	net_change(&n, "10.0.4.2", EP_SUBFLOW | EP_FULLMESH);
	cr_assert(WAIT_FOR(joined_count(&n.world.server) == 3));
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.4.2-10.0.1.1 10.0.4.2-10.0.2.1");
	net_change(&n, "10.0.4.2", EP_SUBFLOW);
	cr_assert(WAIT_FOR(joined_count(&n.world.server) == 2));
	net_pairs_are(&n, without);
	net_carries_data(&n);
	net_close(&n);
}
NET_TEST(changed_fullmesh_flag_opens_and_closes_the_mesh, mesh)

static void del_first(struct net *n)
{
	net_pairs_are(n, "10.0.2.2-10.0.2.1");
	net_del(n, "10.0.1.2");
	net_settle(n);
}

/* The kernel's "userspace pm remove initial subflow". */
SAME_TEST(deleted_endpoint_of_the_first_subflow_leaves_the_connection_alive, del_first,
	  .pool = { { "10.0.1.2", .id = 1 }, { "10.0.2.2", .id = 2 } },
	  .announced = { { "10.0.2.1" } })

/* The kernel's "userspace pm failed create": nothing is counted, nothing on the wire. */
static void nothing_came(struct net *n)
{
	net_pairs_are(n, "");
	cr_assert_eq(net_joins_sent(n), 0);
	capture_read(&n->wire);
	cr_assert_eq(capture_count(&n->wire, SEEN_MP_JOIN), 0);
}

Test(live, subflow_from_a_missing_address_leaves_no_trace)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.9.9", EP_SUBFLOW, .id = 20 } },
		.no_retry = true,
	};
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	nothing_came(&n);
	net_carries_data(&n);
	net_close(&n);
}

Test(live, added_laminar_endpoint_joins_a_waiting_announcement)
{
	static const struct net_spec spec = { .pool = { { "10.0.2.2" } },
					      .announced = { { "10.0.2.1" },
							     { "10.0.3.1" } } };
	static const struct endpoint_spec more = { "10.0.3.2", EP_LAMINAR, .id = 9 };
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	net_add(&n, &more);
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 2));
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_close(&n);
}

Test(live, raised_limits_admit_a_waiting_announcement)
{
	static const struct net_spec spec = { TWO, .subflows = 1, .accepted = 1 };
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	net_limits(&n, 2, 1);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1");
	net_limits(&n, 2, 2);
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 2));
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_limits(&n, 1, 1); /* existing subflows stay */
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_close(&n);
}

Test(live, invalid_file_leaves_the_pool_unchanged)
{
	static const struct net_spec spec = { TWO };
	struct ctl_manager m;
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_pool_text(&n, "[pool]\nendpoint = 10.0.2.2 id 300\n");
	cr_assert(WAIT_FOR((net_manager(&n, &m), m.pool_error[0])));
	cr_assert(strstr(m.pool_error, ".conf:2: local id 300 is not in 1-255"), "%s",
		  m.pool_error);
	cr_assert_eq(m.endpoints, 2);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_withdraw(&n, "10.0.2.1"); /* and it is used */
	net_announce(&n, "10.0.4.1");
	net_pairs_are(&n, "10.0.2.2-10.0.4.1 10.0.3.2-10.0.3.1");
	net_del(&n, "10.0.2.2"); /* a good file again */
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 1));
	net_manager(&n, &m);
	cr_assert_str_eq(m.pool_error, "");
	net_pairs_are(&n, "10.0.3.2-10.0.3.1");
	net_close(&n);
}

static void ip(struct net *n, const char *commands)
{
	cr_assert_eq(host_ip(&n->world.client, commands), 0, "%s", commands);
}

Test(live, removed_address_closes_its_subflow_and_joins_again_once_back)
{
	static const struct net_spec spec = { TWO };
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	ip(&n, "addr del 10.0.3.2/24 dev c3\n");
	net_pairs_become(&n, "10.0.2.2-10.0.2.1");
	cr_assert(tcp_gone_from(&n.world.client, "10.0.3.2"));
	ip(&n, "addr add 10.0.3.2/24 dev c3\n");
	net_pairs_become(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_carries_data(&n);
	net_close(&n);
}

/* The manager has heard of the link that is down. */
static bool any_endpoint_is_down(struct net *n)
{
	struct ctl_endpoint endpoints[8];
	int count = manager_list(&n->world.client, n->client.pid, CTL_OP_ENDPOINTS,
				 endpoints, sizeof(*endpoints), 8);
	bool down = false;

	for (int i = 0; i < count; i++)
		down |= endpoints[i].state != 0;
	return down;
}

/* At least: paths of a connection in use (BUSY_MS of revive.c) are reset if it stalls. */
#define QUIET_MS 500

static void link_goes_and_comes(const struct net_spec *spec, const char *down,
				const char *up)
{
	struct net n;

	net_start(&n, spec, FROM_POOL);
	net_pairs_are(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	nap_ms(QUIET_MS);
	ip(&n, down);
	cr_assert(WAIT_FOR(any_endpoint_is_down(&n)));
	net_carries_data(&n);
	net_pairs_become(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	ip(&n, up);
	net_carries_data(&n);
	net_pairs_become(&n, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	net_close(&n);
}

Test(live, subflow_outlives_its_link)
{
	static const struct net_spec spec = { TWO };

	link_goes_and_comes(&spec, "link set c3 down\n", "link set c3 up\n");
}

Test(live, subflow_of_a_device_outlives_its_link)
{
	static const struct net_spec spec = {
		.pool_text = "[pool]\nendpoint = dev c2\nendpoint = dev c3\n",
		.announced = { { "10.0.2.1" }, { "10.0.3.1" } },
	};

	link_goes_and_comes(&spec, "link set c3 down\n", "link set c3 up\n");
}

static void ninth_link(struct net *n)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "link add c9 type veth peer name s9 netns /proc/%d/fd/%d\n", getpid(),
		 n->world.server.netns);
	ip(n, text);
	cr_assert_eq(host_ip(&n->world.server,
			     "addr add 10.0.9.1/24 dev s9\nlink set s9 up\n"),
		     0);
	ip(n, "addr add 10.0.9.2/24 dev c9\nlink set c9 up\n"
	      "route add default via 10.0.9.1 dev c9 metric 90\n");
}

Test(live, device_stands_for_its_addresses)
{
	static const struct net_spec spec = {
		.pool_text =
			"[pool]\nendpoint = dev c3 laminar\nendpoint = dev c9 laminar\n",
		.announced = { { "10.0.2.1" }, { "10.0.3.1" } },
	};
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_pairs_are(&n, "10.0.3.2-10.0.2.1");
	ip(&n, "addr add 10.0.3.9/24 dev c3\n");
	net_pairs_become(&n, "10.0.3.2-10.0.2.1 10.0.3.9-10.0.3.1");
	ip(&n, "addr del 10.0.3.9/24 dev c3\n");
	net_pairs_become(&n, "10.0.3.2-10.0.2.1");
	ninth_link(&n); /* a device that comes later */
	net_pairs_become(&n, "10.0.3.2-10.0.2.1 10.0.9.2-10.0.3.1");
	ip(&n, "link del c9\n");
	net_pairs_become(&n, "10.0.3.2-10.0.2.1");
	net_close(&n);
}

Test(live, pool_of_the_destination_is_used)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.2.2" } },
		.pool_text = "[pool \"10.0.0.0/16\"]\nendpoint = 10.0.3.2\n"
			     "[pool \"10.0.1.0/24\"]\nendpoint = 10.0.4.2\n",
		.announced = { { "10.0.2.1" } },
	};
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_pairs_are(&n, "10.0.4.2-10.0.2.1");
	net_close(&n);
}

Test(live, excluded_destination_has_no_pool)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.2.2" }, { "10.0.3.2", EP_SUBFLOW } },
		.pool_text = "[app]\nexclude = 10.0.1.0/24\n",
		.announced = { { "10.0.2.1" } },
	};
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	nothing_came(&n);
	net_carries_data(&n);
	net_close(&n);
}

#define REFUSE                                                         \
	"table inet t { chain in { type filter hook input priority 0;" \
	" ip saddr 10.0.2.2 meta l4proto tcp reject with tcp reset; }; }"

Test(live, refused_join_is_retried_until_it_succeeds)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.2.2" } },
		.pool_text = "[retry]\nfirst = 100ms\nmax = 200ms\ntries = 100\n",
		.server_nft = REFUSE,
	};
	struct ctl_manager m;
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	net_announce(&n, "10.0.2.1");
	cr_assert(WAIT_FOR((net_manager(&n, &m), m.counters.retries >= 3)));
	cr_assert_eq(joined_count(&n.world.client), 0);
	cr_assert_eq(host_nft(&n.world.server, "delete table inet t"), 0);
	net_pairs_become(&n, "10.0.2.2-10.0.2.1");
	net_manager(&n, &m);
	nap_ms(500);
	cr_assert_eq(net_joins_sent(&n), (int64_t)m.counters.subflows_requested);
	net_close(&n);
}

Test(live, withdrawn_address_is_not_retried)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.2.2" } },
		.pool_text = "[retry]\nfirst = 100ms\nmax = 200ms\ntries = 100\n",
		.server_nft = REFUSE,
	};
	struct ctl_manager m;
	struct net n;
	int64_t joins;

	net_start(&n, &spec, FROM_POOL);
	net_announce(&n, "10.0.2.1");
	cr_assert(WAIT_FOR((net_manager(&n, &m), m.counters.retries >= 2)));
	net_withdraw(&n, "10.0.2.1");
	net_settle(&n);
	joins = net_joins_sent(&n);
	nap_ms(600);
	cr_assert_eq(net_joins_sent(&n), joins);
	net_close(&n);
}
