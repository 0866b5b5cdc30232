/* SPDX-License-Identifier: MIT */
/*
 * conn.h - the engine's tables: connections by token, used local IDs by connection
 *
 * Private to the engine. 10,000 connections with two joins each are a normal load, so
 * a connection is kept small: its used IDs live in one table for all connections, keyed
 * by token and ID, because a uthash table of its own costs 120 bytes.
 */
#pragma once

#include "mptcpaddr/engine.h"
#include "mptcpaddr/note.h"

/* Out of memory leaves hh.tbl NULL instead of ending the application. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum subflow_state {
	SUBFLOW_PENDING, /* requested; the handshake is under way */
	SUBFLOW_LIVE,
	SUBFLOW_CLOSING, /* its end was requested: it holds no address any more */
	SUBFLOW_DOOMED, /* pending, while its address went away: holds that, and its place
			 */
	SUBFLOW_RETRY,	/* none: the pair is tried again when its time has come */
};

#define SUBFLOW_NO_ENDPOINT	 0
#define SUBFLOW_ENDPOINT_REMOVED UINT8_MAX /* it was taken out of the pool */

struct subflow {
	struct mpaddr local, remote; /* local.port 0 while pending */
	uint32_t when;	  /* LIVE: since; RETRY: the time; milliseconds, wrapping */
	uint8_t endpoint; /* its index + 1, or one of the above */
	uint8_t local_id;
	uint8_t remote_id; /* of the announcement that it joins */
	uint8_t state;
	uint8_t tries;	  /* that failed */
	bool initial : 1; /* the one of MP_CAPABLE, not counted by the limits */
	bool fixed : 1;	  /* this pair is wanted (subflow, fullmesh), not any endpoint */
	bool backup : 1;  /* asked for */
	bool removed : 1; /* the peer withdrew its address */
};

/* An ADD_ADDR received (RFC 8684, 3.4.1) and not withdrawn. */
struct announcement {
	struct mpaddr addr; /* with port */
	uint32_t when;	    /* the next try, if `timed`; milliseconds, wrapping */
	uint64_t tried;	    /* endpoint_bit() of those that failed for it */
	uint8_t remote_id;
	uint8_t state;	/* enum pm_announced_state; JOINED while a subflow is pending, too
			 */
	uint8_t reason; /* enum pm_reason, of WAITING and REFUSED */
	uint8_t error;	/* of the last join that failed */
	uint8_t tries;	/* that ended with no endpoint left */
	bool timed : 1;
	bool accepted : 1;  /* counts against add_addr_accepted */
	bool any_tried : 1; /* routing's choice was tried */
};

/* An address keeps its ID for the life of the connection, an ID its address. */
struct used_id {
	struct {
		uint32_t token;
		uint32_t local_id;
	} key;
	struct mpaddr addr;
	bool ours;	      /* given by us: the kernel's own are with a port */
	bool withdraw;	      /* announced, and no endpoint any more */
	struct used_id *next; /* of the same connection */
	UT_hash_handle hh;
};

#define N_COUNTERS (sizeof(struct pm_counters) / sizeof(uint64_t))

struct conn {
	uint32_t token;
	uint32_t due;	    /* milliseconds, wrapping; if `timed` */
	uint32_t work_when; /* likewise; if `work` */
	uint16_t family;    /* of the socket: AF_INET, AF_INET6; 0 until CREATED */
	uint8_t section;    /* of the pool */
	uint8_t mpc;	  /* the endpoint of the first subflow's address: index + 1; 0 */
	uint8_t accepted; /* announcements that count against the limit */
	uint8_t n_subflows, n_announced;
	uint8_t last_error;
	bool v6only : 1;
	bool inherited : 1;   /* of the process that this one was forked from */
	bool confirmed : 1;   /* an event came */
	bool established : 1; /* its first subflow's addresses are known */
	bool server_side : 1;
	bool deny_join_id0 : 1; /* the peer does not want joins to its first address */
	bool excluded : 1;
	bool timed : 1;	    /* is in the list of those with something to do later */
	bool again : 1;	    /* an announcement found no room in a list of commands */
	bool work : 1;	    /* endpoints may be there to be used or announced */
	int64_t registered; /* seconds */
	struct mpaddr first,
		peer; /* the addresses of MP_CAPABLE: ours, with ID 0, theirs */
	/* Bits of endpoints, endpoint_bit() */
	uint64_t spent;	    /* `subflow` endpoints that had their turn */
	uint64_t signalled; /* announced to the peer */
	uint64_t refill;    /* `fullmesh` endpoints that came (back) in between */
	struct subflow *subflows;
	struct announcement *announced; /* in the order of arrival */
	struct used_id *ids;
	struct conn *prev, *next;      /* among the timed ones */
	uint16_t counters[N_COUNTERS]; /* as in struct pm_counters; they saturate */
	UT_hash_handle hh;
};

