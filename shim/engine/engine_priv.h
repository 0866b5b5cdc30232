/* SPDX-License-Identifier: MIT */
/*
 * engine_priv.h - what the engine's files have in common
 *
 * engine.c takes events, choose.c picks endpoints, repool.c takes another pool, follow.c
 * does what that and the time call for, heritage.c brings in what a parent process or the
 * kernel has, view.c shows.
 */
#pragma once

#include "conn.h"
#include "mptcpaddr/uapi.h"

/* Endpoints of one section that can be used now, as bits; and the kinds in the file. */
struct section_view {
	uint64_t laminar, fullmesh, subflow, signal;
	uint32_t kinds;
};

struct engine {
	const struct pool *pool;
	struct conn_table table;
	struct pm_counters counters;
	struct section_view sections[POOL_SECTIONS_MAX];
	uint64_t gone;	       /* endpoints that are not there now */
	int64_t now;	       /* milliseconds */
	bool waiting;	       /* for the process that has the inherited connections */
	engine_route_fn route; /* or NULL */
	void *route_ctx;
	bool flags_ignored; /* by SUBFLOW_CREATE */
	bool rescan;	    /* connections from table.cursor on are to be looked at */
	uint64_t last_note;
	struct pm_note notes[PM_NOTES_MAX];
};

#define COUNT(engine, conn, name)                        \
	do {                                             \
		(engine)->counters.name++;               \
		if ((conn)->counters.name != UINT16_MAX) \
			(conn)->counters.name++;         \
	} while (0)

static inline uint64_t endpoint_bit(unsigned int index)
{
	_Static_assert(POOL_ENDPOINTS_MAX <= 64, "masks have 64 bits");
	return UINT64_C(1) << index;
}

/* Milliseconds wrap after 49 days: nothing here is that far off. */
static inline bool time_reached(const struct engine *engine, uint32_t when)
{
	return (int32_t)((uint32_t)engine->now - when) >= 0;
}

/* What came of trying to get a subflow. */
enum join {
	JOIN_REQUESTED,
	JOIN_NO_ENDPOINT,
	JOIN_LIMIT,
	JOIN_NOT_OURS, /* the parent process does it, or the destination has no pool */
	JOIN_NO_ROOM,  /* in the list of commands */
};

/* choose.c */

/* The conditions of the conn's section; all bits 0 where it is excluded. */
const struct section_view *section_of(const struct engine *engine,
				      const struct conn *conn);
/* Whether commands for @conn are this process's business at all. */
bool conn_is_ours(const struct engine *engine, const struct conn *conn);
bool families_match(const struct conn *conn, const struct mpaddr *local,
		    const struct mpaddr *remote);
void accept_count(struct conn *conn, struct announcement *ann, bool accepted);

/* Try to join @ann, which gets the reason if that cannot be. */
enum join announcement_join(struct engine *engine, struct conn *conn,
			    struct announcement *ann, struct pm_cmds *out);
/* Try what waits on @conn: something became free. */
void waiting_retry(struct engine *engine, struct conn *conn, struct pm_cmds *out);
/*
 * Announce `signal` endpoints, use `subflow` ones. Return: false if @out was too short.
 */
bool conn_work(struct engine *engine, struct conn *conn, struct pm_cmds *out);
/* Request the pair of a SUBFLOW_RETRY record again. */
enum join subflow_again(struct engine *engine, struct conn *conn, struct subflow *s,
			struct pm_cmds *out);
/* The first subflow's endpoint has its turn; its `backup` flag is followed. */
void mpc_setup(struct engine *engine, struct conn *conn);

/* follow.c */

/* A join, or a live subflow, ended with @error: the record is changed or deleted. */
void subflow_failed(struct engine *engine, struct conn *conn, struct subflow *s,
		    uint8_t error, uint8_t reset_reason);
/* Close what has lost its endpoint, set flags. Return: false if @out was too short. */
bool conn_reconcile(struct engine *engine, struct conn *conn, struct pm_cmds *out);
/* Delays the next try of an announcement that found no endpoint, if it failed before. */
void announcement_delay(struct engine *engine, struct conn *conn,
			struct announcement *ann);
/* Whether and when @conn has something to do. */
void conn_schedule(struct engine *engine, struct conn *conn);

/* repool.c */

/* To be called when the pool is another one. */
void sections_view(struct engine *engine);

/* engine.c */

/* The announcement that a subflow joins; two may have the same address. */
struct announcement *announcement_of(struct conn *conn, const struct subflow *subflow);
/* The endpoint with this address on @conn: index + 1, or SUBFLOW_NO_ENDPOINT. */
uint8_t endpoint_of(const struct engine *engine, const struct conn *conn,
		    const struct mpaddr *local);

/* view.c */

struct note {
	uint32_t token;
	uint16_t what;	/* enum pm_note_what */
	uint8_t reason; /* enum pm_reason */
	uint8_t error;
	uint8_t flags;
	uint8_t local_id, remote_id;
	const struct mpaddr *local, *remote; /* NULL: none */
};
void note(struct engine *engine, const struct note *note);

#define NOTE(engine, ...) note(engine, &(const struct note){ __VA_ARGS__ })
