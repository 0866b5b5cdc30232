// SPDX-License-Identifier: MIT
/*
 * conn_owner.c - whose a connection is, as the kernel says (sock_diag(7))
 *
 * Without libnl: one request and one answer for each registration, 4 us.
 */
#include "conn_owner.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct request {
	struct nlmsghdr nlh;
	struct inet_diag_req_v2 req;
	struct nlattr attr; /* the field for it in `req` has 8 bits */
	uint32_t protocol;
};

int token_open(void)
{
	/* The answer is there when send() returns; no peer can make us wait. */
	const struct timeval timeout = { .tv_sec = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

static uint64_t find_cgroup(const char *from, const char *end)
{
	struct nlattr attr;
	uint64_t value;

	while (end - from >= (ptrdiff_t)sizeof(attr)) {
		memcpy(&attr, from, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > end - from)
			break;
		if (attr.nla_type == INET_DIAG_CGROUP_ID &&
		    attr.nla_len == sizeof(attr) + sizeof(value)) {
			memcpy(&value, from + sizeof(attr), sizeof(value));
			return value;
		}
		if (NLA_ALIGN(attr.nla_len) >= end - from)
			break;
		from += NLA_ALIGN(attr.nla_len);
	}
	return 0;
}

/* Return: -EAGAIN for the late answer to an earlier question. */
static int parse(const char *answer, size_t len, uint32_t seq,
		 struct token_owner *ret_owner)
{
	const size_t least = NLMSG_HDRLEN + sizeof(struct inet_diag_msg);
	struct inet_diag_msg msg;
	struct nlmsghdr nlh;
	int error;

	if (len < NLMSG_HDRLEN + sizeof(error))
		return -EBADMSG;
	memcpy(&nlh, answer, sizeof(nlh));
	if (nlh.nlmsg_seq != seq)
		return -EAGAIN;
	if (nlh.nlmsg_type == NLMSG_ERROR) {
		memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
		return error < 0 ? error : -EBADMSG;
	}
	if (nlh.nlmsg_type != SOCK_DIAG_BY_FAMILY || len < least || nlh.nlmsg_len > len)
		return -EBADMSG;
	memcpy(&msg, answer + NLMSG_HDRLEN, sizeof(msg));
	ret_owner->uid = msg.idiag_uid;
	ret_owner->cookie = msg.id.idiag_cookie[0] | (uint64_t)msg.id.idiag_cookie[1]
							     << 32;
	ret_owner->cgroup = find_cgroup(answer + least, answer + nlh.nlmsg_len);
	return 0;
}

int token_ask(int fd, uint32_t token, struct token_owner *ret_owner)
{
	static uint32_t seq;
	struct request request = {
		.nlh = { .nlmsg_len = sizeof(request),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST,
			 .nlmsg_seq = ++seq },
		.req = { .sdiag_family = AF_INET, .id.idiag_cookie[0] = token },
		.attr = { .nla_len = sizeof(struct nlattr) + sizeof(uint32_t),
			  .nla_type = INET_DIAG_REQ_PROTOCOL },
		.protocol = IPPROTO_MPTCP,
	};
	char answer[4096];
	ssize_t n;
	int r;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	do {
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		r = parse(answer, n, seq, ret_owner);
	} while (r == -EAGAIN);
	return r;
}
