/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - views of what happens over time: --events and run
 */
#pragma once

#include "tools/mptcpinfo/print/print.h"

#include <poll.h>

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
/*
 * follow_poll() - wait until @until_ms for the managers and the @n descriptors @fds
 *
 * fds[0] is for the managers. Handles what has arrived from them. Return: 0, on_event()'s
 * error, or -errno.
 */
int follow_poll(struct follow *f, struct pollfd *fds, nfds_t n, int64_t until_ms);
void follow_close(struct follow *f);

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
