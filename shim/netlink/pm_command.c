// SPDX-License-Identifier: MIT
/*
 * pm_command.c - commands of generic netlink family mptcp_pm (net/mptcp/pm_userspace.c)
 */
#include "mptcpaddr/netlink.h"
#include "request.h"

#include <errno.h>
#include <netlink/genl/genl.h>
#include <unistd.h>

/* The preload library's event socket starts its search at 1001; see subscribe.c. */
#define SLOT 801 /* see netlink_open() */

int pm_command_open(void)
{
	return netlink_open(NETLINK_GENERIC, SLOT, 0);
}

/* @cmd: add its ID, flags and interface; NULL: address and port only. */
static int put_address(struct nl_msg *msg, int type, const struct mpaddr *addr,
		       const struct pm_cmd *cmd, uint8_t remote_id)
{
	struct nlattr *nest = nla_nest_start(msg, type | NLA_F_NESTED);
	bool v4 = addr->family == AF_INET;
	uint32_t flags;

	if (!nest)
		goto nla_put_failure;
	NLA_PUT_U16(msg, MPTCP_PM_ADDR_ATTR_FAMILY, addr->family);
	NLA_PUT(msg, v4 ? MPTCP_PM_ADDR_ATTR_ADDR4 : MPTCP_PM_ADDR_ATTR_ADDR6,
		v4 ? sizeof(addr->v4) : sizeof(addr->v6), addr->ip);
	if (addr->port)
		NLA_PUT_U16(msg, MPTCP_PM_ADDR_ATTR_PORT, addr->port);
	if (remote_id)
		NLA_PUT_U8(msg, MPTCP_PM_ADDR_ATTR_ID, remote_id);
	if (cmd) {
		flags = cmd->flags;
		if (cmd->type == PM_CMD_ANNOUNCE)
			flags |= MPTCP_PM_ADDR_FLAG_SIGNAL;
		if (cmd->type != PM_CMD_SET_FLAGS)
			NLA_PUT_U8(msg, MPTCP_PM_ADDR_ATTR_ID, cmd->local_id);
		if (flags || cmd->type == PM_CMD_SET_FLAGS)
			NLA_PUT_U32(msg, MPTCP_PM_ADDR_ATTR_FLAGS, flags);
		if (cmd->if_idx)
			NLA_PUT_S32(msg, MPTCP_PM_ADDR_ATTR_IF_IDX, cmd->if_idx);
	}
	return nla_nest_end(msg, nest);
nla_put_failure:
	return -ENOMEM;
}

static int put_command(struct nl_msg *msg, const struct pm_cmd *cmd)
{
	const bool destroy = cmd->type == PM_CMD_SUBFLOW_DESTROY;
	int r;

	NLA_PUT_U32(msg, MPTCP_PM_ATTR_TOKEN, cmd->token);
	if (cmd->type == PM_CMD_REMOVE)
		return nla_put_u8(msg, MPTCP_PM_ATTR_LOC_ID, cmd->local_id);
	r = put_address(msg, MPTCP_PM_ATTR_ADDR, &cmd->local, destroy ? NULL : cmd, 0);
	if (r < 0 || cmd->type == PM_CMD_ANNOUNCE)
		return r;
	return put_address(msg, MPTCP_PM_ATTR_ADDR_REMOTE, &cmd->remote, NULL,
			   cmd->remote_id);
nla_put_failure:
	return -ENOMEM;
}

int pm_command_send(int fd, uint16_t family_id, const struct pm_cmd *cmd)
{
	struct pm_cmd join;
	struct nl_msg *msg;
	int r = -ENOMEM;

	if (cmd->if_idx < 0)
		return -ENODEV;
	/* Bound to a device without a route, the SYN asks the link for a distant peer. */
	if (cmd->type == PM_CMD_SUBFLOW_CREATE && cmd->again && cmd->if_idx > 0 &&
	    !rtnl_has_route(&cmd->local, &cmd->remote, cmd->if_idx))
		return -ENETUNREACH;
	if (cmd->type == PM_CMD_SUBFLOW_DESTROY && !cmd->local.port) {
		join = *cmd;
		join.local.port = diag_join_port(cmd->token, &cmd->local, &cmd->remote);
		cmd = &join;
		if (cmd->again)
			rtnl_ask_next_hop(&cmd->local, &cmd->remote, cmd->link);
	}
	/*
	 * REMOVE_ADDR alone leaves the peer's first subflow there, retransmitting: the
	 * peer's MPTCP then waits with other retransmissions for its ever longer time-out
	 * (net/mptcp/protocol.c, mptcp_set_timeout()). A reset ends it, now or when the
	 * peer tries there again; without CONFIG_INET_DIAG_DESTROY only the FIN of
	 * SUBFLOW_DESTROY remains.
	 */
	if (cmd->reset)
		diag_abort(cmd->token, &cmd->local, &cmd->remote, cmd->if_idx);
	msg = nlmsg_alloc();
	if (!msg)
		return -ENOMEM;
	if (genlmsg_put(msg, 0, 0, family_id, 0, NLM_F_ACK, cmd->type, MPTCP_PM_VER) &&
	    put_command(msg, cmd) >= 0)
		r = netlink_ask(fd, nlmsg_hdr(msg), NULL, NULL);
	nlmsg_free(msg);
	return r;
}
