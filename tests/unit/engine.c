// SPDX-License-Identifier: MIT
/*
 * engine.c - histories played to the engine: the rules of DESIGN.md section 4
 *
 * The server's addresses are 10.0.i.1, the client's 10.0.i.2, as in the kernel's own
 * selftests.
 */
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#define THREE "[pool]\nendpoint=10.0.1.2\nendpoint=10.0.2.2\nendpoint=10.0.3.2\n"

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
}

Test(engine, endpoints_are_tried_in_the_order_of_the_file)
{
	struct play p;

	connected(&p, "[pool]\nendpoint=10.0.4.2\nendpoint=10.0.2.2\nendpoint=10.0.3.2");
	play_join(&p, 1, "10.0.4.2", "10.0.2.1:80");
	play_join(&p, 2, "10.0.2.2", "10.0.3.1:80");
	play_join(&p, 3, "10.0.3.2", "10.0.4.1:80");
	play_close(&p);
}

Test(engine, third_announcement_takes_the_third_address_and_not_the_second)
{
	struct play p;

	connected(&p, THREE);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_join(&p, 2, "10.0.3.2", "10.0.3.1:80");
	play_close(&p);
}

Test(engine, address_of_a_closed_subflow_serves_again)
{
	struct play p;
	struct pm_cmd b;

	connected(&p, THREE);
	b = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_join(&p, 2, "10.0.3.2", "10.0.3.1:80");
	play_down(&p, &b, 0);
	wanted_none(&p);
	play_join(&p, 3, "10.0.2.2", "10.0.4.1:80");
	play_close(&p);
}

Test(engine, address_of_the_first_subflow_is_never_taken)
{
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "10.0.2.2", "10.0.1.1:80");
	play_join(&p, 1, "10.0.1.2", "10.0.2.1:80");
	play_join(&p, 2, "10.0.3.2", "10.0.3.1:80");
	play_announce(&p, TOKEN, 3, "10.0.4.1:80");
	wanted_none(&p);
	play_close(&p);
}

Test(engine, address_of_the_first_subflow_serves_once_that_has_closed)
{
	struct play p;

	connected(&p, "[pool]\nendpoint=10.0.1.2");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_foreign_down(&p, TOKEN, "10.0.1.2:40001", "10.0.1.1:80");
	wanted(&p, "10.0.1.2", "10.0.2.1:80");
	play_close(&p);
}

Test(engine, address_of_a_subflow_that_somebody_else_made_is_not_taken)
{
	struct play p;

	connected(&p, THREE);
	play_foreign_up(&p, TOKEN, "10.0.2.2:555", 9, "10.0.9.1:80");
	play_join(&p, 1, "10.0.3.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p);
	play_foreign_down(&p, TOKEN, "10.0.2.2:555", "10.0.9.1:80");
	wanted(&p, "10.0.2.2", "10.0.3.1:80");
	play_close(&p);
}

Test(engine, pending_subflow_keeps_its_address)
{
	struct play p;

	connected(&p, THREE);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted(&p, "10.0.2.2", "10.0.2.1:80"); /* not answered yet */
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted(&p, "10.0.3.2", "10.0.3.1:80");
	play_close(&p);
}

Test(engine, v4_socket_takes_v4_endpoints_for_v4_announcements_only)
{
	struct play p;

	connected(&p, "[pool]\nendpoint=2001:db8:2::2\nendpoint=10.0.2.2");
	play_announce(&p, TOKEN, 1, "[2001:db8:2::1]:80");
	wanted_none(&p);
	play_join(&p, 2, "10.0.2.2", "10.0.2.1:80");
	play_close(&p);
}

Test(engine, dual_stack_socket_takes_either_family_if_both_sides_agree)
{
	struct play p;

	play_open(&p, "[pool]\nendpoint=10.0.2.2\nendpoint=2001:db8:3::2\n"
		      "endpoint=10.0.4.2\n");
	play_connect(&p, TOKEN, "[2001:db8:1::2]", "[2001:db8:1::1]:80");
	play_join(&p, 1, "2001:db8:3::2", "[2001:db8:3::1]:80");
	play_join(&p, 2, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 3, "[2001:db8:4::1]:80");
	wanted_none(&p); /* 10.0.4.2 is free, but of the other family */
	play_close(&p);
}

Test(engine, mapped_v4_connection_counts_as_v4)
{
	struct play p;

	play_open(&p, THREE);
	play_connect(&p, TOKEN, "[::ffff:10.0.1.2]", "[::ffff:10.0.1.1]:80");
	play_announce(&p, TOKEN, 1, "[::ffff:10.0.1.1]:80");
	wanted_none(&p); /* reached already */
	play_join(&p, 2, "10.0.2.2", "10.0.2.1:80");
	play_close(&p);
}

Test(engine, v6only_socket_takes_v6_only)
{
	struct play p;

	play_open(&p, "[pool]\nendpoint=10.0.2.2\nendpoint=2001:db8:3::2\n");
	play_connect_v6only(&p, TOKEN, "[2001:db8:1::2]", "[2001:db8:1::1]:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_join(&p, 2, "2001:db8:3::2", "[2001:db8:3::1]:80");
	play_close(&p);
}

Test(engine, repeated_announcement_does_nothing_while_its_subflow_is_there)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, THREE);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80"); /* pending, unanswered */
	wanted_none(&p);
	play_answer(&p, &c, 0);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80"); /* pending */
	wanted_none(&p);
	play_up(&p, &c);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80"); /* live */
	wanted_none(&p);
	cr_assert_eq(engine_counters(p.engine)->add_addr_repeated, 3);
	cr_assert_eq(engine_counters(p.engine)->add_addr_joined, 1);
	play_close(&p);
}

