// SPDX-License-Identifier: MIT
/*
 * conn.c - the engine's tables
 */
#include "play.h"
#include "shim/engine/state.h"

#include <criterion/criterion.h>
#include <malloc.h>

static struct addr_ref ref(struct conn *conn, const char *text)
{
	const struct mpaddr addr = at(text);
	struct addr_ref ret;

	cr_assert(conn_ref(conn, &addr, &ret));
	return ret;
}

static struct conn *add(struct conn_table *table, uint32_t token, int64_t when)
{
	struct conn *conn = conn_add(
		table, &(struct pm_registration){ .token = token, .when = when });

	cr_assert(conn);
	return conn;
}

Test(conn, connections_are_found_by_token_confirmed_or_not)
{
	struct conn_table table = { 0 };
	struct conn *a = add(&table, 1, 0), *b = add(&table, 2, 0);

	conn_confirm(a);
	conn_confirm(a);
	cr_assert_eq(conn_find(&table, 1), a);
	cr_assert_eq(conn_find(&table, 2), b);
	cr_assert_null(conn_find(&table, 3));
	cr_assert_eq(HASH_COUNT(table.conns), 2);
	cr_assert_eq(table.n_unconfirmed, 1);
	conn_free(a);
	cr_assert_null(conn_find(&table, 1));
	conn_table_free(&table);
	cr_assert_null(table.conns);
	cr_assert_null(table.unconfirmed);
}

Test(conn, unconfirmed_connections_stay_in_the_order_of_registration)
{
	struct conn_table table = { 0 };
	struct conn *conn;
	uint32_t i;

	for (i = 1; i <= 1000; i++)
		add(&table, i * 2654435761u, i);
	for (i = 2; i <= 1000; i += 2)
		conn_confirm(conn_find(&table, i * 2654435761u));
	for (i = 1, conn = table.unconfirmed; conn; conn = conn->next, i += 2)
		cr_assert_eq(conn->registered, i);
	cr_assert_eq(i, 1001);
	conn_table_free(&table);
}

Test(conn, arrays_keep_their_order_while_they_grow_and_shrink)
{
	struct conn_table table = { 0 };
	struct conn *conn = add(&table, 1, 0);
	struct subflow s = { .state = SUBFLOW_LIVE, .remote = ref(conn, "10.0.0.1:80") };
	struct mpaddr addr = at("10.0.0.1");
	int i;

	s.local = ref(conn, "10.0.0.2");
	for (i = 1; i <= 20; i++) {
		s.local.port = addr.port = i;
		cr_assert(conn_subflow_add(conn, &s));
		cr_assert(conn_announced_add(conn, i, &addr));
	}
	for (i = 20; i >= 2; i -= 2) { /* delete the even ones */
		conn_subflow_del(conn, &conn->subflows[i - 1]);
		conn_announced_del(conn, &conn->announced[i - 1]);
	}
	cr_assert_eq(conn->n_subflows, 10);
	cr_assert_eq(conn->n_announced, 10);
	for (i = 0; i < 10; i++) {
		cr_assert_eq(conn->subflows[i].local.port, 2 * i + 1);
		cr_assert_eq(conn->announced[i].remote_id, 2 * i + 1);
	}
	s.local.port = 99;
	cr_assert(conn_subflow_add(conn, &s));
	cr_assert_eq(conn->subflows[10].local.port, 99);
	conn_table_free(&table);
}

Test(conn, pending_subflow_is_found_by_the_event_that_gives_it_a_port)
{
	struct conn_table table = { 0 };
	struct conn *conn = add(&table, 1, 0);
	struct subflow s = { .state = SUBFLOW_PENDING,
			     .local = ref(conn, "10.0.2.2"),
			     .remote = ref(conn, "10.0.2.1:80") };
	struct addr_ref local = ref(conn, "10.0.2.2:5555");
	struct addr_ref other = ref(conn, "10.0.3.2:5555");

	conn_subflow_add(conn, &s);
	cr_assert_eq(conn_subflow_find(conn, &local, &s.remote), conn->subflows);
	cr_assert_null(conn_subflow_find(conn, &other, &s.remote));
	cr_assert_null(conn_subflow_find(conn, &local, &other));
	conn->subflows->state = SUBFLOW_LIVE;
	conn->subflows->local = local;
	local.port++;
	cr_assert_null(conn_subflow_find(conn, &local, &s.remote));
	cr_assert(conn_uses(conn, &local));
	cr_assert(conn_reaches(conn, &s.remote));
	cr_assert_not(conn_uses(conn, &other));
	conn_table_free(&table);
}

