// SPDX-License-Identifier: MIT
/*
 * diag_resync.c - bring an engine in line with the kernel after events were lost
 *
 * The dump is collected first and applied as a whole: half a dump would make the engine
 * forget existing connections.
 */
#include "mptcpaddr/engine.h"
#include "mptcpaddr/netlink.h"
#include "request.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <stdlib.h>

static int on_subflow(void *ctx, const struct inet_diag_msg *msg,
		      struct nlattr *const *tb)
{
	struct nlattr *mptcp[MPTCP_SUBFLOW_ATTR_MAX + 1];
	/* As in the kernel, for laminar endpoints, closing subflows use no address. */
	const uint32_t closing = 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 |
				 1u << TCP_CLOSING | 1u << TCP_CLOSE;
	const uint32_t mp_capable =
		MPTCP_SUBFLOW_FLAG_MCAP_REM | MPTCP_SUBFLOW_FLAG_MCAP_LOC;
	struct diag_subflows *all = ctx;
	struct pm_subflow *f;
	uint32_t flags;

	if (closing & 1u << msg->idiag_state || diag_parse_subflow(tb, mptcp) < 0)
		return 0;
	f = netlink_grow(&all->v, &all->n, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->sub.token = nla_get_u32(mptcp[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]);
	diag_fill_event(msg, &f->sub);
	f->sub.local_id = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_ID_LOC]);
	f->sub.remote_id = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_ID_REM]);
	flags = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_FLAGS]);
	f->initial = flags & mp_capable;
	f->active = flags & MPTCP_SUBFLOW_FLAG_MCAP_LOC;
	f->sub.server_side =
		!(flags & (MPTCP_SUBFLOW_FLAG_MCAP_LOC | MPTCP_SUBFLOW_FLAG_JOIN_LOC));
	f->live = msg->idiag_state != TCP_SYN_SENT;
	return 0;
}

int diag_read_subflows(struct diag_subflows *ret_all)
{
	struct diag_subflows all = { 0 };
	int r = diag_dump(IPPROTO_TCP, DIAG_CONNECTED, on_subflow, &all);

	if (r < 0)
		free(all.v);
	else
		*ret_all = all;
	return r;
}

int diag_resync(struct engine *engine)
{
	struct diag_subflows all;
	int r = diag_read_subflows(&all);

	if (r < 0)
		return r;
	engine_resync(engine, all.v, all.n);
	free(all.v);
	return 0;
}