Test(engine, repeated_announcement_is_joined_again_after_its_subflow_closed)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, THREE);
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_down(&p, &c, 0);
	wanted_none(&p); /* the peer has to announce it again */
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_close(&p);
}

Test(engine, address_that_a_subflow_reaches_is_not_joined_again)
{
	struct play p;

	connected(&p, THREE);
	play_announce(&p, TOKEN, 1, "10.0.1.1:80"); /* the first subflow */
	wanted_none(&p);
	play_foreign_up(&p, TOKEN, "10.0.9.2:555", 9, "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.2.1:80");
	wanted_none(&p);
	play_join(&p, 3, "10.0.2.2", "10.0.2.1:8080"); /* another port */
	play_close(&p);
}

Test(engine, one_address_under_two_ids_gets_one_subflow)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, THREE);
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.2.1:80");
	wanted_none(&p);
	play_down(&p, &c, 0);
	play_close(&p);
}

Test(engine, failure_of_one_of_two_ids_with_the_same_address_is_its_own)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2\nendpoint=10.0.3.2\n"
		      "[limits]\nadd_addr_accepted=1\n");
	c = play_join(&p, 9, "10.0.2.2", "10.0.9.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80"); /* both wait for the limit */
	play_announce(&p, TOKEN, 2, "10.0.2.1:80");
	wanted_none(&p);
	play_remove(&p, TOKEN, 1);
	play_down(&p, &c, 0);
	wanted_none(&p);
	play_remove(&p, TOKEN, 9);
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_answer(&p, &c, EADDRNOTAVAIL);
	c = wanted(&p, "10.0.3.2", "10.0.2.1:80");
	play_answer(&p, &c, EADDRNOTAVAIL);
	wanted_none(&p);
	cr_assert_leq(play_view(&p, TOKEN).waiting, 2);
	play_close(&p);
}

Test(engine, no_free_endpoint_means_no_syn_and_never_routings_choice)
{
	struct play p;

	connected(&p, "[pool]\nendpoint=10.0.2.2");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted_none(&p);
	cr_assert_eq(play_view(&p, TOKEN).waiting, 1);
	cr_assert_eq(engine_counters(p.engine)->add_addr_waiting, 1);
	play_close(&p);
}

Test(engine, waiting_announcement_is_served_when_an_endpoint_becomes_free)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	play_announce(&p, TOKEN, 3, "10.0.4.1:80");
	wanted_none(&p);
	play_down(&p, &c, ECONNRESET);
	c = wanted(&p, "10.0.2.2", "10.0.3.1:80"); /* in the order of arrival */
	play_answer(&p, &c, 0);
	play_up(&p, &c);
	play_down(&p, &c, 0);
	wanted(&p, "10.0.2.2", "10.0.4.1:80");
	play_close(&p);
}

Test(engine, pool_without_endpoints_leaves_the_address_to_routing)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[limits]\nsubflows=2\n");
	c = play_join(&p, 1, NULL, "10.0.2.1:80");
	cr_assert_eq(c.endpoint, PM_CMD_NO_ENDPOINT);
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	c = wanted(&p, NULL, "10.0.3.1:80");
	play_answer(&p, &c, ENETUNREACH);
	wanted_none(&p); /* there is nothing else to try */
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	wanted(&p, NULL, "10.0.3.1:80");
	play_close(&p);
}

Test(engine, announced_port_is_copied)
{
	struct play p;

	connected(&p, THREE);
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:8443");
	play_close(&p);
}

Test(engine, endpoint_gives_its_id_and_backup_flag)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2 id 77 backup\nendpoint=10.0.3.2\n");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	cr_assert_eq(c.local_id, 77);
	cr_assert_eq(c.flags, MPTCP_PM_ADDR_FLAG_BACKUP);
	cr_assert_eq(c.endpoint, 0);
	c = play_join(&p, 2, "10.0.3.2", "10.0.3.1:80");
	cr_assert_eq(c.local_id, 1);
	cr_assert_eq(c.flags, 0);
	cr_assert_eq(c.endpoint, 1);
	play_close(&p);
}

Test(engine, address_keeps_its_id_for_the_life_of_the_connection)
{
	struct play p;
	struct pm_cmd c;
	uint8_t local_id;

	connected(&p, THREE);
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	local_id = c.local_id;
	play_down(&p, &c, 0);
	play_foreign_up(&p, TOKEN, "10.0.7.2:7", 9, "10.0.7.1:80");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	cr_assert_eq(c.local_id, local_id);
	play_close(&p);
}

