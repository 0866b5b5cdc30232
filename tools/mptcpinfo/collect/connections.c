// SPDX-License-Identifier: MIT
/*
 * connections.c - the MPTCP sockets of this namespace
 */
#include "connections.h"

#include "ends.h"
#include "mptcpaddr/diag.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <netlink/attr.h>
#include <string.h>

#ifndef MPTCP_INFO_FLAG_FALLBACK
#define MPTCP_INFO_FLAG_FALLBACK (1 << 0)
#endif

static int on_connection(void *ctx, const struct inet_diag_msg *msg,
			 struct nlattr *const *tb)
{
	struct snapshot *snap = ctx;
	struct connection *conn;
	size_t len;

	if (!tb[INET_DIAG_INFO])
		return 0; /* without a token there is nothing to hold on to */
	conn = array_grow(&snap->connections, &snap->n_connections, sizeof(*conn));
	if (!conn)
		return -ENOMEM;

	len = nla_len(tb[INET_DIAG_INFO]);
	if (len > sizeof(conn->info))
		len = sizeof(conn->info); /* a kernel that knows more than we do */
	memcpy(&conn->info, nla_data(tb[INET_DIAG_INFO]), len);
	conn->info_len = info_length(len);
	conn->token = conn->info.token;
	conn->fallback = conn->info.flags & MPTCP_INFO_FLAG_FALLBACK;
	conn->inode = msg->idiag_inode;
	conn->uid = msg->idiag_uid;
	conn->state = msg->idiag_state;
	end_local(msg, &conn->local);
	end_remote(msg, &conn->remote);
	return 0;
}

int connections_read(struct snapshot *snap)
{
	return diag_dump(IPPROTO_MPTCP, on_connection, snap);
}
