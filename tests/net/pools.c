// SPDX-License-Identifier: MIT
/*
 * pools.c - the endpoints of the client, in a pool file or in its kernel
 */
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUBFLOW_MAX 8 /* the kernel's MPTCP_PM_ADDR_MAX */
#define KINDS	    (EP_SIGNAL | EP_SUBFLOW | EP_FULLMESH | EP_LAMINAR)

static int limit(int value, bool zero)
{
	return zero ? 0 : value ? value : SUBFLOW_MAX;
}

static uint32_t with_kind(const struct endpoint_spec *e)
{
	return e->flags & KINDS ? e->flags : e->flags | EP_LAMINAR;
}

static void write_words(FILE *f, const struct endpoint_spec *e)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = { { EP_SIGNAL, "signal" },
		      { EP_SUBFLOW, "subflow" },
		      { EP_FULLMESH, "fullmesh" },
		      { EP_LAMINAR, "laminar" },
		      { EP_BACKUP, "backup" } };
	uint32_t flags = with_kind(e);

	fprintf(f, "endpoint = %s", e->addr);
	if (e->dev)
		fprintf(f, " dev %s", e->dev);
	if (e->id)
		fprintf(f, " id %d", e->id);
	if (e->port)
		fprintf(f, " port %d", e->port);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (flags & words[i].flag)
			fprintf(f, " %s", words[i].word);
	fputc('\n', f);
}

/* Renamed into place: never read half written. */
static void put_file(const struct net *n, const char *text)
{
	char fresh[sizeof(n->pool_path) + 8];
	FILE *f;

	snprintf(fresh, sizeof(fresh), "%s.new", n->pool_path);
	f = fopen(fresh, "we");
	cr_assert(f, "%s: %s", fresh, strerror(errno));
	fputs(text, f);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(rename(fresh, n->pool_path), 0);
}

static char *pool_text(const struct net *n)
{
	const struct net_spec *s = n->spec;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert(f);
	fprintf(f, "[pool]\n");
	for (const struct endpoint_spec *e = n->pool; e->addr; e++)
		write_words(f, e);
	fprintf(f, "[limits]\nsubflows = %d\nadd_addr_accepted = %d\n", n->subflows,
		n->accepted);
	if (s->no_retry)
		fprintf(f, "[retry]\ntries = 0\n");
	if (s->pool_text)
		fprintf(f, "%s", s->pool_text);
	fclose(f);
	return text;
}

static void write_pool(const struct net *n)
{
	char *text = pool_text(n);

	put_file(n, text);
	free(text);
}

static void kernel_add(const struct net *n, const struct endpoint_spec *spec)
{
	struct endpoint_spec e = *spec;
	int r;

	e.flags = with_kind(spec);
	r = endpoint_add(&n->world.client, &e);
	cr_assert_eq(r, 0, "endpoint %s: %s", e.addr, strerror(-r));
}

static void kernel_limits(const struct net *n)
{
	int r = limits_set(&n->world.client, n->subflows, n->accepted);

	cr_assert_eq(r, 0, "limits: %s", strerror(-r));
}

void net_pool_open(struct net *n)
{
	const struct net_spec *s = n->spec;

	memcpy(n->pool, s->pool, sizeof(n->pool));
	n->subflows = limit(s->subflows, s->no_subflows);
	n->accepted = limit(s->accepted, s->no_accepted);
	snprintf(n->pool_path, sizeof(n->pool_path), "/run/pool-%d.conf", getpid());
	if (n->side == FROM_POOL) {
		write_pool(n);
		return;
	}
	NEED_LAMINAR(n);
	for (const struct endpoint_spec *e = n->pool; e->addr; e++)
		kernel_add(n, e);
	kernel_limits(n);
}

/* The changed file is in force. */
static void pool_again(struct net *n)
{
	struct ctl_manager m;
	uint64_t loads;

	net_manager(n, &m);
	loads = m.pool_loads;
	write_pool(n);
	cr_assert(WAIT_FOR((net_manager(n, &m), m.pool_loads > loads)),
		  "the changed file does not take effect: %s", m.pool_error);
}

static struct endpoint_spec *pool_find(struct net *n, const char *addr)
{
	struct endpoint_spec *e = n->pool;

	while (e->addr && strcmp(e->addr, addr) != 0)
		e++;
	return e;
}

void net_add(struct net *n, const struct endpoint_spec *spec)
{
	struct endpoint_spec *e = n->pool;

	while (e->addr)
		e++;
	cr_assert_lt(e - n->pool, NET_LIST_MAX - 1);
	*e = *spec;
	if (n->side == FROM_POOL)
		pool_again(n);
	else
		kernel_add(n, spec);
}

void net_del(struct net *n, const char *addr)
{
	struct endpoint_spec *e = pool_find(n, addr);
	int r;

	cr_assert(e->addr, "%s is no endpoint", addr);
	do {
		*e = e[1];
	} while (e++->addr);
	if (n->side == FROM_POOL) {
		pool_again(n);
		return;
	}
	r = endpoint_del(&n->world.client, addr);
	cr_assert_eq(r, 0, "deleting %s: %s", addr, strerror(-r));
}

void net_change(struct net *n, const char *addr, uint32_t flags)
{
	struct endpoint_spec *e = pool_find(n, addr);
	int r;

	cr_assert(e->addr, "%s is no endpoint", addr);
	e->flags = flags;
	if (n->side == FROM_POOL) {
		pool_again(n);
		return;
	}
	r = endpoint_change(&n->world.client, e);
	cr_assert_eq(r, 0, "changing %s: %s", addr, strerror(-r));
}

void net_limits(struct net *n, int subflows, int accepted)
{
	n->subflows = subflows;
	n->accepted = accepted;
	if (n->side == FROM_POOL)
		pool_again(n);
	else
		kernel_limits(n);
}

void net_pool_text(struct net *n, const char *text)
{
	put_file(n, text);
}
