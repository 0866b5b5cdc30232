// SPDX-License-Identifier: MIT
/*
 * net.c - one client, one server, a pool and announcements, for all network tests
 */
#include "net.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

#define STABLE_MS   60
#define STABLE_MAX  10	  /* times as much on a busy machine */
#define LOST_MS	    15000 /* then the kernel has lost it */
#define LOST_TRIES  3
#define SUBFLOW_MAX 8 /* the kernel's MPTCP_PM_ADDR_MAX */

/* The server's kernel announces. */
static void announce_by_kernel(struct net *n)
{
	const struct net_spec *s = n->spec;
	const struct host *server = &n->world.server;
	int r;

	cr_assert_eq(host_path_manager(server, PM_KERNEL), 0);
	/* The server's limit must not matter. */
	cr_assert_eq(limits_set(server, SUBFLOW_MAX, s->server_accepted), 0);
	if (s->no_join_id0)
		cr_assert_eq(host_sysctl(server, "net/mptcp/allow_join_initial_addr_port",
					 "0"),
			     0);
	for (const struct endpoint_spec *p = s->announced; p->addr; p++) {
		struct endpoint_spec e = *p;

		e.flags |= EP_SIGNAL;
		r = endpoint_add(server, &e);
		cr_assert_eq(r, 0, "signal %s: %s", p->addr, strerror(-r));
		n->announced++;
	}
}

/* The server program's own manager announces. Return: its environment. */
static const char *const *announce_by_pool(struct net *n, struct shim_env *shim)
{
	char path[64];
	FILE *f;

	cr_assert_eq(host_path_manager(&n->world.server, PM_USERSPACE), 0);
	snprintf(path, sizeof(path), "/run/server-%d.conf", getpid());
	f = fopen(path, "we");
	cr_assert(f, "%s: %s", path, strerror(errno));
	fprintf(f, "[pool]\n");
	for (const struct endpoint_spec *p = n->spec->announced; p->addr; p++) {
		fprintf(f, "endpoint = %s signal", p->addr);
		if (p->port)
			fprintf(f, " port %u", p->port);
		fprintf(f, "\n");
		n->announced++;
	}
	fclose(f);
	return shim_env(shim, path);
}

static void open_server(struct net *n)
{
	const struct net_spec *s = n->spec;
	const struct host *server = &n->world.server;
	const char *const *env = NULL;
	const char *argv[5];
	struct shim_env shim;
	char path[PATH_MAX];
	int argc = 0, r;

	if (s->server_pool)
		env = announce_by_pool(n, &shim);
	else
		announce_by_kernel(n);
	if (s->server_nft)
		cr_assert_eq(host_nft(server, s->server_nft), 0);
	if (s->fastopen) {
		/* Both sides, and without a cookie: the first SYN could have data. */
		r = host_sysctl(server, "net/ipv4/tcp_fastopen", "519");
		cr_assert_eq(r, 0);
		r = host_sysctl(&n->world.client, "net/ipv4/tcp_fastopen", "519");
		cr_assert_eq(r, 0);
	}
	argv[argc++] = built("tests/apps/tcpserver", path, sizeof(path));
	if (s->fastopen)
		argv[argc++] = "-f";
	if (s->plain_tcp)
		argv[argc++] = "-p";
	argv[argc++] = NET_PORT;
	argv[argc] = NULL;
	r = proc_start(&n->server, server, argv, env);
	cr_assert_eq(r, 0, "server: %s", strerror(-r));
	cr_assert(WAIT_FOR(proc_said(&n->server, "listening")));
}

void net_open(struct net *n, const struct net_spec *spec, enum net_side side)
{
	int r;

	NEED_SANDBOX();
	*n = (struct net){ .side = side, .spec = spec, .wire = { .fd = -1 } };
	r = world_open(&n->world, 4);
	cr_assert_eq(r, 0, "two hosts: %s", strerror(-r));
	open_server(n);
	if (side == FROM_POOL) {
		r = host_path_manager(&n->world.client, PM_USERSPACE);
		cr_assert_eq(r, 0, "userspace path manager: %s", strerror(-r));
	} else {
		cr_assert_eq(host_path_manager(&n->world.client, PM_KERNEL), 0);
	}
	net_pool_open(n);
	r = capture_open(&n->wire, &n->world.client);
	cr_assert_eq(r, 0, "capture: %s", strerror(-r));
}

