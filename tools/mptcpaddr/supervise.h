/* SPDX-License-Identifier: MIT */
/*
 * supervise.h - MPTCP for programs that load no library: static, Go, another libc
 *
 * A seccomp filter reports their socket(), connect() and listen() to a supervisor
 * (seccomp_unotify(2)). The program keeps its process ID and its parent, so exit status,
 * signals and job control are its own. Processes:
 *
 *	keeper		receives the reports, opens MPTCP sockets in the program's place
 *	spare		replaces the keeper when that is killed
 *	stand-in	one for each program name: registers its connections, as the
 *			preload library would in the program; with a manager, or the
 *broker
 */
#pragma once

#include "shim/common/sockopt.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* supervise_lacks() - what hinders supervision on this machine, for a message; or NULL.
 */
const char *supervise_lacks(void);

/* supervise_is_free() - it costs setuid programs nothing: no_new_privs is not needed. */
bool supervise_is_free(void);

/*
 * supervise_start() - supervise this process, which will execute a program, and children
 *
 * Return: 0; -EALREADY: somebody does; -errno.
 */
int supervise_start(void);

/* call_continue() - let the kernel make the call @id; it may have ended meanwhile. */
void call_continue(int listener, uint64_t id);

#define TRACEE_NAME_MAX 64
#define TRACEE_ENV_MAX	4096

/* What decides which stand-in, that is which pool, a thread's program has. */
struct tracee {
	char name[TRACEE_NAME_MAX]; /* as program_invocation_short_name was */
	char env[TRACEE_ENV_MAX];   /* the variables of the library, each with its NUL */
	size_t env_len;
	uid_t uid; /* for files */
};

/* tracee_read() - Return: false if it is in another network namespace, or has ended. */
bool tracee_read(pid_t tid, struct tracee *ret);

/* tracee_copy_fd() - a duplicate of its descriptor @fd; -errno. */
int tracee_copy_fd(pid_t tid, int fd);

/* tracee_has_library() - the preload library is in its memory. */
bool tracee_has_library(pid_t tid);

/* tracee_has_left() - it waits in another system call than @nr, or has ended. */
bool tracee_has_left(pid_t tid, int nr);

/* A call that a stand-in gets, with the socket. */
struct call {
	uint64_t id;
	pid_t tid;
	int nr; /* in the thread's ABI */
	enum {
		CALL_SOCKET,
		CALL_CONNECT,
		CALL_LISTEN,
		CALL_OPTION,
	} kind;
	long args[5];
};

/* option_list_refused() - options that this kernel's TCP has, and its MPTCP lacks. */
unsigned int option_list_refused(const struct sockopt *ret[SOCKOPTS_MAX]);

/* option_settle() - answer the setsockopt() @call on a duplicate of its socket. */
void option_settle(int listener, const struct call *call, int fd);

/*
 * stand_in_run() - be the stand-in of the program @tracee
 *
 * Tells its enum mode by one byte on @channel first; then calls come, until it is closed.
 */
_Noreturn void stand_in_run(int listener, int channel, const struct tracee *tracee);
