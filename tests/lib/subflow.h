/* SPDX-License-Identifier: MIT */
/*
 * subflow.h - the MPTCP subflows of a host, from its kernel (sock_diag)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct host;

struct subflow {
	uint32_t token;	       /* of this host's connection */
	uint32_t remote_token; /* of the peer's: on joins that this host sent */
	struct address local;
	struct address remote;
	uint8_t local_id;
	uint8_t remote_id;
	uint8_t state; /* TCP_ESTABLISHED, ... */
	bool joined;   /* by MP_JOIN: not the connection's first subflow */
	bool backup_local;
	bool backup_remote;
};

struct subflows {
	struct subflow *at;
	size_t count;
};

/*
 * subflows_read() - all subflows of @h that are not listening, whatever their state
 *
 * Replaces what @s held; start with a struct of zeros. Sorted by token, the first
 * subflow first, then by addresses. Return: 0 or -errno.
 */
int subflows_read(const struct host *h, struct subflows *s);
void subflows_free(struct subflows *s);

/*
 * pairs_text() - the established joins as "10.0.3.2-10.0.2.1 ...", sorted
 *
 * The client's address comes first on both hosts, so that their texts are equal when
 * they agree. The caller frees it. With @token != 0 those of one connection.
 */
char *pairs_text(const struct host *h, uint32_t token, bool is_server);

/* How many connections have exactly these pairs_text(); @h is the client. */
int connections_with(const struct host *h, const char *pairs);

/* Established joined subflows, or -errno. */
int joined_count(const struct host *h);

/* Whether ss(8) shows no TCP socket with that local address, orphans included. */
bool tcp_gone_from(const struct host *h, const char *address);
