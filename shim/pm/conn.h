/* SPDX-License-Identifier: MIT */
/*
 * conn.h - the engine's tables: connections by token, used local IDs by connection
 *
 * Private to the engine. 10,000 connections with two joins each are a normal load, so
 * a connection is kept below 512 bytes: its used IDs live in one table for all
 * connections, keyed by token and ID, because a uthash table of its own costs 120.
 */
#ifndef MPTCPADDR_CONN_H
#define MPTCPADDR_CONN_H

#include "mptcpaddr/engine.h"

/* Out of memory leaves hh.tbl NULL instead of ending the application. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum subflow_state {
	SUBFLOW_PENDING, /* requested; the handshake is under way */
	SUBFLOW_LIVE,
};

struct subflow {
	struct mpaddr local, remote; /* local.port 0 while pending */
	uint8_t local_id;
	uint8_t remote_id; /* of the announcement that it joins */
	uint8_t state;
	bool initial; /* the one of MP_CAPABLE, not counted by the limits */
};

enum announce_state {
	ANNOUNCE_WAITING, /* for an endpoint or below a limit */
	ANNOUNCE_JOINED,  /* a subflow is pending or live */
	ANNOUNCE_CLOSED,  /* had its subflow; only a new ADD_ADDR brings another */
	ANNOUNCE_REFUSED, /* by the filter */
};

/* An ADD_ADDR received (RFC 8684, 3.4.1) and not withdrawn. */
struct announcement {
	struct mpaddr addr; /* with port */
	uint8_t remote_id;
	uint8_t state;
	bool accepted;	/* counts against add_addr_accepted */
	bool any_tried; /* routing's choice was tried */
	uint64_t tried; /* endpoint_bit() of those that failed for it */
};

/* An address keeps its ID for the life of the connection, an ID its address. */
struct used_id {
	struct {
		uint32_t token;
		uint32_t local_id;
	} key;
	struct mpaddr addr;
	struct used_id *next; /* of the same connection */
	UT_hash_handle hh;
};

struct conn {
	uint32_t token;
	uint16_t family; /* of the socket: AF_INET, AF_INET6; 0 until CREATED */
	bool v6only;
	bool inherited;	  /* of the process that this one was forked from */
	bool confirmed;	  /* an event came */
	uint8_t accepted; /* announcements that count against the limit */
	uint8_t n_subflows, n_announced;
	int64_t registered; /* seconds */
	struct mpaddr peer; /* the address of MP_CAPABLE */
	struct subflow *subflows;
	struct announcement *announced; /* in the order of arrival */
	struct used_id *ids;
	UT_hash_handle hh;
};

struct conn_table {
	struct conn *confirmed;
	struct conn *unconfirmed; /* in the order of registration */
	struct used_id *ids;
};

struct conn *conn_find(struct conn_table *table, uint32_t token);

/* conn_add() - NULL: no memory, or ENGINE_CONNS_MAX reached. The token must be new. */
struct conn *conn_add(struct conn_table *table, const struct pm_registration *reg);
void conn_confirm(struct conn_table *table, struct conn *conn);
void conn_free(struct conn_table *table, struct conn *conn);
void conn_table_free(struct conn_table *table);

/* conn_subflow_add() - append a copy. Return: the new one; NULL: no memory or full. */
struct subflow *conn_subflow_add(struct conn *conn, const struct subflow *subflow);
void conn_subflow_del(struct conn *conn, struct subflow *subflow);

/* The subflow of an event: same addresses; a pending one has no local port yet. */
struct subflow *conn_subflow_find(struct conn *conn, const struct mpaddr *local,
				  const struct mpaddr *remote);

/* Whether a live or pending subflow goes to, or comes from, an address. */
bool conn_reaches(const struct conn *conn, const struct mpaddr *remote);
bool conn_uses(const struct conn *conn, const struct mpaddr *local);
/* Whether a pending subflow goes there. */
bool conn_joining(const struct conn *conn, const struct mpaddr *remote);
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

/* conn_id_seen() - the kernel has @addr with this ID; ID 0 is the first subflow's. */
void conn_id_seen(struct conn_table *table, struct conn *conn, const struct mpaddr *addr,
		  uint8_t local_id);

#endif
