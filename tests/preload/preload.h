/* SPDX-License-Identifier: MIT */
/*
 * preload.h - run a program with and without the library, and compare what is visible
 *
 * Two hosts: the program's, with the userspace path manager, and a server with an echo
 * server on native MPTCP. Everything here asserts: a test goes on only if the step
 * worked.
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
#define LAB_WAIT_MS 9000
#define LAB_ARGS    32
#define TIMEOUT	    .timeout = 60

/* What the library is given. */
enum lab_mode {
	NATIVE,	 /* it is not loaded */
	NO_POOL, /* loaded, and no pool file is found */
	POOL,	 /* loaded, with a pool of two addresses */
};

/* What the server must have seen of the program's connections. */
enum lab_wire {
	TCP,
	MPTCP,
};

struct lab {
	struct world world;
	struct proc server;
	struct capture wire; /* the client's */
	char pool[64];
	char home[64]; /* XDG_CONFIG_HOME of every program: an empty folder */
	char lib[PATH_MAX];
};

struct program {
	const char *argv[LAB_ARGS]; /* without a slash: a program's name */
	const char *env[8];	    /* in both runs */
	const char *preload_env[8]; /* with the library only */
	const char *before; /* libraries preloaded in front of ours, in both runs */
	const char *after;
	const char *in; /* standard input; NULL: empty */
};

void lab_open(struct lab *lab);
void lab_close(struct lab *lab);

/* Write the pool file anew. */
void lab_pool(struct lab *lab, const char *text);

/* Start @g; the caller ends it. */
void program_start(struct lab *lab, const struct program *g, enum lab_mode mode,
		   struct proc *ret);

/* What one run showed: output, errors and exit status in one text; the caller frees. */
char *program_run(struct lab *lab, const struct program *g, enum lab_mode mode);

/*
 * same_as_native() - run @g natively and in @mode: all that is visible is the same
 *
 * Inode and process numbers and times are left out. The preloaded run opened MPTCP
 * connections to the server exactly if @wire says so.
 */
void same_as_native(struct lab *lab, const struct program *g, enum lab_mode mode,
		    enum lab_wire wire);

/* same_in_both_modes() - same_as_native() in a lab of its own, with and without a pool.
 */
void same_in_both_modes(const struct program *g, enum lab_wire wire);

/* A test of that, by the program's argv. */
#define SAME_IN_BOTH_MODES(suite, name, wire, ...)                                      \
	Test(suite, name, TIMEOUT)                                                      \
	{                                                                               \
		same_in_both_modes(&(struct program){ .argv = { __VA_ARGS__ } }, wire); \
	}

/* MPTCP connections that the server has been asked for. */
int64_t lab_capable(struct lab *lab);

/* Make a file with this text, and these permissions. */
void put_file(const char *path, const char *text, unsigned int mode);
/* All of a file, the caller frees it; NULL if it cannot be read. */
char *get_file(const char *path);

/* The path of a program, in one of a few static buffers. */
const char *program_path(const char *name);
