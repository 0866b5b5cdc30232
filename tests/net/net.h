/* SPDX-License-Identifier: MIT */
/*
 * net.h - one client, one server, a pool and announcements, for all network tests
 *
 * Each scenario runs with the pool under the shim (FROM_POOL) or with the same addresses
 * as laminar endpoints of the client's kernel (FROM_KERNEL); the server is native MPTCP
 * with `signal` endpoints in both. Every function asserts that its step worked.
 */
#pragma once

#include <criterion/criterion.h>
#include <stdbool.h>

#include "capture.h"
#include "counter.h"
#include "endpoint.h"
#include "manager.h"
#include "proc.h"
#include "skip.h"
#include "subflow.h"
#include "until.h"
#include "world.h"

#define NET_PORT     "8080"
#define NET_LIST_MAX 9 /* the kernel has at most 8 endpoints; one for the end */

enum net_side {
	FROM_KERNEL,
	FROM_POOL
};

struct net_spec {
	const char *about;   /* printed if net_settle() fails, or NULL */
	const char *connect; /* default 10.0.1.1 */
	struct endpoint_spec pool[NET_LIST_MAX];      /* no kind in flags: EP_LAMINAR */
	struct endpoint_spec announced[NET_LIST_MAX]; /* flags: EP_SIGNAL is implied */
	int subflows;				      /* limits of the client; 0: 8 */
	int accepted;
	bool no_subflows; /* the limits are 0 */
	bool no_accepted;
	const char *pool_text;	    /* more lines for the pool file, "[accept]\n..." */
	const char *client_args[6]; /* of tcpclient, in front of the address */
	const char *server_nft;
	bool fastopen;
	bool server_pool; /* the server is under the shim, `announced` its pool */
	bool plain_tcp;	  /* a server that knows no MPTCP */
	bool no_retry;	  /* like the kernel, which never retries */
	/*
	 * The client sends nothing before the first ADD_ADDR, which thus establishes its
	 * connection. Otherwise the acknowledgement of its first data may be faster, and
	 * `subflow` endpoints join before the announcement.
	 */
	bool announced_first;
	bool no_join_id0;    /* the server forbids joins to its first address: C flag */
	int server_accepted; /* add_addr_accepted of the server */
};

struct net {
	enum net_side side;
	const struct net_spec *spec;
	struct world world;
	struct proc server;
	struct proc client;
	struct capture wire;	   /* the client's */
	int announced;		   /* announcements that the client must echo */
	struct endpoint_spec last; /* net_announce_as() */
	struct endpoint_spec pool[NET_LIST_MAX]; /* the pool now */
	int subflows, accepted;			 /* the limits now */
	char pool_path[64];
};

/* Both hosts, the capture and the server; no client yet. */
void net_open(struct net *n, const struct net_spec *spec, enum net_side side);
/* Start the client and wait for its connections; @count of them. */
void net_connect(struct net *n, int count);
/* net_open() and net_connect() for one connection. */
void net_start(struct net *n, const struct net_spec *spec, enum net_side side);
/* The client must exit with 0; everything else is killed. */
void net_close(struct net *n);

/* A further announcement while the connection is up, and its withdrawal. */
void net_announce(struct net *n, const char *addr);
/* With a port, or an ID; EP_SIGNAL is implied. */
void net_announce_as(struct net *n, const struct endpoint_spec *spec);
void net_withdraw(struct net *n, const char *addr);

/*
 * The client's endpoints change while it runs: by netlink, or by another pool file that
 * takes effect before these return. net_change() is for `backup`.
 */
void net_add(struct net *n, const struct endpoint_spec *e);
void net_del(struct net *n, const char *addr);
void net_change(struct net *n, const char *addr, uint32_t flags);
void net_limits(struct net *n, int subflows, int accepted);
/* Replace the pool file by this text, valid or not. */
void net_pool_text(struct net *n, const char *text);
/* For net_open(): the pool file, or the kernel's endpoints. */
void net_pool_open(struct net *n);

/*
 * net_settle() - wait until nothing is in progress
 *
 * Every announcement is echoed, the manager has handled every event, no join is half
 * open, and both hosts have shown the same subflows for a while.
 */
void net_settle(struct net *n);

/* net_settle(), then both hosts have exactly these joined pairs (see pairs_text()). */
void net_pairs_are(struct net *n, const char *pairs);

/* The same in the end: a path that is made anew is missing for a moment. */
void net_pairs_become(struct net *n, const char *pairs);
/* Joins that reached the server and were completed; ADD_ADDRs received; echoes. */
void net_counters_are(struct net *n, int joins, int add_addrs, int echoes);
/* MP_JOINs that the client sent, successful or not. */
int net_joins_sent(struct net *n);
/* Print the wire and the shim's log (MPTCPADDR_LOG=debug), before a test fails. */
void net_show(struct net *n);
/*
 * net_compare() - @run a scenario under the shim and in the kernel: equal outcomes
 *
 * On a busy machine net_settle() may return before a worker of the kernel has run, so
 * after a difference two more runs must agree. @run returns a text to be freed;
 * @about names the scenario.
 */
void net_compare(const char *about, char *(*run)(void *arg, enum net_side side),
		 void *arg);
/* The client can still send and receive. */
void net_carries_data(struct net *n);
void net_manager(struct net *n, struct ctl_manager *ret);
/* Wait until the manager's tables are empty. */
void net_tables_are_empty(struct net *n);

/* Skips the test where the client's kernel has no laminar endpoints. */
#define NEED_LAMINAR(n)                                                               \
	do {                                                                          \
		bool known_ = false;                                                  \
		cr_assert_eq(endpoint_laminar_known(&(n)->world.client, &known_), 0); \
		if (!known_)                                                          \
			SKIP("this kernel has no laminar endpoints");                 \
	} while (0)

/* The same, without a struct net. */
#define NEED_LAMINAR_HERE()                                                   \
	do {                                                                  \
		bool known_ = false;                                          \
		struct world w_;                                              \
		cr_assert_eq(world_open(&w_, 1), 0);                          \
		cr_assert_eq(endpoint_laminar_known(&w_.client, &known_), 0); \
		world_close(&w_);                                             \
		if (!known_)                                                  \
			SKIP("this kernel has no laminar endpoints");         \
	} while (0)

/* One scenario as two tests: suite `pool` under the shim, suite `kernel` without. */
#define NET_TEST(name, body)       \
	Test(pool, name)           \
	{                          \
		body(FROM_POOL);   \
	}                          \
	Test(kernel, name)         \
	{                          \
		body(FROM_KERNEL); \
	}

/* One connection that settles with these joined pairs and carries data. */
struct net_case {
	struct net_spec spec;
	const char *pairs;
	int joins, add_addrs, echoes; /* net_counters_are(), unless all are 0 */
	void (*check)(struct net *n); /* NULL: nothing more */
};

void net_run(const struct net_case *c, enum net_side side);

/* A struct net_case as a test, and as two. */
#define POOL_CASE(name, ...)                                      \
	Test(pool, name)                                          \
	{                                                         \
		static const struct net_case c = { __VA_ARGS__ }; \
		net_run(&c, FROM_POOL);                           \
	}
#define NET_CASE(name, ...)                                       \
	static void name(enum net_side side)                      \
	{                                                         \
		static const struct net_case c = { __VA_ARGS__ }; \
		net_run(&c, side);                                \
	}                                                         \
	NET_TEST(name, name)
