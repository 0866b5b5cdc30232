// SPDX-License-Identifier: MIT
/*
 * subflows.c - the TCP sockets under the MPTCP ones
 *
 * A subflow says the token of its connection in the ULP part of its TCP diag record.
 * Kernels that keep this part from ordinary users still show every socket's addresses:
 * then the first subflow is known by having those of its connection, the others not.
 */
#include "connections.h"
#include "ends.h"
#include "index.h"
#include "mptcpaddr/diag.h"
#include "tcpinfo.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>

#define BACKUP_FLAGS (MPTCP_SUBFLOW_FLAG_BKUP_REM | MPTCP_SUBFLOW_FLAG_BKUP_LOC)

struct endpoints {
	struct inet_addr local;
	struct inet_addr remote;
};

struct matcher {
	struct snapshot *snap;
	struct endpoints *endpoints; /* of each connection */
	struct index *by_token;
	struct index *by_endpoints;
};

static int id_of(const struct nlattr *attr)
{
	return attr ? nla_get_u8(attr) : -1;
}

static void fill_ulp(struct subflow *sf, struct nlattr *const *tb)
{
	sf->local_id = id_of(tb[MPTCP_SUBFLOW_ATTR_ID_LOC]);
	sf->remote_id = id_of(tb[MPTCP_SUBFLOW_ATTR_ID_REM]);
	sf->has_flags = tb[MPTCP_SUBFLOW_ATTR_FLAGS];
	if (sf->has_flags)
		sf->backup = nla_get_u32(tb[MPTCP_SUBFLOW_ATTR_FLAGS]) & BACKUP_FLAGS;
}

static int on_tcp_socket(void *ctx, const struct inet_diag_msg *msg,
			 struct nlattr *const *tb)
{
	struct nlattr *mptcp[MPTCP_SUBFLOW_ATTR_MAX + 1];
	const struct matcher *m = ctx;
	struct endpoints ends;
	struct subflow *sf;
	uint32_t token;
	bool told;
	ssize_t pos;

	end_local(msg, &ends.local);
	end_remote(msg, &ends.remote);
	told = diag_parse_subflow(tb, mptcp) == 0;
	if (told) {
		token = nla_get_u32(mptcp[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]);
		pos = index_find(m->by_token, &token);
	} else {
		pos = index_find(m->by_endpoints, &ends);
	}
	if (pos < 0)
		return 0; /* plain TCP, or of a connection made since the other dump */

	sf = array_grow(&m->snap->subflows, &m->snap->n_subflows, sizeof(*sf));
	if (!sf)
		return -ENOMEM;
	sf->connection = pos;
	sf->local = ends.local;
	sf->remote = ends.remote;
	sf->state = msg->idiag_state;
	sf->local_id = -1;
	sf->remote_id = -1;
	if (told)
		fill_ulp(sf, mptcp);
	if (tb[INET_DIAG_INFO])
		tcpinfo_fill(sf, nla_data(tb[INET_DIAG_INFO]),
			     nla_len(tb[INET_DIAG_INFO]));
	return 0;
}

static int matcher_init(struct matcher *m, struct snapshot *snap)
{
	size_t i, n = snap->n_connections;
	struct connection *conn;
	int r = 0;

	m->snap = snap;
	m->endpoints = calloc(n, sizeof(*m->endpoints));
	m->by_token = index_new(n, sizeof(uint32_t));
	m->by_endpoints = index_new(n, sizeof(struct endpoints));
	if (!m->endpoints || !m->by_token || !m->by_endpoints)
		return -ENOMEM;
	for (i = 0; i < n && r == 0; i++) {
		conn = &snap->connections[i];
		m->endpoints[i].local = conn->local;
		m->endpoints[i].remote = conn->remote;
		r = index_add(m->by_token, &conn->token, i);
		if (r == 0)
			r = index_add(m->by_endpoints, &m->endpoints[i], i);
	}
	return r;
}

static int compare_subflows(const void *pa, const void *pb)
{
	const struct subflow *a = pa, *b = pb;

	if (a->local_id != b->local_id)
		return a->local_id - b->local_id;
	if (a->remote_id != b->remote_id)
		return a->remote_id - b->remote_id;
	return a->local.port - b->local.port;
}

static int group_subflows(struct snapshot *snap)
{
	struct stretch *groups;
	size_t i;
	int r;

	groups = calloc(snap->n_connections, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	r = array_group(&snap->subflows, snap->n_subflows, sizeof(*snap->subflows),
			snap->n_connections, groups);
	for (i = 0; i < snap->n_connections && r == 0; i++) {
		snap->connections[i].subflows = groups[i];
		if (groups[i].n > 1)
			qsort(snap->subflows + groups[i].first, groups[i].n,
			      sizeof(*snap->subflows), compare_subflows);
	}
	free(groups);
	return r;
}

int subflows_read(struct snapshot *snap)
{
	struct matcher m = { 0 };
	int r, grouped;

	if (snap->n_connections == 0)
		return 0;
	r = matcher_init(&m, snap);
	if (r < 0)
		goto out;
	r = diag_dump(IPPROTO_TCP, on_tcp_socket, &m);
	if (snap->n_subflows) {
		grouped = group_subflows(snap);
		if (grouped < 0)
			r = grouped;
	}
out:
	index_free(m.by_token);
	index_free(m.by_endpoints);
	free(m.endpoints);
	return r;
}
