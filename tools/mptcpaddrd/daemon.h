/* SPDX-License-Identifier: MIT */
/*
 * daemon.h - the broker's own state
 *
 * A client is a program of a user with its pool, and has an engine; an account is a
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
	struct account *account;
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
struct held {
	uint32_t token;
	bool v6only;
	unsigned int subflows; /* requested, and not closed */
	uint64_t cookie;
	struct client *client;
	UT_hash_handle hh;
};

/* A connection that nobody has registered so far: perhaps one to adopt. */
#define NEWCOMERS_MAX 1024

struct newcomer {
	uint32_t token;
	bool server_side;
	int64_t since_ms;
};

#define GUESTS_MAX	256 /* that are connected and have said nothing yet */
#define GUESTS_PER_USER 16

struct guest {
	int fd;
	struct account *account;
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
	int door_fd, netif_fd, diag_fd, signal_fd, controls_fd;
	int path_manager_fd, state_fd, state_dir;
	struct pmnl *pmnl;
	struct netif_table table;
	struct client *clients;
	unsigned int n_clients;
	uint32_t last_number;
	struct held *held;
	struct account *accounts;
	struct guest guests[GUESTS_MAX];
	unsigned int n_guests;
	struct event_pump pump;
	struct newcomer newcomers[NEWCOMERS_MAX]; /* a ring */
	unsigned int first_newcomer, n_newcomers;
	struct refusals refused;
	uint64_t registrations;
	uint64_t state_size, state_kept;
	bool stop;
};

/* clients.c */
struct held *held_find(const struct broker *b, uint32_t token);
void held_drop(struct broker *b, struct held *held);
/* held_forget() - its engine forgets it, too. */
void held_forget(struct broker *b, struct held *held);
/* held_sweep() - drop those of @client that its engine has dropped. */
void held_sweep(struct broker *b, struct client *client);

/*
 * client_get() - the client that this is, made if need be, with the pool @text
 *
 * Return: NULL and *@ret_error: -ENOSPC, -ENOMEM, -EDQUOT: too many, or too often
 * another pool; -EINVAL: the pool is wrong, and *@why says how.
 */
struct client *client_get(struct broker *b, struct account *account, const char *program,
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
/* work_command() - struct event_pump's send_command(). */
int work_command(void *ctx, const struct pm_cmd *cmd);
/* work_event() - Return: false if the connection is nobody's. */
bool work_event(struct broker *b, const struct pm_event *ev);
void work_replay(struct broker *b, uint32_t token);
void work_tick(struct broker *b);
/* work_again() - the kernel tells what there is: after events were lost, at start. */
int work_again(struct broker *b);
int broker_run(struct broker *b);

/* door.c */
int door_open(struct broker *b);
int door_listen(struct broker *b);
void door_serve(struct broker *b);
unsigned int door_poll_fill(const struct broker *b, struct pollfd *fds);
void door_serve_guests(struct broker *b, const struct pollfd *fds);
int door_timeout(const struct broker *b);

/* adopt.c */
void adopt_note(struct broker *b, const struct pm_event *ev);
void adopt_due(struct broker *b);
void adopt_one(struct broker *b, uint32_t token, bool server_side);
/* adopt_forget() - there is another policy. */
void adopt_forget(void);
int adopt_timeout(const struct broker *b);

/* state.c: what outlives the process */
int state_open(struct broker *b, const char *folder);
void state_client(struct broker *b, const struct client *client);
void state_held(struct broker *b, const struct held *held);
void state_restore(struct broker *b);

/* start.c */
int broker_open(struct broker *b, const char *folder);
/* broker_policy() - as policy_load(); a file that was named with -c must be there. */
int broker_policy(struct broker *b, struct pool_error *why);
void broker_reload(struct broker *b);
void broker_close(struct broker *b);
int system_pool(const char *program, char **ret_text, size_t *ret_len, char *ret_path,
		size_t size);
int read_whole(const char *path, char **ret_text, size_t *ret_len);
