// SPDX-License-Identifier: MIT
/*
 * randlive.c - random pools while everything changes: invariants after every step
 *
 * Changes that the kernel does not handle for its own endpoints: interfaces and
 * addresses come and go, limits change, the server refuses joins, the pool is edited
 * while announcements wait. There is no reference to compare with, so invariants are
 * checked.
 */
#include <criterion/parameterized.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "subflow.h"

#define SCENARIOS 150
#define STEPS	  8
#define LINKS	  4

struct state {
	struct net n;
	struct drawn d;
	bool down[LINKS + 1];	 /* by link */
	bool removed[LINKS + 1]; /* its IPv4 address */
	bool refused[LINKS + 1];
	int most; /* the highest limit so far */
	char log[2048];
	char why[256];
};

/* The link of 10.0.i.2 or dead:beef:i::2. */
static int link_of(const char *addr)
{
	return strchr(addr, '.') ? atoi(addr + 5) : atoi(addr + 10);
}

static void say(struct state *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct state *s, const char *fmt, ...)
{
	size_t len = strlen(s->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->log + len, sizeof(s->log) - len, fmt, ap);
	va_end(ap);
}

static bool there(const struct state *s, const char *addr)
{
	int link = link_of(addr);
	bool v4 = strchr(addr, '.');

	/* A link that goes down loses its IPv6 addresses; they come back with it. */
	return !s->down[link] && !(v4 && s->removed[link]);
}

/* No address twice, no ID with two addresses, not more than the limit: at any time. */
static bool safe(struct state *s, const struct subflows *all)
{
	char a[ADDRESS_TEXT_MAX], b[ADDRESS_TEXT_MAX];
	int extra = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct subflow *x = &all->at[i];
		const struct endpoint_spec *e = s->n.pool;

		if (x->state != TCP_ESTABLISHED && x->state != TCP_SYN_SENT)
			continue;
		extra += x->joined || x->state == TCP_SYN_SENT;
		address_text(&x->local, a);
		while (e->addr && strcmp(e->addr, a) != 0)
			e++;
		for (size_t k = 0; k < i; k++) {
			const struct subflow *y = &all->at[k];

			if (y->state != TCP_ESTABLISHED)
				continue;
			address_text(&y->local, b);
			if (!strcmp(a, b) && e->addr && e->flags & EP_LAMINAR &&
			    !(e->flags & (EP_SUBFLOW | EP_FULLMESH)) &&
			    x->state == TCP_ESTABLISHED) {
				snprintf(s->why, sizeof(s->why), "%s is used twice", a);
				return false;
			}
			if (x->state == TCP_ESTABLISHED && x->local_id == y->local_id &&
			    strcmp(a, b) != 0) {
				snprintf(s->why, sizeof(s->why), "ID %u: %s and %s",
					 x->local_id, a, b);
				return false;
			}
		}
	}
	snprintf(s->why, sizeof(s->why), "%d subflows, the limit is %d", extra, s->most);
	return extra <= s->most;
}

/* On the wire too, an ID never changes its address. */
static bool ids_kept(struct state *s)
{
	const struct capture *c = &s->n.wire;
	char a[ADDRESS_TEXT_MAX], b[ADDRESS_TEXT_MAX];

	cr_assert_eq(capture_read(&s->n.wire), 0);
	for (size_t i = 0; i < c->count; i++) {
		const struct seen *x = &c->at[i], *y = c->at;

		if (x->kind != SEEN_MP_JOIN || !x->outgoing)
			continue;
		for (; y < x; y++) {
			bool same_ip = address_same_ip(&y->src, &x->src);

			if (y->kind != SEEN_MP_JOIN || !y->outgoing ||
			    same_ip == (y->address_id == x->address_id))
				continue;
			/*
			 * The kernel chooses the IDs of addresses that routing picked.
			 */
			if (!same_ip && x->address_id && x->address_id < DRAWN_ID_MIN)
				continue;
			snprintf(s->why, sizeof(s->why),
				 "on the wire: %s with ID %u, %s with ID %u",
				 address_text(&y->src, a), y->address_id,
				 address_text(&x->src, b), x->address_id);
			return false;
		}
	}
	return true;
}

static void ctl_text(const struct mpaddr *addr, char ret[ADDRESS_TEXT_MAX])
{
	struct address a = address_from_raw(addr->family, addr->ip, 0);

	address_text(&a, ret);
}

