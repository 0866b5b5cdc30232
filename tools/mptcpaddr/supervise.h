/* SPDX-License-Identifier: MIT */
/*
 * supervise.h - MPTCP for programs that load no library: static, Go, another libc
 *
 * A seccomp filter reports their socket(), connect() and listen() to a supervisor
 * (seccomp_unotify(2)). The program keeps its process ID and its parent, so exit status,
 * signals and job control are its own. Processes:
 *
 *	keeper		receives the reports, opens MPTCP sockets in the program's place
 *	guard		replaces the keeper when that is killed
 *	stand-in	one for each program name: registers its connections with a
 *			manager or the broker, as the preload library does in a program
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* supervise_lacks() - what prevents supervision here, for a message; or NULL. */
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
	char env[TRACEE_ENV_MAX];   /* the library's variables, and GODEBUG */
	size_t env_len;
	uid_t uid; /* for files */
};

/* tracee_read() - Return: false if it is in another network namespace, or has ended. */
bool tracee_read(pid_t tid, struct tracee *ret);

/* tracee_copy_fd() - a duplicate of its descriptor @fd; -errno. */
int tracee_copy_fd(pid_t tid, int fd);

/* tracee_shares_fd() - of @copy, it has another descriptor, or an epoll; or its parent.
 */
bool tracee_shares_fd(pid_t tid, int copy);

/* tracee_fd_flags() - O_CLOEXEC or 0. */
int tracee_fd_flags(pid_t tid, int fd);

/*
 * tracee_uses_library() - its call at address @from goes through the preload library
 *
 * Go programs may have loaded it, but make their calls themselves, from their own text.
 * In musl's it may be loaded, but cannot load its path manager.
 */
bool tracee_uses_library(pid_t tid, uint64_t from);

/* tracee_has_left() - it waits in another system call than @nr, or has ended. */
bool tracee_has_left(pid_t tid, int nr);

enum call_kind {
	CALL_SOCKET,
	CALL_CONNECT,
	CALL_LISTEN,
	CALL_OPTION, /* one that this kernel's TCP has, and its MPTCP lacks */
	CALL_KINDS
};

/* A call that a stand-in gets. */
struct call {
	uint64_t id, from; /* an address */
	pid_t tid;
	int nr; /* in the thread's ABI */
	enum call_kind kind;
	long args[5];
};

/*
 * stand_in_run() - be the stand-in of the program @tracee
 *
 * Tells its enum mode by one byte on @channel first; then calls come, until it is closed.
 */
_Noreturn void stand_in_run(int listener, int channel, const struct tracee *tracee);
