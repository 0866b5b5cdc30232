// SPDX-License-Identifier: MIT
/*
 * outcome.c - the outcome of a scenario as text: subflows, the wire, counters
 */
#include "outcome.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lines {
	char **v;
	size_t n;
};

static void lines_add(struct lines *l, char *line)
{
	l->v = realloc(l->v, (l->n + 1) * sizeof(*l->v));
	if (!l->v)
		abort();
	l->v[l->n++] = line;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted; @once: each line once, since packets may be repeated. */
static void lines_print(FILE *f, struct lines *l, bool once)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_text);
	for (size_t i = 0; i < l->n; i++)
		if (!once || !i || strcmp(l->v[i], l->v[i - 1]) != 0)
			fputs(l->v[i], f);
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

__attribute__((format(printf, 1, 2))) static char *text_of(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return text;
}

/* With this ID, if that is not 0. */
static bool listed(const struct endpoint_spec *e, const char *addr, uint8_t local_id)
{
	while (e->addr && (strcmp(e->addr, addr) != 0 || (local_id && e->id != local_id)))
		e++;
	return e->addr;
}

/*
 * The kernel chooses the ID of an address that routing picked, so it is not compared. A
 * deleted endpoint becomes such an address.
 */
static const char *id_text(const struct net *n, const struct address *client,
			   uint8_t local_id, char ret[8])
{
	char text[ADDRESS_TEXT_MAX];

	address_text(client, text);
	if (local_id && !listed(n->pool, text, 0))
		return "routed";
	snprintf(ret, 8, "%u", local_id);
	return ret;
}

static void print_subflows(FILE *f, const struct net *n, const struct host *h)
{
	char local[ADDRESS_TEXT_MAX], remote[ADDRESS_TEXT_MAX], id[8];
	bool client = h == &n->world.client;
	struct subflows s = { 0 };
	struct lines l = { 0 };

	cr_assert_eq(subflows_read(h, &s), 0);
	for (size_t i = 0; i < s.count; i++) {
		const struct subflow *sub = &s.at[i];

		if (sub->state != TCP_ESTABLISHED)
			continue;
		lines_add(&l,
			  text_of("%s: %s %s - %s, client's ID %s, server's %u%s%s\n",
				  h->name, sub->joined ? "join" : "first",
				  address_text(&sub->local, local),
				  address_text(&sub->remote, remote),
				  id_text(n, client ? &sub->local : &sub->remote,
					  client ? sub->local_id : sub->remote_id, id),
				  client ? sub->remote_id : sub->local_id,
				  sub->backup_local ? " backup" : "",
				  sub->backup_remote ? " backup-remote" : ""));
	}
	lines_print(f, &l, false);
	subflows_free(&s);
}

static char *seen_text(const struct net *n, const struct seen *s)
{
	char id[8];
	char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX], about[ADDRESS_TEXT_MAX];
	const char *way = s->outgoing ? "sent" : "received";
	unsigned int port = s->outgoing ? s->dst.port : 0; /* else an ephemeral one */

	address_text(&s->src, src);
	address_text(&s->dst, dst);
	address_text(&s->announced, about);
	switch (s->kind) {
	case SEEN_MP_JOIN:
		return text_of("%s MP_JOIN %s > %s %u id %s%s\n", way, src, dst, port,
			       s->outgoing ? id_text(n, &s->src, s->address_id, id)
					   : "of the server",
			       s->backup ? " backup" : "");
	case SEEN_ADD_ADDR:
	case SEEN_ADD_ADDR_ECHO:
		return text_of("%s ADD_ADDR%s %s %u id %u\n", way,
			       s->kind == SEEN_ADD_ADDR_ECHO ? " echo" : "", about,
			       s->announced.port, s->address_id);
	case SEEN_RM_ADDR:
		return text_of("%s RM_ADDR id %u\n", way, s->address_id);
	case SEEN_MP_PRIO:
		return text_of("%s MP_PRIO%s on %s > %s\n", way,
			       s->backup ? " backup" : "", src, dst);
	}
	return NULL;
}

static void print_wire(FILE *f, struct net *n)
{
	struct lines l = { 0 };

	cr_assert_eq(capture_read(&n->wire), 0, "the capture missed packets");
	for (size_t i = 0; i < n->wire.count; i++)
		lines_add(&l, seen_text(n, &n->wire.at[i]));
	lines_print(f, &l, true);
}

static void print_counters(FILE *f, const struct host *h)
{
	/*
	 * ADD_ADDRs may be repeated when the echo is late: the wire shows those. Nor
	 * RmSubflow, which depends on who closes first after a RM_ADDR.
	 */
	static const char *const names[] = { "MPCapableSYNTX",
					     "MPCapableEndpAttempt",
					     "MPJoinNoTokenFound",
					     "MPJoinSynRx",
					     "MPJoinSynBackupRx",
					     "MPJoinSynAckRx",
					     "MPJoinSynAckBackupRx",
					     "MPJoinSynAckHMacFailure",
					     "MPJoinAckRx",
					     "MPJoinAckHMacFailure",
					     "MPJoinRejected",
					     "MPJoinSynTx",
					     "MPJoinSynTxCreatSkErr",
					     "MPJoinSynTxBindErr",
					     "MPJoinSynTxConnectErr",
					     "PortAdd",
					     "MPJoinPortSynRx",
					     "MPJoinPortSynAckRx",
					     "MPJoinPortAckRx",
					     "MismatchPortSynRx",
					     "MismatchPortAckRx",
					     "RmAddr",
					     "RmAddrDrop",
					     "RmAddrTx",
					     "RmAddrTxDrop",

					     "MPPrioTx",
					     "MPPrioRx",
					     "MPFailTx",
					     "MPFailRx",
					     "MPFastcloseTx",
					     "MPRstTx",
					     "MPRstRx",
					     "MPCurrEstab" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t value = counter(h, names[i]);

		if (value)
			fprintf(f, "%s: %s %lld\n", h->name, names[i], (long long)value);
	}
}

char *outcome_subflows(const struct net *n)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert(f);
	print_subflows(f, n, &n->world.client);
	print_subflows(f, n, &n->world.server);
	fclose(f);
	return text;
}

char *outcome_text(struct net *n)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert(f);
	print_subflows(f, n, &n->world.client);
	print_subflows(f, n, &n->world.server);
	print_wire(f, n);
	print_counters(f, &n->world.client);
	print_counters(f, &n->world.server);
	fclose(f);
	return text;
}
