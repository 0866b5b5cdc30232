/* SPDX-License-Identifier: MIT */
/*
 * broker.h - the broker's state and its parts
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
#include <poll.h>
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

/* clients.c: users, their programs with their pools, and their connections */

/* user_get() - find or make the user of @uid. NULL: too many, or no memory. */
struct user *user_get(struct user **users, uid_t uid);
void users_free(struct user **users);

/* rate_take() - count one more. Return: false, uncounted, if it exceeds the rate. */
bool rate_take(struct rate *rate, unsigned int per_second, unsigned int burst);

struct client_conn *client_conn_find(const struct broker *b, uint32_t token);
void client_conn_drop(struct broker *b, struct client_conn *conn);
/* client_conn_forget() - drop it from its engine, too. */
void client_conn_forget(struct broker *b, struct client_conn *conn);
/* client_conn_sweep() - drop the connections of @client that its engine has dropped. */
void client_conn_sweep(struct broker *b, struct client *client);

/*
 * client_get() - find or make the client, with the pool @text
 *
 * Return: NULL and the reason in @why: too many clients, no memory, a pool that is wrong
 * or changes too often.
 */
struct client *client_get(struct broker *b, struct user *user, const char *program,
			  const char *path, const char *text, size_t len,
			  const struct policy_program *adopts, struct pool_error *why);
void client_free(struct broker *b, struct client *client);

/* client_register() - take @token into the client's engine. Return: 0; -errno. */
int client_register(struct broker *b, struct client *client, uint32_t token, bool v6only,
		    uint64_t cookie);

/* resolve_clients() - apply the machine's addresses and the policy to all pools again. */
void resolve_clients(struct broker *b);

/* client_serve_control() - answer what @fds of its control socket has ready. */
void client_serve_control(struct client *client, const struct pollfd *fds);

/* read_pool_file() - a regular file, of bounded size. Return: 0; -errno. */
int read_pool_file(const char *path, char **ret_text, size_t *ret_len);
/* journal.c: the state file */

/* journal_open() - in the directory @dir. Return: 0; -errno: then nothing is written. */
int journal_open(struct broker *b, const char *dir);
/* journal_add() - append a client with its pool, or @conn if not NULL. */
void journal_add(struct broker *b, const struct client *client,
		 const struct client_conn *conn);

/* restore_clients() - read the state file of an earlier broker. */
void restore_clients(struct broker *b);

/* dispatch.c: events to the right engine, commands that the policy allows, resync */

/* dispatch_command() - struct event_pump's send_command(). */
int dispatch_command(void *ctx, const struct pm_cmd *cmd);

/* dispatch_event() - Return: false if no client has the connection. */
bool dispatch_event(struct broker *b, const struct pm_event *ev);

/* dispatch_early() - deliver the events of @token that came before its registration. */
void dispatch_early(struct broker *b, uint32_t token);

/* dispatch_timers() - run the timers of all engines. */
void dispatch_timers(struct broker *b);

/* resync_clients() - bring all engines in line with the kernel. Return: 0; -errno. */
int resync_clients(struct broker *b);

/* dispatch_count_subflows() - @by more subflows of @conn and its user; may be negative.
 */
void dispatch_count_subflows(struct client_conn *conn, int by);

/* adopt.c: connections of programs without the preload library */

/* adopt_add_candidate() - @ev belongs to no registered connection. */
void adopt_add_candidate(struct broker *b, const struct pm_event *ev);
/* adopt_candidates() - adopt those that have waited long enough for a registration. */
void adopt_candidates(struct broker *b);
int adopt_timeout(const struct broker *b);

/* adopt_connection() - if a [program] of the policy matches. */
void adopt_connection(struct broker *b, uint32_t token, bool server_side);

/* adopt_clear_cache() - the policy has changed. */
void adopt_clear_cache(void);

/* registration.c: programs that connect and register their connections */

/* registration_open() - take the name; programs are refused until registration_listen().
 */
int registration_open(struct broker *b);
int registration_listen(struct broker *b);

/* registration_accept() - serve all programs that have connected. */
void registration_accept(struct broker *b);

/* Peers that are connected, without a request so far. */
unsigned int registration_poll_fill(const struct broker *b, struct pollfd *fds);
void registration_serve_peers(struct broker *b, const struct pollfd *fds);
int registration_timeout(const struct broker *b);

/* loop.c: the thread */

/* broker_load_policy() - as policy_load(); a file given by -c must exist. */
int broker_load_policy(struct broker *b, struct pool_error *why);

/* broker_run() - until a signal ends it. Return: 0; -errno. */
int broker_run(struct broker *b);
