/* SPDX-License-Identifier: MIT */
/*
 * preload.h - run a program with and without the library, and compare the results
 *
 * Two hosts: the program's, with the userspace path manager, and one with an echo server
 * on native MPTCP. All functions assert: a failed step ends the test.
 */
#pragma once

#include <criterion/criterion.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "capture.h"
#include "proc.h"
#include "skip.h"
#include "until.h"
#include "world.h"

#define LAB_ADDRESS "10.0.1.1"
#define LAB_PORT    "8080"
#define LAB_ARGS    32
#define TIMEOUT	    .timeout = 300

enum lab_mode {
	NATIVE,	 /* the library is not loaded */
	NO_POOL, /* loaded, without a pool file */
	POOL,	 /* loaded, with a pool of two addresses */
};

/* The protocol of the program's connections, as seen by the server. */
enum lab_wire {
	TCP,
	MPTCP,
};

struct lab {
	struct world world;
	struct proc server;
	struct capture wire; /* the client's */
	char pool[64];
	char home[64]; /* XDG_CONFIG_HOME of every program: an empty directory */
	char lib[PATH_MAX];
};

struct program {
	const char *argv[LAB_ARGS]; /* without a slash: a program of programs/ */
	const char *env[8];	    /* in both runs */
	const char *preload_env[8]; /* with the library only */
	const char *before; /* libraries preloaded in front of ours, in both runs */
	const char *after;
	const char *in; /* standard input; NULL: empty */
};

void lab_open(struct lab *lab);
void lab_close(struct lab *lab);

/* Replace the pool file. */
void lab_pool(struct lab *lab, const char *text);

/* Start @g; the caller ends it. */
void program_start(struct lab *lab, const struct program *g, enum lab_mode mode,
		   struct proc *ret);

/* Return: output, errors and exit status of one run, as one text; the caller frees it. */
char *program_run(struct lab *lab, const struct program *g, enum lab_mode mode);

/*
 * same_as_native() - run @g natively and in @mode, and expect the same results
 *
 * Inode numbers, process IDs and times may differ. The preloaded run must open MPTCP
 * connections to the server if and only if @wire is MPTCP.
 */
void same_as_native(struct lab *lab, const struct program *g, enum lab_mode mode,
		    enum lab_wire wire);

/* same_in_both_modes() - same_as_native() in a lab of its own, with and without a pool.
 */
void same_in_both_modes(const struct program *g, enum lab_wire wire);

/* Define such a test by the program's argv. */
#define SAME_IN_BOTH_MODES(suite, name, wire, ...)                                      \
	Test(suite, name, TIMEOUT)                                                      \
	{                                                                               \
		same_in_both_modes(&(struct program){ .argv = { __VA_ARGS__ } }, wire); \
	}

/* Return: the number of MPTCP connections that the server was asked for. */
int64_t lab_capable(struct lab *lab);

/* Create a file with this text and these permissions. */
void put_file(const char *path, const char *text, unsigned int mode);
/* Return: a file's text, which the caller frees; NULL: unreadable. */
char *get_file(const char *path);

/* Return: the path of a program of programs/, in one of four static buffers. */
const char *program_path(const char *name);