static bool in_use(const struct subflows *all, const char *addr)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < all->count; i++)
		if ((all->at[i].state == TCP_ESTABLISHED ||
		     all->at[i].state == TCP_SYN_SENT) &&
		    !strcmp(address_text(&all->at[i].local, text), addr))
			return true;
	return false;
}

/* Whether the announced @a might be served from the endpoint @e. */
static bool free_for(struct state *s, const struct subflows *all,
		     const struct endpoint_spec *e, const struct pm_announced_report *a)
{
	bool v4_socket =
		strchr(s->d.spec.connect, '.') && !strchr(s->d.spec.connect, ':');
	bool v6_only = s->d.spec.client_args[0];
	int family = strchr(e->addr, '.') ? AF_INET : AF_INET6;

	return e->flags & EP_LAMINAR && family == a->addr.family &&
	       !(v4_socket && family != AF_INET) && !(v6_only && family != AF_INET6) &&
	       there(s, e->addr) && !in_use(all, e->addr);
}

static bool reached(const struct subflows *all, const char *addr)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].state == TCP_ESTABLISHED &&
		    !strcmp(address_text(&all->at[i].remote, text), addr))
			return true;
	return false;
}

/* No announcement waits while an endpoint is free and did not fail. */
static bool served(struct state *s, const struct subflows *all)
{
	struct pm_announced_report ann[64];
	struct pm_conn_report conn[4];
	const struct net *n = &s->n;
	int count, k;

	count = manager_list(&n->world.client, n->client.pid, CTL_OP_ANNOUNCED, ann,
			     sizeof(ann[0]), 64);
	k = manager_list(&n->world.client, n->client.pid, CTL_OP_CONNECTIONS, conn,
			 sizeof(conn[0]), 4);
	if (count < 0 || k != 1) { /* it has not started yet */
		snprintf(s->why, sizeof(s->why), "the manager answers %d and %d", count,
			 k);
		return false;
	}
	for (int i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_MAX];

		if (ann[i].state != PM_ANNOUNCED_WAITING || ann[i].retry_ms ||
		    ann[i].reason == PM_REASON_ERROR)
			continue;
		if (conn[0].extra_subflows >= n->subflows ||
		    conn[0].accepted >= n->accepted)
			continue;
		ctl_text(&ann[i].addr, text);
		if (reached(all, text))
			continue;
		for (const struct endpoint_spec *e = n->pool; e->addr; e++) {
			if (!free_for(s, all, e, &ann[i]))
				continue;
			snprintf(s->why, sizeof(s->why),
				 "%s waits (reason %u), %s is free", text, ann[i].reason,
				 e->addr);
			return false;
		}
	}
	return true;
}

/*
 * Subflows from removed addresses are closed, unless no other path is left; those of a
 * link that is down stay.
 */
static bool none_lost(struct state *s, const struct subflows *all)
{
	char text[ADDRESS_TEXT_MAX];
	int live = 0, lost = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct endpoint_spec *e = s->n.pool;

		if (all->at[i].state != TCP_ESTABLISHED)
			continue;
		live++;
		address_text(&all->at[i].local, text);
		while (e->addr && strcmp(e->addr, text) != 0)
			e++;
		if (e->addr && strchr(text, '.') && s->removed[link_of(text)]) {
			snprintf(s->why, sizeof(s->why), "a subflow from %s is left",
				 text);
			lost++;
		}
	}
	return !lost || lost == live;
}

static bool same_subflows(const struct subflows *a, const struct subflows *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; i < a->count && same; i++)
		same = a->at[i].state == b->at[i].state &&
		       !address_compare(&a->at[i].local, &b->at[i].local) &&
		       !address_compare(&a->at[i].remote, &b->at[i].remote);
	return same;
}

/*
 * A dump may list a subflow that closes meanwhile, and the one that takes its place: only
 * what two in a row agree on was there at one time.
 */
static void read_settled(struct state *s, struct subflows *ret)
{
	struct subflows before = { 0 };
	int tries = 100;

	cr_assert_eq(subflows_read(&s->n.world.client, ret), 0);
	do {
		subflows_free(&before);
		before = *ret;
		*ret = (struct subflows){ 0 };
		cr_assert_eq(subflows_read(&s->n.world.client, ret), 0);
	} while (!same_subflows(&before, ret) && --tries);
	subflows_free(&before);
	cr_assert(tries, "%s: the subflows change all the time", s->log);
}

