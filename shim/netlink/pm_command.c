// SPDX-License-Identifier: MIT
/*
 * pm_command.c - commands of generic netlink family mptcp_pm (net/mptcp/pm_userspace.c)
 */
#include "mptcpaddr/diag.h"
#include "mptcpaddr/netlink.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <unistd.h>

/* The preload library's event socket starts its search at 1001; see subscribe.c. */
#define PORT_FIRST (801U << 22)
#define PORT_TRIES 16

struct pmnl {
	struct nl_sock *sock;
	uint16_t family_id;
	int error; /* of the command under way: 0 or a negative errno */
};

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct pmnl *pmnl = arg;

	pmnl->error = err->error;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct pmnl *pmnl = arg;

	pmnl->error = 0;
	return NL_STOP;
}

static int connect_numbered(struct nl_sock *sock)
{
	unsigned int i;
	int r = -NLE_EXIST;

	for (i = 0; i < PORT_TRIES && r == -NLE_EXIST; i++) {
		nl_socket_set_local_port(sock,
					 PORT_FIRST + (i << 22) + (getpid() & 0x3fffff));
		r = nl_connect(sock, NETLINK_GENERIC);
	}
	return r;
}

int pmnl_open(uint16_t family_id, struct pmnl **ret_pmnl)
{
	struct pmnl *pmnl = calloc(1, sizeof(*pmnl));

	if (!pmnl)
		return -ENOMEM;
	pmnl->family_id = family_id;
	pmnl->sock = nl_socket_alloc();
	if (!pmnl->sock || connect_numbered(pmnl->sock) < 0) {
		pmnl_close(pmnl);
		return -EIO;
	}
	nl_socket_modify_err_cb(pmnl->sock, NL_CB_CUSTOM, on_error, pmnl);
	nl_socket_modify_cb(pmnl->sock, NL_CB_ACK, NL_CB_CUSTOM, on_ack, pmnl);
	*ret_pmnl = pmnl;
	return 0;
}

void pmnl_close(struct pmnl *pmnl)
{
	if (!pmnl)
		return;
	nl_socket_free(pmnl->sock);
	free(pmnl);
}

static int put_ip(struct nl_msg *msg, const struct mpaddr *addr)
{
	if (nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_FAMILY, addr->family) < 0)
		return -ENOMEM;
	if (addr->family == AF_INET)
		return nla_put(msg, MPTCP_PM_ADDR_ATTR_ADDR4, sizeof(addr->v4),
			       &addr->v4);
	return nla_put(msg, MPTCP_PM_ADDR_ATTR_ADDR6, sizeof(addr->v6), &addr->v6);
}

static int put_port(struct nl_msg *msg, const struct mpaddr *addr)
{
	if (!addr->port)
		return 0;
	return nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_PORT, addr->port);
}

/* What the kernel is told of the local address depends on what is to be done. */
static int put_local_attrs(struct nl_msg *msg, const struct pm_cmd *cmd)
{
	uint32_t flags = cmd->flags;

	if (put_ip(msg, &cmd->local) < 0 || put_port(msg, &cmd->local) < 0)
		return -ENOMEM;
	if (cmd->type == PM_CMD_SUBFLOW_DESTROY)
		return 0;
	if (cmd->type == PM_CMD_ANNOUNCE)
		flags |= MPTCP_PM_ADDR_FLAG_SIGNAL;
	if (cmd->type != PM_CMD_SET_FLAGS &&
	    nla_put_u8(msg, MPTCP_PM_ADDR_ATTR_ID, cmd->local_id) < 0)
		return -ENOMEM;
	if ((flags || cmd->type == PM_CMD_SET_FLAGS) &&
	    nla_put_u32(msg, MPTCP_PM_ADDR_ATTR_FLAGS, flags) < 0)
		return -ENOMEM;
	if (cmd->if_idx && nla_put_s32(msg, MPTCP_PM_ADDR_ATTR_IF_IDX, cmd->if_idx) < 0)
		return -ENOMEM;
	return 0;
}

static int put_local(struct nl_msg *msg, const struct pm_cmd *cmd)
{
	struct nlattr *nest = nla_nest_start(msg, MPTCP_PM_ATTR_ADDR | NLA_F_NESTED);

	if (!nest || put_local_attrs(msg, cmd) < 0)
		return -ENOMEM;
	return nla_nest_end(msg, nest);
}

static int put_remote(struct nl_msg *msg, const struct pm_cmd *cmd)
{
	struct nlattr *nest =
		nla_nest_start(msg, MPTCP_PM_ATTR_ADDR_REMOTE | NLA_F_NESTED);

	if (!nest || put_ip(msg, &cmd->remote) < 0 || put_port(msg, &cmd->remote) < 0)
		return -ENOMEM;
	return nla_nest_end(msg, nest);
}

static int put_command(struct nl_msg *msg, const struct pm_cmd *cmd)
{
	if (nla_put_u32(msg, MPTCP_PM_ATTR_TOKEN, cmd->token) < 0)
		return -ENOMEM;
	switch (cmd->type) {
	case PM_CMD_SUBFLOW_CREATE:
	case PM_CMD_SUBFLOW_DESTROY:
	case PM_CMD_SET_FLAGS:
		return put_local(msg, cmd) < 0 ? -ENOMEM : put_remote(msg, cmd);
	case PM_CMD_ANNOUNCE:
		return put_local(msg, cmd);
	case PM_CMD_REMOVE:
		return nla_put_u8(msg, MPTCP_PM_ATTR_LOC_ID, cmd->local_id);
	}
	return -EINVAL;
}

static int send_and_wait(struct pmnl *pmnl, struct nl_msg *msg)
{
	int r;

	pmnl->error = -EIO;
	if (nl_send_auto(pmnl->sock, msg) < 0)
		return -EIO;
	r = nl_recvmsgs_default(pmnl->sock);
	return r < 0 && !pmnl->error ? -EIO : pmnl->error;
}

int pmnl_command(struct pmnl *pmnl, const struct pm_cmd *cmd)
{
	static const uint8_t numbers[] = {
		[PM_CMD_SUBFLOW_CREATE] = MPTCP_PM_CMD_SUBFLOW_CREATE,
		[PM_CMD_SUBFLOW_DESTROY] = MPTCP_PM_CMD_SUBFLOW_DESTROY,
		[PM_CMD_ANNOUNCE] = MPTCP_PM_CMD_ANNOUNCE,
		[PM_CMD_REMOVE] = MPTCP_PM_CMD_REMOVE,
		[PM_CMD_SET_FLAGS] = MPTCP_PM_CMD_SET_FLAGS,
	};
	struct nl_msg *msg;
	int r = -ENOMEM;

	if (cmd->if_idx < 0)
		return -ENODEV;
	/*
	 * REMOVE_ADDR alone leaves the peer's first subflow there, retransmitting: as
	 * long as it does, the peer's MPTCP waits with other retransmissions for its ever
	 * longer time-out (net/mptcp/protocol.c, mptcp_set_timeout()). A reset ends it,
	 * now or when the peer tries there again; in a kernel that has none to give, the
	 * FIN of the command must do.
	 */
	if (cmd->reset)
		diag_abort(cmd->token, &cmd->local, &cmd->remote, cmd->if_idx);
	msg = nlmsg_alloc();
	if (!msg)
		return -ENOMEM;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, pmnl->family_id, 0, NLM_F_ACK,
			numbers[cmd->type], MPTCP_PM_VER) &&
	    put_command(msg, cmd) >= 0)
		r = send_and_wait(pmnl, msg);
	nlmsg_free(msg);
	return r;
}
