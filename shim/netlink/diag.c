// SPDX-License-Identifier: MIT
/*
 * diag.c - sock_diag over netlink: dumps, and the end of one socket
 *
 * It knows requests and answers, not what the attributes of a protocol mean.
 */
#include "mptcpaddr/diag.h"
#include "mptcpaddr/addr.h"
#include "mptcpaddr/uapi.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

/* The kernel packs as much of a dump into one message as the reader has room for. */
#define DUMP_BUFFER (64 * 1024)

#define ALL_STATES  ((1u << (TCP_CLOSING + 1)) - 1)
#define DUMP_STATES (ALL_STATES & ~(1u << TCP_LISTEN | 1u << TCP_TIME_WAIT))

struct dump {
	diag_fn fn;
	void *ctx;
	int result;
};

static int on_socket(struct nl_msg *nl, void *arg)
{
	struct nlattr *tb[INET_DIAG_MAX + 1];
	struct nlmsghdr *hdr = nlmsg_hdr(nl);
	struct dump *dump = arg;

	if (hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    nlmsg_parse(hdr, sizeof(struct inet_diag_msg), tb, INET_DIAG_MAX, NULL) < 0)
		return NL_SKIP;
	dump->result = dump->fn(dump->ctx, nlmsg_data(hdr), tb);
	return dump->result < 0 ? NL_STOP : NL_OK;
}

/* libnl folds the kernel's errno into numbers of its own. */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct dump *dump = arg;

	dump->result = err->error;
	return NL_STOP;
}

static int send_request(struct nl_sock *sk, int type, int flags, int protocol,
			struct inet_diag_req_v2 *req)
{
	struct nl_msg *msg;
	int r = -NLE_NOMEM;

	req->sdiag_protocol = protocol;
	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	if (!msg)
		return r;
	/* The field has 8 bits: a protocol such as 262 needs the attribute. */
	if (nlmsg_append(msg, req, sizeof(*req), NLMSG_ALIGNTO) == 0 &&
	    (protocol <= UINT8_MAX ||
	     nla_put_u32(msg, INET_DIAG_REQ_PROTOCOL, protocol) == 0))
		r = nl_send_auto(sk, msg);
	nlmsg_free(msg);
	return r < 0 ? r : 0;
}

static int dump_family(struct nl_sock *sk, int family, int protocol, uint32_t states,
		       struct dump *dump)
{
	struct inet_diag_req_v2 req = { .sdiag_family = family, .idiag_states = states };
	int r;

	r = send_request(sk, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, protocol, &req);
	if (r == 0)
		r = nl_recvmsgs_default(sk);
	if (dump->result < 0)
		return dump->result;
	return r < 0 ? -EIO : 0;
}

static int open_socket(struct dump *dump, struct nl_sock **ret_sk)
{
	struct nl_sock *sk = nl_socket_alloc();

	if (!sk)
		return -ENOMEM;
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_socket, dump);
	nl_socket_modify_err_cb(sk, NL_CB_CUSTOM, on_error, dump);
	if (nl_connect(sk, NETLINK_SOCK_DIAG) < 0) {
		nl_socket_free(sk);
		return -EPROTONOSUPPORT;
	}
	*ret_sk = sk;
	return 0;
}

static int dump_states(int protocol, uint32_t states, diag_fn fn, void *ctx)
{
	struct dump dump = { .fn = fn, .ctx = ctx };
	struct nl_sock *sk;
	int r = open_socket(&dump, &sk);

	if (r < 0)
		return r;
	if (nl_socket_set_msg_buf_size(sk, DUMP_BUFFER) < 0)
		r = -ENOMEM;
	/* sock_diag has no handler for AF_UNSPEC */
	if (r == 0)
		r = dump_family(sk, AF_INET, protocol, states, &dump);
	if (r == 0)
		r = dump_family(sk, AF_INET6, protocol, states, &dump);
	nl_socket_free(sk);
	return r;
}

int diag_dump(int protocol, diag_fn fn, void *ctx)
{
	return dump_states(protocol, DUMP_STATES, fn, ctx);
}

int diag_listeners(int protocol, diag_fn fn, void *ctx)
{
	return dump_states(protocol, 1u << TCP_LISTEN, fn, ctx);
}

static void put_ip(__be32 ret[4], const struct mpaddr *addr)
{
	if (addr->family == AF_INET)
		memcpy(ret, &addr->v4, sizeof(addr->v4));
	else
		memcpy(ret, &addr->v6, sizeof(addr->v6));
}

struct wanted {
	uint32_t token;
	struct inet_diag_req_v2 req; /* gets the cookie */
	bool found;
};

/* In place of a connection that is there no more the kernel finds a listening socket. */
static int on_wanted(void *ctx, const struct inet_diag_msg *msg, struct nlattr *const *tb)
{
	struct nlattr *subflow[MPTCP_SUBFLOW_ATTR_MAX + 1];
	struct wanted *wanted = ctx;

	if (msg->idiag_state == TCP_LISTEN || diag_subflow(tb, subflow) < 0 ||
	    nla_get_u32(subflow[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]) != wanted->token)
		return 0;
	memcpy(wanted->req.id.idiag_cookie, msg->id.idiag_cookie,
	       sizeof(msg->id.idiag_cookie));
	wanted->found = true;
	return 0;
}

static int find_and_abort(struct nl_sock *sk, struct wanted *wanted)
{
	if (send_request(sk, SOCK_DIAG_BY_FAMILY, 0, IPPROTO_TCP, &wanted->req) < 0 ||
	    nl_recvmsgs_default(sk) < 0)
		return -EIO;
	if (!wanted->found)
		return -ENOENT;
	if (send_request(sk, SOCK_DESTROY, NLM_F_ACK, IPPROTO_TCP, &wanted->req) < 0 ||
	    nl_wait_for_ack(sk) < 0)
		return -EIO;
	return 0;
}

int diag_abort(uint32_t token, const struct mpaddr *local, const struct mpaddr *remote,
	       int if_idx)
{
	struct wanted wanted = {
		.token = token,
		.req.sdiag_family = local->family,
		.req.id.idiag_sport = htons(local->port),
		.req.id.idiag_dport = htons(remote->port),
		.req.id.idiag_if = if_idx,
		.req.id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
	};
	struct dump dump = { .fn = on_wanted, .ctx = &wanted };
	struct nl_sock *sk;
	int r;

	put_ip(wanted.req.id.idiag_src, local);
	put_ip(wanted.req.id.idiag_dst, remote);
	r = open_socket(&dump, &sk);
	if (r < 0)
		return r;
	nl_socket_disable_auto_ack(sk);
	r = find_and_abort(sk, &wanted);
	nl_socket_free(sk);
	return dump.result < 0 ? dump.result : r;
}

int diag_subflow(struct nlattr *const *tb, struct nlattr **ret_tb)
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
