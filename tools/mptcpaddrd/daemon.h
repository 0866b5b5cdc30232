/* SPDX-License-Identifier: MIT */
/*
 * daemon.h - the broker's own state
 *
 * A client is a program of a user with its pool, and has an engine; an user is a
 * user. Everything runs in one thread, around broker_run().
 */
#pragma once

#include "conn_owner.h"
#include "message.h"
#include "mptcpaddr/netlink.h"
#include "policy.h"
#include "shim/manager/control_server.h"
#include "shim/manager/event_pump.h"
#include "shim/pool/watch.h"
#include "user_quota.h"

#define CLIENTS_MAX	 512
#define CLIENTS_PER_USER 64

struct client {
	struct client *prev, *next;
	struct user *user;
	struct policy_program adopts; /* `line` 0: a shim's */
	char program[64], path[1024];
	char *text; /* the pool file as it was sent last */
	size_t text_len;
	struct poolwatch watch; /* without its descriptors */
	struct engine *engine;
	struct control control;
	struct ctl_manager about;
	uint32_t number; /* in the control socket's name and in the state file */
	int64_t due_ms;	 /* when the engine wants engine_tick(); INT64_MAX: never */
	int64_t used_ms;
};

/* A connection that is ours. */
struct client_conn {
	uint32_t token;
	bool v6only;
	unsigned int subflows; /* requested, and not closed */
	uint64_t cookie;
	struct client *client;
	UT_hash_handle hh;
};

/* A connection that nobody has registered so far: perhaps one to adopt. */
#define CANDIDATES_MAX 1024

struct candidate {
	uint32_t token;
	bool server_side;
	int64_t since_ms;
};

#define PEERS_MAX      256 /* that are connected and have said nothing yet */
#define PEERS_PER_USER 16

struct peer {
	int fd;
	struct user *user;
	bool admitted;
	unsigned int requests;
	int64_t since_ms;
};

struct refusals {
	uint64_t length, form, version, sense; /* what record_parse() says */
	uint64_t rate, policy, room, foreign, stale, pool;
};

struct broker {
	const char *config;
	struct policy policy;
	int listen_fd, netif_fd, diag_fd, signal_fd, controls_fd;
	int path_manager_fd, journal_fd, state_dir;
	struct pmnl *pmnl;
	struct netif_table table;
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
	struct refusals refused;
	uint64_t registrations;
	uint64_t journal_size, journal_compacted;
	bool stop;
};

/* clients.c */
struct client_conn *client_conn_find(const struct broker *b, uint32_t token);
void client_conn_drop(struct broker *b, struct client_conn *conn);
/* client_conn_forget() - its engine forgets it, too. */
void client_conn_forget(struct broker *b, struct client_conn *conn);
/* client_conn_sweep() - drop those of @client that its engine has dropped. */
void client_conn_sweep(struct broker *b, struct client *client);

/*
 * client_get() - the client that this is, made if need be, with the pool @text
 *
 * Return: NULL and *@ret_error: -ENOSPC, -ENOMEM, -EDQUOT: too many, or too often
 * another pool; -EINVAL: the pool is wrong, and *@why says how.
 */
struct client *client_get(struct broker *b, struct user *user, const char *program,
			  const char *path, const char *text, size_t len,
			  const struct policy_program *adopts, struct pool_error *why,
			  int *ret_error);
void client_free(struct broker *b, struct client *client);
/* client_register() - take @token into the client's engine. Return: 0; -errno. */
int client_register(struct broker *b, struct client *client, uint32_t token, bool v6only,
		    uint64_t cookie);
/* client_resolve() - the machine's addresses, or the policy, have changed. */
void client_resolve(struct broker *b, struct client *client);
/* client_edit() - for control_view. */
struct edit_context {
	struct broker *broker;
	struct client *client;
};
int client_edit(void *ctx, char *words, char *ret_why, size_t size);

/* work.c: what an engine wants */
/* dispatch_command() - struct event_pump's send_command(). */
int dispatch_command(void *ctx, const struct pm_cmd *cmd);
/* dispatch_event() - Return: false if the connection is nobody's. */
bool dispatch_event(struct broker *b, const struct pm_event *ev);
void dispatch_early(struct broker *b, uint32_t token);
void dispatch_timers(struct broker *b);
/* resync_clients() - the kernel tells what there is: after events were lost, at start. */
int resync_clients(struct broker *b);
int broker_run(struct broker *b);

/* door.c */
int registration_open(struct broker *b);
int registration_listen(struct broker *b);
void registration_accept(struct broker *b);
unsigned int registration_poll_fill(const struct broker *b, struct pollfd *fds);
void registration_serve_peers(struct broker *b, const struct pollfd *fds);
int registration_timeout(const struct broker *b);

/* adopt.c */
void adopt_add_candidate(struct broker *b, const struct pm_event *ev);
void adopt_candidates(struct broker *b);
void adopt_connection(struct broker *b, uint32_t token, bool server_side);
/* adopt_clear_cache() - there is another policy. */
void adopt_clear_cache(void);
int adopt_timeout(const struct broker *b);

/* state.c: what outlives the process */
int journal_open(struct broker *b, const char *folder);
void journal_add_client(struct broker *b, const struct client *client);
void journal_add_conn(struct broker *b, const struct client_conn *conn);
void restore_clients(struct broker *b);

/* start.c */
int broker_open(struct broker *b, const char *folder);
/* broker_load_policy() - as policy_load(); a file that was named with -c must be there.
 */
int broker_load_policy(struct broker *b, struct pool_error *why);
void broker_reload(struct broker *b);
void broker_close(struct broker *b);
int read_system_pool(const char *program, char **ret_text, size_t *ret_len,
		     char *ret_path, size_t size);
int read_pool_file(const char *path, char **ret_text, size_t *ret_len);
