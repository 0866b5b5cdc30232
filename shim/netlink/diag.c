// SPDX-License-Identifier: MIT
/*
 * diag.c - sock_diag requests: dump sockets and subflows, find an owner, reset a subflow
 */
#include "mptcpaddr/netlink.h"
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INFO (1 << (INET_DIAG_INFO - 1)) /* INET_DIAG_ULP_INFO as well */
#define SLOT 701			 /* see netlink_open() */

struct request {
	struct nlmsghdr nlh;
	struct inet_diag_req_v2 req;
	struct nlattr attr; /* req.sdiag_protocol has 8 bits */
	uint32_t protocol;
};

struct callback {
	diag_fn fn;
	void *ctx;
};

static int on_diag_message(void *ctx, struct nlmsghdr *hdr)
{
	struct nlattr *tb[INET_DIAG_MAX + 1];
	const struct inet_diag_msg *msg = nlmsg_data(hdr);
	const struct callback *callback = ctx;

	if (hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    nlmsg_parse(hdr, sizeof(struct inet_diag_msg), tb, INET_DIAG_MAX, NULL) < 0)
		return -EBADMSG;
	/* New in a later kernel: nothing that is asked for */
	if (msg->idiag_state > TCP_CLOSING ||
	    (msg->idiag_family != AF_INET && msg->idiag_family != AF_INET6))
		return 0;
	return callback->fn(callback->ctx, msg, tb);
}

static int diag_ask(int fd, int type, int flags, int protocol,
		    const struct inet_diag_req_v2 *req, diag_fn fn, void *ctx)
{
	struct callback callback = { fn, ctx };
	struct request request = {
		.nlh = { .nlmsg_len = sizeof(request),
			 .nlmsg_type = type,
			 .nlmsg_flags = flags },
		.req = *req,
		.attr = { .nla_len = sizeof(struct nlattr) + sizeof(uint32_t),
			  .nla_type = INET_DIAG_REQ_PROTOCOL },
		.protocol = protocol,
	};

	return netlink_ask(fd, &request.nlh, on_diag_message, &callback);
}

int diag_open(void)
{
	return netlink_open(NETLINK_SOCK_DIAG, SLOT, 0);
}

int diag_dump(int protocol, uint32_t states, diag_fn fn, void *ctx)
{
	/* sock_diag has no handler for AF_UNSPEC */
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct inet_diag_req_v2 req = { .idiag_states = states, .idiag_ext = INFO };
	int fd = diag_open(), r = 0;
	unsigned int i;

	if (fd < 0)
		return fd;
	for (i = 0; i < 2 && r == 0; i++) {
		req.sdiag_family = families[i];
		r = diag_ask(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, protocol, &req, fn,
			     ctx);
	}
	close(fd);
	return r;
}

void diag_fill_event(const struct inet_diag_msg *msg, struct pm_event *ev)
{
	ev->family = msg->idiag_family;
	mpaddr_set(&ev->local, msg->idiag_family, msg->id.idiag_src);
	mpaddr_set(&ev->remote, msg->idiag_family, msg->id.idiag_dst);
	ev->local.port = ntohs(msg->id.idiag_sport);
	ev->remote.port = ntohs(msg->id.idiag_dport);
}

static int on_owner(void *ctx, const struct inet_diag_msg *msg, struct nlattr *const *tb)
{
	const struct nlattr *cgroup = tb[INET_DIAG_CGROUP_ID];
	struct diag_owner *owner = ctx;

	owner->uid = msg->idiag_uid;
	owner->cookie = msg->id.idiag_cookie[0] | (uint64_t)msg->id.idiag_cookie[1] << 32;
	if (cgroup && nla_len(cgroup) == sizeof(owner->cgroup))
		owner->cgroup = nla_get_u64(cgroup);
	diag_fill_event(msg, &owner->first);
	owner->unanswered = msg->idiag_state == TCP_SYN_SENT;
	return 0;
}