static bool holds(struct state *s, bool settled)
{
	struct subflows all = { 0 };
	bool ok;

	read_settled(s, &all);
	ok = safe(s, &all) && ids_kept(s);
	if (!ok)
		net_show(&s->n);
	cr_assert(ok, "%s: %s", s->log, s->why);
	if (settled)
		ok = none_lost(s, &all) && served(s, &all);
	subflows_free(&all);
	return ok;
}

static void check(struct state *s)
{
	for (int i = 0; i < 8; i++) {
		holds(s, false);
		nap_ms(8);
	}
	if (WAIT_FOR(holds(s, true)))
		return;
	net_show(&s->n);
	cr_assert_fail("%s: %s", s->log, s->why);
}

static void ip(struct state *s, const char *commands)
{
	cr_assert_eq(host_ip(&s->n.world.client, commands), 0, "%s", commands);
}

/* The kernel forgets it with the link or the address. */
static void route(struct state *s, int link)
{
	char text[128];

	if (s->removed[link])
		return;
	snprintf(text, sizeof(text),
		 "route replace default via 10.0.%d.1 dev c%d metric %d\n", link, link,
		 10 * link);
	ip(s, text);
}

static void toggle_link(struct state *s, int link)
{
	char text[256];

	s->down[link] = !s->down[link];
	say(s, "* link %d %s\n", link, s->down[link] ? "down" : "up");
	if (s->down[link]) {
		snprintf(text, sizeof(text), "link set c%d down\n", link);
		ip(s, text);
		return;
	}
	snprintf(text, sizeof(text),
		 "link set c%d up\naddr replace dead:beef:%d::2/64 dev c%d nodad\n"
		 "route replace default via dead:beef:%d::1 dev c%d metric %d\n",
		 link, link, link, link, link, 10 * link);
	ip(s, text);
	route(s, link);
}

static void toggle_address(struct state *s, int link)
{
	char text[128];

	if (s->down[link])
		return;
	s->removed[link] = !s->removed[link];
	say(s, "* 10.0.%d.2 %s\n", link, s->removed[link] ? "removed" : "added");
	snprintf(text, sizeof(text), "addr %s 10.0.%d.2/24 dev c%d\n",
		 s->removed[link] ? "del" : "add", link, link);
	ip(s, text);
	route(s, link);
}

static void toggle_refusal(struct state *s, int link)
{
	char text[512];

	s->refused[link] = !s->refused[link];
	say(s, "* from link %d %s\n", link, s->refused[link] ? "refused" : "let in");
	if (s->refused[link])
		snprintf(text, sizeof(text),
			 "table inet t%d { chain in { type filter hook input priority 0;"
			 " ip saddr 10.0.%d.2 meta l4proto tcp reject with tcp reset;"
			 " ip6 saddr dead:beef:%d::2 meta l4proto tcp reject with tcp"
			 " reset; }; }",
			 link, link, link);
	else
		snprintf(text, sizeof(text), "delete table inet t%d", link);
	cr_assert_eq(host_nft(&s->n.world.server, text), 0);
}

static bool used_now(struct state *s, const char *addr)
{
	struct subflows all = { 0 };
	bool used;

	cr_assert_eq(subflows_read(&s->n.world.client, &all), 0);
	used = in_use(&all, addr);
	subflows_free(&all);
	return used;
}

/*
 * Whether a path that is neither from @link nor from @addr carries data. Link 1 does,
 * until its endpoint is deleted. Without any path announcements are lost, and a limit of
 * 0 prevents new ones.
 */
static bool works_without(struct state *s, int link, const char *addr)
{
	struct subflows all = { 0 };
	char text[ADDRESS_TEXT_MAX];
	bool works = false;
	int own;

	cr_assert_eq(subflows_read(&s->n.world.client, &all), 0);
	for (size_t i = 0; i < all.count; i++) {
		own = link_of(address_text(&all.at[i].local, text));
		works |= all.at[i].state == TCP_ESTABLISHED && own != link &&
			 strcmp(text, addr) != 0 && !s->refused[own] && !s->down[own];
	}
	subflows_free(&all);
	return works;
}

