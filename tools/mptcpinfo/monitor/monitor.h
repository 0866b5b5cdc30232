/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - views of what happens over time: --events and run
 */
#pragma once

#include "tools/mptcpinfo/print/print.h"

struct options;

/* --events: a line per event of the managers, until SIGINT. Return: the exit status. */
int events_main(const struct options *o);

/* run: @argv, NULL-terminated, is the program. Return: its exit status. */
int run_main(const struct options *o, char **argv);

/*
 * struct follow - the events of all managers of this namespace, as they happen
 *
 * @on_event returns 0, or -errno to stop. @wanted says whether to follow a manager.
 */
struct follow {
	int epoll;
	struct follower *followers;
	int64_t next_scan_ms; /* as clock_ms() */
	unsigned int scan_ms; /* between two searches for new managers */
	bool (*wanted)(void *ctx, pid_t pid, const char *program);
	int (*on_event)(void *ctx, const struct event *event);
	void *ctx;
};

/* The caller has set scan_ms and what follows it. Return: 0 or -errno. */
int follow_open(struct follow *f);
/* Until when to poll f->epoll for POLLIN, in ms. */
int follow_timeout(const struct follow *f);
/* Handle what has arrived, without waiting. Return: 0, on_event()'s error, or -errno. */
int follow_serve(struct follow *f);
void follow_close(struct follow *f);

/*
 * struct history - all connections of the program, as they were when last seen
 *
 * Starts as HISTORY_INIT.
 */
#define HISTORY_INIT                                     \
	{                                                \
		.by_token.key_size = sizeof(uint32_t),   \
		.by_path.key_size = sizeof(struct path), \
	}

struct history {
	struct snapshot snap;
	struct index by_token; /* connections */
	struct index by_path;  /* connections, by their subflows that are not destroyed */
};

/*
 * history_merge() - add the program's connections of @fresh, and update those that are
 * known already, whoever holds them now
 *
 * Takes arrays out of @fresh, for which only snapshot_free() is allowed then.
 */
void history_merge(struct history *h, struct snapshot *fresh);
/* For struct follow: a manager may report a subflow that no snapshot shows. Return: 0. */
int history_add_event(void *history, const struct event *event);
/* For struct closed: the last counts of a destroyed socket */
void history_close_path(void *history, const struct subflow *sf);
/* The number of subflows that are not destroyed. */
size_t history_open_paths(const struct history *h);
/* Sort @snap for print/; then only history_free() is allowed. */
void history_finish(struct history *h);
void history_free(struct history *h);

/* A program that is run as if by the shell. */
struct child {
	pid_t pid;
	int sigfd;
	bool ended;
	int status; /* like the shell's: 128 + N for a signal; 126 or 127: not run */
};

/*
 * child_start() - run @argv with this process's environment, signal mask and files
 *
 * Return: 0; -errno, with a line on stderr and ret->status set.
 */
int child_start(struct child *ret, char **argv);
/* child->sigfd is readable: forward signals, reap children. */
void child_handle_signals(struct child *child);

/* Whether @pid is the child or a descendant of it, even one whose parent has ended. */
bool program_has_process(pid_t pid);
