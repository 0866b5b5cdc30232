// SPDX-License-Identifier: MIT
/*
 * sockets.c - MPTCP connections, their subflows, and TCP sockets as they are destroyed
 *
 * A subflow has the token of its connection in the ULP part of its TCP diag record.
 * Kernels that hide this part from ordinary users still show every socket's addresses:
 * then the first subflow is found by its connection's addresses, the others are not.
 */
#include "collect.h"
#include "mptcpaddr/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>

#ifndef MPTCP_INFO_FLAG_FALLBACK
#define MPTCP_INFO_FLAG_FALLBACK (1 << 0)
#endif
#define BACKUP_FLAGS (MPTCP_SUBFLOW_FLAG_BKUP_REM | MPTCP_SUBFLOW_FLAG_BKUP_LOC)

#define QUEUE_BYTES (1 << 20) /* a program that exits closes all its sockets at once */
#define AT_ONCE	    256

struct matcher {
	struct snapshot *snap;
	struct index by_path; /* connections */
};

static struct mpaddr diag_end(uint8_t family, const uint32_t *ip, uint16_t port)
{
	struct mpaddr addr = { .port = ntohs(port) };

	mpaddr_set(&addr, family, ip);
	return addr;
}

static bool is_link_local(const struct mpaddr *addr)
{
	return addr->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr->v6);
}

static struct path diag_path(const struct inet_diag_msg *msg)
{
	const struct inet_diag_sockid *id = &msg->id;
	struct path path;

	path.local = diag_end(msg->idiag_family, id->idiag_src, id->idiag_sport);
	path.remote = diag_end(msg->idiag_family, id->idiag_dst, id->idiag_dport);
	path.ifindex = is_link_local(&path.local) || is_link_local(&path.remote)
			       ? id->idiag_if
			       : 0;
	return path;
}

static void fill_tcp(struct subflow *sf, const struct nlattr *info)
{
	if (info)
		subflow_fill_tcp(sf, nla_data(info), nla_len(info));
}

static int on_connection(void *ctx, const struct inet_diag_msg *msg,
			 struct nlattr *const *tb)
{
	struct snapshot *snap = ctx;
	struct connection *conn;
	size_t len;

	if (!tb[INET_DIAG_INFO])
		return 0; /* without a token it cannot be identified */
	conn = array_add(snap, connections);
	len = nla_len(tb[INET_DIAG_INFO]);
	if (len > sizeof(conn->info))
		len = sizeof(conn->info); /* a later kernel's */
	memcpy(&conn->info, nla_data(tb[INET_DIAG_INFO]), len);
	conn->info_len = info_length(len);
	conn->token = conn->info.token;
	conn->fallback = conn->info.flags & MPTCP_INFO_FLAG_FALLBACK;
	conn->inode = msg->idiag_inode;
	conn->uid = msg->idiag_uid;
	conn->state = msg->idiag_state;
	conn->path = diag_path(msg);
	return 0;
}

int collect_connections(struct snapshot *snap)
{
	int r = diag_dump(IPPROTO_MPTCP, DIAG_CONNECTED, on_connection, snap);

	snap->by_token = snapshot_index_tokens(snap);
	return r;
}

static int subflow_id(const struct nlattr *attr)
{
	return attr ? nla_get_u8(attr) : -1;
}

static int on_tcp_socket(void *ctx, const struct inet_diag_msg *msg,
			 struct nlattr *const *tb)
{
	struct nlattr *mptcp[MPTCP_SUBFLOW_ATTR_MAX + 1] = { 0 };
	const struct matcher *m = ctx;
	struct connection *conn;
	struct path path = diag_path(msg);
	struct subflow *sf;
	uint32_t token;
	ssize_t pos;

	if (diag_parse_subflow(tb, mptcp) == 0) {
		token = nla_get_u32(mptcp[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]);
		pos = index_find(&m->snap->by_token, &token);
	} else {
		memset(mptcp, 0, sizeof(mptcp));
		pos = index_find(&m->by_path, &path);
	}
	if (pos < 0)
		return 0; /* plain TCP, or of a connection newer than the other dump */

