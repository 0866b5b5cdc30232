/* SPDX-License-Identifier: MIT */
/*
 * proc.h - run programs on a host, read what they print, end them in every case
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct host;

struct proc {
	pid_t pid; /* 0: never started, or reaped */
	int pidfd;
	int in;	 /* write end of its standard input, -1 once closed */
	int out; /* what it printed; a memory file that keeps all of it */
	int err;
	int status; /* from waitpid(), once reaped */
};

/*
 * proc_start() - start @argv on @host (NULL: where the caller is)
 *
 * @env: "NAME=value" strings on top of the caller's environment, NULL-terminated; may
 * be NULL. The program is killed when the thread that called this ends.
 * Return: 0 or -errno. A program that cannot be executed exits with 127.
 */
int proc_start(struct proc *ret, const struct host *host, const char *const argv[],
	       const char *const env[]);

/* Return: its exit code, 128 + signal number, or -ETIMEDOUT while it still runs. */
int proc_wait(struct proc *p, int timeout_ms);

/* Kill it and what it started, reap it, free everything. Harmless when repeated. */
void proc_end(struct proc *p);

/* Write a line to its standard input. Return: 0 or -errno. */
int proc_tell(struct proc *p, const char *line);
void proc_eof(struct proc *p);

/* What it has printed so far; the caller frees it. Never NULL. */
char *proc_output(const struct proc *p);
char *proc_errors(const struct proc *p);
/* Whether it has printed @text. */
bool proc_said(const struct proc *p, const char *text);
/* The same on its standard error. */
bool proc_complained(const struct proc *p, const char *text);

/*
 * proc_run() - run a program to its end, at most EFFECT_MS, with @input (may be NULL)
 *
 * Return: as proc_wait(); on anything but 0 its stderr is printed to ours.
 */
int proc_run(const struct host *host, const char *input, const char *const argv[]);

/* The path of a built file, from its name in the build directory. */
const char *built(const char *name, char *buf, int size);
