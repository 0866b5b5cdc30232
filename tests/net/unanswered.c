// SPDX-License-Identifier: MIT
/*
 * unanswered.c - joins whose SYN gets no answer: deleted, withdrawn, in the way of others
 */
#include "net.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#define SYNS_TO_2                                                      \
	"table inet t { chain in { type filter hook input priority 0;" \
	" ip daddr 10.0.2.1 tcp flags & (syn | ack) == syn drop; }; }"
#define JOIN_MS	  1000 /* both times machine_load(), at most 3 */
#define YIELD_MS  5000
#define REPEAT_MS 3500 /* the SYN's second retransmission has passed */

static bool has_pairs(const struct net *n, const char *pairs)
{
	char *now = pairs_text(&n->world.client, 0, false);
	bool same = !strcmp(now, pairs);

	free(now);
	return same;
}

static void pairs_come_in(struct net *n, const char *pairs, int64_t start, int limit_ms)
{
	int load = MIN(machine_load(), 3), ms;

	if (!WAIT_FOR(has_pairs(n, pairs)))
		net_show(n);
	cr_assert(has_pairs(n, pairs), "the client has \"%s\", wanted \"%s\"",
		  pairs_text(&n->world.client, 0, false), pairs);
	ms = now_ms() - start;
	cr_log_info("\"%s\" after %d ms", pairs, ms);
	cr_assert_leq(ms, limit_ms * load, "\"%s\" after %d ms", pairs, ms);
}

/* The client's pending join from @local, or NULL. Overwritten by the next call. */
static const struct subflow *pending_from(const struct net *n, const char *local)
{
	static struct subflow found;
	struct subflows s = { 0 };
	struct address from;
	bool any = false;

	cr_assert_eq(address_parse(local, &from), 0);
	cr_assert_eq(subflows_read(&n->world.client, &s), 0);
	for (size_t i = 0; i < s.count && !any; i++) {
		any = s.at[i].state == TCP_SYN_SENT &&
		      address_same_ip(&s.at[i].local, &from);
		if (any)
			found = s.at[i];
	}
	subflows_free(&s);
	return any ? &found : NULL;
}

/* MP_JOIN SYNs to @remote, with their repetitions. */
static int syns_to(struct net *n, const char *remote)
{
	struct address to;
	int count = 0;

	cr_assert_eq(address_parse(remote, &to), 0);
	cr_assert_eq(capture_read(&n->wire), 0, "the capture missed packets");
	for (size_t i = 0; i < n->wire.count; i++)
		count += n->wire.at[i].kind == SEEN_MP_JOIN && n->wire.at[i].outgoing &&
			 address_same_ip(&n->wire.at[i].dst, &to);
	return count;
}

static void answer_again(struct net *n)
{
	cr_assert_eq(host_nft(&n->world.server, "delete table inet t"), 0);
}

/* The subflows that the manager knows, the first one included. */
static int known_subflows(struct net *n)
{
	struct pm_conn_report report;

	if (manager_list(&n->world.client, n->client.pid, CTL_OP_CONNECTIONS, &report,
			 sizeof(report), 1) != 1)
		return -1;
	return report.subflows;
}

static void comes_again(const struct net_spec *spec, const char *without,
			const char *with)
{
	struct net n;
	int64_t at;
	int syns;

	net_start(&n, spec, FROM_POOL);
	cr_assert(WAIT_FOR(pending_from(&n, "10.0.2.2")), "no join");
	net_pool_text(&n, without);
	cr_assert(WAIT_FOR(!pending_from(&n, "10.0.2.2")), "the join goes on");
	/* Its SUB_CLOSED names no port of the peer. */
	cr_assert(WAIT_FOR(known_subflows(&n) == 1), "%d", known_subflows(&n));
	syns = syns_to(&n, "10.0.2.1");
	nap_ms(REPEAT_MS);
	cr_assert_eq(syns_to(&n, "10.0.2.1"), syns, "its SYN is repeated");
	answer_again(&n);
	at = now_ms();
	net_pool_text(&n, with);
	pairs_come_in(&n, "10.0.2.2-10.0.2.1", at, JOIN_MS);
	net_carries_data(&n);
	net_close(&n);
}

