// SPDX-License-Identifier: MIT
/*
 * pm_command.c - commands of generic netlink family mptcp_pm (net/mptcp/pm_userspace.c)
 */
#include "mptcpaddr/netlink.h"
#include "request.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

/* The preload library's event socket starts its search at 1001; see subscribe.c. */
#define SLOT 801 /* see netlink_open() */

int pm_command_open(void)
{
	return netlink_open(NETLINK_GENERIC, SLOT, 0);
}

/*
 * A request is built on the stack: between an ADD_ADDR and its SYN, memory from the heap
 * and libnl's functions would take longer than all other work.
 */
struct request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[172]; /* all that put_command() puts, of IPv6 addresses */
};

/* Return: the attribute, for nest_end(). */
static struct nlattr *attr_put(struct request *request, int type, const void *data,
			       size_t len)
{
	struct nlattr *attr = (void *)((char *)request + request->nlh.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(attr + 1, data, len);
	request->nlh.nlmsg_len += NLA_ALIGN(attr->nla_len);
	return attr;
}

#define PUT(request, type, value) attr_put(request, type, &(value), sizeof(value))

static void nest_end(const struct request *request, struct nlattr *nest)
{
	nest->nla_len = (char *)request + request->nlh.nlmsg_len - (char *)nest;
}

/* @cmd: add its ID, flags and interface; NULL: address and port only. */
static void put_address(struct request *request, int type, const struct mpaddr *addr,
			const struct pm_cmd *cmd, uint8_t remote_id)
{
	struct nlattr *nest = attr_put(request, type | NLA_F_NESTED, NULL, 0);
	bool v4 = addr->family == AF_INET;
	uint32_t flags;

	PUT(request, MPTCP_PM_ADDR_ATTR_FAMILY, addr->family);
	attr_put(request, v4 ? MPTCP_PM_ADDR_ATTR_ADDR4 : MPTCP_PM_ADDR_ATTR_ADDR6,
		 addr->ip, v4 ? sizeof(addr->v4) : sizeof(addr->v6));
	if (addr->port)
		PUT(request, MPTCP_PM_ADDR_ATTR_PORT, addr->port);
	if (remote_id)
		PUT(request, MPTCP_PM_ADDR_ATTR_ID, remote_id);
	if (cmd) {
		flags = cmd->flags;
		if (cmd->type == PM_CMD_ANNOUNCE)
			flags |= MPTCP_PM_ADDR_FLAG_SIGNAL;
		if (cmd->type != PM_CMD_SET_FLAGS)
			PUT(request, MPTCP_PM_ADDR_ATTR_ID, cmd->local_id);
		if (flags || cmd->type == PM_CMD_SET_FLAGS)
			PUT(request, MPTCP_PM_ADDR_ATTR_FLAGS, flags);
		if (cmd->if_idx)
			PUT(request, MPTCP_PM_ADDR_ATTR_IF_IDX, cmd->if_idx);
	}
	nest_end(request, nest);
}

static void put_command(struct request *request, const struct pm_cmd *cmd)
{
	const bool destroy = cmd->type == PM_CMD_SUBFLOW_DESTROY;

	PUT(request, MPTCP_PM_ATTR_TOKEN, cmd->token);
	if (cmd->type == PM_CMD_REMOVE) {
		PUT(request, MPTCP_PM_ATTR_LOC_ID, cmd->local_id);
		return;
	}
	put_address(request, MPTCP_PM_ATTR_ADDR, &cmd->local, destroy ? NULL : cmd, 0);
	if (cmd->type != PM_CMD_ANNOUNCE)
		put_address(request, MPTCP_PM_ATTR_ADDR_REMOTE, &cmd->remote, NULL,
			    cmd->remote_id);
}

int pm_command_send(int fd, uint16_t family_id, const struct pm_cmd *cmd)
{
	struct request request = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			 .nlmsg_type = family_id,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.genl = { .cmd = cmd->type, .version = MPTCP_PM_VER },
	};
	struct pm_cmd join;

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
	put_command(&request, cmd);
	return netlink_ask(fd, &request.nlh, NULL, NULL);
}
