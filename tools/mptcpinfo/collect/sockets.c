// SPDX-License-Identifier: MIT
/*
 * sockets.c - MPTCP connections, their subflows, and TCP sockets as they are destroyed
 *
 * A subflow has the token of its connection in the ULP part of its TCP diag record.
 * Kernels that hide this part from ordinary users still show every socket's addresses:
 * then the first subflow is found by its connection's addresses, the others are not.
 */
#include "collect.h"
#include "mptcpaddr/netlink.h"
#include "shim/netlink/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef MPTCP_INFO_FLAG_FALLBACK
#define MPTCP_INFO_FLAG_FALLBACK (1 << 0)
#endif
#define BACKUP_FLAGS (MPTCP_SUBFLOW_FLAG_BKUP_REM | MPTCP_SUBFLOW_FLAG_BKUP_LOC)

#define SLOT	    651	      /* see netlink_open() */
#define QUEUE_BYTES (1 << 20) /* a program that exits closes all its sockets at once */
#define AT_ONCE	    256
#define GROUP(n)    (1u << ((n)-1))

struct matcher {
	struct snapshot *snap;
	struct index by_path; /* connections */
};

static bool has_scope(const struct mpaddr *addr)
{
	return addr->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr->v6);
}

static struct path diag_path(const struct inet_diag_msg *msg)
{
	const struct inet_diag_sockid *id = &msg->id;
	struct path path = { .local.port = ntohs(id->idiag_sport),
			     .remote.port = ntohs(id->idiag_dport) };

	mpaddr_set(&path.local, msg->idiag_family, id->idiag_src);
	mpaddr_set(&path.remote, msg->idiag_family, id->idiag_dst);
	if (has_scope(&path.local) || has_scope(&path.remote))
		path.ifindex = id->idiag_if;
	return path;
}

/* Path, state and TCP counts */
static void fill_subflow(struct subflow *sf, const struct inet_diag_msg *msg,
			 struct nlattr *const *tb)
{
	const struct nlattr *info = tb[INET_DIAG_INFO];

	sf->path = diag_path(msg);
	sf->state = msg->idiag_state;
	if (info)
		subflow_fill_tcp(sf, nla_data(info), nla_len(info));
}

static int on_connection(void *ctx, const struct inet_diag_msg *msg,
			 struct nlattr *const *tb)
{
	struct matcher *m = ctx;
	struct connection *conn;

	if (!tb[INET_DIAG_INFO])
		return 0; /* without a token it cannot be identified */
	conn = array_add(m->snap, connections);
	conn->info_len = info_length(nla_len(tb[INET_DIAG_INFO]));
	memcpy(&conn->info, nla_data(tb[INET_DIAG_INFO]), conn->info_len);
	conn->token = conn->info.token;
	conn->fallback = conn->info.flags & MPTCP_INFO_FLAG_FALLBACK;
	conn->inode = msg->idiag_inode;
	conn->uid = msg->idiag_uid;
	conn->state = msg->idiag_state;
	conn->path = diag_path(msg);
	index_add(&m->snap->by_token, &conn->token, conn - m->snap->connections);
	index_add(&m->by_path, &conn->path, conn - m->snap->connections);
	return 0;
}

static int subflow_id(const struct nlattr *attr)
{
	return attr ? (int)netlink_number(attr) : -1;
}

static int on_tcp_socket(void *ctx, const struct inet_diag_msg *msg,
			 struct nlattr *const *tb)
{
	struct nlattr *mptcp[MPTCP_SUBFLOW_ATTR_MAX + 1] = { 0 };
	const struct matcher *m = ctx;
	struct path path = diag_path(msg);
	struct subflow *sf;
	uint32_t token;
	ssize_t pos;

	if (diag_parse_subflow(tb, mptcp) == 0) {
		token = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]);
		pos = index_find(&m->snap->by_token, &token);
	} else {
		memset(mptcp, 0, sizeof(mptcp));
		pos = index_find(&m->by_path, &path);
	}
	if (pos < 0)
		return 0; /* plain TCP, or of a connection newer than the other dump */

	sf = array_add(&m->snap->connections[pos], subflows);
	fill_subflow(sf, msg, tb);
	sf->local_id = subflow_id(mptcp[MPTCP_SUBFLOW_ATTR_ID_LOC]);
	sf->remote_id = subflow_id(mptcp[MPTCP_SUBFLOW_ATTR_ID_REM]);
	sf->has_flags = mptcp[MPTCP_SUBFLOW_ATTR_FLAGS];
	if (sf->has_flags)
		sf->backup =
			netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_FLAGS]) & BACKUP_FLAGS;
	return 0;
}

static int compare_subflows(const void *pa, const void *pb)
{
	const struct subflow *a = pa, *b = pb;

	return a->local_id - b->local_id
		       ?: a->remote_id - b->remote_id
		       ?: a->path.local.port - b->path.local.port;
}

void sort_subflows(struct connection *conn)
{
	if (conn->n_subflows)
		qsort(conn->subflows, conn->n_subflows, sizeof(*conn->subflows),
		      compare_subflows);
}

int collect_sockets(struct snapshot *snap)
{
	struct matcher m = { .snap = snap, .by_path.key_size = sizeof(struct path) };
	struct connection *conn;
	int r, error = 0;

	snap->by_token.key_size = sizeof(uint32_t);
	r = diag_dump(IPPROTO_MPTCP, DIAG_CONNECTED, on_connection, &m);
	if (r == 0 && snap->n_connections)
		error = diag_dump(IPPROTO_TCP, DIAG_CONNECTED, on_tcp_socket, &m);
	if (error < 0)
		snapshot_note(snap, "subflows: %s", strerror(-error));
	index_free(&m.by_path);
	for_each_in (conn, snap, connections)
		sort_subflows(conn);
	return r;
}

/* Members of these groups get a socket's counts as it is destroyed, like ss -E. */
int closed_open(void)
{
	int size = QUEUE_BYTES, fd;

	fd = netlink_open(NETLINK_SOCK_DIAG, SLOT,
			  GROUP(SKNLGRP_INET_TCP_DESTROY) |
				  GROUP(SKNLGRP_INET6_TCP_DESTROY));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

void closed_read(int fd, void (*fn)(void *ctx, struct subflow *sf), void *ctx)
{
	_Alignas(struct nlmsghdr) char data[4096];
	struct nlmsghdr *hdr = (struct nlmsghdr *)data;
	struct nlattr *tb[INET_DIAG_MAX + 1];
	struct subflow sf;
	ssize_t n;
	int i;

	for (i = 0; i < AT_ONCE; i++) {
		n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
		/* -ENOBUFS: messages were lost, but more may follow. */
		if (n < 0 && errno != ENOBUFS)
			return;
		if (!nlmsg_ok(hdr, n) || hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		    nlmsg_parse(hdr, sizeof(struct inet_diag_msg), tb, INET_DIAG_MAX,
				NULL) < 0)
			continue;
		sf = (struct subflow){ 0 };
		fill_subflow(&sf, nlmsg_data(hdr), tb);
		fn(ctx, &sf);
	}
}
