/* SPDX-License-Identifier: MIT */
/*
 * conn.h - the engine's tables: connections by token, used local IDs by connection
 *
 * Connections are small, as 10,000 of them are a normal load: addresses are references,
 * and the used IDs of a connection an array, because an entry of a uthash table costs 56
 * bytes besides its own.
 */
#pragma once

#include "addr_ref.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/note.h"

enum subflow_state {
	SUBFLOW_PENDING, /* requested; the handshake is under way */
	SUBFLOW_LIVE,
	SUBFLOW_CLOSING, /* DESTROY requested; its address is free */
	SUBFLOW_DOOMED,	 /* pending without its address; holds both address and place */
	SUBFLOW_RETRY,	 /* no subflow; the next try is at `when` */
	SUBFLOW_PROBE,	 /* a join that asks whether a silent path answers */
};

/* Sets of states, for conn_count() */
#define SUBFLOW_BIT(state)  (1U << SUBFLOW_##state)
#define SUBFLOW_OPEN	    (SUBFLOW_BIT(PENDING) | SUBFLOW_BIT(LIVE))
#define SUBFLOW_HOLDING	    (SUBFLOW_OPEN | SUBFLOW_BIT(DOOMED))
#define SUBFLOW_NOT_CLOSING (SUBFLOW_HOLDING | SUBFLOW_BIT(RETRY))
#define SUBFLOW_CONNECTING \
	(SUBFLOW_BIT(PENDING) | SUBFLOW_BIT(DOOMED) | SUBFLOW_BIT(PROBE))
#define SUBFLOW_JOINED (1U << 8) /* leave out the first subflow */

#define SUBFLOW_NO_ENDPOINT	 0
#define SUBFLOW_ENDPOINT_REMOVED UINT8_MAX /* from the pool */

struct subflow {
	struct addr_ref local, remote; /* local.port 0 while pending */
	/* LIVE: since, or the next check or probe; PENDING: since; RETRY: the next try;
	 * ms, wrapping */
	uint32_t when;
	uint32_t carried, delivered; /* of struct pm_health, at the last check */
	uint32_t heard;	  /* the last check that found new data; ms, wrapping */
	uint8_t endpoint; /* index + 1, or one of the above */
	uint8_t local_id, remote_id;
	uint8_t state;
	uint8_t tries;	  /* failed ones */
	bool initial : 1; /* MP_CAPABLE; the limits do not count it */
	bool fixed : 1;	  /* wants this pair (subflow, fullmesh), not any endpoint */
	bool backup : 1;  /* requested */
	bool removed : 1; /* the peer withdrew its address */
	bool lost : 1;	  /* its link went down; no data on it since */
	bool used : 1;	  /* data came over it when last checked */
	bool silent : 1;  /* it carries none while its link is up: a black hole? */
	/* So a probe, or retransmissions, had no answer. PROBE: it is being ended. */
	bool unanswered : 1;
	uint8_t checks : 4; /* since the link went down, or is back */
	/* False alarms: so many checks are needed, to a power of 2 */
	uint8_t patience : 3;
	bool reserve : 1;    /* policy_decide(): it must be a backup path */
	uint8_t quiet : 7;   /* checks without data in a row, while others carried some */
	bool repeat : 1;     /* MP_PRIO, which may have been lost */
	uint16_t min_rtt_ms; /* 0: not known yet */
	union {
		uint16_t rtt_ms; /* LIVE, with min_rtt_ms */
		uint16_t error;	 /* RETRY: errno of the last failure; 0: none reported */
	};
};

/* An ADD_ADDR received (RFC 8684, 3.4.1) and not withdrawn. */
struct announcement {
	struct addr_ref addr; /* with port */
	uint32_t when;	      /* the next try, if `timed`; milliseconds, wrapping */
	/* endpoint_bit() of failed endpoints; without padding */
	uint64_t tried __attribute__((packed, aligned(4)));
	uint8_t remote_id;
	uint8_t state;	/* enum pm_announced_state; JOINED from the request on */
	uint8_t reason; /* enum pm_reason, of WAITING and REFUSED */
	uint8_t error;	/* errno of the last failed join */
	uint8_t tries;	/* rounds in which all endpoints failed */
	bool timed : 1;
	bool accepted : 1;  /* counts against add_addr_accepted, unless its ID is 0 */
	bool any_tried : 1; /* a join failed, perhaps from routing's choice */
};