Test(conn, every_id_is_assigned_once)
{
	struct conn_table table = { 0 };
	struct conn *conn = add(&table, 1, 0), *second = add(&table, 2, 0);
	struct mpaddr addr = at("10.0.0.0");
	bool given[256] = { false };
	int i, local_id;

	for (i = 1; i <= 255; i++) {
		addr.v6.s6_addr[3] = i;
		local_id = conn_id_for(conn, &addr, i % 2 ? 200 : 0);
		cr_assert(local_id > 0 && !given[local_id], "ID %d", local_id);
		given[local_id] = true;
	}
	addr.v6.s6_addr[2] = 1;
	cr_assert_eq(conn_id_for(conn, &addr, 7), 0);
	cr_assert_eq(conn_id_for(second, &addr, 7), 7);
	addr.v6.s6_addr[2] = 0;
	addr.v6.s6_addr[3] = 1;
	cr_assert_eq(conn_id_for(conn, &addr, 9), 200, "it keeps its ID");
	cr_assert_eq(table.n_ids, 256);
	conn_free(conn);
	cr_assert_eq(table.n_ids, 1);
	conn_table_free(&table);
	cr_assert_eq(table.n_ids, 0);
}

Test(conn, id_0_is_not_in_the_table)
{
	struct conn_table table = { 0 };
	struct conn *conn = add(&table, 1, 0);
	struct mpaddr addr = at("10.0.0.1");

	conn_id_seen(conn, &addr, 0);
	cr_assert_eq(table.n_ids, 0);
	cr_assert_eq(conn_id_for(conn, &addr, 0), 1);
	conn_table_free(&table);
}

static struct mpaddr numbered(uint16_t n)
{
	struct mpaddr addr = at("[2001:db8:1::]:80");

	addr.v6.s6_addr16[7] = n;
	return addr;
}

/* A peer may announce and withdraw new addresses as long as it likes. */
Test(conn, withdrawn_ipv6_addresses_are_forgotten)
{
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED, .token = TOKEN };
	const struct ref_table *refs;
	struct pm_cmds out = { 0 };
	struct conn *conn;
	struct play play;
	unsigned int i;

	play_open(&play, "[pool]|endpoint=2001:db8:2::2");
	refs = &play.engine->table.refs;
	play_connect(&play, TOKEN, "[2001:db8::2]:4000", "[2001:db8::1]:80");
	conn = conn_find(&play.engine->table, TOKEN);
	for (i = 1; i <= 20000; i++) {
		ev.type = PM_EVENT_ANNOUNCED;
		ev.remote = numbered(i);
		ev.remote_id = 1 + i % 30;
		engine_handle(play.engine, &ev, &out);
		cr_assert(conn_announced(conn, ev.remote_id,
					 conn_find_ref(conn, &ev.remote)));
		ev.type = PM_EVENT_REMOVED;
		ev.remote_id = 1 + (i + 1) % 30; /* the oldest one */
		out.n = 0;
		engine_handle(play.engine, &ev, &out);
	}
	cr_expect_lt(refs->n, 200);
	cr_expect_eq(conn->n_announced, 29);
	for (i = 0; i < 29; i++) {
		ev.remote = numbered(20000 - 28 + i);
		cr_expect(mpaddr_equal(conn_addr(conn, conn->announced[i].addr),
				       &ev.remote));
	}
	play_closed(&play, TOKEN);
	play_close(&play);
}
