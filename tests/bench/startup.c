// SPDX-License-Identifier: MIT
/*
 * startup.c - the cost for every program that inherits the library, and of socket()
 *
 * Peer: libmptcpwrap of Debian's mptcpize, which only turns TCP sockets into MPTCP. Both
 * libraries are copied to paths of equal length, since the dynamic linker's work grows
 * with it, and run with one environment variable more than without.
 */
#include "bench.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "proc.h"

#define OURS	     BENCH_DIR "/ours.so"
#define PEER	     BENCH_DIR "/peer.so"
#define POOL_DIR     BENCH_DIR "/pool/.config/mptcpaddr"
#define PEER_PATTERN "/usr/lib/*/mptcpize/libmptcpwrap.so.0"
#define SPAWNS	     2000  /* of each */
#define MANY	     "200" /* further pairs */

enum condition {
	WITH_OURS,
	WITH_PEER,
	WITH_NOTHING,
	WITH_OURS_AND_POOL,
	CONDITIONS
};

/* Of equal size, since more of it slows the start of any program. */
static const char *const envs[CONDITIONS][4] = {
	{ "HOME=" BENCH_DIR "/none", "LD_PRELOAD=" OURS },
	{ "HOME=" BENCH_DIR "/none", "LD_PRELOAD=" PEER },
	{ "HOME=" BENCH_DIR "/none" },
	{ "HOME=" BENCH_DIR "/pool", "LD_PRELOAD=" OURS },
};

static int copy(const char *from, const char *to)
{
	const char *const argv[] = { "cp", from, to, NULL };

	return proc_run(NULL, NULL, argv) ? -EIO : 0;
}

static int prepare(void)
{
	const char *const mkdir_pool[] = { "mkdir", "-p", POOL_DIR, NULL };
	char ours[PATH_MAX];
	glob_t found;
	int r;

	if (glob(PEER_PATTERN, 0, NULL, &found)) {
		fputs("libmptcpwrap is not there (package mptcpize)\n", stderr);
		return -ENOENT;
	}
	r = copy(found.gl_pathv[0], PEER);
	globfree(&found);
	if (!r)
		r = copy(built("libmptcpaddr.so", ours, sizeof(ours)), OURS);
	if (!r && proc_run(NULL, NULL, mkdir_pool))
		r = -EIO;
	if (!r)
		r = put_file(POOL_DIR "/bench-sockets.conf",
			     "[pool]\nendpoint = 10.0.1.2 laminar\n"
			     "endpoint = 10.0.2.2 laminar\n");
	return r;
}

static int count_in(enum condition c, const char *name, const char *arg,
		    struct cost ret[COST_PHASES])
{
	char path[PATH_MAX];
	const char *const argv[] = { built(name, path, sizeof(path)), arg, NULL };

	return count_cost(&(struct cost_run){ .argv = argv, .env = envs[c] }, ret);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* A program's life from fork to exit, in us. */
static int spawn_once(const char *const argv[], enum condition c, double *ret_us)
{
	int64_t start = now_ns(), end;
	int status;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)argv,
			(char *const *)envs[c]))
		return -ECHILD;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	end = now_ns();
	if (status)
		return -ECHILD;
	*ret_us = (end - start) / 1e3;
	return 0;
}

static int bench_exec_time(void)
{
	struct samples times[3] = { 0 };
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/bench-idle", path, sizeof(path)),
				     NULL };
	double us = 0;
	int r = 0;

	for (int i = 0; i < 3 * SPAWNS && !r; i++) {
		/* Each comes equally often after each other. */
		int c = i / 3 % 2 ? 2 - i % 3 : i % 3;

		r = spawn_once(argv, c, &us);
		if (!r)
			samples_add(&times[c], us);
	}
	if (!r)
		report_row(&(struct row){
			"us, median", samples_quantile(&times[WITH_OURS], 0.5),
			samples_quantile(&times[WITH_PEER], 0.5),
			samples_quantile(&times[WITH_NOTHING], 0.5), TARGET_NONE, 0 });
	for (int c = 0; c < 3; c++)
		samples_free(&times[c]);
	return r;
}

