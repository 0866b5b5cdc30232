/* SPDX-License-Identifier: MIT */
/*
 * broker.h - the broker's state and its parts
 *
 * A client is a user's program with a pool, and has an engine. Everything runs in one
 * thread, in broker_run().
 */
#pragma once

#include "message.h"
#include "mptcpaddr/first.h"
#include "mptcpaddr/netlink.h"
#include "policy.h"
#include "shim/common/sockopt.h"
#include "shim/common/unix_name.h"
#include "shim/manager/control_server.h"
#include "shim/manager/event_pump.h"
#include "shim/manager/first_check.h"
#include "shim/manager/metered.h"
#include "shim/pool/watch.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct user {
	uid_t uid;
	int64_t registering_us, loading_us; /* of rate_take() */
	unsigned int waiting;		    /* connected peers without a request */
	unsigned int clients, connections, subflows;
	unsigned int busy;     /* clients with connections: scratch of quota_describe() */
	unsigned int controls; /* connected tools, see control_server.h */
	bool crowded;	       /* as many as it may have, which is in the log */
	int64_t listening_us;  /* of rate_take() */
	uint64_t registrations, refused;
	int64_t refused_ms; /* the last one in the log */
	int64_t logging_us; /* of rate_take(), for user_log() */
	unsigned int unlogged;
	struct metered metered;
	UT_hash_handle hh;
};

#define CLIENTS_PER_USER 64
#define CLIENT_PROCESSES 8

struct client {
	struct client *prev, *next; /* the least recently used one is first */
	struct broker *broker;
	struct user *user;
	bool adopted; /* not registered by the preload library */
	/* Its processes that have registered last: */
	struct client_process {
		pid_t pid;
		int fd; /* of the process; readable when it ends */
	} processes[CLIENT_PROCESSES];
	unsigned int n_processes;
	bool untracked;	       /* it has a process that cannot be watched */
	bool ended;	       /* neither shown nor in the state file */
	int64_t ended_ms;      /* since when without process and connection; 0: not so */
	struct record *record; /* as last received, as long as its pool */
	struct pool_watch watch; /* without descriptors */
	struct engine *engine;
	struct first_table first;
	struct control control;
	struct ctl_manager about;
	sockopt_report options; /* that MPTCP refused to the program */
	uint32_t restored;	/* its number in an earlier broker's state file; 0: new */
	unsigned int listeners;
	uint32_t number; /* in the control socket's name and in the state file */
	int64_t due_ms;	 /* when to call engine_tick(); INT64_MAX: never */
};

/* A connection of a client. */
struct client_conn {
	uint32_t token;
	bool v6only, listener; /* in the state file: `token` is a socket's inode */
	unsigned int subflows; /* open ones besides the first; its share of the quota */
	uint64_t cookie;
	struct client *client;
	UT_hash_handle hh;
};

/* A listening socket of a client: the connections that it accepts are the client's. */
struct listener {
	uint64_t key; /* the inode, and above it the user of the client */
	uint32_t inode;
	uid_t uid; /* of the process that opened it */
	uint64_t cookie;
	struct mpaddr addr;
	bool v6only, found;
	struct client *client;
	UT_hash_handle hh;
};

#define PEERS_MAX      256 /* connected, without a request so far */
#define PEERS_PER_USER 16
#define PEERS_CHECK_MS 250 /* for silent ones */

struct peer {
	int fd;
	struct user *user;
	bool admitted;
	pid_t pid; /* 0: unknown */
	unsigned int requests;
	int64_t since_ms;
};

#define REARM_UPLINKS_MAX 16

/* An interface that a pool or the connection at fault uses. */
struct uplink {
	char dev[IFNAMSIZ];
	int fds[2];	      /* its probes: MPTCP, TCP; -1: none */
	int64_t bad_until_ms; /* it drops MPTCP; 0: it does not */
};

/* The kernel's blackhole state: see rearm.c. */
struct rearm {
	int sysctl_fd;	       /* -1: it cannot be ended */
	int64_t noticed_s;     /* 0: not in force */
	unsigned long counted; /* the kernel's counters at the last look */
	int64_t due_ms;	       /* when the probes end; 0: there are none */
	int64_t next_ms;       /* no probes before */
	bool no_probes;	       /* not allowed */
	int64_t look_ms;       /* when to call rearm_notice(); 0: never */
	unsigned int looks;    /* since the last registration */
	struct mpaddr server;  /* to probe */
	struct uplink uplinks[REARM_UPLINKS_MAX];
	unsigned int n_uplinks;
};

