/* SPDX-License-Identifier: MIT */
/*
 * eventlog.h - mptcpinfo --events running beside a client and a server
 */
#pragma once

#include "info.h"

/* Pool files: two links beside the first, and one. */
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
/* The logs end by a signal, with success; the rest is ended. */
void log_close(struct log *l);

/* The pool file becomes this one. */
void log_pool(const struct log *l, const char *text);
/* The server's kernel announces @addr. */
void log_announce(const struct log *l, const char *addr, int id);
void start_info(struct proc *p, const struct host *h, const char *const args[]);

/* In the log for programs, by how they begin; NULL: whatever. json_decref() it. */
json_t *log_find(const struct log *l, const char *what, const char *local,
		 const char *remote);
/* In both logs, before long; @words are in the one for people. */
void told(const struct log *l, const char *what, const char *local, const char *remote,
	  const char *words);
void reason_is(const struct log *l, const char *what, const char *remote,
	       const char *reason);
