// SPDX-License-Identifier: MIT
/*
 * diag.c - sock_diag dumps over netlink
 *
 * It knows requests and answers, not what the attributes of a protocol mean.
 */
#include "diag.h"

#include "model.h"

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

static void set_addr(struct inet_addr *addr, uint8_t family, const uint32_t ip[4],
		     uint16_t port, uint32_t ifindex)
{
	memset(addr, 0, sizeof(*addr));
	addr->port = ntohs(port);
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ip)) {
		addr->family = AF_INET;
		memcpy(addr->ip, &ip[3], 4);
		return;
	}
	addr->family = family;
	memcpy(addr->ip, ip, family == AF_INET6 ? 16 : 4);
	if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)ip))
		addr->ifindex = ifindex;
}

void diag_local(const struct inet_diag_msg *msg, struct inet_addr *ret_addr)
{
	set_addr(ret_addr, msg->idiag_family, msg->id.idiag_src, msg->id.idiag_sport,
		 msg->id.idiag_if);
}

void diag_remote(const struct inet_diag_msg *msg, struct inet_addr *ret_addr)
{
	set_addr(ret_addr, msg->idiag_family, msg->id.idiag_dst, msg->id.idiag_dport,
		 msg->id.idiag_if);
}

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

static int send_request(struct nl_sock *sk, int family, int protocol)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_ext = 1 << (INET_DIAG_INFO - 1),
		.idiag_states = DUMP_STATES,
	};
	struct nl_msg *msg;
	int r = -NLE_NOMEM;

	msg = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP);
	if (!msg)
		return r;
	/* The field has 8 bits: a protocol such as 262 needs the attribute. */
	if (nlmsg_append(msg, &req, sizeof(req), NLMSG_ALIGNTO) == 0 &&
	    (protocol <= UINT8_MAX ||
	     nla_put_u32(msg, INET_DIAG_REQ_PROTOCOL, protocol) == 0))
		r = nl_send_auto(sk, msg);
	nlmsg_free(msg);
	return r < 0 ? r : 0;
}

static int dump_family(struct nl_sock *sk, int family, int protocol, struct dump *dump)
{
	int r;

	r = send_request(sk, family, protocol);
	if (r == 0)
		r = nl_recvmsgs_default(sk);
	if (dump->result < 0)
		return dump->result;
	return r < 0 ? -EIO : 0;
}

int diag_dump(int protocol, diag_fn fn, void *ctx)
{
	struct dump dump = { .fn = fn, .ctx = ctx };
	struct nl_sock *sk;
	int r;

	sk = nl_socket_alloc();
	if (!sk)
		return -ENOMEM;
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_socket, &dump);
	nl_socket_modify_err_cb(sk, NL_CB_CUSTOM, on_error, &dump);
	r = nl_connect(sk, NETLINK_SOCK_DIAG) < 0 ? -EPROTONOSUPPORT : 0;
	if (r == 0 && nl_socket_set_msg_buf_size(sk, DUMP_BUFFER) < 0)
		r = -ENOMEM;
	/* sock_diag has no handler for AF_UNSPEC */
	if (r == 0)
		r = dump_family(sk, AF_INET, protocol, &dump);
	if (r == 0)
		r = dump_family(sk, AF_INET6, protocol, &dump);
	nl_socket_free(sk);
	return r;
}
