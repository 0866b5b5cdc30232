// SPDX-License-Identifier: MIT
/*
 * draw.c - random pools, peers and announcements of every kind
 */
#include "draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_MAX      5
#define ANNOUNCED_MAX 4
#define PORTS_FROM    9000

static const char *const ours[] = { "10.0.1.2",	      "10.0.2.2",	"10.0.3.2",
				    "10.0.4.2",	      "dead:beef:1::2", "dead:beef:2::2",
				    "dead:beef:3::2", "dead:beef:4::2" };
static const char *const theirs[] = { "10.0.1.1",	"10.0.2.1",
				      "10.0.3.1",	"10.0.4.1",
				      "dead:beef:1::1", "dead:beef:2::1",
				      "dead:beef:3::1", "dead:beef:4::1" };

int numbers_fill(struct number *numbers, int count, const char *what)
{
	const char *text = getenv("SEED"), *one = getenv("NUMBER");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)now_ms();

	printf("%s: SEED=%llu\n", what, (unsigned long long)seed);
	fflush(stdout);
	for (int i = 0; i < count; i++)
		numbers[i] = (struct number){ seed, one ? atoi(one) : i };
	return one ? 1 : count;
}

uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int below(uint64_t *state, int limit)
{
	return next_random(state) % limit;
}

static bool is_v6(const char *addr)
{
	return !strncmp(addr, "dead:", 5);
}

/* One of the eight addresses, not drawn before; NULL: none left. */
static const char *draw_addr(const struct drawn *d, uint64_t *state,
			     const char *const all[8], unsigned int *bits)
{
	int start = below(state, 8);

	for (int i = start; i < start + 8; i++) {
		const char *addr = all[i % 8];

		if (*bits >> i % 8 & 1 ||
		    (!d->both_families && is_v6(addr) != is_v6(d->spec.connect)))
			continue;
		/* The address of the connection itself is never sent as an ADD_ADDR. */
		if (strstr(d->spec.connect, addr))
			continue;
		*bits |= 1u << i % 8;
		return addr;
	}
	return NULL;
}

bool draw_endpoint(struct drawn *d, uint64_t *state, struct endpoint_spec *ret)
{
	static const uint32_t kinds[] = { EP_SUBFLOW,
					  EP_LAMINAR,
					  EP_LAMINAR,
					  EP_FULLMESH,
					  EP_SIGNAL,
					  EP_SUBFLOW | EP_LAMINAR,
					  EP_SUBFLOW | EP_FULLMESH,
					  EP_SUBFLOW | EP_SIGNAL,
					  EP_LAMINAR | EP_FULLMESH,
					  EP_LAMINAR | EP_SIGNAL,
					  EP_SUBFLOW | EP_LAMINAR | EP_FULLMESH };
	const char *addr = draw_addr(d, state, ours, &d->ours);

	if (!addr)
		return false;
	*ret = (struct endpoint_spec){
		.addr = addr,
		.flags = kinds[below(state, sizeof(kinds) / sizeof(kinds[0]))],
	};
	if (!below(state, 4))
		ret->flags |= EP_BACKUP;
	/* An address has the same ID whenever it is drawn. */
	for (int i = 0; i < 8; i++)
		if (ours[i] == addr)
			ret->id = DRAWN_ID_MIN + i;
	return true;
}

bool draw_announcement(struct drawn *d, uint64_t *state, struct endpoint_spec *ret)
{
	const char *addr = draw_addr(d, state, theirs, &d->theirs);
	int n = 0;

	while (d->announced[n].addr)
		n++;
	if (!addr || n >= NET_LIST_MAX - 2)
		return false;
	*ret = (struct endpoint_spec){ .addr = addr };
	/* With a port, an IPv6 address does not fit next to timestamps. */
	if (!is_v6(addr) && !below(state, 4))
		ret->port =
			PORTS_FROM + d->ports++; /* those of closed listeners linger */
	d->announced[n] = *ret;
	return true;
}

void drawn_forget(struct drawn *d, const struct endpoint_spec *e)
{
	for (int i = 0; i < 8; i++)
		if (!strcmp(ours[i], e->addr))
			d->ours &= ~(1u << i);
}