static void start_client(struct net *n)
{
	char path[PATH_MAX], lib[PATH_MAX];
	const char *const *env = NULL;
	const char *argv[13];
	struct shim_env shim;
	int argc = 0, r;

	argv[argc++] = built("tests/apps/tcpclient", path, sizeof(path));
	for (int i = 0; i < 6 && n->spec->client_args[i]; i++)
		argv[argc++] = n->spec->client_args[i];
	if (n->side == FROM_KERNEL)
		argv[argc++] = "-m";
	if (n->spec->announced_first && n->announced)
		argv[argc++] = "-w";
	argv[argc++] = n->spec->connect ? n->spec->connect : "10.0.1.1";
	argv[argc++] = NET_PORT;
	argv[argc] = NULL;
	if (n->side == FROM_POOL) {
		built("libmptcpaddr.so", lib, sizeof(lib));
		cr_assert_eq(access(lib, R_OK), 0, "%s: %s", lib, strerror(errno));
		env = shim_env(&shim, n->pool_path);
	}
	r = proc_start(&n->client, &n->world.client, argv, env);
	cr_assert_eq(r, 0, "client: %s", strerror(-r));
}

static void await_announcement(struct net *n)
{
	cr_assert(WAIT_FOR(proc_said(&n->client, "waiting")));
	cr_assert(WAIT_FOR(counter(&n->world.client, "AddAddr") > 0), "no ADD_ADDR came");
	cr_assert_eq(proc_tell(&n->client, "go"), 0);
}

void net_connect(struct net *n, int count)
{
	char want[32], *errors;
	bool ok;

	start_client(n);
	if (n->spec->announced_first && n->announced)
		await_announcement(n);
	snprintf(want, sizeof(want), "connected %d\n", count);
	/* A failed program never prints it. */
	ok = WAIT_FOR(proc_said(&n->client, want) ||
		      proc_wait(&n->client, 0) != -ETIMEDOUT);
	errors = proc_errors(&n->client);
	cr_assert(ok && n->client.pid, "the client did not connect: %s", errors);
	free(errors);
}

void net_start(struct net *n, const struct net_spec *spec, enum net_side side)
{
	net_open(n, spec, side);
	net_connect(n, 1);
}

void net_close(struct net *n)
{
	char *errors;
	int r;

	proc_eof(&n->client);
	r = proc_wait(&n->client, EFFECT_MS);
	errors = proc_errors(&n->client);
	cr_assert_eq(r, 0, "the client ended with %d: %s", r, errors);
	free(errors);
	proc_end(&n->client);
	proc_end(&n->server);
	capture_close(&n->wire);
	world_close(&n->world);
	if (n->side == FROM_POOL)
		unlink(n->pool_path);
}

void net_announce_as(struct net *n, const struct endpoint_spec *spec)
{
	struct endpoint_spec e = *spec;
	int r;

	e.flags |= EP_SIGNAL;
	r = endpoint_add(&n->world.server, &e);
	cr_assert_eq(r, 0, "announcing %s: %s", e.addr, strerror(-r));
	n->announced++;
	n->last = e;
}

void net_announce(struct net *n, const char *addr)
{
	const struct endpoint_spec e = { .addr = addr };

	net_announce_as(n, &e);
}

static bool all_echoed(const struct net *n)
{
	return counter(&n->world.server, "EchoAdd") >= n->announced;
}

/*
 * The server's kernel may drop an option that does not fit into its packet. Not by
 * cr_log_warn(): Criterion counts a warning as a failure of the whole run.
 */
static void announce_again(struct net *n, const struct endpoint_spec *e)
{
	fprintf(stderr, "%s is announced again\n", e->addr);
	endpoint_del(&n->world.server, e->addr);
	cr_assert_eq(endpoint_add(&n->world.server, e), 0);
	net_carries_data(n); /* also an option that waits for a packet */
	cr_assert(WAIT_FOR(all_echoed(n)), "%d announcements, %d echoes; %s",
		  n->announced, (int)counter(&n->world.server, "EchoAdd"),
		  n->spec->about ?: "");
}

void net_withdraw(struct net *n, const char *addr)
{
	const struct endpoint_spec e = { .addr = addr, .flags = EP_SIGNAL };
	int64_t before = counter(&n->world.client, "RmAddr");
	int r;

	for (int i = 0; i < LOST_TRIES; i++) {
		r = endpoint_del(&n->world.server, addr);
		cr_assert_eq(r, 0, "withdrawing %s: %s", addr, strerror(-r));
		if (WAIT_UNTIL(counter(&n->world.client, "RmAddr") > before, LOST_MS))
			return;
		n->announced++;
		announce_again(n, &e);
	}
	cr_assert_fail("no RM_ADDR of %s came", addr);
}