#define LOST_JOIN .announced = { { "10.0.2.1" } }, .server_nft = SYNS_TO_2

Test(unanswered, lost_join_of_an_endpoint_that_is_deleted_and_added)
{
	static const char with[] = "[pool]\nendpoint = 10.0.2.2\n";
	static const struct net_spec spec = { LOST_JOIN, .pool_text = with };

	comes_again(&spec, "[pool]\nendpoint = 10.0.9.9\n", with);
}

Test(unanswered, lost_join_of_a_device_that_is_deleted_and_added)
{
	static const char with[] = "[pool]\nendpoint = dev c2\n";
	static const struct net_spec spec = { LOST_JOIN, .pool_text = with };

	comes_again(&spec, "[pool]\nendpoint = dev c9\n", with);
}

/* The address goes and comes at once: the join is made anew, not repeated at last. */
static void address_comes_again(const char *pool)
{
	const struct net_spec spec = { LOST_JOIN, .pool_text = pool };
	struct net n;
	int64_t at;

	net_start(&n, &spec, FROM_POOL);
	cr_assert(WAIT_FOR(pending_from(&n, "10.0.2.2")), "no join");
	cr_assert_eq(host_ip(&n.world.client, "addr del 10.0.2.2/24 dev c2\n"), 0);
	cr_assert(WAIT_FOR(!pending_from(&n, "10.0.2.2")), "the join goes on");
	answer_again(&n);
	at = now_ms();
	cr_assert_eq(host_ip(&n.world.client, "addr add 10.0.2.2/24 dev c2\n"), 0);
	pairs_come_in(&n, "10.0.2.2-10.0.2.1", at, JOIN_MS);
	net_close(&n);
}

Test(unanswered, lost_join_of_an_address_that_goes_and_comes)
{
	address_comes_again("[pool]\nendpoint = 10.0.2.2\n");
}

Test(unanswered, lost_join_of_a_devices_address_that_goes_and_comes)
{
	address_comes_again("[pool]\nendpoint = dev c2\n");
}

/* A pending join counts against the limit until its SUB_CLOSED is recognised. */
Test(unanswered, deleted_endpoint_leaves_its_place_to_the_next_one)
{
	static const struct net_spec spec = { LOST_JOIN,
					      .pool = { { "10.0.2.2" }, { "10.0.3.2" } },
					      .subflows = 1 };
	struct net n;
	int64_t at;

	net_start(&n, &spec, FROM_POOL);
	cr_assert(WAIT_FOR(pending_from(&n, "10.0.2.2")), "no join");
	answer_again(&n);
	at = now_ms();
	net_del(&n, "10.0.2.2");
	pairs_come_in(&n, "10.0.3.2-10.0.2.1", at, JOIN_MS);
	net_close(&n);
}

/* One endpoint: the first address does not answer, the second one does. */
static void dead_address_first(const struct net_spec *spec)
{
	const char *const reset[] = { "ss", "-K", "-tn", "dst", "10.0.3.2", NULL };
	int64_t at = now_ms();
	struct net n;
	int syns;

	net_start(&n, spec, FROM_POOL);
	cr_assert(WAIT_FOR(syns_to(&n, "10.0.2.1")), "no join");
	pairs_come_in(&n, "10.0.3.2-10.0.3.1", at, YIELD_MS);
	net_carries_data(&n);
	nap_ms(REPEAT_MS);
	syns = syns_to(&n, "10.0.2.1"); /* none more: the endpoint is in use */
	answer_again(&n);
	cr_assert_eq(proc_run(&n.world.server, NULL, reset), 0);
	cr_assert(WAIT_FOR(syns_to(&n, "10.0.2.1") > syns), "it is not tried again");
	cr_assert(WAIT_FOR(has_pairs(&n, "10.0.3.2-10.0.2.1")), "%s",
		  pairs_text(&n.world.client, 0, false));
	net_carries_data(&n);
	net_close(&n);
}

