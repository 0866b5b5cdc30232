// SPDX-License-Identifier: MIT
/*
 * conn.c - the engine's tables
 */
#include "shim/engine/conn.h"
#include "play.h"

#include <criterion/criterion.h>
#include <malloc.h>

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
	struct subflow s = { .state = SUBFLOW_LIVE, .remote = at("10.0.0.1:80") };
	struct mpaddr addr = at("10.0.0.1");
	int i;

	s.local = at("10.0.0.2");
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
	struct subflow s = { .state = SUBFLOW_PENDING, .remote = at("10.0.2.1:80") };
	struct mpaddr local = at("10.0.2.2:5555"), other = at("10.0.3.2:5555");

	s.local = at("10.0.2.2");
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
	cr_assert_eq(HASH_COUNT(table.ids), 256);
	conn_free(conn);
	cr_assert_eq(HASH_COUNT(table.ids), 1);
	conn_table_free(&table);
	cr_assert_null(table.ids);
}

Test(conn, id_0_is_not_in_the_table)
{
	struct conn_table table = { 0 };
	struct conn *conn = add(&table, 1, 0);
	struct mpaddr addr = at("10.0.0.1");

	conn_id_seen(conn, &addr, 0);
	cr_assert_null(table.ids);
	cr_assert_eq(conn_id_for(conn, &addr, 0), 1);
	conn_table_free(&table);
}