/* Whether the client has joins in progress. */
static bool half_open(const struct net *n)
{
	struct subflows s = { 0 };
	bool any = false;

	cr_assert_eq(subflows_read(&n->world.client, &s), 0);
	for (size_t i = 0; i < s.count; i++)
		any |= s.at[i].state == TCP_SYN_SENT;
	subflows_free(&s);
	return any;
}

static bool manager_idle(struct net *n)
{
	const struct pm_counters *c;
	struct ctl_manager m;

	if (n->side == FROM_KERNEL)
		return true;
	net_manager(n, &m);
	c = &m.counters;
	return m.early == 0 &&
	       c->add_addr_rx == (uint64_t)counter(&n->world.client, "AddAddr") &&
	       c->rm_addr_rx == (uint64_t)counter(&n->world.client, "RmAddr") &&
	       c->subflows_requested ==
		       c->subflows_established + c->subflows_failed + c->subflows_refused;
}

/* Whether an announcement of the client still lacks its echo. */
static bool announcing(struct net *n)
{
	const struct seen *s, *end;
	bool echoed = true;

	capture_read(&n->wire);
	end = n->wire.at + n->wire.count;
	for (s = n->wire.at; s < end && echoed; s++) {
		const struct seen *e = s;

		if (s->kind != SEEN_ADD_ADDR || !s->outgoing)
			continue;
		while (e < end && (e->outgoing || e->address_id != s->address_id ||
				   e->kind != SEEN_ADD_ADDR_ECHO))
			e++;
		echoed = e < end;
	}
	return !echoed;
}

static bool same_pairs(const struct net *n, char **ret)
{
	char *there = pairs_text(&n->world.server, 0, true);
	bool same;

	*ret = pairs_text(&n->world.client, 0, false);
	same = !strcmp(*ret, there);
	free(there);
	return same;
}

/* Longer on a busy machine: the kernel's workers wait, too. */
static int stable_ms(void)
{
	int load = machine_load();

	return STABLE_MS * (load > STABLE_MAX ? STABLE_MAX : load);
}

/* The same on both hosts, and still so a while later. */
static bool stable(const struct net *n)
{
	char *before, *after;
	bool same;

	same = same_pairs(n, &before);
	if (same) {
		nap_ms(stable_ms());
		same = same_pairs(n, &after) && !strcmp(before, after);
		free(after);
	}
	free(before);
	return same;
}

void net_show(struct net *n)
{
	char *text;

	capture_read(&n->wire);
	text = capture_text(&n->wire);
	cr_log_error("seen on the client's wires:\n%s", text);
	free(text);
	text = proc_errors(&n->client);
	cr_log_error("the client's standard error:\n%s", text);
	free(text);
}

void net_settle(struct net *n)
{
	struct ctl_manager m = { 0 };

	if (!WAIT_UNTIL(all_echoed(n), LOST_MS))
		announce_again(n, n->last.addr ? &n->last : n->spec->announced);
	if (WAIT_FOR(!half_open(n) && manager_idle(n) && !announcing(n) && stable(n)))
		return;
	if (n->side == FROM_POOL)
		net_manager(n, &m);
	cr_assert_fail(
		"no rest after %d ms: half open %d; client %s; server %s; manager: "
		"received %d, requested %d, established %d, failed %d, early %d; %s",
		EFFECT_MS, half_open(n), pairs_text(&n->world.client, 0, false),
		pairs_text(&n->world.server, 0, true), (int)m.counters.add_addr_rx,
		(int)m.counters.subflows_requested, (int)m.counters.subflows_established,
		(int)m.counters.subflows_failed, (int)m.early, n->spec->about ?: "");
}

static void pairs_must_be(struct net *n, bool hold, const char *pairs)
{
	if (hold)
		return;
	net_show(n);
	cr_assert_fail("the client has \"%s\", the server \"%s\", wanted \"%s\"",
		       pairs_text(&n->world.client, 0, false),
		       pairs_text(&n->world.server, 0, true), pairs);
}

static bool pairs_equal(struct net *n, const char *pairs)
{
	char *client, *server;
	bool equal;

	net_settle(n);
	client = pairs_text(&n->world.client, 0, false);
	server = pairs_text(&n->world.server, 0, true);
	equal = !strcmp(client, pairs) && !strcmp(server, pairs);
	free(client);
	free(server);
	return equal;
}

void net_pairs_are(struct net *n, const char *pairs)
{
	pairs_must_be(n, pairs_equal(n, pairs), pairs);
}

void net_pairs_become(struct net *n, const char *pairs)
{
	pairs_must_be(n, WAIT_FOR(pairs_equal(n, pairs)), pairs);
}