static void edit_pool(struct state *s, uint64_t *random)
{
	struct endpoint_spec e;
	int count = 0;

	while (s->n.pool[count].addr)
		count++;
	if (count && below(random, 2)) {
		e = s->n.pool[below(random, count)];
		if (!works_without(s, 0, e.addr))
			return;
		say(s, "* delete %s\n", e.addr);
		net_del(&s->n, e.addr);
		drawn_forget(&s->d, &e);
	} else if (count < NET_LIST_MAX - 2 && draw_endpoint(&s->d, random, &e)) {
		/*
		 * A missing address may never have existed, and routing may use an
		 * address more than once before it is an endpoint.
		 */
		if (!there(s, e.addr) || used_now(s, e.addr)) {
			drawn_forget(&s->d, &e);
			return;
		}
		say(s, "* add %s flags %#x\n", e.addr, e.flags);
		net_add(&s->n, &e);
	}
}

/* Whether a path survives the withdrawal of @addr. */
static bool others_reached(struct state *s, const char *addr)
{
	struct subflows all = { 0 };
	char text[ADDRESS_TEXT_MAX];
	bool others = false;

	cr_assert_eq(subflows_read(&s->n.world.client, &all), 0);
	for (size_t i = 0; i < all.count; i++)
		others |= all.at[i].state == TCP_ESTABLISHED &&
			  strcmp(address_text(&all.at[i].remote, text), addr) != 0;
	subflows_free(&all);
	return others;
}

static void peer_speaks(struct state *s, uint64_t *random)
{
	struct endpoint_spec e;
	int count = 0;

	while (s->d.announced[count].addr)
		count++;
	if (count && !below(random, 3)) {
		e = s->d.announced[below(random, count)];
		if (!others_reached(s, e.addr))
			return; /* the connection would have no path */
		say(s, "* withdraw %s\n", e.addr);
		cr_assert_eq(endpoint_del(&s->n.world.server, e.addr), 0);
		drawn_step(&s->d, true, &e);
	} else if (draw_announcement(&s->d, random, &e)) {
		say(s, "* announce %s port %u\n", e.addr, e.port);
		net_announce_as(&s->n, &e);
	}
}

static void change_limits(struct state *s, uint64_t *random)
{
	int subflows = below(random, 9), accepted = below(random, 9);

	say(s, "* limits %d %d\n", subflows, accepted);
	if (subflows > s->most)
		s->most = subflows;
	net_limits(&s->n, subflows, accepted);
}

/* Link 1 stays up: nothing can be checked without a path to the server. */
static void step(struct state *s, uint64_t *random)
{
	int link = 2 + below(random, LINKS - 1);
	int what = below(random, 8);

	if (what <= 3 && !works_without(s, link, ""))
		return;
	switch (what) {
	case 0:
	case 1:
		toggle_link(s, link);
		break;
	case 2:
		toggle_address(s, link);
		break;
	case 3:
		toggle_refusal(s, link);
		break;
	case 4:
		edit_pool(s, random);
		break;
	case 5:
	case 6:
		peer_speaks(s, random);
		break;
	case 7:
		change_limits(s, random);
		break;
	}
}

/* The last path may be gone. */
static void all_back(struct state *s)
{
	for (int i = 1; i <= LINKS; i++) {
		if (s->down[i])
			toggle_link(s, i);
		if (s->removed[i])
			toggle_address(s, i);
		if (s->refused[i])
			toggle_refusal(s, i);
	}
}

ParameterizedTestParameters(random, changes_break_no_rule)
{
	static struct number numbers[SCENARIOS];

	return cr_make_param_array(struct number, numbers,
				   numbers_fill(numbers, SCENARIOS, "random changes"));
}

ParameterizedTest(struct number *number, random, changes_break_no_rule)
{
	uint64_t random = number->seed + (uint64_t)number->index * 1000003 + 1;
	struct state s = { 0 };
	char *what;

	draw(&s.d, &random, false);
	s.d.spec.pool_text = "[retry]\nfirst = 50ms\nmax = 100ms\ntries = 200\n";
	what = drawn_text(&s.d, number);
	say(&s, "%s\n", what);
	s.d.spec.about = s.log;
	s.most = s.d.spec.subflows;
	net_start(&s.n, &s.d.spec, FROM_POOL);
	check(&s);
	for (int i = 0; i < STEPS; i++) {
		step(&s, &random);
		check(&s);
	}
	all_back(&s);
	check(&s);
	net_carries_data(&s.n);
	cr_assert_eq(proc_tell(&s.n.client, "close"), 0);
	cr_assert(WAIT_FOR(proc_said(&s.n.client, "closed")));
	net_tables_are_empty(&s.n);
	net_close(&s.n);
	free(what);
}