struct broker {
	const char *config;
	unsigned long long netns; /* inode; namespaces may share /run */
	struct policy policy;
	bool userspace;		  /* set net.mptcp.path_manager; decided at start */
	int path_fd, name_fd;	  /* registration sockets; -1: none (names.c) */
	int lazy_fd;		  /* the same, not polled */
	char path[UNIX_NAME_MAX]; /* of path_fd */
	int64_t name_ms;	  /* when to try the abstract name again */
	int rtnl_fd, signal_fd, controls_fd, command_fd;
	int path_manager_fd, journal_fd, state_dir; /* -1: none */
	struct rtnl_table table;
	int64_t rtnl_ms; /* not before, another try to read it */
	struct client *clients;
	unsigned int n_clients, controls;
	uint32_t last_number;
	struct client_conn *conns;
	struct listener *listeners;
	int64_t again_ms;     /* when to look for accepted connections again; 0: never */
	unsigned int agains;  /* how often in a row */
	int64_t listeners_ms; /* when they were last found in the kernel; 0: long ago */
	struct user *users;
	struct peer peers[PEERS_MAX];
	unsigned int n_peers;
	struct event_pump pump;
	struct first_checks first_checks;
	int64_t adopted_ms; /* adopt_candidates() has seen the events held since before */
	uint64_t registrations, refused;
	int64_t logging_us; /* of rate_take(), for user_log() */
	struct rearm rearm;
	uint64_t journal_size, journal_compacted;
	bool stop;
};

/* clients.c: users, their programs with their pools, and their connections */

/* user_get() - find or make the user of @uid. NULL: too many, or no memory. */
struct user *user_get(struct broker *b, uid_t uid);

/*
 * rate_take() - count one more, of @per_second on average in bursts of up to @burst
 *
 * @full_us: when a whole burst is allowed again. Return: false, uncounted: too many.
 */
bool rate_take(int64_t *full_us, unsigned int per_second, unsigned int burst);

/*
 * user_log() - a line about @user in the log, within a rate of the user's own, so that
 * nobody can flood it or drown what it says about others
 */
__attribute__((format(printf, 4, 5))) void user_log(struct broker *b, struct user *user,
						    enum log_level level, const char *fmt,
						    ...);

struct client_conn *client_conn_find(const struct broker *b, uint32_t token);
void client_conn_drop(struct broker *b, struct client_conn *conn);
/* client_conn_sweep() - drop the connections of @client that its engine has dropped. */
void client_conn_sweep(struct broker *b, struct client *client);

/*
 * client_get() - find or make the client, with the pool of @record
 *
 * Return: NULL and the reason in @why: too many clients, no memory, a pool that is wrong
 * or changes too often.
 */
struct client *client_get(struct broker *b, struct user *user,
			  const struct record *record, bool adopted,
			  struct pool_error *why);

/* client_register() - take @token into the client's engine. Return: 0; -errno. */
int client_register(struct broker *b, struct client *client, uint32_t token, bool v6only,
		    enum first_why why, uint64_t cookie);

/* first_paths_avoid(), _worked() - of all clients of @user, those from @local. */
void first_paths_avoid(struct broker *b, struct user *user, const struct mpaddr *local);
void first_paths_worked(struct broker *b, struct user *user, const struct mpaddr *local);

void client_free(struct broker *b, struct client *client);

/* quota.c: limits of what users hold; what has ended is dropped */

/* client_make_room() - for one more client of @user. Return: false: there is none. */
bool client_make_room(struct broker *b, const struct user *user);
/* client_follow_process() - the client ends with @pid, and others of its processes. */
void client_follow_process(struct client *client, pid_t pid);
/* client_reap() - forget processes that have ended. */
void client_reap(struct client *client);
/* clients_drop_ended() - those without processes and connections; @now: at once */
void clients_drop_ended(struct broker *b, bool now);
int64_t client_end_due(const struct client *client);
/* controls_make_room() - from the user with the most connected tools. */
void controls_make_room(struct broker *b);
/* controls_log() - a line when @user's tools are as many as one user may connect. */
void controls_log(struct user *user);
/* quota_describe() - the users who have as much as one may, or most of a full table. */
void quota_describe(const struct broker *b, char *ret_text, size_t size);

/* clients.c again */

/* resolve_clients() - apply the machine's addresses and the policy to all pools again. */
void resolve_clients(struct broker *b);

/* client_serve_quota() - count, and stop at the quota. Return: when again, in ms; -1. */
int client_serve_quota(struct client *client);

/* client_serve_control() - answer what its control socket has ready. */
void client_serve_control(struct client *client);

/* broker_device_of() - the interface that has @addr; "": none */
const char *broker_device_of(const struct rtnl_table *table, const struct mpaddr *addr);

/* read_pool_file() - fill @record's pool from its path. Return: 0; -errno. */
int read_pool_file(struct record *record);

/* journal.c: the state file */

/* journal_open() - in the directory @dir. Return: 0; -errno: then nothing is written. */
int journal_open(struct broker *b, const char *dir);
/* journal_add() - append a client with its pool, or @conn if not NULL. */
void journal_add(struct broker *b, const struct client *client,
		 const struct client_conn *conn);
/* journal_add_listener() - the same for a listening socket. */
void journal_add_listener(struct broker *b, const struct listener *listener);
/* restore_clients() - read the state file of an earlier broker. */
void restore_clients(struct broker *b);