static int bench_exec(void)
{
	struct cost cost[3][COST_PHASES], *all[3];
	int r = 0;

	for (int c = 0; c < 3 && !r; c++) {
		r = count_in(c, "tests/bench-idle", NULL, cost[c]);
		all[c] = &cost[c][0]; /* it marks nothing: one phase */
	}
	if (r < 0)
		return r;
	report_heading("exec of a program that never connects");
	report_row(&(struct row){ "instructions", all[WITH_OURS]->instructions,
				  all[WITH_PEER]->instructions,
				  all[WITH_NOTHING]->instructions, TARGET_RATIO, 1 });
	/* The return from the execve() before the first stop is a half. */
	report_row(&(struct row){ "system calls", floor(all[WITH_OURS]->syscalls),
				  floor(all[WITH_PEER]->syscalls),
				  floor(all[WITH_NOTHING]->syscalls), TARGET_RATIO, 1 });
	return bench_exec_time();
}

struct pairs {
	double first_instructions, first_syscalls; /* of the first pair */
	double instructions, syscalls;		   /* of each further one */
	double all_instructions, all_syscalls;	   /* from the execve() to the first */
};

/* The phases of prog/sockets.c; the empty one is the cost of a mark. */
static int count_pairs(enum condition c, struct pairs *ret)
{
	struct cost cost[COST_PHASES], *none = &cost[2], *first = &cost[3],
				       *many = &cost[4];
	int r = count_in(c, "tests/bench-sockets", MANY, cost);

	if (r < 0)
		return r;
	ret->first_instructions = first->instructions - none->instructions;
	ret->first_syscalls = first->syscalls - none->syscalls;
	ret->all_instructions = cost[0].instructions + ret->first_instructions;
	ret->all_syscalls = floor(cost[0].syscalls) + ret->first_syscalls;
	ret->instructions = (many->instructions - none->instructions) / atoi(MANY);
	ret->syscalls = (many->syscalls - none->syscalls) / atoi(MANY);
	return 0;
}

/*
 * A program pays for an exec and one pair. Ours pays more at the first socket(), where
 * it looks for a pool file, which may have `mptcp = no`, and for the hooked socket();
 * the peer pays in its exec instead.
 */
static void report_pairs(const char *heading, const struct pairs *ours,
			 const struct pairs *peer, const struct pairs *bare)
{
	report_heading(heading);
	report_row(&(struct row){ "exec and first pair, instructions",
				  ours->all_instructions, peer->all_instructions,
				  bare->all_instructions, TARGET_RATIO, 1 });
	report_row(&(struct row){ "exec and first pair, system calls", ours->all_syscalls,
				  peer->all_syscalls, bare->all_syscalls, TARGET_RATIO,
				  1 });
	report_row(&(struct row){ "  of it the first pair, instructions",
				  ours->first_instructions, peer->first_instructions,
				  bare->first_instructions, TARGET_NONE, 0 });
	report_row(&(struct row){ "  of it the first pair, system calls",
				  ours->first_syscalls, peer->first_syscalls,
				  bare->first_syscalls, TARGET_NONE, 0 });
	report_row(&(struct row){ "each further pair, instructions", ours->instructions,
				  peer->instructions, bare->instructions, TARGET_RATIO,
				  1 });
	report_row(&(struct row){ "each further pair, system calls", ours->syscalls,
				  peer->syscalls, bare->syscalls, TARGET_RATIO, 1 });
}

static int bench_pairs(void)
{
	struct pairs pairs[CONDITIONS];
	int r = 0;

	for (int c = 0; c < CONDITIONS && !r; c++)
		r = count_pairs(c, &pairs[c]);
	if (r < 0)
		return r;
	report_pairs("socket()+close() pairs, no pool file", &pairs[WITH_OURS],
		     &pairs[WITH_PEER], &pairs[WITH_NOTHING]);
	report_pairs("socket()+close() pairs, a pool file in ~/.config",
		     &pairs[WITH_OURS_AND_POOL], &pairs[WITH_PEER], &pairs[WITH_NOTHING]);
	return 0;
}

int bench_startup(void)
{
	int r = prepare();

	if (!r)
		r = bench_exec();
	if (!r)
		r = bench_pairs();
	return r;
}
