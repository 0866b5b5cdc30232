/* SPDX-License-Identifier: MIT */
/*
 * netlink.h - events and commands of mptcp_pm; sockets by sock_diag(7)
 */
#pragma once

#include "mptcpaddr/pm.h"

#include <linux/inet_diag.h>
#include <netinet/tcp.h>
#include <sys/types.h>

struct nlattr;
struct nlmsghdr;

/* pm_command_open() - a socket for pm_command_send(). Return: it; -errno. */
int pm_command_open(void);

/*
 * pm_command_send() - execute @cmd and wait for the kernel's answer, which is immediate
 *
 * @family_id: of mptcp_pm. Return: 0 or -errno (net/mptcp/pm_userspace.c); -ENODEV if
 * cmd->if_idx is -1.
 */
int pm_command_send(int fd, uint16_t family_id, const struct pm_cmd *cmd);

/* pm_event_parse() - Return: 0; -ENOMSG: a message that is not used; -EBADMSG. */
int pm_event_parse(const struct nlmsghdr *nlh, uint16_t family_id,
		   struct pm_event *ret_event);

#define PM_EVENTS_BATCH 32

/*
 * pm_events_read() - read up to PM_EVENTS_BATCH datagrams from event socket @fd
 *
 * @ret_events, with room for as many, receives the *@ret_n events among them. Return: the
 * number of datagrams, 0: none is queued; -ENOBUFS: some were lost; other -errno.
 */
int pm_events_read(int fd, uint16_t family_id, struct pm_event *ret_events,
		   unsigned int *ret_n);

#define EVENT_FILTER_TOKENS_MAX 256

/* event_filter_set_useful() - drop new listeners, and CREATED: ESTABLISHED repeats it. */
void event_filter_set_useful(int fd);

/*
 * event_filter_set_tokens() - likewise, and drop what is not about these @n connections
 *
 * @tokens: host order, at most EVENT_FILTER_TOKENS_MAX. Return: 0; -errno (a sandbox,
 * net.core.optmem_max) with the filter unchanged.
 */
int event_filter_set_tokens(int fd, const uint32_t *tokens, unsigned int n);

/* event_filter_remove() - faster than another filter. Return: 0 or -errno. */
int event_filter_remove(int fd);

/* One socket; @tb is indexed by INET_DIAG_*. Return: 0, or -errno to stop the dump. */
typedef int (*diag_fn)(void *ctx, const struct inet_diag_msg *msg,
		       struct nlattr *const *tb);

#define DIAG_LISTENING (1u << TCP_LISTEN)
#define DIAG_CONNECTED \
	((1u << (TCP_CLOSING + 1)) - 1 - DIAG_LISTENING - (1u << TCP_TIME_WAIT))

/*
 * diag_dump() - every IPv4 and IPv6 socket of @protocol in @states
 *
 * Return: 0, the callback's error, or -errno (-ENOENT: not supported by the kernel).
 */
int diag_dump(int protocol, uint32_t states, diag_fn fn, void *ctx);

/*
 * diag_abort() - reset the subflow of connection @token between two addresses and ports
 * (net/ipv4/tcp.c, tcp_abort(): RST to the peer, ECONNABORTED here)
 *
 * @if_idx: of the interface that it is bound to, 0: none. Needs CAP_NET_ADMIN and
 * CONFIG_INET_DIAG_DESTROY. Return: 0 or -errno (-ENOENT: no such subflow).
 */
int diag_abort(uint32_t token, const struct mpaddr *local, const struct mpaddr *remote,
	       int if_idx);

/* diag_join_port() - the local port of a pending join of @token; 0: there is none. */
uint16_t diag_join_port(uint32_t token, const struct mpaddr *local,
			const struct mpaddr *remote);

/* diag_read_health() - for PM_CMD_CHECK; @fd: of diag_open(). Return: 0; -ENOENT: no such
 * subflow; -errno. */
int diag_read_health(int fd, const struct pm_cmd *cmd, struct pm_health *ret_health);

/*
 * diag_parse_subflow() - the MPTCP part of a TCP socket's INET_DIAG_ULP_INFO
 *
 * @ret_tb, with MPTCP_SUBFLOW_ATTR_MAX + 1 elements, is indexed by MPTCP_SUBFLOW_ATTR_*.
 * Return: 0; -ENOENT: not a subflow, or no CAP_NET_ADMIN to see it.
 */
int diag_parse_subflow(struct nlattr *const *tb, struct nlattr **ret_tb);

/* diag_fill_event() - the family, addresses and ports of @msg */
void diag_fill_event(const struct inet_diag_msg *msg, struct pm_event *ev);

struct diag_owner {
	uid_t uid;	       /* of the process that opened the socket */
	uint64_t cookie;       /* of the socket: never used again */
	uint64_t cgroup;       /* ID in the cgroup 2 hierarchy; 0: unknown */
	struct pm_event first; /* the first subflow, like an ESTABLISHED */
	bool unanswered;       /* its SYN */
};

/* diag_open() - a socket for diag_read_owner() and diag_read_health(). Return: it;
 * -errno. */
int diag_open(void);
/* diag_read_owner() - Return: 0; -ENOENT: no such connection; other -errno. */
int diag_read_owner(int fd, uint32_t token, struct diag_owner *ret_owner);

struct diag_subflows {
	struct pm_subflow *v;
	unsigned int n;
};

/*
 * diag_read_subflows() - for engine_resync(), which needs all: half would drop
 * connections
 *
 * Return: 0, and the caller frees ret_all->v; -errno.
 */
int diag_read_subflows(struct diag_subflows *ret_all);