/* An address keeps its ID for the life of the connection, an ID its address. */
struct used_id {
	struct addr_ref addr;
	uint8_t local_id;
	bool ours : 1;	   /* assigned by the engine; the kernel's have a port */
	bool withdraw : 1; /* announced, but no longer an endpoint */
};

#define N_COUNTERS (sizeof(struct pm_counters) / sizeof(uint64_t))

struct conn {
	struct conn_table *table;
	uint32_t token;
	uint32_t registered; /* seconds */
	uint32_t slot;	     /* in conn_table.timed; 0: none */
	uint32_t work_when;  /* milliseconds, wrapping; if `work` */
	uint32_t watch_when; /* likewise; if `watched`: check its paths */
	uint32_t prio_when;  /* likewise: MP_PRIO may be repeated; if `refused`: is */
	uint8_t family;	     /* of the socket: AF_INET, AF_INET6; 0 until CREATED */
	uint8_t n_subflows, n_announced, n_ids;
	uint8_t last_error, last_reset;
	uint8_t section : 5; /* of the pool */
	bool v6only : 1;
	bool inherited : 1;   /* from the parent process */
	bool confirmed : 1;   /* it had an event */
	bool established : 1; /* the first subflow's addresses are known */
	bool server_side : 1;
	bool deny_join_id0 : 1; /* the peer's C flag (RFC 8684, 3.1) */
	uint8_t first_why : 2;	/* enum first_why */
	bool again : 1;		/* join_waiting() is due */
	bool work : 1;		/* conn_use_endpoints() is due at work_when */
	bool watched : 1;
	bool ended : 1;	     /* a path has; the peer may not know yet, and count it */
	bool incomplete : 1; /* no memory for a subflow: no joins before engine_resync()
			      */
	bool judge : 1;	     /* policy_decide() is due */
	uint8_t idle : 3;    /* checks that found no new data */
	uint8_t slower : 2;  /* checks in a row that found another uplink faster */
	uint8_t why : 2;     /* enum pm_reason of policy_decide(), from PREFERRED on */
	uint8_t prios : 3;   /* MP_PRIO was repeated so often */
	bool refused : 1;    /* by the kernel, which sends none before prio_when */
	struct addr_ref first, peer; /* of MP_CAPABLE: ours, with ID 0, and the peer's */
	/* endpoint_bit() of: */
	uint64_t spent;	    /* `subflow` endpoints that were used once */
	uint64_t signalled; /* endpoints announced to the peer */
	uint64_t refill;    /* endpoints that were lost */
	struct subflow *subflows;
	struct announcement *announced; /* in the order of arrival */
	struct used_id *ids;
	struct conn *prev, *next;      /* in conn_table.unconfirmed */
	uint16_t counters[N_COUNTERS]; /* as in struct pm_counters; they saturate */
	UT_hash_handle hh;
};

_Static_assert(POOL_SECTIONS_MAX <= 32, "struct conn has 5 bits");

/* In the heap. With a copy of the time, so that sorting reads no struct conn. */
struct conn_timer {
	uint32_t due; /* milliseconds, wrapping */
	struct conn *conn;
};

struct conn_table {
	struct conn *conns;	  /* in the order of registration */
	struct conn *unconfirmed; /* likewise */
	struct conn_timer *timed; /* binary heap by `due`; the first is timed[1] */
	struct conn *cursor;	  /* engine_tick() checks each from here on; or NULL */
	unsigned int n_unconfirmed, n_timed;
	unsigned int n_ids; /* of all connections */
	struct ref_table refs;
};

#define for_each_subflow(conn, s) \
	for (s = (conn)->subflows; s < (conn)->subflows + (conn)->n_subflows; s++)
#define for_each_used_id(conn, id) \
	for (id = (conn)->ids; id < (conn)->ids + (conn)->n_ids; id++)
#define for_each_announcement(conn, ann)                                             \
	for (ann = (conn)->announced; ann < (conn)->announced + (conn)->n_announced; \
	     ann++)

struct conn *conn_find(const struct conn_table *table, uint32_t token);

