/* SPDX-License-Identifier: MIT */
/*
 * collect.h - fill a snapshot from its sources
 */
#pragma once

#include "mptcpaddr/addr.h"
#include "tools/mptcpinfo/snapshot.h"

struct ctl;
struct nl_sock;

/* The peers to show: ADDRESS[/LEN][:PORT]. */
struct remote {
	struct mpprefix prefix; /* family 0: any address */
	uint16_t port;		/* 0: any */
};

/*
 * remote_parse() - "10.0.1.1", "10.0.0.0/8:443", "2001:db8::/32", "[2001:db8::1]:443",
 * "[2001:db8::]/32:443" or ":443"
 *
 * Return: 0; -EINVAL, also for an address with bits beyond the length.
 */
int remote_parse(const char *text, struct remote *ret_remote);
bool remote_matches(const struct remote *remote, const struct mpaddr *addr);

/* The connections to show; all if nothing is set. */
struct filter {
	const char *process; /* PID or name */
	bool has_token;
	uint32_t token;
	bool has_remote;
	struct remote remote; /* of any subflow */
};

bool filter_has_process(const struct filter *filter, pid_t pid, const char *program);

/*
 * collect_snapshot() - read everything once
 *
 * Fills @snap, which must be zero, as far as possible; the rest is in its notes.
 * snapshot_free() frees it. Return: 0; -errno if the connections could not be listed.
 */
int collect_snapshot(const struct filter *filter, struct snapshot *snap);

/* collect_namespace() - fill path_manager and the MPTcpExt counters */
void collect_namespace(struct snapshot *snap);

/* collect_connections() - and by_token, without owner and manager. 0 or -errno. */
int collect_connections(struct snapshot *snap);

/* collect_subflows() - of the connections, sorted. Return: 0 or -errno. */
int collect_subflows(struct snapshot *snap);

/* Sort by local ID, then by remote ID. */
void sort_subflows(struct connection *conn);

/*
 * collect_managers() - the managers, and their reports on connections and announcements
 *
 * Return: 0 or -errno. For a manager that does not answer, a note is added.
 */
int collect_managers(struct snapshot *snap);

/*
 * collect_owners() - fill pid and program of the connections
 *
 * With @process, a PID or name, each connection that this process holds gets it as its
 * owner, even if another process holds it, too. Return: 0 or -errno.
 */
int collect_owners(struct snapshot *snap, const char *process);

/* process_read() - whether @pid runs under the library and has CAP_NET_ADMIN */
void process_read(pid_t pid, struct process *ret_process);

/* process_program() - the name of process @pid, safe for a terminal. Return: success. */
bool process_program(pid_t pid, char out[static PROGRAM_MAX]);

/* manager_is_broker() - mptcpaddrd, run by root: info.program is its client */
bool manager_is_broker(const struct manager *manager);

/*
 * manager_ask() - send CTL_OP_MANAGER on @ctl and fill @manager
 *
 * @ctl must be open. Return: 0; -errno with pid, uid and program filled, if possible.
 */
int manager_ask(struct manager *manager, struct ctl *ctl);

#define MANAGER_ERROR_MAX 128

/* manager_error_text() - why a request on @ctl failed. Return: @out. */
const char *manager_error_text(const struct ctl *ctl, int error,
			       char out[static MANAGER_ERROR_MAX]);

/*
 * struct closed - the destroyed TCP sockets of the namespace, with their last counts
 *
 * @fn gets path, state and TCP counts.
 */
typedef void (*closed_fn)(void *ctx, const struct subflow *sf);

struct closed {
	struct nl_sock *sk;
	closed_fn fn;
	void *ctx;
};

/* @c must stay in place until closed_close(). Return: 0 or -errno. */
int closed_open(struct closed *c, closed_fn fn, void *ctx);
/* Poll this for POLLIN; -1 if @c is not open. */
int closed_fd(const struct closed *c);
/* Handle what has arrived, without waiting. */
void closed_serve(struct closed *c);
void closed_close(struct closed *c);

/*
 * text_clean() - copy untrusted text for a terminal
 *
 * Control characters, including C1 in UTF-8, become '?': a process name must not move
 * the cursor. @src need not end in NUL within @src_size.
 */
void text_clean(char *dst, size_t dst_size, const char *src, size_t src_size);

/* The first line of a small file. Return: 0 or -errno. */
int read_file_line(const char *path, char *out, size_t size);