	conn = &m->snap->connections[pos];
	sf = array_add(conn, subflows);
	sf->path = path;
	sf->state = msg->idiag_state;
	sf->local_id = subflow_id(mptcp[MPTCP_SUBFLOW_ATTR_ID_LOC]);
	sf->remote_id = subflow_id(mptcp[MPTCP_SUBFLOW_ATTR_ID_REM]);
	sf->has_flags = mptcp[MPTCP_SUBFLOW_ATTR_FLAGS];
	if (sf->has_flags)
		sf->backup = nla_get_u32(mptcp[MPTCP_SUBFLOW_ATTR_FLAGS]) & BACKUP_FLAGS;
	fill_tcp(sf, tb[INET_DIAG_INFO]);
	return 0;
}

static int compare_subflows(const void *pa, const void *pb)
{
	const struct subflow *a = pa, *b = pb;

	if (a->local_id != b->local_id)
		return a->local_id - b->local_id;
	if (a->remote_id != b->remote_id)
		return a->remote_id - b->remote_id;
	return a->path.local.port - b->path.local.port;
}

void sort_subflows(struct connection *conn)
{
	if (conn->n_subflows)
		qsort(conn->subflows, conn->n_subflows, sizeof(*conn->subflows),
		      compare_subflows);
}

int collect_subflows(struct snapshot *snap)
{
	struct matcher m = { .snap = snap, .by_path.key_size = sizeof(struct path) };
	struct connection *conn;
	int r;

	if (snap->n_connections == 0)
		return 0;
	index_fill(&m.by_path, &snap->connections->path, snap->n_connections,
		   sizeof(*snap->connections));
	r = diag_dump(IPPROTO_TCP, DIAG_CONNECTED, on_tcp_socket, &m);
	index_free(&m.by_path);
	for_each_in (conn, snap, connections)
		sort_subflows(conn);
	return r;
}

/* Members of sock_diag's destroy groups get a socket's counts as it goes, like ss -E. */
static int on_destroyed(struct nl_msg *nl, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(nl);
	struct nlattr *tb[INET_DIAG_MAX + 1];
	const struct inet_diag_msg *msg;
	const struct closed *c = arg;
	struct subflow sf = { 0 };

	if (hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    nlmsg_parse(hdr, sizeof(*msg), tb, INET_DIAG_MAX, NULL) < 0)
		return NL_SKIP;
	msg = nlmsg_data(hdr);
	sf.path = diag_path(msg);
	sf.state = msg->idiag_state;
	fill_tcp(&sf, tb[INET_DIAG_INFO]);
	c->fn(c->ctx, &sf);
	return NL_OK;
}

int closed_open(struct closed *c, closed_fn fn, void *ctx)
{
	struct nl_sock *sk = nl_socket_alloc();
	int r = -EPROTONOSUPPORT;

	*c = (struct closed){ .fn = fn, .ctx = ctx };
	if (!sk)
		return -ENOMEM;
	nl_socket_disable_seq_check(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_destroyed, c);
	if (nl_connect(sk, NETLINK_SOCK_DIAG) < 0 || nl_socket_set_nonblocking(sk) < 0)
		goto fail;
	nl_socket_set_buffer_size(sk, QUEUE_BYTES, 0);
	r = -EPERM;
	if (nl_socket_add_memberships(sk, SKNLGRP_INET_TCP_DESTROY,
				      SKNLGRP_INET6_TCP_DESTROY, 0) < 0)
		goto fail;
	c->sk = sk;
	return 0;
fail:
	nl_socket_free(sk);
	return r;
}

int closed_fd(const struct closed *c)
{
	return c->sk ? nl_socket_get_fd(c->sk) : -1;
}

void closed_serve(struct closed *c)
{
	int i, r = 0;

	/* -NLE_NOMEM: messages were lost, but more may follow. */
	for (i = 0; c->sk && i < AT_ONCE && (r >= 0 || r == -NLE_NOMEM); i++)
		r = nl_recvmsgs_default(c->sk);
}

void closed_close(struct closed *c)
{
	if (c->sk)
		nl_socket_free(c->sk);
	c->sk = NULL;
}
