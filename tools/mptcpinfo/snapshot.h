/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - one look at the MPTCP connections of this network namespace
 *
 * The collector fills a struct snapshot, the writers (table.c, json.c and so on) print
 * it, and neither knows of the other. Plain values in plain arrays: no pointer leads from
 * one record to another, only stretches (first, n) of the array of another kind. What the
 * kernel or a manager did not tell is marked as absent (a length, a `has_` flag, -1, an
 * empty string) and is never shown as 0.
 */
#pragma once

#include "mptcpaddr/control.h"
#include "mptcpaddr/uapi.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROGRAM_MAX 64

/* An address with its port in host order; v4-mapped IPv6 is kept as AF_INET. */
struct inet_addr {
	uint16_t family; /* AF_INET or AF_INET6 */
	uint16_t port;
	uint32_t ifindex; /* of a link-local address, else 0 */
	uint8_t ip[16];	  /* network order; the first 4 for AF_INET, the rest 0 */
};

/* So many elements of another array, from @first on. */
struct stretch {
	size_t first;
	size_t n;
};

struct subflow {
	uint32_t connection; /* its position in snapshot.connections while collecting */
	struct inet_addr local;
	struct inet_addr remote;
	uint8_t state; /* TCP_ESTABLISHED and so on */
	int local_id;  /* -1: not told */
	int remote_id;
	bool has_flags;
	bool backup; /* asked for by either side */
	bool has_tcp;
	uint64_t bytes_sent; /* retransmissions included, as ss shows it */
	uint64_t bytes_received;
	uint32_t rtt_us;
	uint32_t cwnd;
	uint32_t retransmits;
	uint64_t delivery_rate; /* bytes per second */
};

enum manager_kind {
	MANAGER_NONE,
	MANAGER_UNKNOWN, /* one that might have it could not be asked */
	MANAGER_KERNEL,
	MANAGER_OURS, /* snapshot.managers[manager_index] */
};

/* What can be seen of a program that has no manager. */
enum preload {
	PRELOAD_UNKNOWN, /* it cannot be looked into */
	PRELOAD_NO,
	PRELOAD_YES, /* it runs under libmptcpaddr.so */
};

struct process {
	enum preload preload;
	bool rights_known;
	bool rights; /* CAP_NET_ADMIN over this network namespace */
};

/* What an announced address came to; the words of the JSON. */
enum announced_state {
	ANNOUNCED_JOINED,
	ANNOUNCED_WAITING,
	ANNOUNCED_REFUSED,
};

struct announced {
	uint32_t connection; /* as in struct subflow */
	uint32_t manager;    /* who says so */
	struct pm_announced_report record;
};

enum endpoint_state {
	ENDPOINT_FREE,
	ENDPOINT_PENDING,
	ENDPOINT_USED,
	ENDPOINT_UNAVAILABLE,
};

struct connection {
	uint32_t token;
	uint32_t inode; /* 0: no process holds it any more, or none has accepted it yet */
	uint32_t uid;
	pid_t pid; /* 0: not known */
	char program[PROGRAM_MAX];
	struct inet_addr local;
	struct inet_addr remote;
	uint8_t state;
	bool fallback; /* it is plain TCP by now (RFC 8684, 3.7) */
	enum manager_kind manager;
	uint32_t manager_index;	      /* MANAGER_OURS: of snapshot.managers */
	struct pm_conn_report record; /* MANAGER_OURS: what it says */
	struct process process;	      /* not MANAGER_OURS: of pid */
	struct mptcpaddr_info info;
	size_t info_len; /* bytes of info that the kernel filled */
	struct stretch subflows;
	struct stretch announced;
};

/* A field of mptcp_info is there if the kernel's structure reaches to its end. */
#define INFO_HAS(conn, field) \
	((conn)->info_len >=  \
	 offsetof(struct mptcpaddr_info, field) + sizeof((conn)->info.field))

/*
 * info_length() - how much of @len bytes of mptcp_info is fields, not padding
 *
 * A kernel's structure ends in padding where later kernels have put a field.
 */
size_t info_length(size_t len);

struct manager {
	char name[80]; /* of its control socket */
	pid_t pid;
	uint32_t uid;
	char program[PROGRAM_MAX];
	bool answered; /* what follows is valid; its texts are fit for a terminal */
	struct ctl_manager info;
	struct stretch
		endpoints; /* the pools in force, in the order of the masks' bits */
	struct stretch sections;
};

struct counter {
	char name[48];
	uint64_t value;
};

struct snapshot {
	/* Since 6.18 the endpoint maxima of mptcp_info, before that padding in its midst.
	 */
	bool has_endpoint_maxima;
	char path_manager[32]; /* "kernel", "userspace"; "" without MPTCP */
	struct counter *counters;
	size_t n_counters;
	struct manager *managers;
	size_t n_managers;
	struct connection *connections;
	size_t n_connections;
	struct subflow *subflows; /* those of one connection stand together */
	size_t n_subflows;
	struct announced *announced; /* likewise */
	size_t n_announced;
	struct ctl_endpoint *endpoints; /* likewise of one manager */
	size_t n_endpoints;
	struct ctl_section *sections; /* likewise */
	size_t n_sections;
	char **notes; /* what is missing and why, for the user */
	size_t n_notes;
};

/*
 * array_grow() - room for one more element in an array
 *
 * @array points to the pointer to its first element (NULL while @n is 0).
 * Return: the new element, zeroed and counted in @n; NULL without memory.
 */
void *array_grow(void *array, size_t *n, size_t size);

/*
 * array_group() - put the elements of each group next to each other, in linear time
 *
 * Each of the @n elements of @size bytes begins with a uint32_t, its group: less than
 * @n_groups. @array is as in array_grow(). The order within a group stays.
 * Return: 0, and @ret_groups[g] is where group g is now; -ENOMEM.
 */
int array_group(void *array, size_t n, size_t size, size_t n_groups,
		struct stretch *ret_groups);

/* Appends @n elements of @size bytes. Return: 0; -ENOMEM. */
int array_append(void *array, size_t *array_n, const void *more, size_t n, size_t size);

/*
 * What a connection's own manager says; NULL, or nothing, if it has none.
 * connection_endpoint() takes the position in the manager's list. Return: false if that
 * endpoint is not for this connection.
 */
const struct manager *connection_manager(const struct snapshot *snap,
					 const struct connection *conn);
bool connection_endpoint(const struct snapshot *snap, const struct connection *conn,
			 size_t i, enum endpoint_state *ret_state);
enum announced_state announced_state(const struct pm_announced_report *record);

/* Adds one line, without a newline. Losing one for want of memory is not an error. */
void snapshot_note(struct snapshot *snap, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Frees what the snapshot holds, not the structure itself. */
void snapshot_free(struct snapshot *snap);
