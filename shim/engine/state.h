/* SPDX-License-Identifier: MIT */
/*
 * state.h - struct engine, look-ups in it and in its connections
 *
 * The order of calls: conn < state < retry < select < reconcile < {pool_change, resync,
 * tick, events}. report.c only reads.
 */
#pragma once

#include "conn.h"
#include "mptcpaddr/uapi.h"

#include <stddef.h>

/* Endpoints of one section that can be used now, as bits; and the kinds in the file. */
struct section_index {
	uint64_t laminar, fullmesh, subflow, signal;
	uint32_t kinds;
};

struct note;

struct engine {
	const struct pool *pool;
	struct conn_table table;
	struct pm_counters counters;
	struct section_index sections[POOL_SECTIONS_MAX];
	uint64_t down;	       /* endpoints that are not there now */
	int64_t now;	       /* milliseconds */
	bool waiting;	       /* for the process that has the inherited connections */
	engine_route_fn route; /* or NULL */
	void *route_ctx;
	bool flags_ignored; /* by SUBFLOW_CREATE */
	bool rescan;	    /* connections from table.cursor on are to be looked at */
	engine_log_fn log;  /* or NULL */
	void *log_ctx;
	const struct note *heard; /* an ADD_ADDR, to be noted before what follows it */
	uint64_t last_note;
	struct pm_note notes[PM_NOTES_MAX];
};

static inline uint64_t endpoint_bit(unsigned int index)
{
	_Static_assert(POOL_ENDPOINTS_MAX <= 64, "masks have 64 bits");
	return UINT64_C(1) << index;
}

/* Milliseconds wrap after 49 days: nothing here is that far off. */
static inline bool engine_time_reached(const struct engine *engine, uint32_t when)
{
	return (int32_t)((uint32_t)engine->now - when) >= 0;
}

/* To be called when the pool is another one. */
void engine_index_sections(struct engine *engine);
/* The conditions of the conn's section; all bits 0 where it is excluded. */
const struct section_index *conn_section(const struct engine *engine,
					 const struct conn *conn);
/* Whether commands for @conn are this process's business at all. */
bool conn_is_ours(const struct engine *engine, const struct conn *conn);
bool conn_family_matches(const struct conn *conn, const struct mpaddr *local,
			 const struct mpaddr *remote);
void announcement_count_accepted(struct conn *conn, struct announcement *ann,
				 bool accepted);
/* The announcement that a subflow joins; two may have the same address. */
struct announcement *subflow_announcement(struct conn *conn,
					  const struct subflow *subflow);
/* The endpoint with this address on @conn: index + 1, or SUBFLOW_NO_ENDPOINT. */
uint8_t conn_endpoint(const struct engine *engine, const struct conn *conn,
		      const struct mpaddr *local);

/* What happened, on @conn or, NULL, to the whole engine. */
struct note {
	enum pm_note_what what;
	uint8_t reason; /* enum pm_reason */
	uint8_t error, flags;
	uint8_t local_id, remote_id;
	bool refused;			     /* JOIN_FAILED: by the kernel, at once */
	const struct mpaddr *local, *remote; /* NULL: none */
	const struct subflow *subflow;	     /* or NULL; for addresses and IDs */
};

/* note_add() - keep a note, bump the counters of its kind and hand it to the log. */
void note_add(struct engine *engine, struct conn *conn, const struct note *note);
#define NOTE(engine, conn, ...) \
	note_add(engine, conn, &(const struct note){ __VA_ARGS__ })

/* For what has a counter and no note: one more of @index in struct pm_counters. */
void counter_bump(struct engine *engine, struct conn *conn, unsigned int index);
#define COUNTER(name)		  (offsetof(struct pm_counters, name) / sizeof(uint64_t))
#define COUNT(engine, conn, name) counter_bump(engine, conn, COUNTER(name))
