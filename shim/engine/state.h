/* SPDX-License-Identifier: MIT */
/*
 * state.h - struct engine, look-ups in it and in its connections
 *
 * Files call each other in one order: conn < state < flap < policy < retry < select <
 * reconcile < revive < probe < {resync, tick, events}. report.c only reads.
 */
#pragma once

#include "conn.h"

#include <stddef.h>

/* The kinds of endpoints */
enum {
	KIND_LAMINAR = MPTCP_PM_ADDR_FLAG_LAMINAR,
	KIND_FULLMESH = MPTCP_PM_ADDR_FLAG_FULLMESH,
	KIND_SUBFLOW = MPTCP_PM_ADDR_FLAG_SUBFLOW,
	KIND_SIGNAL = MPTCP_PM_ADDR_FLAG_SIGNAL,
};

/* An endpoint's address that comes and goes: flap.c */
struct flap {
	struct mpaddr addr;
	uint32_t until; /* gets no new subflows; milliseconds, wrapping */
	uint8_t n;	/* how often it went */
	bool away;
};

/* An endpoint, as policy.c sees it */
struct uplink {
	int64_t until; /* not used before, after it failed; milliseconds */
	uint8_t times; /* how often it failed */
	bool away;     /* it is in trouble */
};

#define FLAPS_MAX 16 /* addresses remembered */

struct engine {
	struct conn_table table; /* first, for engine_of() */
	const struct pool *pool;
	struct pm_counters counters;
	int64_t now;	       /* milliseconds */
	int64_t rerouted;      /* engine_rerouted() tried all again */
	bool waiting;	       /* for the end of the parent process */
	bool flags_ignored;    /* by SUBFLOW_CREATE */
	bool watching;	       /* for paths that carry nothing: probe.c */
	engine_route_fn route; /* or NULL */
	engine_log_fn log;     /* or NULL */
	void *ctx;	       /* of both */
	engine_own_fn own;     /* or NULL */
	void *own_ctx;
	/* The last probe from each endpoint, and the last that was answered; ms */
	uint32_t probed[POOL_ENDPOINTS_MAX], answered[POOL_ENDPOINTS_MAX];
	bool policed;	  /* the pool has a policy */
	uint64_t metered; /* bytes, for engine_metered() */
	struct uplink uplinks[POOL_ENDPOINTS_MAX];
	struct flap flaps[FLAPS_MAX];
	uint64_t held;	       /* endpoint_bit() of endpoints that came and went often */
	uint32_t held_until;   /* for the first of them; milliseconds, wrapping */
	struct pm_note *heard; /* an ADD_ADDR, noted before what follows from it */
	uint64_t last_note;
	uint64_t logged; /* the last note before engine_hold_log() */
	bool log_held;
	struct pm_note notes[PM_NOTES_MAX];
};

static inline struct engine *engine_of(const struct conn *conn)
{
	return (struct engine *)conn->table;
}

static inline uint64_t endpoint_bit(unsigned int index)
{
	_Static_assert(POOL_ENDPOINTS_MAX <= 64, "masks have 64 bits");
	return UINT64_C(1) << index;
}

/* index_bit() - @index: endpoint index + 1, as in struct subflow; 0 if it is none */
static inline uint64_t index_bit(uint8_t index)
{
	return index && index != SUBFLOW_ENDPOINT_REMOVED ? endpoint_bit(index - 1) : 0;
}

/* @i: the index of each bit in @mask, which is evaluated once */
#define for_each_bit(i, mask)                                                        \
	for (uint64_t left_ = (mask); left_ && ((i) = __builtin_ctzll(left_), true); \
	     left_ &= left_ - 1)

/* Milliseconds wrap after 49 days; no timer is that long. */
static inline bool engine_time_reached(const struct engine *engine, uint32_t when)
{
	return (int32_t)((uint32_t)engine->now - when) >= 0;
}

