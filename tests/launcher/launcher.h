/* SPDX-License-Identifier: MIT */
/*
 * launcher.h - run programs with and without mptcpaddr, and check its output
 *
 * Everything here asserts: a test goes on only if the step worked.
 */
#pragma once

#include <criterion/criterion.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "skip.h"
#include "world.h"

#define WARNING "mptcpaddr: warning: "
#define TIMEOUT .timeout = 300

struct said {
	int status;
	char *out, *err;
};

/* The host that programs run on: userspace path manager, and no pool files. */
struct bench {
	struct world world;
	char home[64]; /* XDG_CONFIG_HOME, empty */
};

void bench_open(struct bench *b);
void bench_close(struct bench *b);

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/*
 * run() - a program to its end
 *
 * In @argv, "@name" is what was built under that name, "@@name" the program of that name
 * in prog/. @env may be NULL.
 */
struct said run(struct bench *b, const char *const env[], const char *const argv[]);
/* start() - the same, without waiting */
void start(struct bench *b, struct proc *p, const char *const env[],
	   const char *const argv[]);
void said_free(struct said *said);

/* shell() - run a command that succeeds */
void shell(struct bench *b, const char *command);

/* says() - @argv exits with @status, and prints @words on either output */
void says(struct bench *b, const char *const argv[], int status, const char *words);

/* user_pool() - write @name into the user's directory of pool files */
void user_pool(struct bench *b, const char *name, const char *text);

/* count() - how often @part occurs in @text; times() - in @said->err */
int count(const char *text, const char *part);
int times(const struct said *said, const char *text);

/*
 * warned_once() - run @argv natively and under the launcher: the same output and exit
 * status, and without a supervisor one warning that has all of @words, separated by "|";
 * NULL: no warning
 */
void warned_once(struct bench *b, const char *const argv[], const char *words);

/* wait_for_broker() - until the socket of one listens; start_broker() - mptcpaddrd's. */
void wait_for_broker(struct bench *b);
void start_broker(struct bench *b, struct proc *broker);

#define NEED_USERS()                                                     \
	do {                                                             \
		NEED_SANDBOX();                                          \
		if (!getenv("MPTCPADDR_TEST_USERS"))                     \
			SKIP("only root may make more users than root"); \
	} while (0)

void put_file(const char *path, const char *text, unsigned int mode);

/* A path of something built; in one of a few static buffers. */
const char *path_of(const char *name);