/* One exact request: the kernel has a hash of tokens (net/mptcp/mptcp_diag.c). */
int diag_read_owner(int fd, uint32_t token, struct diag_owner *ret_owner)
{
	const struct inet_diag_req_v2 req = { .sdiag_family = AF_INET,
					      .id.idiag_cookie[0] = token };
	struct diag_owner owner = { .first = { .type = PM_EVENT_ESTABLISHED,
					       .token = token } };
	int r = diag_ask(fd, SOCK_DIAG_BY_FAMILY, 0, IPPROTO_MPTCP, &req, on_owner,
			 &owner);

	if (r == 0)
		*ret_owner = owner;
	return r;
}

/* The kernel's struct tcp_info. glibc 2.41's has only its first part. */
union tcp_state {
	struct tcp_info info;
	struct {
		uint8_t first_part[120];
		uint64_t bytes_acked, bytes_received;
		uint32_t segs_out, segs_in, notsent_bytes, min_rtt; /* microseconds */
	};
};

struct wanted {
	uint32_t token;
	struct inet_diag_req_v2 req; /* gets the cookie */
	union tcp_state tcp;
	bool found;
};

/* @to: gets zeros where the kernel's @attr is shorter. */
static void copy_attr(void *to, size_t size, const struct nlattr *attr)
{
	const size_t len = attr ? nla_len(attr) : 0;

	memset(to, 0, size);
	if (len)
		memcpy(to, nla_data(attr), len < size ? len : size);
}

/* If the connection has ended, the kernel finds a listening socket. */
static int on_wanted(void *ctx, const struct inet_diag_msg *msg, struct nlattr *const *tb)
{
	struct nlattr *subflow[MPTCP_SUBFLOW_ATTR_MAX + 1];
	struct wanted *wanted = ctx;

	if (msg->idiag_state == TCP_LISTEN || diag_parse_subflow(tb, subflow) < 0 ||
	    netlink_number(subflow[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]) != wanted->token)
		return 0;
	memcpy(wanted->req.id.idiag_cookie, msg->id.idiag_cookie,
	       sizeof(msg->id.idiag_cookie));
	copy_attr(&wanted->tcp, sizeof(wanted->tcp), tb[INET_DIAG_INFO]);
	wanted->found = true;
	return 0;
}

/* Return: 0; -ENOENT: no such subflow; other -errno. */
static int find_subflow(int fd, struct wanted *wanted, uint32_t token,
			const struct mpaddr *local, const struct mpaddr *remote,
			int if_idx)
{
	int r;

	*wanted = (struct wanted){
		.token = token,
		.req.sdiag_family = local->family,
		.req.idiag_ext = INFO,
		.req.id.idiag_sport = htons(local->port),
		.req.id.idiag_dport = htons(remote->port),
		.req.id.idiag_if = if_idx,
		.req.id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
	};
	memcpy(wanted->req.id.idiag_src, local->ip, sizeof(local->ip));
	memcpy(wanted->req.id.idiag_dst, remote->ip, sizeof(remote->ip));
	r = diag_ask(fd, SOCK_DIAG_BY_FAMILY, 0, IPPROTO_TCP, &wanted->req, on_wanted,
		     wanted);
	return r == 0 && !wanted->found ? -ENOENT : r;
}

int diag_abort(uint32_t token, const struct mpaddr *local, const struct mpaddr *remote,
	       int if_idx)
{
	int fd = diag_open(), r;
	struct wanted wanted;

	if (fd < 0)
		return fd;
	r = find_subflow(fd, &wanted, token, local, remote, if_idx);
	if (r == 0)
		r = diag_ask(fd, SOCK_DESTROY, NLM_F_ACK, IPPROTO_TCP, &wanted.req, NULL,
			     NULL);
	close(fd);
	return r;
}

static int on_mptcp(void *ctx, const struct inet_diag_msg *msg, struct nlattr *const *tb)
{
	const struct nlattr *attr = tb[INET_DIAG_INFO];
	struct pm_health *health = ctx;
	struct mptcpaddr_info info;

	(void)msg;
	copy_attr(&info, sizeof(info), attr);
	health->delivered = info.snd_una + info.rcv_nxt;
	health->unacked = info.write_seq != info.snd_una;
	health->quiet_ms = attr && nla_len(attr) >= (int)sizeof(info)
				   ? info.last_data_recv /* Linux 6.10 */
				   : UINT32_MAX;
	return 0;
}