/* conn_endpoints() - the usable ones of the section with @kind */
uint64_t conn_endpoints(const struct conn *conn, uint32_t kind);
/* conn_first_reason() - why the first path leaves from where it does; 0: routing */
static inline uint8_t conn_first_reason(const struct conn *conn)
{
	return conn->first_why ? PM_REASON_FIRST_ORDER - 1 + conn->first_why : 0;
}
const struct section *conn_section(const struct conn *conn);
/* conn_is_elsewhere() - whether the parent process manages @conn */
bool conn_is_elsewhere(const struct conn *conn);
/* conn_is_ours() - neither that, nor excluded from the pool */
bool conn_is_ours(const struct conn *conn);
bool conn_family_matches(const struct conn *conn, uint16_t local, uint16_t remote);
/* conn_refusal() - by [accept], own addresses, the kernel's rule for ID 0; or 0 */
enum pm_reason conn_refusal(const struct conn *conn, uint8_t remote_id,
			    const struct mpaddr *addr);
/* conn_count_accepted() - announcements that count against add_addr_accepted */
unsigned int conn_count_accepted(const struct conn *conn);
/* subflow_announcement() - that of its ID, else of its address; or NULL */
struct announcement *subflow_announcement(struct conn *conn,
					  const struct subflow *subflow);
/* conn_endpoint() - index + 1 of the endpoint at @local, or SUBFLOW_NO_ENDPOINT */
uint8_t conn_endpoint(const struct conn *conn, const struct mpaddr *local);
/* conn_first_bit() - of the endpoint at the first subflow's address, which has ID 0 */
uint64_t conn_first_bit(const struct conn *conn);
/* conn_find_endpoints() - of live subflows without one: pool or subflow is new. */
void conn_find_endpoints(struct conn *conn);
/* conn_set_first() - set the addresses of MP_CAPABLE, and the section. Return: false
 * without memory. */
bool conn_set_first(struct conn *conn, const struct pm_event *ev);
/* subflow_add() - add a subflow that the kernel has. NULL: no memory. */
struct subflow *subflow_add(struct conn *conn, const struct pm_event *ev,
			    enum subflow_state state, bool initial);
/* subflow_endpoint() - or NULL */
const struct endpoint *subflow_endpoint(const struct conn *conn, const struct subflow *s);
/* subflow_has_endpoint() - false if it cannot be used for new subflows */
bool subflow_has_endpoint(const struct conn *conn, const struct subflow *s);

/* subflow_is_metered() - whether it counts against [policy] quota */
static inline bool subflow_is_metered(const struct conn *conn, const struct subflow *s)
{
	const struct endpoint *ep =
		engine_of(conn)->pool->quota ? subflow_endpoint(conn, s) : NULL;

	return ep && ep->flags & ENDPOINT_METERED;
}

/* conn_set_work() - conn_use_endpoints() is due now. */
static inline void conn_set_work(struct conn *conn)
{
	conn->work = true;
	conn->work_when = engine_of(conn)->now;
}

/* announcement_forget_tries() - all endpoints may try @ann again. */
static inline void announcement_forget_tries(struct announcement *ann)
{
	ann->tried = 0;
	ann->any_tried = ann->timed = false;
}

/*
 * note_add() - number and keep @note, bump the counters of its kind, call the log
 *
 * @conn: NULL for the whole engine. NOTE() takes the fields of a struct pm_note.
 */
void note_add(struct engine *engine, struct conn *conn, const struct pm_note *note);
#define NOTE(conn, ...) \
	note_add(engine_of(conn), conn, &(const struct pm_note){ __VA_ARGS__ })
/* note_subflow() - the same, with addresses, IDs and backup flag of @s */
void note_subflow(struct conn *conn, const struct subflow *s, struct pm_note note);
#define NOTE_SUBFLOW(conn, s, ...) note_subflow(conn, s, (struct pm_note){ __VA_ARGS__ })

/* counter_bump() - for counters without a note; COUNTER() is the index. */
void counter_bump(struct conn *conn, unsigned int index);
#define COUNTER(name)	  (offsetof(struct pm_counters, name) / sizeof(uint64_t))
#define COUNT(conn, name) counter_bump(conn, COUNTER(name))
