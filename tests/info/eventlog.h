/* SPDX-License-Identifier: MIT */
/*
 * eventlog.h - mptcpinfo --events with a client and a server
 */
#pragma once

#include <criterion/criterion.h>

#include "info.h"

/* Pool files: two more links, and one. */
#define TWO_LINKS "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"
#define ONE_LINK  "[pool]\nendpoint = 10.0.2.2 laminar\n"

struct log {
	struct stage s;
	struct proc text, json; /* mptcpinfo --events, for people and for programs */
	char pool[64];
};

/* The hosts and a server; no client, no log yet. */
void log_open(struct log *l, const char *pool);
/* Both logs, on the client or on the server. */
void log_start(struct log *l, const struct host *h);
/* An ordinary TCP program under the library. */
void log_connect(struct log *l, const char *count);
/* End the logs by a signal: they must exit with 0. Kill the rest. */
void log_close(struct log *l);

/* Replace the pool file. */
void log_pool(const struct log *l, const char *text);
/* The server's kernel announces @addr. */
void log_announce(const struct log *l, const char *addr, int id);
void start_info(struct proc *p, const struct host *h, const char *const args[]);

/*
 * Find an event in the JSON log; NULL matches all, other strings are prefixes.
 * json_decref() it.
 */
json_t *log_find(const struct log *l, const char *what, const char *local,
		 const char *remote);
/* Wait until both logs have it; the text log contains @words. */
void log_shows(const struct log *l, const char *what, const char *local,
	       const char *remote, const char *words);
/* The event's @key has the JSON @value. */
void log_has(const struct log *l, const char *what, const char *remote, const char *key,
	     const char *value);

/* Something is done, and an event must follow. */
struct log_step {
	void (*act)(struct log *l, const char *arg); /* NULL: nothing */
	const char *arg;
	const char *what, *local, *remote, *words; /* log_shows(); NULL: no event */
	const char *key, *value;		   /* log_has() */
};

/* Actions: the logs of the client start; it connects once; the server's kernel. */
void start_log(struct log *l, const char *unused);
void connect_one(struct log *l, const char *unused);
void announce(struct log *l, const char *addr); /* with ID 12, 13 or 14 for link 2 to 4 */
void withdraw(struct log *l, const char *addr);
void change_pool(struct log *l, const char *text);
void run_ip(struct log *l, const char *commands); /* on the client */
void filter_server(struct log *l, const char *nft_rules);

/* The client has @pool; @steps end with zeros. */
void log_play(const char *pool, const struct log_step *steps);

#define LOG_TEST(suite, name, pool, ...)                                       \
	Test(suite, name)                                                      \
	{                                                                      \
		static const struct log_step steps[] = { __VA_ARGS__, { 0 } }; \
		log_play(pool, steps);                                         \
	}

#define DO(action, argument) .act = action, .arg = argument
#define SHOWS(event, from, to, text) \
	.what = event, .local = from, .remote = to, .words = text
#define HAS(name, json) .key = name, .value = json

/* The client is connected, and has joined 10.0.2.1. */
#define JOINED                                                                 \
	{ DO(announce, "10.0.2.1") }, { DO(start_log, NULL) },                 \
	{                                                                      \
		DO(connect_one, NULL), SHOWS("joined", "10.0.2.2", "10.0.2.1", \
					     "-> joined from 10.0.2.2")        \
	}
