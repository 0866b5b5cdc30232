/* SPDX-License-Identifier: MIT */
/*
 * info.h - a client and a server with connections between them, and mptcpinfo on either
 */
#pragma once

#include <jansson.h>

#include "proc.h"
#include "world.h"

#define SERVER_PORT "8000"

struct stage {
	struct world w;
	struct proc server;
	struct proc client;
	struct proc broker;
};

/* Exit status and output of a program. */
struct said {
	int status;
	char *out;
	char *err;
};

/* Two hosts and tests/apps/tcpserver on one of them. */
void stage_open(struct stage *s, int links);
/* tests/apps/tcpclient, native MPTCP, @count connections to @address. */
void stage_connect(struct stage *s, const char *address, const char *count);
void stage_close(struct stage *s);

/*
 * Three links; the client's path manager is the userspace one, the server announces
 * 10.0.2.1 (id 12) and 10.0.3.1 (id 13).
 */
void stage_announcing(struct stage *s);
/* Start mptcpaddrd for the client's programs; @config: of its broker.conf. */
void stage_broker(struct stage *s, const char *config);
/* The pool file of stage_preloaded(), one per test. */
const char *pool_path(void);
void pool_write(const char *text);
/* tests/apps/tcpclient, an ordinary TCP program, under the library. */
void stage_preloaded(struct stage *s, const char *count);
/* The same, started by @by, which ends in NULL: "setpriv", "--clear-groups", ... */
void stage_preloaded_by(struct stage *s, const char *const by[], const char *count);
/* The same, to @address instead of 10.0.1.1. */
void stage_preloaded_to(struct stage *s, const char *const by[], const char *address,
			const char *count);

/* The kernel's endpoints: server announces 2 and 3, client has 2, 3 and joins from 3. */
void stage_endpoints(struct stage *s);

/* Run a program to its end. @argv as for proc_start(). */
struct said run(const struct host *h, const char *const argv[]);
struct said run_for(const struct host *h, const char *const argv[], int timeout_ms);
/* mptcpinfo with up to 6 arguments, NULL-terminated. */
struct said info(const struct host *h, const char *const args[]);
/* The same with --json, which must succeed; NULL for no arguments. */
json_t *info_json(const struct host *h, const char *const args[]);
/* Run mptcpinfo once or twice; the answers in @ret, which is zeroed. */
typedef void look_fn(const struct host *h, struct said ret[2]);
/*
 * info_steady() - call @look until the JSON is the same before and after
 *
 * Return: that JSON; @ret: the answers in between, which the caller frees.
 */
json_t *info_steady(const struct host *h, look_fn *look, struct said ret[2]);
/* Pipe mptcpinfo @args (NULL: none) into this script of prog/. */
struct said piped(const struct host *h, const char *args, const char *script);
/* The output of mptcpinfo --json @args is valid by the schema. */
void is_valid_json(const struct host *h, const char *args);
void said_free(struct said *said);

/*
 * By paths such as "connections.0.subflows.1.local"; the test fails if it is missing.
 */
const json_t *at(const json_t *root, const char *path);
const char *text_at(const json_t *root, const char *path);
long long number_at(const json_t *root, const char *path);

/* The number of subflows of all connections. */
size_t subflow_count(const json_t *root);
size_t subflows_on(const struct host *h);
