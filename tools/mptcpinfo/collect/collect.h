/* SPDX-License-Identifier: MIT */
/*
 * collect.h - fill a snapshot from its sources
 */
#pragma once

#include "mptcpaddr/addr.h"
#include "tools/mptcpinfo/snapshot.h"

#include <net/if.h>

struct ctl;

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
	uint32_t tokens[2]; /* either */
	bool has_remote;
	struct remote remote; /* of any subflow */
};

bool token_matches(const struct filter *filter, uint32_t token);

/* process_matches() - whether @process is NULL, the PID or the name */
bool process_matches(const char *process, pid_t pid, const char *program);

/*
 * collect_snapshot() - read everything once
 *
 * Fills @snap, which must be zero, as far as possible; the rest is in its notes.
 * snapshot_free() frees it. Return: 0; -errno if the connections could not be listed.
 */
int collect_snapshot(const struct filter *filter, struct snapshot *snap);

/* collect_counters() - the namespace's MPTcpExt counters */
void collect_counters(struct snapshot *snap);

/*
 * collect_sockets() - connections without owner and manager, by_token, and sorted
 * subflows
 *
 * Return: 0; -errno if the connections could not be listed.
 */
int collect_sockets(struct snapshot *snap);

/* Sort by local ID, then by remote ID. */
void sort_subflows(struct connection *conn);

/* collect_managers() - and their reports on connections and announcements */
void collect_managers(struct snapshot *snap);

/*
 * collect_owners() - fill pid and program of the connections
 *
 * With @process, a PID or name, each connection that this process holds gets it as its
 * owner, even if another process holds it, too.
 */
void collect_owners(struct snapshot *snap, const char *process);

/* process_read() - whether @pid runs under the library and has CAP_NET_ADMIN */
void process_read(pid_t pid, struct process *ret_process);

/* process_program() - the name of process @pid, safe for a terminal; "": unknown */
void process_program(pid_t pid, char out[static PROGRAM_MAX]);

/* collect_routes() - whether the endpoints of each connection have a route */
void collect_routes(struct snapshot *snap);

/* device_of() - the interface that has the address @addr; "": none */
void device_of(const struct mpaddr *addr, char out[static IF_NAMESIZE]);

/* manager_is_broker() - mptcpaddrd, run by root: info.program is its client */
bool manager_is_broker(const struct manager *manager);

/* manager_holds() - it is in the program whose connections it manages. */
bool manager_holds(const struct manager *manager);

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

/* closed_open() - a socket for closed_read(). Return: it; -errno. */
int closed_open(void);

/*
 * closed_read() - the namespace's TCP sockets destroyed since, without waiting
 *
 * @fn gets path, state and last TCP counts. @fd may be negative.
 */
void closed_read(int fd, void (*fn)(void *ctx, struct subflow *sf), void *ctx);

/*
 * text_clean() - make untrusted text of up to @size bytes safe for a terminal
 *
 * Control characters, including C1 in UTF-8, become '?': a process name must not move
 * the cursor. The last byte becomes NUL.
 */
void text_clean(char *text, size_t size);

/*
 * file_line() - the first line of a small file with @text in it, without its newline
 *
 * Return: 1; 0 if there is none; -1 if the file is unreadable or empty.
 */
int file_line(const char *path, const char *text, char *out, size_t size);
