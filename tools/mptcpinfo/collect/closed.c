// SPDX-License-Identifier: MIT
/*
 * closed.c - the last that the kernel says of TCP sockets, as they go
 *
 * A socket's counts go with it; but whoever is in the destroy groups of sock_diag gets
 * them at that moment (ss -E shows them, too). Subflows are TCP sockets like any other;
 * the answer has no MPTCP part, so a path is known by its ends.
 */
#include "closed.h"

#include "ends.h"
#include "tcpinfo.h"
#include "tools/mptcpinfo/snapshot.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#define QUEUE_BYTES (1 << 20) /* a program that exits closes all its sockets at once */
#define AT_ONCE	    256

static int on_closed(struct nl_msg *nl, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(nl);
	struct nlattr *tb[INET_DIAG_MAX + 1];
	const struct inet_diag_msg *msg;
	const struct closed *c = arg;
	struct subflow sf = { 0 };

	if (hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    nlmsg_parse(hdr, sizeof(*msg), tb, INET_DIAG_MAX, NULL) < 0)
		return NL_SKIP;
	msg = nlmsg_data(hdr);
	end_local(msg, &sf.local);
	end_remote(msg, &sf.remote);
	sf.state = msg->idiag_state;
	if (tb[INET_DIAG_INFO])
		tcpinfo_fill(&sf, nla_data(tb[INET_DIAG_INFO]),
			     nla_len(tb[INET_DIAG_INFO]));
	c->fn(c->ctx, &sf);
	return NL_OK;
}

int closed_open(struct closed *c, closed_fn fn, void *ctx)
{
	struct nl_sock *sk = nl_socket_alloc();
	int r = -EPROTONOSUPPORT;

	*c = (struct closed){ .fn = fn, .ctx = ctx };
	if (!sk)
		return -ENOMEM;
	nl_socket_disable_seq_check(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_closed, c);
	if (nl_connect(sk, NETLINK_SOCK_DIAG) < 0 || nl_socket_set_nonblocking(sk) < 0)
		goto fail;
	nl_socket_set_buffer_size(sk, QUEUE_BYTES, 0);
	r = -EPERM;
	if (nl_socket_add_memberships(sk, SKNLGRP_INET_TCP_DESTROY,
				      SKNLGRP_INET6_TCP_DESTROY, 0) < 0)
		goto fail;
	c->sk = sk;
	return 0;
fail:
	nl_socket_free(sk);
	return r;
}

int closed_fd(const struct closed *c)
{
	return c->sk ? nl_socket_get_fd(c->sk) : -1;
}

void closed_serve(struct closed *c)
{
	int i, r = 0;

	/* What overran (-NLE_NOMEM) is lost, and what comes after it is not. */
	for (i = 0; c->sk && i < AT_ONCE && (r >= 0 || r == -NLE_NOMEM); i++)
		r = nl_recvmsgs_default(c->sk);
}

void closed_close(struct closed *c)
{
	if (c->sk)
		nl_socket_free(c->sk);
	c->sk = NULL;
}