struct conn_table {
	struct conn *confirmed;
	struct conn *unconfirmed; /* in the order of registration */
	struct conn *timed;	  /* those with something to do later */
	struct conn *cursor;	  /* the next one of a walk in parts, or NULL */
	struct used_id *ids;
};

#define for_each_subflow(conn, s) \
	for (s = (conn)->subflows; s < (conn)->subflows + (conn)->n_subflows; s++)
#define for_each_announcement(conn, ann)                                             \
	for (ann = (conn)->announced; ann < (conn)->announced + (conn)->n_announced; \
	     ann++)

struct conn *conn_find(const struct conn_table *table, uint32_t token);

/* conn_add() - NULL: no memory, or ENGINE_CONNS_MAX reached. The token must be new. */
struct conn *conn_add(struct conn_table *table, const struct pm_registration *reg);
void conn_confirm(struct conn_table *table, struct conn *conn);
void conn_free(struct conn_table *table, struct conn *conn);
void conn_table_free(struct conn_table *table);

/* conn_set_timed() - whether @conn is in the list of the timed ones. */
void conn_set_timed(struct conn_table *table, struct conn *conn, bool timed);

/* conn_subflow_add() - append a copy. Return: the new one; NULL: no memory or full. */
struct subflow *conn_subflow_add(struct conn *conn, const struct subflow *subflow);
void conn_subflow_del(struct conn *conn, struct subflow *subflow);

/* The subflow of an event: same addresses; a pending one has no local port yet. */
struct subflow *conn_subflow_find(struct conn *conn, const struct mpaddr *local,
				  const struct mpaddr *remote);

/* Pending or live: it counts for the limits, and for what is reached. */
bool subflow_counts(const struct subflow *subflow);
/* Whether such a subflow goes to an address; whether its address is held. */
bool conn_reaches(const struct conn *conn, const struct mpaddr *remote);
bool conn_uses(const struct conn *conn, const struct mpaddr *local);
/* Whether a pending subflow goes there. */
bool conn_joins(const struct conn *conn, const struct mpaddr *remote);
/* Whether the pair is there already, in whatever state. */
bool conn_has_pair(const struct conn *conn, const struct mpaddr *local,
		   const struct mpaddr *remote);
unsigned int conn_extra_subflows(const struct conn *conn);

struct announcement *conn_announced(struct conn *conn, uint8_t remote_id,
				    const struct mpaddr *addr);
struct announcement *conn_announced_to(struct conn *conn, const struct mpaddr *addr);

/* conn_announced_add() - NULL: no memory, or ENGINE_ANNOUNCED_MAX remembered. */
struct announcement *conn_announced_add(struct conn *conn, uint8_t remote_id,
					const struct mpaddr *addr);
void conn_announced_del(struct conn *conn, struct announcement *ann);

/*
 * conn_id_for() - the local ID of @addr on this connection
 *
 * @wanted is taken when neither the address has an ID nor another address has @wanted;
 * otherwise the lowest free ID from 1 on. Return: 1-255; 0: none free, or no memory.
 */
uint8_t conn_id_for(struct conn_table *table, struct conn *conn,
		    const struct mpaddr *addr, uint8_t wanted);

/* conn_id_from_top() - the same, with an ID that endpoints hardly have: a high one. */
uint8_t conn_id_from_top(struct conn_table *table, struct conn *conn,
			 const struct mpaddr *addr);

/* conn_id_of() - the entry of @addr, with its port; NULL: it has no ID. */
struct used_id *conn_id_of(const struct conn *conn, const struct mpaddr *addr);

/* conn_id_seen() - the kernel has @addr with this ID; ID 0 is the first subflow's. */
void conn_id_seen(struct conn_table *table, struct conn *conn, const struct mpaddr *addr,
		  uint8_t local_id);
