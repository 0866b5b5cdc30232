/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - the MPTCP connections of this network namespace at one moment
 *
 * collect/ fills a struct snapshot and print/ writes it; neither knows the other. A
 * connection owns its subflows and announcements, a manager its endpoints, and
 * connections refer to managers by position. Unknown values are marked (a length, a
 * `has_` flag, -1, an empty string) and never shown as 0. Running out of memory ends
 * mptcpinfo, so nothing here fails.
 */
#pragma once

#include "mptcpaddr/control.h"
#include "mptcpaddr/uapi.h"
#include "tools/common/blackhole_report.h"

#include <err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROGRAM_MAX 64

/* The ends of a TCP socket. Without padding: hashed as memory. */
struct path {
	struct mpaddr local, remote;
	uint32_t ifindex; /* of a link-local address, else 0 */
};
_Static_assert(sizeof(struct path) == 2 * sizeof(struct mpaddr) + 4, "no padding");

struct subflow {
	struct path path;
	uint8_t state; /* TCP_ESTABLISHED and so on */
	int local_id;  /* -1: unknown */
	int remote_id;
	bool has_flags;
	bool backup; /* requested by either side */
	bool has_tcp;
	uint64_t bytes_sent; /* including retransmissions, like ss */
	uint64_t bytes_received;
	uint32_t rtt_us;
	uint32_t cwnd;
	uint32_t retransmits;
	uint64_t delivery_rate; /* bytes per second */
	/* Only for --watch: bytes per second since the previous snapshot, or NAN */
	double sent_rate, received_rate;
	float *history; /* the last ones, of both directions, newest first; or NULL */
};

enum manager_kind {
	MANAGER_NONE,
	MANAGER_UNKNOWN, /* a candidate did not answer */
	MANAGER_KERNEL,
	MANAGER_OURS, /* snapshot.managers[manager_index] */
};

/* Whether a program without a manager runs under libmptcpaddr.so */
enum preload {
	PRELOAD_UNKNOWN, /* its /proc files are not readable */
	PRELOAD_NO,
	PRELOAD_YES,
};

struct process {
	enum preload preload;
	bool rights_known;
	bool rights; /* CAP_NET_ADMIN over this network namespace */
};

struct connection {
	uint32_t token;
	uint32_t inode; /* 0: no process holds it: closed, or not accepted yet */
	uint32_t uid;
	pid_t pid; /* 0: unknown */
	char program[PROGRAM_MAX];
	struct path path;
	uint8_t state;
	bool fallback; /* to plain TCP (RFC 8684, 3.7) */
	enum manager_kind manager;
	uint32_t manager_index;	      /* MANAGER_OURS: of snapshot.managers */
	struct pm_conn_report record; /* MANAGER_OURS: the manager's report */
	/* Endpoints as in the record: without a route to the peer; with packets that
	 * leave by another interface than theirs */
	uint64_t unrouted, detoured;
	struct process process; /* not MANAGER_OURS: of pid */
	struct mptcpaddr_info info;
	size_t info_len; /* bytes of info that the kernel filled */
	struct subflow *subflows;
	size_t n_subflows;
	struct pm_announced_report *announced;
	size_t n_announced;
};

/* The kernel's mptcp_info includes a field if it reaches to the end of the field. */
#define INFO_HAS(conn, field) \
	((conn)->info_len >=  \
	 offsetof(struct mptcpaddr_info, field) + sizeof((conn)->info.field))

/* info_length() - of @len bytes of mptcp_info, those that are fields, not padding */
size_t info_length(size_t len);

struct manager {
	char name[80]; /* of its control socket */
	pid_t pid;
	uint32_t uid;
	char program[PROGRAM_MAX];
	bool stands_in;		 /* for a supervised program, info.program */
	bool answered;		 /* the fields below are valid */
	struct ctl_manager info; /* its texts are safe for a terminal */
	/* The pools in force, in the order of the masks' bits */
	struct ctl_endpoint *endpoints;
	size_t n_endpoints;
	struct ctl_section *sections;
	size_t n_sections;
	struct ctl_endpoint *configured; /* as in the pool file */
	size_t n_configured;
};

struct counter {
	char name[48];
	uint64_t value;
};

/* A hash table from keys of one size to positions; keys are copied. */
struct index {
	size_t key_size;
	struct index_node *head;
};

struct snapshot {
	int64_t time_ns; /* CLOCK_REALTIME */
	int64_t time_us; /* clock_us() */
	/* mptcp_info has endp_*_max since 6.18; older kernels have padding there. */
	bool has_endpoint_maxima;
	char path_manager[32]; /* "kernel", "userspace"; "" without MPTCP */
	struct blackhole blackhole;
	struct counter *counters;
	size_t n_counters;
	struct manager *managers;
	size_t n_managers;
	struct connection *connections;
	size_t n_connections;
	struct index by_token; /* connections, while collecting */
	char **notes;	       /* missing data and the reasons, for the user */
	size_t n_notes;
};

/*
 * array_grow() - append a zeroed element to @array (NULL while @n is 0), count it in @n
 *
 * Return: the array, perhaps moved.
 */
void *array_grow(void *array, size_t *n, size_t size);

/* Of an owner with the members @list and n_@list. Return: the new element. */
#define array_add(owner, list)                                                          \
	((owner)->list =                                                                \
		 array_grow((owner)->list, &(owner)->n_##list, sizeof(*(owner)->list)), \
	 (owner)->list + (owner)->n_##list - 1)
#define for_each_in(item, owner, list)                                            \
	for ((item) = (owner)->list; (item) != (owner)->list + (owner)->n_##list; \
	     (item)++)

#define memory_die() errx(EXIT_FAILURE, "out of memory")

/* array_alloc() - @n zeroed elements, for the caller to free */
void *array_alloc(size_t n, size_t size);

/* Of struct index: if a key comes twice, the first position stays. */
void index_add(struct index *index, const void *key, size_t pos);
/* Return: the position, or -1. */
ssize_t index_find(const struct index *index, const void *key);
void index_remove(struct index *index, const void *key);
void index_free(struct index *index);

/* snapshot_sort() - sort the connections by PID, then by token */
void snapshot_sort(struct snapshot *snap);

/* snapshot_note() - add a line, without a newline, to the notes */
void snapshot_note(struct snapshot *snap, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* snapshot_report() - notes and collect_snapshot()'s error @r, on standard error */
void snapshot_report(const struct snapshot *snap, int r);

/* Free the contents, not the structure itself. */
void snapshot_free(struct snapshot *snap);
void connection_free(struct connection *conn);
void manager_release(struct manager *manager);

/* Sent and received */
static inline uint64_t subflow_bytes(const struct subflow *sf)
{
	return sf->bytes_sent + sf->bytes_received;
}
uint64_t connection_bytes(const struct connection *conn);

/* subflow_fill_tcp() - from @len bytes of struct tcp_info, as the kernel gave them */
void subflow_fill_tcp(struct subflow *sf, const void *data, size_t len);

/* The connection's own manager, or NULL. */
const struct manager *connection_manager(const struct snapshot *snap,
					 const struct connection *conn);
/* The latest subflow with these ends, or NULL. */
struct subflow *connection_subflow(const struct connection *conn,
				   const struct path *path);