/* conn_add() - NULL: no memory, or ENGINE_CONNS_MAX reached. The token must be new. */
struct conn *conn_add(struct conn_table *table, const struct pm_registration *reg);
void conn_confirm(struct conn *conn);
void conn_free(struct conn *conn);
void conn_table_free(struct conn_table *table);
/* conn_table_sweep() - forget unused addresses, if there are many. No references on the
 * stack! */
void conn_table_sweep(struct conn_table *table);

/* conn_addr() - the address of @ref; conn_find_ref() - the reference of @addr, for
 * comparisons: pointers that are valid in the enclosing block */
#define conn_addr(conn, ref) \
	((const struct mpaddr[1]){ ref_addr(&(conn)->table->refs, ref) })
#define conn_find_ref(conn, addr) \
	((const struct addr_ref[1]){ ref_find(&(conn)->table->refs, addr) })
/* conn_ref() - Return: false without memory. */
static inline bool conn_ref(struct conn *conn, const struct mpaddr *addr,
			    struct addr_ref *ret_ref)
{
	return ref_make(&conn->table->refs, addr, ret_ref);
}

/* conn_set_timer() - engine_tick() serves @conn at @due. Without memory: at no time. */
void conn_set_timer(struct conn *conn, uint32_t due);
void conn_stop_timer(struct conn *conn);
/* conn_first_due() - the timer that engine_tick() serves first, or NULL */
static inline const struct conn_timer *conn_first_due(const struct conn_table *table)
{
	return table->n_timed ? &table->timed[1] : NULL;
}

/* conn_subflow_add() - append a copy. NULL: no memory, or ENGINE_SUBFLOWS_MAX. */
struct subflow *conn_subflow_add(struct conn *conn, const struct subflow *subflow);
void conn_subflow_del(struct conn *conn, struct subflow *subflow);

/*
 * conn_subflow_find() - by an event's addresses
 *
 * Pending ones have no local port yet. The end of a join that did not get an answer may
 * have remote port 0.
 */
struct subflow *conn_subflow_find(struct conn *conn, const struct addr_ref *local,
				  const struct addr_ref *remote);

/* conn_count() - subflows from @local to @remote (NULL: any) in one of @states */
unsigned int conn_count(const struct conn *conn, unsigned int states,
			const struct addr_ref *local, const struct addr_ref *remote);

/* conn_extra_subflows() - those that count against the `subflows` limit */
static inline unsigned int conn_extra_subflows(const struct conn *conn)
{
	return conn_count(conn, SUBFLOW_HOLDING | SUBFLOW_JOINED, NULL, NULL);
}

static inline bool conn_reaches(const struct conn *conn, const struct addr_ref *remote)
{
	return conn_count(conn, SUBFLOW_OPEN, NULL, remote);
}

static inline bool conn_uses(const struct conn *conn, const struct addr_ref *local)
{
	return conn_count(conn, SUBFLOW_HOLDING, local, NULL);
}

/* conn_announced() - the announcement of @addr with @remote_id, -1: any; or NULL */
struct announcement *conn_announced(struct conn *conn, int remote_id,
				    const struct addr_ref *addr);

/* conn_announced_add() - NULL: no memory, or ENGINE_ANNOUNCED_MAX. */
struct announcement *conn_announced_add(struct conn *conn, uint8_t remote_id,
					const struct mpaddr *addr);
void conn_announced_del(struct conn *conn, struct announcement *ann);

/*
 * conn_id_for() - the local ID of @addr on this connection
 *
 * An address without ID gets @wanted, or the lowest free ID if another address has that.
 * Return: 1-255; 0: none free, or no memory.
 */
uint8_t conn_id_for(struct conn *conn, const struct mpaddr *addr, uint8_t wanted);

/* conn_id_from_top() - the same, with the highest free ID, rare among endpoints */
uint8_t conn_id_from_top(struct conn *conn, const struct mpaddr *addr);

/* conn_id_of() - the entry of @addr and its port, or NULL */
struct used_id *conn_id_of(const struct conn *conn, const struct mpaddr *addr);

/* conn_id_seen() - the kernel uses this ID for @addr; ID 0 is the first subflow's. */
void conn_id_seen(struct conn *conn, const struct mpaddr *addr, uint8_t local_id);
