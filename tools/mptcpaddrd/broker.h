/* SPDX-License-Identifier: MIT */
/*
 * broker.h - the broker's state
 *
 * A client is a user's program with a pool, and has an engine. Everything runs in one
 * thread, in broker_run().
 */
#pragma once

#include "mptcpaddr/broker.h"
#include "mptcpaddr/diag.h"
#include "mptcpaddr/netlink.h"
#include "policy.h"
#include "shim/manager/control_server.h"
#include "shim/manager/event_pump.h"
#include "shim/pool/watch.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define CLIENTS_MAX	 512
#define CLIENTS_PER_USER 64
#define USERS_MAX	 4096

/* At most `per_second` on average, in bursts of up to `burst`. */
struct rate {
	int64_t full_us; /* when a whole burst is allowed again */
};

struct user {
	uid_t uid;
	struct rate registering, loading;
	unsigned int waiting; /* connected peers without a request */
	unsigned int clients, connections, subflows;
	uint64_t registrations, refused;
	int64_t logged_ms; /* the last line about the user in the log */
	UT_hash_handle hh;
};

struct client {
	struct client *prev, *next;
	struct broker *broker;
	struct user *user;
	struct policy_program adopts; /* `line` 0: registered by the preload library */
	char program[64], path[1024];
	char *text; /* the pool file, as last received */
	size_t text_len;
	struct pool_watch watch; /* without descriptors */
	struct engine *engine;
	struct control control;
	struct ctl_manager about;
	uint32_t restored; /* its number in an earlier broker's state file; 0: new */
	uint32_t number;   /* in the control socket's name and in the state file */
	int64_t due_ms;	   /* when to call engine_tick(); INT64_MAX: never */
	int64_t used_ms;
};

/* A connection of a client. */
struct client_conn {
	uint32_t token;
	bool v6only;
	unsigned int subflows; /* requested and not closed */
	uint64_t cookie;
	struct client *client;
	UT_hash_handle hh;
};

/* A connection without a registration so far: perhaps one to adopt. */
#define CANDIDATES_MAX 1024

struct candidate {
	uint32_t token;
	bool server_side;
	int64_t since_ms;
};

#define PEERS_MAX      256 /* connected, without a request so far */
#define PEERS_PER_USER 16

struct peer {
	int fd;
	struct user *user;
	bool admitted;
	unsigned int requests;
	int64_t since_ms;
};

struct broker {
	const char *config;
	unsigned long long netns; /* inode; namespaces may share /run */
	struct policy policy;
	int listen_fd, rtnl_fd, diag_fd, signal_fd, controls_fd;
	int path_manager_fd, journal_fd, state_dir;
	int command_fd;
	struct rtnl_table table;
	struct client *clients;
	unsigned int n_clients;
	uint32_t last_number;
	struct client_conn *conns;
	struct user *users;
	struct peer peers[PEERS_MAX];
	unsigned int n_peers;
	struct event_pump pump;
	struct candidate candidates[CANDIDATES_MAX]; /* a ring */
	unsigned int first_candidate, n_candidates;
	uint64_t registrations, refused;
	uint64_t journal_size, journal_compacted;
	bool stop;
};