#define DEAD_FIRST                                                                \
	.announced = { { "10.0.2.1" }, { "10.0.3.1" } }, .server_nft = SYNS_TO_2, \
	.pool_text

Test(unanswered, private_address_of_no_use_gives_way_to_a_good_one)
{
	static const struct net_spec spec = { DEAD_FIRST =
						      "[pool]\nendpoint = 10.0.3.2\n" };

	dead_address_first(&spec);
}

Test(unanswered, private_address_of_no_use_gives_way_to_a_good_one_for_a_device)
{
	static const struct net_spec spec = { DEAD_FIRST =
						      "[pool]\nendpoint = dev c3\n" };

	dead_address_first(&spec);
}

/* The remote ID goes with the join: REMOVE_ADDR ends it, as with the kernel's endpoints.
 */
static void withdrawn_while_pending(enum net_side side)
{
	static const struct net_spec spec = { .pool = { { "10.0.2.2" } },
					      .announced = { { "10.0.2.1", .id = 12 } },
					      .server_nft = SYNS_TO_2 };
	struct net n;
	int syns;

	net_start(&n, &spec, side);
	cr_assert(WAIT_FOR(pending_from(&n, "10.0.2.2")), "no join");
	cr_assert_eq(pending_from(&n, "10.0.2.2")->remote_id, 12);
	net_withdraw(&n, "10.0.2.1");
	cr_assert(WAIT_FOR(!pending_from(&n, "10.0.2.2")), "the join goes on");
	syns = syns_to(&n, "10.0.2.1");
	net_announce(&n, "10.0.3.1"); /* the endpoint is free */
	net_pairs_are(&n, "10.0.2.2-10.0.3.1");
	nap_ms(REPEAT_MS);
	cr_assert_eq(syns_to(&n, "10.0.2.1"), syns, "its SYN is repeated");
	net_close(&n);
}
NET_TEST(withdrawn_address_is_joined_no_more, withdrawn_while_pending)

static bool join_is_repeated(struct net *n)
{
	cr_assert_eq(capture_read(&n->wire), 0, "the capture missed packets");
	return capture_count(&n->wire, SEEN_MP_JOIN) >= 2;
}

/* The kernel repeats it; a second socket would come from the library. */
Test(unanswered, join_without_an_answer_outlives_changes_of_other_addresses)
{
	static const struct net_spec spec = { LOST_JOIN, .pool = { { "10.0.2.2" } },
					      .no_retry = true };
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	cr_assert(WAIT_FOR(net_joins_sent(&n) == 1));
	cr_assert_eq(host_ip(&n.world.client, "addr add 10.9.9.9/32 dev lo"), 0);
	cr_assert(WAIT_FOR(join_is_repeated(&n)));
	cr_assert_eq(net_joins_sent(&n), 1);
	net_close(&n);
}

/* A new route sends it again, from another port. */
Test(unanswered, join_of_a_subflow_endpoint_is_sent_again_over_a_new_route)
{
	static const struct net_spec spec = {
		.pool = { { "10.0.2.2", EP_SUBFLOW } },
		.server_nft = "table inet t { chain in { type filter hook input priority "
			      "0; ip saddr 10.0.2.2 tcp flags & (syn | ack) == syn drop; "
			      "}; }"
	};
	struct net n;

	net_start(&n, &spec, FROM_POOL);
	cr_assert(WAIT_FOR(net_joins_sent(&n) == 1), "no join");
	nap_ms(300); /* so old that it is ended at once: 150 ms */
	cr_assert_eq(host_ip(&n.world.client, "route add 10.7.0.0/16 via 10.0.2.1\n"), 0);
	cr_assert(WAIT_FOR(net_joins_sent(&n) == 2), "it is not sent again");
	answer_again(&n);
	cr_assert(WAIT_FOR(has_pairs(&n, "10.0.2.2-10.0.1.1")), "%s",
		  pairs_text(&n.world.client, 0, false));
	net_close(&n);
}
