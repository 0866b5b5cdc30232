// SPDX-License-Identifier: MIT
/*
 * many.c - a thousand connections of one program, each with its own pairs
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "shim.h"

#define CONNECTIONS_MAX 1000

static const struct net_spec one_side = {
	.pool = { { "10.0.2.2" }, { "10.0.3.2" } },
	.announced = { { "10.0.2.1" }, { "10.0.3.1" } },
};

/* An emulated machine is too slow for a thousand. */
static int connections(void)
{
	const char *count = getenv("MPTCPADDR_TEST_CONNECTIONS");
	int n = count ? atoi(count) : CONNECTIONS_MAX;

	return n > 0 && n < CONNECTIONS_MAX ? n : CONNECTIONS_MAX;
}

static bool is(const struct subflow *f, bool server, const char *client_addr,
	       const char *server_addr)
{
	char a[ADDRESS_TEXT_MAX], b[ADDRESS_TEXT_MAX];

	address_text(server ? &f->remote : &f->local, a);
	address_text(server ? &f->local : &f->remote, b);
	return f->state == TCP_ESTABLISHED && !strcmp(a, client_addr) &&
	       !strcmp(b, server_addr);
}

/*
 * A server's pool announces both addresses at once; with Linux 6.1 on a busy machine, the
 * second one sometimes arrives first. The kernel's path manager waits for the first echo.
 */
static bool pairs_are_crossed(const struct subflow *f, bool server)
{
	return is(&f[server ? 2 : 1], server, "10.0.2.2", "10.0.3.1") &&
	       is(&f[server ? 1 : 2], server, "10.0.3.2", "10.0.2.1");
}

/* The three subflows at @f, and no other, belong to one connection. */
static bool whole_connection(const struct subflow *f, bool server, bool any_order)
{
	if (f[0].token != f[1].token || f[0].token != f[2].token)
		return false;
	if (f[0].joined || !f[1].joined || !f[2].joined)
		return false;
	if (!is(&f[0], server, "10.0.1.2", "10.0.1.1"))
		return false;
	if (any_order && pairs_are_crossed(f, server))
		return true;
	/* Sorted by local address, whose order is the same on both sides. */
	return is(&f[1], server, "10.0.2.2", "10.0.2.1") &&
	       is(&f[2], server, "10.0.3.2", "10.0.3.1");
}

/* Every connection of @h has its three subflows; @s receives them, sorted by token. */
static void all_whole(const struct host *h, bool server, bool any_order,
		      struct subflows *s)
{
	cr_assert_eq(subflows_read(h, s), 0);
	cr_assert_eq(s->count, 3U * connections(), "the %s has %zu subflows", h->name,
		     s->count);
	for (size_t i = 0; i < s->count; i += 3) {
		cr_assert(whole_connection(&s->at[i], server, any_order),
			  "connection with token %#x of the %s: %s", s->at[i].token,
			  h->name, pairs_text(h, s->at[i].token, server));
		cr_assert(i == 0 || s->at[i].token != s->at[i - 1].token);
	}
}

static int by_token(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The connections of the two hosts are the same: a join knows the peer's token. */
static void same_connections(const struct subflows *client, const struct subflows *server)
{
	uint32_t tokens[CONNECTIONS_MAX];

	for (int i = 0; i < connections(); i++)
		tokens[i] = client->at[3 * i + 1].remote_token;
	qsort(tokens, connections(), sizeof(tokens[0]), by_token);
	for (int i = 0; i < connections(); i++)
		cr_assert_eq(tokens[i], server->at[3 * i].token);
}

/* The server's manager has dropped the closed connections, too. */
static void server_is_empty(struct net *n)
{
	struct ctl_manager m = { .connections = 1 };

	cr_assert(WAIT_FOR(manager_ask(&n->world.server, n->server.pid, &m) == 0 &&
			   !m.connections),
		  "%u connections are left", m.connections);
	cr_assert_eq(m.used_ids, 0);
	cr_assert_eq(m.counters.add_addr_tx, 2 * connections());
	cr_assert_eq(m.overruns, 0);
}

static void thousand(const struct net_spec *pools, enum net_side side)
{
	struct net_spec spec = *pools;
	char count[16];
	struct subflows client = { 0 }, server = { 0 };
	int64_t started;
	struct net n;

	snprintf(count, sizeof(count), "%d", connections());
	spec.client_args[0] = "-N";
	spec.client_args[1] = count;
	net_open(&n, &spec, side);
	started = now_ms();
	net_connect(&n, connections());
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 2 * connections() &&
			   joined_count(&n.world.server) == 2 * connections()),
		  "the client has %d joins, the server %d", joined_count(&n.world.client),
		  joined_count(&n.world.server));
	cr_log_info("%d subflows after %d ms", 3 * connections(),
		    (int)(now_ms() - started));
	net_carries_data(&n);
	all_whole(&n.world.client, false, spec.server_pool, &client);
	all_whole(&n.world.server, true, spec.server_pool, &server);
	same_connections(&client, &server);
	subflows_free(&client);
	subflows_free(&server);

	cr_assert_eq(proc_tell(&n.client, "close"), 0);
	cr_assert(WAIT_FOR(proc_said(&n.client, "closed")));
	cr_assert(WAIT_FOR(joined_count(&n.world.client) == 0));
	if (side == FROM_POOL) {
		struct ctl_manager m;

		net_tables_are_empty(&n);
		net_manager(&n, &m);
		cr_assert_eq(m.registrations, connections());
		cr_assert_eq(m.overruns, 0);
	}
	if (spec.server_pool)
		server_is_empty(&n);
	proc_eof(&n.client);
	cr_assert_eq(proc_wait(&n.client, EFFECT_MS), 0);
	net_close(&n);
}

