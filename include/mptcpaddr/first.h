/* SPDX-License-Identifier: MIT */
/*
 * first.h - the endpoints for first paths, from a manager to connect()
 *
 * In the handover, or in the broker's answer to a record with BROKER_FLAG_FIRST. One
 * thread builds the table; connect() reads it without a lock, and only `avoid` changes in
 * between.
 */
#pragma once

#include "mptcpaddr/addr.h"

#include <stdatomic.h>
#include <stdbool.h>

#define FIRST_ENDPOINTS_MAX 64
#define FIRST_SECTIONS_MAX  32

enum first_mode {
	FIRST_ROUTING, /* as without the library */
	FIRST_POOL,
	FIRST_RACE
};

/* Why the first path leaves from where it does: PM_REASON_FIRST + this. */
enum first_why {
	FIRST_WHY_ROUTING,
	FIRST_WHY_ORDER,   /* the first usable endpoint */
	FIRST_WHY_AVOIDED, /* endpoints before it did not answer lately */
	FIRST_WHY_RACE	   /* the ones before it did not answer this connect() */
};

struct first_endpoint {
	struct mpaddr addr;
	int32_t if_idx; /* 0: not bound to an interface */
	uint8_t section;
	uint8_t from_dev; /* the kernel picks an address of the interface */
	uint8_t reserved[2];
	_Atomic uint32_t
		avoid; /* until then, seconds of CLOCK_MONOTONIC; 0: no failure */
};

struct first_section {
	struct mpprefix prefix; /* AF_UNSPEC: all other destinations */
	uint8_t excluded;
};

struct first_table {
	_Atomic uint32_t version; /* odd while the table is built */
	_Atomic uint32_t mode;	  /* enum first_mode; read alone, too */
	uint32_t n_endpoints, n_sections;
	struct first_section sections[FIRST_SECTIONS_MAX];
	struct first_endpoint
		endpoints[FIRST_ENDPOINTS_MAX]; /* in the order of the file */
};

struct pool;
struct rtnl_table;

/*
 * first_publish() - build @table from a pool resolved by @machine
 *
 * An address without `dev` gets the interface that has it: by its destination alone,
 * routing would send it over the default uplink. Addresses keep their `avoid`.
 */
void first_publish(struct first_table *table, const struct pool *pool,
		   const struct rtnl_table *machine);

/* first_inherit() - endpoints of @table without a failure get the one that @from has. */
void first_inherit(struct first_table *table, const struct first_table *from);

/* first_avoid() - @local did not answer: prefer other endpoints for a while. */
void first_avoid(struct first_table *table, const struct mpaddr *local, uint32_t now);

/* first_worked() - @local did answer. */
void first_worked(struct first_table *table, const struct mpaddr *local);

/*
 * first_failed() - endpoint @i of the table did not answer. A second failure in a row
 * counts for longer: non-blocking connects pay for each new try.
 */
#define FIRST_AVOID_S	    60
#define FIRST_AVOID_AGAIN_S 600
static inline void first_failed(struct first_table *table, unsigned int i, uint32_t now)
{
	const uint32_t until = atomic_load(&table->endpoints[i].avoid);

	if (until <= now)
		atomic_store(&table->endpoints[i].avoid,
			     now + (until ? FIRST_AVOID_AGAIN_S : FIRST_AVOID_S));
}