static void counter_is(const struct host *h, const char *name, int value)
{
	int64_t is = counter(h, name);

	cr_assert_eq(is, value, "%s of the %s is %d, wanted %d", name, h->name, (int)is,
		     value);
}

void net_counters_are(struct net *n, int joins, int add_addrs, int echoes)
{
	/* Linux 6.18 repeats an ADD_ADDR after a round-trip time, which load can reach.
	 */
	int64_t sent = counter(&n->world.server, "AddAddrTx"); /* since Linux 6.7 */
	int again = sent == -ENOENT ? 0 : sent - n->announced;
	int64_t echoed = counter(&n->world.server, "EchoAdd");

	counter_is(&n->world.server, "MPJoinSynRx", joins);
	counter_is(&n->world.client, "MPJoinSynAckRx", joins);
	counter_is(&n->world.server, "MPJoinAckRx", joins);
	counter_is(&n->world.client, "AddAddr", add_addrs + again);
	/* One acknowledgement may echo an ADD_ADDR and its repetition together. */
	cr_assert(echoed >= echoes && echoed <= echoes + again,
		  "EchoAdd of the server is %d, wanted %d and at most %d for repetitions",
		  (int)echoed, echoes, again);
}

void net_carries_data(struct net *n)
{
	char *errors;
	bool ok;

	cr_assert_eq(proc_tell(&n->client, "echo 200000"), 0);
	ok = WAIT_FOR(proc_said(&n->client, "echoed 200000"));
	errors = proc_errors(&n->client);
	if (!ok && n->spec->about)
		net_show(n);
	cr_assert(ok, "no echo: %s%s", errors, n->spec->about ?: "");
	free(errors);
}

void net_manager(struct net *n, struct ctl_manager *ret)
{
	int r;

	/* The control socket may open after the first connection. */
	cr_assert(WAIT_FOR((r = manager_ask(&n->world.client, n->client.pid, ret)) == 0),
		  "the manager does not answer: %s", strerror(-r));
}

void net_tables_are_empty(struct net *n)
{
	struct ctl_manager m = { 0 };

	WAIT_FOR((net_manager(n, &m), !m.connections && !m.early));
	cr_assert_eq(m.connections, 0, "%u connections are left", m.connections);
	cr_assert_eq(m.used_ids, 0, "%u local IDs are left", m.used_ids);
	cr_assert_eq(m.early, 0, "%u early events are left", m.early);
}

/* Is the @i-th packet the first of a join, and no retransmission? */
static bool starts_join(const struct capture *wire, size_t i)
{
	const struct seen *at = wire->at;
	size_t k;

	if (at[i].kind != SEEN_MP_JOIN || !at[i].outgoing)
		return false;
	for (k = 0; k < i; k++)
		if (at[k].kind == SEEN_MP_JOIN && at[k].outgoing &&
		    !memcmp(&at[k].src.ip, &at[i].src.ip, sizeof(at[i].src.ip)) &&
		    at[k].src.port == at[i].src.port)
			return false;
	return true;
}

int net_joins_sent(struct net *n)
{
	int64_t sent = counter(&n->world.client, "MPJoinSynTx"); /* since Linux 6.12 */
	int seen = 0;

	if (sent != -ENOENT)
		return sent;
	cr_assert_eq(capture_read(&n->wire), 0, "the capture missed packets");
	for (size_t i = 0; i < n->wire.count; i++)
		seen += starts_join(&n->wire, i);
	return seen;
}

void net_run(const struct net_case *c, enum net_side side)
{
	struct net n;

	net_start(&n, &c->spec, side);
	net_pairs_are(&n, c->pairs);
	if (c->joins || c->add_addrs || c->echoes)
		net_counters_are(&n, c->joins, c->add_addrs, c->echoes);
	if (c->check)
		c->check(&n);
	net_carries_data(&n);
	net_close(&n);
}

void net_compare(const char *about, char *(*run)(void *arg, enum net_side side),
		 void *arg)
{
	char *pool, *kernel;
	int equal = 0, different = 0;

	while (different < 2 && equal <= different) {
		pool = run(arg, FROM_POOL);
		kernel = run(arg, FROM_KERNEL);
		if (!strcmp(kernel, pool))
			equal++;
		else
			different++;
		if (different == 1 && !equal)
			fprintf(stderr, "%s: once more\n", about);
		cr_assert_lt(different, 2, "%s\n--- kernel\n%s\n--- pool\n%s", about,
			     kernel, pool);
		free(kernel);
		free(pool);
	}
}
