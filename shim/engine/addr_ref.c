// SPDX-License-Identifier: MIT
/*
 * addr_ref.c - the table of IPv6 addresses
 */
#include "addr_ref.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct ref_entry {
	struct in6_addr ip;
	uint32_t index;
	bool kept;
	struct ref_entry *next; /* in `unused` */
	UT_hash_handle hh;
};

/* Needs a quarter of the instructions of uthash's. Peers do not know @table's address. */
static unsigned int ip_hash(const struct ref_table *table, const struct in6_addr *ip)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t half[2], hash;

	memcpy(half, ip, sizeof(half));
	hash = (half[0] ^ (uintptr_t)table) * odd;
	hash = (half[1] ^ hash ^ hash >> 32) * odd;
	return hash >> 32;
}

static struct ref_entry *entry_find(const struct ref_table *table,
				    const struct in6_addr *ip, unsigned int hash)
{
	struct ref_entry *entry;

	HASH_FIND_BYHASHVALUE(hh, table->by_ip, ip, sizeof(*ip), hash, entry);
	return entry;
}

/* A new entry with the next index, in `unused`. */
static bool entry_grow(struct ref_table *table)
{
	const uint32_t n = table->n;
	struct ref_entry *entry, **grown;

	if (!(n & (n - 1))) {
		grown = realloc(table->at, (n ? 2 * n : 1) * sizeof(struct ref_entry *));
		if (!grown)
			return false;
		table->at = grown;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return false;
	entry->index = n;
	table->at[table->n++] = entry;
	LL_PREPEND(table->unused, entry);
	return true;
}

static struct ref_entry *entry_add(struct ref_table *table, const struct in6_addr *ip,
				   unsigned int hash)
{
	struct ref_entry *entry;

	if (!table->unused && !entry_grow(table))
		return NULL;
	entry = table->unused;
	entry->ip = *ip;
	entry->hh.tbl = NULL;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->by_ip, &entry->ip, sizeof(entry->ip), hash,
				    entry);
	if (!entry->hh.tbl) /* uthash had no memory */
		return NULL;
	LL_DELETE(table->unused, entry);
	table->n_used++;
	return entry;
}

bool ref_make(struct ref_table *table, const struct mpaddr *addr,
	      struct addr_ref *ret_ref)
{
	struct addr_ref ref = { addr->v4.s_addr, addr->port, addr->family };
	struct ref_entry *entry;
	unsigned int hash;

	if (addr->family == AF_INET6) {
		hash = ip_hash(table, &addr->v6);
		entry = entry_find(table, &addr->v6, hash)
				?: entry_add(table, &addr->v6, hash);
		if (!entry)
			return false;
		ref.ip = entry->index;
	}
	*ret_ref = ref;
	return true;
}

struct addr_ref ref_find(const struct ref_table *table, const struct mpaddr *addr)
{
	struct addr_ref ref = { addr->v4.s_addr, addr->port, addr->family };
	const struct ref_entry *entry;

	if (addr->family == AF_INET6) {
		entry = entry_find(table, &addr->v6, ip_hash(table, &addr->v6));
		ref.ip = entry ? entry->index : UINT32_MAX;
	}
	return ref;
}

struct mpaddr ref_addr(const struct ref_table *table, struct addr_ref ref)
{
	struct mpaddr addr = { .family = ref.family, .port = ref.port };

	if (ref.family == AF_INET6)
		addr.v6 = table->at[ref.ip]->ip;
	else
		addr.v4.s_addr = ref.ip;
	return addr;
}

void ref_table_mark(struct ref_table *table)
{
	for (uint32_t i = 0; i < table->n; i++)
		table->at[i]->kept = false;
}

void ref_keep(struct ref_table *table, struct addr_ref ref)
{
	if (ref.family == AF_INET6)
		table->at[ref.ip]->kept = true;
}

void ref_table_sweep(struct ref_table *table)
{
	struct ref_entry *entry, *tmp;

	HASH_ITER (hh, table->by_ip, entry, tmp) {
		if (entry->kept)
			continue;
		HASH_DELETE(hh, table->by_ip, entry);
		LL_PREPEND(table->unused, entry);
		table->n_used--;
	}
	table->sweep_at = 2 * table->n_used;
}

void ref_table_free(struct ref_table *table)
{
	HASH_CLEAR(hh, table->by_ip);
	for (uint32_t i = 0; i < table->n; i++)
		free(table->at[i]);
	free(table->at);
	*table = (struct ref_table){ 0 };
}