void drawn_step(struct drawn *d, bool withdrawn, const struct endpoint_spec *e)
{
	struct endpoint_spec *a = d->announced;

	if (!withdrawn)
		return;
	while (a->addr && strcmp(a->addr, e->addr) != 0)
		a++;
	for (; a->addr; a++)
		*a = a[1];
	for (int i = 0; i < 8; i++)
		if (!strcmp(theirs[i], e->addr))
			d->theirs &= ~(1u << i);
}

static void draw_target(struct drawn *d, uint64_t *state)
{
	static const char *const targets[] = { "10.0.1.1", "10.0.1.1", "::ffff:10.0.1.1",
					       "dead:beef:1::1", "dead:beef:1::1" };
	int kind = below(state, 5);

	d->spec.connect = targets[kind];
	if (kind == 4)
		d->spec.client_args[0] = "-6";
	d->both_families = kind == 2 || kind == 3 || !below(state, 4);
}

/* Where the kernel behaves differently, options are not drawn, or not together. */
static void keep_comparable(struct drawn *d)
{
	struct net_spec *s = &d->spec;
	const char *first = strchr(s->connect, '.') ? "10.0.1.2" : "dead:beef:1::2";
	int signals = 0;

	for (struct endpoint_spec *e = s->pool; e->addr; e++) {
		/* It sends MP_PRIO for the first subflow together with other work. */
		if (!strcmp(e->addr, first))
			e->flags &= ~EP_BACKUP;
		/* It announces IPv6 addresses on IPv4 connections. */
		if (is_v6(e->addr) && s->connect[0] == '1' && e->flags & EP_SIGNAL) {
			e->flags &= ~EP_SIGNAL;
			e->flags |= EP_LAMINAR;
		}
		/*
		 * It does not announce an address that a subflow already uses, nor one
		 * of the other family that it tried for a server with the C flag.
		 */
		if (e->flags & EP_SIGNAL &&
		    (signals++ || (s->no_join_id0 && s->no_accepted)))
			e->flags &= ~EP_SUBFLOW;
		/*
		 * It miscounts subflows at the limit; with a limit of 0 it announces
		 * only the first address.
		 */
		if (e->flags & (EP_SUBFLOW | EP_FULLMESH | EP_SIGNAL)) {
			s->subflows = 8;
			s->no_subflows = false;
		}
	}
}

void draw(struct drawn *d, uint64_t *state, bool comparable)
{
	struct net_spec *s = &d->spec;
	int count;

	*d = (struct drawn){ 0 };
	draw_target(d, state);
	s->no_retry = comparable;
	s->no_join_id0 = !below(state, 6);
	s->subflows = below(state, 10) ? 1 + below(state, 8) : 0;
	s->no_subflows = !s->subflows;
	s->accepted = below(state, 3) ? 8 : below(state, 5);
	s->no_accepted = !s->accepted;
	count = below(state, POOL_MAX + 1);
	for (int i = 0; i < count && draw_endpoint(d, state, &s->pool[i]); i++)
		;
	if (comparable)
		keep_comparable(d);
	/*
	 * The kernel counts an announcement as accepted only after its echo has left,
	 * and may accept one too many: not compared.
	 */
	count = comparable && s->accepted < 8 ? below(state, 2)
					      : below(state, ANNOUNCED_MAX);
	for (int i = 0; i < count && draw_announcement(d, state, &s->announced[i]); i++)
		;
}

static void print_list(FILE *f, const struct endpoint_spec *e)
{
	for (; e->addr; e++)
		fprintf(f, " %s%s%s%s%s%s id %u port %u;", e->addr,
			e->flags & EP_SUBFLOW ? " subflow" : "",
			e->flags & EP_LAMINAR ? " laminar" : "",
			e->flags & EP_FULLMESH ? " fullmesh" : "",
			e->flags & EP_SIGNAL ? " signal" : "",
			e->flags & EP_BACKUP ? " backup" : "", e->id, e->port);
}

char *drawn_text(const struct drawn *d, const struct number *number)
{
	const struct net_spec *s = &d->spec;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert(f);
	fprintf(f, "SEED=%llu NUMBER=%d: connect to %s%s%s; limits %d %d; pool",
		(unsigned long long)number->seed, number->index, s->connect,
		s->client_args[0] ? " (v6 only)" : "", s->no_join_id0 ? " (C flag)" : "",
		s->subflows, s->accepted);
	print_list(f, s->pool);
	fprintf(f, " announced");
	print_list(f, s->announced);
	fclose(f);
	return text;
}