Test(pool, thousand_connections_get_three_subflows_each_and_leave_nothing)
{
	thousand(&one_side, FROM_POOL);
}

/* Both ends are under the shim, neither kernel decides anything. */
Test(pool, thousand_connections_between_two_programs_with_pools)
{
	static const struct net_spec both = {
		.pool = { { "10.0.2.2" }, { "10.0.3.2" } },
		.announced = { { "10.0.2.1" }, { "10.0.3.1" } },
		.server_pool = true,
	};

	thousand(&both, FROM_POOL);
}

Test(kernel, thousand_connections_get_three_subflows_each_and_leave_nothing)
{
	thousand(&one_side, FROM_KERNEL);
}

/* What @p lacks, into @to; a whole program is not worth a line. */
static void show_program(FILE *to, const struct net *n, const struct proc *p)
{
	struct ctl_manager m = { 0 };
	const int r = manager_ask(&n->world.client, p->pid, &m);
	const struct pm_counters *c = &m.counters;

	if (c->subflows_established == 20)
		return;
	fprintf(to,
		"\n%d: %s; %d registered, %u known, %d foreign events, %d overruns; %d "
		"ADD_ADDR; joins: %d requested, %d established, %d failed; %s",
		p->pid, strerror(-r), (int)m.registrations, m.connections,
		(int)m.events_foreign, (int)m.overruns, (int)c->add_addr_rx,
		(int)c->subflows_requested, (int)c->subflows_established,
		(int)c->subflows_failed, proc_errors(p));
}

/* Each with a manager of its own, which sees the events of all. */
Test(pool, thirty_programs_at_once_get_all_their_subflows)
{
	static const struct net_spec few = {
		.pool = { { "10.0.2.2" }, { "10.0.3.2" } },
		.announced = { { "10.0.2.1" }, { "10.0.3.1" } },
		.client_args = { "-N", "10" },
	};
	char path[PATH_MAX];
	const char *argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
			       "-N",
			       "10",
			       "10.0.1.1",
			       NET_PORT,
			       NULL };
	struct shim_env shim;
	struct proc more[29];
	FILE *lacking;
	struct net n;
	size_t size;
	char *text;
	bool held;
	int r;

	net_open(&n, &few, FROM_POOL);
	for (int i = 0; i < 29; i++) {
		r = proc_start(&more[i], &n.world.client, argv,
			       shim_env(&shim, n.pool_path));
		cr_assert_eq(r, 0);
	}
	net_connect(&n, 10);
	held = WAIT_FOR(joined_count(&n.world.client) == 600 &&
			joined_count(&n.world.server) == 600);
	lacking = open_memstream(&text, &size);
	for (int i = 0; i < 30 && !held; i++)
		show_program(lacking, &n, i < 29 ? &more[i] : &n.client);
	fclose(lacking);
	cr_assert(held,
		  "the client has %d joins, the server %d; %d SYNs without option%s",
		  joined_count(&n.world.client), joined_count(&n.world.server),
		  (int)counter(&n.world.client, "MPCapableSYNTXDrop"), text);
	free(text);
	for (int i = 0; i < 29; i++) {
		proc_eof(&more[i]);
		cr_assert_eq(proc_wait(&more[i], EFFECT_MS), 0);
		proc_end(&more[i]);
	}
	net_close(&n);
}
