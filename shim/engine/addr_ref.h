/* SPDX-License-Identifier: MIT */
/*
 * addr_ref.h - an address of a connection in 8 bytes instead of 20
 *
 * A reference holds an IPv4 address itself, and the index of an IPv6 address in a table
 * that the connections of an engine share. Nobody counts references: connections share
 * few addresses, and ref_table_sweep() drops the unused ones when there are many.
 */
#pragma once

#include "mptcpaddr/addr.h"

/* Out of memory leaves hh.tbl NULL; uthash's default is exit(). */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct addr_ref {
	uint32_t ip;	 /* network order; AF_INET6: an index */
	uint16_t port;	 /* host order, 0: any */
	uint16_t family; /* AF_UNSPEC: none */
};

struct ref_table {
	struct ref_entry *by_ip;
	struct ref_entry **at;	  /* by index, of used and unused ones */
	struct ref_entry *unused; /* to be given to the next address */
	uint32_t n, n_used;
	uint32_t sweep_at; /* n_used, twice that after the last sweep */
};

#define REF_SWEEP_MIN 64 /* addresses, before a sweep is worth it */

/* ref_make() - Return: false without memory. */
bool ref_make(struct ref_table *table, const struct mpaddr *addr,
	      struct addr_ref *ret_ref);
/* ref_find() - the same, for comparisons: an address not in the table equals none. */
struct addr_ref ref_find(const struct ref_table *table, const struct mpaddr *addr);
struct mpaddr ref_addr(const struct ref_table *table, struct addr_ref ref);

/* ref_table_sweep() - drop addresses without ref_keep() since ref_table_mark() */
static inline bool ref_table_is_full(const struct ref_table *table)
{
	return table->n_used > table->sweep_at + REF_SWEEP_MIN;
}

void ref_table_mark(struct ref_table *table);
void ref_keep(struct ref_table *table, struct addr_ref ref);
void ref_table_sweep(struct ref_table *table);
void ref_table_free(struct ref_table *table);

static inline bool ref_same_ip(struct addr_ref a, struct addr_ref b)
{
	return a.ip == b.ip && a.family == b.family;
}

static inline bool ref_equal(struct addr_ref a, struct addr_ref b)
{
	return a.port == b.port && ref_same_ip(a, b);
}