Test(engine, id_that_somebody_else_gave_to_another_address_is_not_used)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2 id 5\nendpoint=10.0.3.2 id 6\n");
	play_foreign_up(&p, TOKEN, "10.0.7.2:7", 5, "10.0.7.1:80");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	cr_assert_neq(c.local_id, 5, "ID 5 belongs to 10.0.7.2 on this connection");
	play_foreign_down(&p, TOKEN, "10.0.7.2:7", "10.0.7.1:80");
	play_down(&p, &c, 0);
	cr_assert_eq(play_join(&p, 1, "10.0.2.2", "10.0.2.1:80").local_id, c.local_id);
	play_close(&p);
}

Test(engine, id_that_somebody_else_gave_to_the_address_is_used)
{
	struct play p;

	connected(&p, "[pool]\nendpoint=10.0.2.2 id 5\n");
	play_foreign_up(&p, TOKEN, "10.0.2.2:7", 9, "10.0.7.1:80");
	play_foreign_down(&p, TOKEN, "10.0.2.2:7", "10.0.7.1:80");
	cr_assert_eq(play_join(&p, 1, "10.0.2.2", "10.0.2.1:80").local_id, 9);
	play_close(&p);
}

/* A refused create left no ID in the kernel: somebody else may have it. */
Test(engine, id_of_a_refused_create_that_somebody_else_took_is_given_up)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, "[pool]\nendpoint=10.0.2.2 id 5\n");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	cr_assert_eq(c.local_id, 5);
	play_answer(&p, &c, EADDRNOTAVAIL);
	play_foreign_up(&p, TOKEN, "10.0.7.2:7", 5, "10.0.7.1:80");
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	cr_assert_neq(c.local_id, 5, "ID 5 belongs to 10.0.7.2 on this connection");
	play_close(&p);
}

Test(engine, refused_create_is_tried_from_the_next_endpoint_at_once)
{
	static const int errors[] = { EADDRNOTAVAIL, ENETUNREACH, ENODEV, EHOSTUNREACH };
	struct play p;
	struct pm_cmd c;
	unsigned int i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		connected(&p, THREE);
		play_announce(&p, TOKEN, 1, "10.0.2.1:80");
		c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
		play_answer(&p, &c, errors[i]);
		c = wanted(&p, "10.0.3.2", "10.0.2.1:80");
		play_answer(&p, &c, 0);
		play_up(&p, &c);
		cr_assert_eq(play_view(&p, TOKEN).subflows, 2);
		/* 10.0.2.2 failed for the other announcement only. */
		play_join(&p, 2, "10.0.2.2", "10.0.3.1:80");
		play_close(&p);
	}
}

Test(engine, refused_join_is_tried_from_the_next_free_endpoint)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, THREE);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_answer(&p, &c, 0);
	play_down(&p, &c, ECONNREFUSED);
	c = wanted(&p, "10.0.3.2", "10.0.2.1:80");
	play_answer(&p, &c, 0);
	play_down(&p, &c, ETIMEDOUT);
	wanted_none(&p);
	cr_assert_eq(play_view(&p, TOKEN).waiting, 1);
	cr_assert_eq(play_view(&p, TOKEN).subflows, 1);
	cr_assert_eq(engine_counters(p.engine)->subflows_failed, 2);
	cr_assert_eq(engine_counters(p.engine)->closed_error, 0);
	play_close(&p);
}

/* The last row of the selftests' table in KERNEL.md. */
Test(engine, endpoint_of_a_refused_join_goes_to_who_did_not_try_it)
{
	struct play p;
	struct pm_cmd first, second;

	connected(&p, "[pool]\nendpoint=10.0.2.2\nendpoint=10.0.4.2\n");
	play_announce(&p, TOKEN, 1, "10.0.3.1:80");
	first = wanted(&p, "10.0.2.2", "10.0.3.1:80");
	play_answer(&p, &first, 0);
	play_announce(&p, TOKEN, 2, "10.0.4.1:80");
	second = wanted(&p, "10.0.4.2", "10.0.4.1:80");
	play_answer(&p, &second, 0);
	play_up(&p, &second);
	play_down(&p, &first, ECONNREFUSED);
	wanted_none(&p); /* 10.0.4.2 is in use, 10.0.2.2 was tried */
	play_down(&p, &second, 0);
	wanted(&p, "10.0.4.2", "10.0.3.1:80");
	play_close(&p);
}

/* Withdrawn, announced again, and only then the first join fails. */
Test(engine, announcement_renewed_during_its_join_is_not_forgotten)
{
	struct play p;
	struct pm_cmd c;

	connected(&p, THREE);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.2.1:80");
	play_answer(&p, &c, 0);
	play_remove(&p, TOKEN, 1);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	play_down(&p, &c, ECONNREFUSED);
	wanted(&p, "10.0.3.2", "10.0.2.1:80");
	play_close(&p);
}
