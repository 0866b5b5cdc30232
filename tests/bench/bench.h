/* SPDX-License-Identifier: MIT */
/*
 * bench.h - one table: the cost of the shim, compared with its peers in the same run
 *
 * Each part measures in interleaved rounds and adds rows; a part fails only if it cannot
 * measure. A missed target is shown and is no failure.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define BENCH_DIR "/run/bench" /* on a tmpfs of the bench's own */

enum target {
	TARGET_NONE,
	TARGET_RATIO, /* ours / peer is at most `limit` */
	TARGET_MORE,  /* ours - peer is at most `limit` */
	TARGET_MAX,   /* ours is at most `limit` */
};

struct row {
	const char *what;
	double ours, peer, bare; /* bare: without a library; NAN where that is the peer */
	enum target target;
	double limit;
};

void report_heading(const char *text);
void report_row(const struct row *row);
/* report_select() - print the rows only that have @text, or whose heading has it. */
void report_select(const char *text);
/* Print the number of targets, and how many were met. Return: whether there is a row. */
bool report_end(void);

/* Collected numbers. */
struct samples {
	double *at;
	size_t count;
};

/* Start with zeros; aborts without memory. */
void samples_add(struct samples *s, double value);
/* @part 0.5: the median. Sorts. NAN of nothing. */
double samples_quantile(struct samples *s, double part);
void samples_free(struct samples *s);

#define COST_MARK   SIGUSR1
#define COST_PHASES 20

/* The cost of a program, from its execve() on or between two marks. */
struct cost {
	double instructions; /* in user space, the dynamic linker's too */
	double own;	     /* of them in the object; 0 without one */
	double syscalls;
};

struct cost_run {
	const char *const *argv, *const *env; /* the whole environment */
	const char *object;	 /* a real path, as in /proc/PID/maps; or NULL */
	const struct host *host; /* where it runs; NULL: here */
	int from;		 /* count instructions from this phase on */
};

/*
 * count_cost() - run a program under ptrace
 *
 * Single steps and no emulator: this processor's code runs, and no tool preloads a
 * library of its own. Without address space randomisation, so that the same program
 * gives the same numbers. Each COST_MARK that the program raises begins the next phase;
 * it does not get the signal. Return: 0; -errno; -ECHILD if it did not exit with 0.
 */
int count_cost(const struct cost_run *run, struct cost ret[COST_PHASES]);

/* The parts. Return: 0 or -errno, with a line on stderr. */
int bench_startup(void);
int bench_connects(void);
int bench_broker(void);
int bench_joins(void);
int bench_throughput(void);
int bench_crowd(void);
int bench_memory(void);
int bench_timers(void);
int bench_links(void);
int bench_watch(void);
int bench_scale(void);
int bench_nat(void);
int bench_supervise(void);

/* Write @text to @path. Return: 0 or -errno. */
int put_file(const char *path, const char *text);