int diag_read_health(int fd, const struct pm_cmd *cmd, struct pm_health *ret_health)
{
	const struct inet_diag_req_v2 req = { .sdiag_family = AF_INET,
					      .idiag_ext = INFO,
					      .id.idiag_cookie[0] = cmd->token };
	struct wanted wanted;
	int r;

	r = find_subflow(fd, &wanted, cmd->token, &cmd->local, &cmd->remote, cmd->if_idx);
	*ret_health = (struct pm_health){
		.carried = wanted.tcp.bytes_acked + wanted.tcp.bytes_received,
		.received = wanted.tcp.bytes_received,
		.rtt_ms = wanted.tcp.info.tcpi_rtt / 1000,
		.min_rtt_ms = wanted.tcp.min_rtt / 1000 + 1, /* never 0 */
		.retransmits = wanted.tcp.info.tcpi_retransmits,
	};
	if (r == 0)
		r = diag_ask(fd, SOCK_DIAG_BY_FAMILY, 0, IPPROTO_MPTCP, &req, on_mptcp,
			     ret_health);
	if (r == 0 && cmd->link >= 0)
		ret_health->routed = rtnl_has_route(&cmd->local, &cmd->remote,
						    cmd->if_idx ?: cmd->link);
	return r;
}

struct join {
	uint32_t token;
	const struct mpaddr *local, *remote;
	uint16_t port;
};

static int on_join(void *ctx, const struct inet_diag_msg *msg, struct nlattr *const *tb)
{
	struct nlattr *subflow[MPTCP_SUBFLOW_ATTR_MAX + 1];
	struct pm_event ev;
	struct join *join = ctx;

	diag_fill_event(msg, &ev);
	if (mpaddr_equal(&ev.remote, join->remote) &&
	    (mpaddr_is_any(join->local) || mpaddr_same_ip(&ev.local, join->local)) &&
	    diag_parse_subflow(tb, subflow) == 0 &&
	    netlink_number(subflow[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]) == join->token)
		join->port = ev.local.port;
	return 0;
}

uint16_t diag_join_port(uint32_t token, const struct mpaddr *local,
			const struct mpaddr *remote)
{
	struct join join = { token, local, remote, 0 };

	diag_dump(IPPROTO_TCP, 1u << TCP_SYN_SENT, on_join, &join);
	return join.port;
}

int diag_parse_subflow(struct nlattr *const *tb, struct nlattr **ret_tb)
{
	struct nlattr *ulp[INET_ULP_INFO_MAX + 1];

	if (!tb[INET_DIAG_ULP_INFO] ||
	    nla_parse_nested(ulp, INET_ULP_INFO_MAX, tb[INET_DIAG_ULP_INFO], NULL) < 0)
		return -ENOENT;
	if (!ulp[INET_ULP_INFO_MPTCP] ||
	    nla_parse_nested(ret_tb, MPTCP_SUBFLOW_ATTR_MAX, ulp[INET_ULP_INFO_MPTCP],
			     NULL) < 0)
		return -ENOENT;
	return ret_tb[MPTCP_SUBFLOW_ATTR_TOKEN_LOC] ? 0 : -ENOENT;
}

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
	f->sub.token = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]);
	diag_fill_event(msg, &f->sub);
	f->sub.local_id = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_ID_LOC]);
	f->sub.remote_id = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_ID_REM]);
	flags = netlink_number(mptcp[MPTCP_SUBFLOW_ATTR_FLAGS]);
	f->initial = flags & mp_capable;
	f->active = flags & MPTCP_SUBFLOW_FLAG_MCAP_LOC;
	f->sub.backup = flags & MPTCP_SUBFLOW_FLAG_BKUP_LOC;
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
