// SPDX-License-Identifier: MIT
/*
 * rates.c - what each path carries a second, from one snapshot to the next
 *
 * A path is known again by its connection's token and its two ends: IDs may be absent,
 * and positions change with every connection that comes or goes.
 */
#include "rates.h"

#include "tools/mptcpinfo/collect/index.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct path_key {
	uint32_t token;
	struct inet_addr local;
	struct inet_addr remote;
};

_Static_assert(sizeof(struct path_key) == 4 + 2 * sizeof(struct inet_addr),
	       "compared as memory: no padding");

static struct rate compare(const struct rates *old, const struct path_key *key,
			   const struct subflow *sf, double seconds)
{
	struct rate none = { NAN, NAN };
	ssize_t pos = old->index ? index_find(old->index, key) : -1;

	if (pos < 0 || !sf->has_tcp || seconds <= 0)
		return none;
	/* Less than before: another path with the same ends. */
	if (sf->bytes_sent < old->sent[pos] || sf->bytes_received < old->received[pos])
		return none;
	return (struct rate){ (sf->bytes_sent - old->sent[pos]) / seconds,
			      (sf->bytes_received - old->received[pos]) / seconds };
}

static int reserve(struct rates *rates, size_t n)
{
	rates->n = n;
	rates->at = calloc(n + 1, sizeof(*rates->at));
	rates->keys = calloc(n + 1, sizeof(*rates->keys));
	rates->sent = calloc(n + 1, sizeof(*rates->sent));
	rates->received = calloc(n + 1, sizeof(*rates->received));
	rates->index = index_new(n, sizeof(struct path_key));
	return rates->at && rates->keys && rates->sent && rates->received && rates->index
		       ? 0
		       : -ENOMEM;
}

static int take(struct rates *rates, const struct rates *old, uint32_t token,
		const struct subflow *sf, size_t i)
{
	struct path_key *key = &rates->keys[i];

	key->token = token;
	key->local = sf->local;
	key->remote = sf->remote;
	rates->at[i] = compare(old, key, sf, (rates->taken_us - old->taken_us) / 1e6);
	if (!sf->has_tcp)
		return 0;
	rates->sent[i] = sf->bytes_sent;
	rates->received[i] = sf->bytes_received;
	return index_add(rates->index, key, i);
}

int rates_update(struct rates *rates, const struct snapshot *snap, int64_t taken_us)
{
	struct rates now = { .taken_us = taken_us };
	const struct connection *conn;
	size_t i, j;
	int r;

	r = reserve(&now, snap->n_subflows);
	for (i = 0; i < snap->n_connections && r == 0; i++) {
		conn = &snap->connections[i];
		for (j = 0; j < conn->subflows.n && r == 0; j++)
			r = take(&now, rates, conn->token,
				 &snap->subflows[conn->subflows.first + j],
				 conn->subflows.first + j);
	}
	if (r < 0) {
		rates_free(&now);
		return r;
	}
	rates_free(rates);
	*rates = now;
	return 0;
}

void rates_free(struct rates *rates)
{
	free(rates->at);
	free(rates->keys);
	free(rates->sent);
	free(rates->received);
	index_free(rates->index);
	*rates = (struct rates){ 0 };
}