/* dispatch.c: events to the right engine, commands that the policy allows, resync */

/* dispatch_command() - struct event_pump's send_command(). */
int dispatch_command(void *ctx, const struct pm_cmd *cmd);
/* dispatch_event() - Return: false if no client has the connection. */
bool dispatch_event(struct broker *b, const struct pm_event *ev);
/* dispatch_early() - deliver the events of @token that came before its registration. */
void dispatch_early(struct broker *b, struct client *client, uint32_t token);
/* dispatch_timers() - run the timers of all engines. */
void dispatch_timers(struct broker *b);
/* resync_clients() - bring all engines in line with the kernel. Return: 0; -errno. */
int resync_clients(struct broker *b);

/* adopt.c: connections of programs without the preload library */

/* adopt_candidates() - adopt connections that nobody has registered in time. */
void adopt_candidates(struct broker *b);
int adopt_timeout(const struct broker *b);
/* adopt_connection() - if a [program] of the policy matches. */
void adopt_connection(struct broker *b, uint32_t token, bool server_side);
/* adopt_clear_cache() - the policy has changed. */
void adopt_clear_cache(void);

/* listeners.c: listening sockets of programs */

/*
 * listener_register() - serve the connections that the socket @inode accepts
 *
 * @cookie: of the socket, 0: any. Return: NULL, or the reason to refuse it.
 */
const char *listener_register(struct broker *b, struct client *client, uint32_t inode,
			      uint64_t cookie);
/* listeners_drop() - all of @client */
void listeners_drop(struct broker *b, const struct client *client);
/* listener_adopt() - take accepted and late connections, whose first event is lost. */
void listener_adopt(struct broker *b);
/* listener_retry() - the same after a while, for those that nobody had accepted yet. */
void listener_retry(struct broker *b);
/*
 * listener_take() - register the accepted connection of @established, and deliver it
 *
 * Root's programs may serve every connection, others those that they could have accepted,
 * or have accepted. Return: whether a client has it now.
 */
bool listener_take(struct broker *b, const struct pm_event *established);

/* names.c: the names by which programs find the broker */

/*
 * names_bind() - bind both names; names_listen() - listen there, after the sandbox
 *
 * Return: 0, perhaps with a warning: another user may hold the abstract name;
 * -EADDRINUSE: another broker has one; other -errno.
 */
int names_bind(struct broker *b);
int names_listen(struct broker *b);
/* names_retry() - take the abstract name once it is free. */
void names_retry(struct broker *b);
int names_timeout(const struct broker *b);
/* names_remove() - remove the path. */
void names_remove(const struct broker *b);

/* registration.c: programs that connect and register their connections */

/* registration_accept() - serve all programs that have connected. */
void registration_accept(struct broker *b);
/* Peers that are connected, without a request so far. */
unsigned int registration_poll_fill(const struct broker *b, struct pollfd *fds);
void registration_serve_peers(struct broker *b, const struct pollfd *fds);

/* rearm.c: end the kernel's blackhole state, find the uplink to blame */

/* rearm_open() - before the sandbox; says which right `rearm = yes` lacks. */
void rearm_open(struct broker *b);
/* rearm_notice() - a connection was TCP: look whether the kernel has MPTCP off. */
void rearm_notice(struct broker *b);
/* rearm_registered() - a connection may become TCP: a connect() that does not wait. */
void rearm_registered(struct broker *b);
/* rearm_established() - @ev, of a connection to a server: MPTCP is on */
void rearm_established(struct broker *b, const struct pm_event *ev);
/* rearm_tick() - end probes that are due, and look again. */
void rearm_tick(struct broker *b);
/* rearm_wait() - milliseconds until rearm_tick() has work; -1: none */
int rearm_wait(const struct broker *b);
/* rearm_avoid() - keep first paths off the uplinks that drop MPTCP. */
void rearm_avoid(struct broker *b, struct first_table *table);

/* sandbox.c: give up unneeded rights before serving programs */

/*
 * sandbox_enter() - keep only CAP_NET_ADMIN and the listed system calls
 *
 * Any other system call kills the process. @probes: allow IP connections.
 * Return: 0; -errno, and *@ret_what names the step that failed.
 */
int sandbox_enter(bool probes, const char **ret_what);

/* sd_notify.c: report the state to systemd (sd_notify(3)) */

/* notify_open() - use $NOTIFY_SOCKET and $WATCHDOG_USEC; without them, send nothing. */
void notify_open(void);
void notify_state(const char *state);
/* notify_watchdog() - notify it if due. Return: milliseconds until then; -1: none. */
int notify_watchdog(int64_t now_ms);

/* loop.c: the thread */

/* broker_load_policy() - read it and open the log; a file given by -c must exist. */
int broker_load_policy(struct broker *b, struct pool_error *why);
/* broker_check_devices() - warn of `devices` that the machine does not have. */
void broker_check_devices(const struct broker *b);
/* broker_run() - until a signal ends it. Return: 0; -errno. */
int broker_run(struct broker *b);
