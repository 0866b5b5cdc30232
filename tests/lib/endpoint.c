// SPDX-License-Identifier: MIT
/*
 * endpoint.c - the kernel's own endpoints and limits, on a host
 */
#include "endpoint.h"

#include <errno.h>
#include <net/if.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "world.h"

/* A socket to @h's path manager; @ret_family is the family's number. */
static int pm_open(const struct host *h, struct nl_sock **ret, int *ret_family)
{
	struct nl_sock *sk;
	int r;

	r = host_enter(h);
	if (r < 0)
		return r;
	sk = nl_socket_alloc();
	if (!sk)
		return -ENOMEM;
	if (genl_connect(sk) < 0) {
		nl_socket_free(sk);
		return -ENOTCONN;
	}
	*ret_family = genl_ctrl_resolve(sk, MPTCP_PM_NAME);
	if (*ret_family < 0) {
		nl_socket_free(sk);
		return -EOPNOTSUPP;
	}
	*ret = sk;
	return 0;
}

static struct nl_msg *request(int family, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg)
		genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, cmd,
			    MPTCP_PM_VER);
	return msg;
}

static int on_error(struct sockaddr_nl *nla, struct nlmsgerr *e, void *arg)
{
	*(int *)arg = e->error;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	return NL_STOP;
}

/* Send @msg, which is consumed, and wait for the kernel's errno. */
static int transact(struct nl_sock *sk, struct nl_msg *msg)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int r = 0;

	if (!cb || nl_send_auto(sk, msg) < 0) {
		r = -EIO;
	} else {
		nl_cb_err(cb, NL_CB_CUSTOM, on_error, &r);
		nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, NULL);
		nl_recvmsgs(sk, cb);
	}
	nl_cb_put(cb);
	nlmsg_free(msg);
	return r;
}

static int put_address(struct nl_msg *msg, const struct endpoint_spec *spec)
{
	struct nlattr *nest = nla_nest_start(msg, MPTCP_PM_ATTR_ADDR);
	struct address a;
	int r = address_parse(spec->addr, &a);

	if (r < 0)
		return r;
	if (address_is_v4(&a)) {
		nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_FAMILY, AF_INET);
		nla_put(msg, MPTCP_PM_ADDR_ATTR_ADDR4, 4, address_v4(&a));
	} else {
		nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_FAMILY, AF_INET6);
		nla_put(msg, MPTCP_PM_ADDR_ATTR_ADDR6, 16, &a.ip);
	}
	if (spec->id)
		nla_put_u8(msg, MPTCP_PM_ADDR_ATTR_ID, spec->id);
	if (spec->flags)
		nla_put_u32(msg, MPTCP_PM_ADDR_ATTR_FLAGS, spec->flags);
	if (spec->port)
		nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_PORT, spec->port);
	if (spec->dev)
		nla_put_s32(msg, MPTCP_PM_ADDR_ATTR_IF_IDX, if_nametoindex(spec->dev));
	nla_nest_end(msg, nest);
	return 0;
}

static int with_address(const struct host *h, int cmd, const struct endpoint_spec *spec)
{
	struct nl_sock *sk;
	struct nl_msg *msg;
	int family, r;

	r = pm_open(h, &sk, &family);
	if (r < 0)
		return r;
	msg = request(family, cmd, NLM_F_REQUEST | NLM_F_ACK);
	if (!msg) {
		r = -ENOMEM;
		goto out;
	}
	r = put_address(msg, spec);
	if (r < 0)
		nlmsg_free(msg);
	else
		r = transact(sk, msg);
out:
	nl_socket_free(sk);
	return r;
}

int endpoint_add(const struct host *h, const struct endpoint_spec *spec)
{
	return with_address(h, MPTCP_PM_CMD_ADD_ADDR, spec);
}

int endpoint_change(const struct host *h, const struct endpoint_spec *spec)
{
	return with_address(h, MPTCP_PM_CMD_SET_FLAGS, spec);
}

struct lookup {
	struct address addr;
	int id; /* -1: not found */
};

static int on_endpoint(struct nl_msg *msg, void *arg)
{
	struct lookup *l = arg;
	struct nlattr *top, *at[MPTCP_PM_ADDR_ATTR_MAX + 1];
	struct address a;

	top = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, MPTCP_PM_ATTR_ADDR);
	if (!top || nla_parse_nested(at, MPTCP_PM_ADDR_ATTR_MAX, top, NULL) < 0)
		return NL_SKIP;
	if (at[MPTCP_PM_ADDR_ATTR_ADDR4])
		a = address_from_raw(AF_INET, nla_data(at[MPTCP_PM_ADDR_ATTR_ADDR4]), 0);
	else if (at[MPTCP_PM_ADDR_ATTR_ADDR6])
		a = address_from_raw(AF_INET6, nla_data(at[MPTCP_PM_ADDR_ATTR_ADDR6]), 0);
	else
		return NL_SKIP;
	if (at[MPTCP_PM_ADDR_ATTR_ID] && address_same_ip(&a, &l->addr))
		l->id = nla_get_u8(at[MPTCP_PM_ADDR_ATTR_ID]);
	return NL_OK;
}

int endpoint_del(const struct host *h, const char *addr)
{
	struct endpoint_spec spec = { .addr = addr };
	struct lookup l = { .id = -1 };
	struct nl_sock *sk;
	struct nl_msg *msg;
	int family, r;

	r = address_parse(addr, &l.addr);
	if (!r)
		r = pm_open(h, &sk, &family);
	if (r < 0)
		return r;
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_endpoint, &l);
	msg = request(family, MPTCP_PM_CMD_GET_ADDR, NLM_F_REQUEST | NLM_F_DUMP);
	if (!msg || nl_send_auto(sk, msg) < 0 || nl_recvmsgs_default(sk) < 0)
		r = -EIO;
	nlmsg_free(msg);
	nl_socket_free(sk);
	if (r < 0)
		return r;
	if (l.id < 0)
		return -ENOENT;
	spec.id = l.id;
	return with_address(h, MPTCP_PM_CMD_DEL_ADDR, &spec);
}

int limits_set(const struct host *h, uint32_t subflows, uint32_t add_addr_accepted)
{
	struct nl_sock *sk;
	struct nl_msg *msg;
	int family, r;

	r = pm_open(h, &sk, &family);
	if (r < 0)
		return r;
	msg = request(family, MPTCP_PM_CMD_SET_LIMITS, NLM_F_REQUEST | NLM_F_ACK);
	if (msg) {
		nla_put_u32(msg, MPTCP_PM_ATTR_SUBFLOWS, subflows);
		nla_put_u32(msg, MPTCP_PM_ATTR_RCV_ADD_ADDRS, add_addr_accepted);
		r = transact(sk, msg);
	} else {
		r = -ENOMEM;
	}
	nl_socket_free(sk);
	return r;
}

int endpoint_laminar_known(const struct host *h, bool *ret)
{
	static const struct endpoint_spec probe = { "192.0.2.1", EP_LAMINAR, 0, 0, NULL };
	struct mptcpaddr_info info = { 0 };
	socklen_t len = sizeof(info);
	int fd, r;

	r = endpoint_add(h, &probe);
	if (r < 0)
		return r;
	/* Older kernels ignore the flag: only the counter shows it. */
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	if (fd < 0 || getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	*ret = info.endp_laminar_max == 1;
	return endpoint_del(h, probe.addr) ?: r;
}
