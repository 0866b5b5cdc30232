/* SPDX-License-Identifier: MIT */
/*
 * broker.h - a client with a broker, a server that announces, programs of ordinary users
 *
 * All functions assert: a test continues only if the step worked.
 */
#pragma once

#include <criterion/criterion.h>
#include <sys/types.h>

#include "endpoint.h"
#include "mptcpaddr/broker.h"
#include "mptcpaddr/control.h"
#include "proc.h"
#include "skip.h"
#include "subflow.h"
#include "until.h"
#include "world.h"

#define LAB_PORT "8080"
#define ALICE	 1000
#define BOB	 1001

/* Two users besides root: only the real root may map them (launcher-progs/users). */
#define NEED_USERS()                                           \
	do {                                                   \
		NEED_SANDBOX();                                \
		if (!getenv("MPTCPADDR_TEST_USERS"))           \
			SKIP("only root may map other users"); \
	} while (0)

struct lab {
	struct world world;
	struct proc server; /* an echo server */
	struct proc broker;
	const char *under; /* a program that executes the broker; NULL: none */
	char dir[32];	   /* for all users: pool, configuration, state */
	char pool[64], config[64];
};

/* @announced by the server's kernel, NULL-terminated. The client has four links. */
void lab_open(struct lab *lab, const char *const announced[]);
void lab_close(struct lab *lab);

/* Start the broker with @config as its configuration, and wait until it serves. */
void lab_broker(struct lab *lab, const char *config);
/* End it, and assert that it exits with 0. */
void lab_broker_end(struct lab *lab);

void put_text(const char *path, const char *text);

/*
 * lab_start() - start @argv as the user @uid, with the preload library unless @pool is
 * NULL
 *
 * '@' at the beginning stands for the build directory.
 */
void lab_start(struct lab *lab, struct proc *p, uid_t uid, const char *pool,
	       const char *const argv[]);

/* For lab_start(): connects to the server, and says so. */
extern const char *const tcpclient_argv[];

/* A web server on MPTCP; a file at LAB_URL, which is web/www/file in lab->dir, too. */
void lab_web(struct lab *lab, struct proc *nginx);
#define LAB_URL	 "http://10.0.1.1:8081/file"
#define LAB_URLS "http://10.0.1.1:8081/file?[1-200]" /* for curl */

/* Drop the server's data, so that downloads cannot end before "flush ruleset". */
#define HOLD_DATA                               \
	"table inet t {\nchain c {\n"           \
	"type filter hook output priority 0;\n" \
	"meta length > 1000 drop\n}\n}\n"

/* The broker's own counters, as root gets them. */
struct ctl_manager broker_count(void);
/* VmRSS of the broker, in KiB. */
long broker_memory(const struct lab *lab);

/* Call @fn in a child of the user @uid. Return: its return value. */
int as_user(uid_t uid, int (*fn)(void *arg), void *arg);

/* A native MPTCP connection to the server, and its token. Return: its descriptor. */
int native_connection(uint32_t *ret_token);

/* A valid record with the pool @text. Return: its length. */
size_t record_fill(char *ret_record, uint32_t token, const char *program,
		   const char *path, const char *text);
/* Send it like a program. Return: 0; -errno of connect() or send(). */
int record_send(const void *data, size_t len);

#define POOL_23 "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"
