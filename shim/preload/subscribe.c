// SPDX-License-Identifier: MIT
/*
 * subscribe.c - a socket that receives the kernel's path-manager events
 *
 * By system calls: the application's SYN waits for this, and loading libnl takes three
 * times as long. The path manager library later uses libnl on the same socket.
 */
#include "subscribe.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/str.h"
#include "syscall.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>

/* A limit, not an allocation: a burst of 10,000 connections must not overrun it. */
#define RCVBUF_BYTES (64 << 20)

/*
 * The kernel would choose getpid(), which the application may need for its own socket.
 * So use libnl's scheme: the process ID, and 10 bits above it.
 */
#define PORT_FIRST (1001U << 22)
#define PORT_TRIES 16

struct request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	struct nlattr attr;
	char name[NLMSG_ALIGN(sizeof(MPTCP_PM_NAME))];
};

static int open_bound(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	unsigned int i;
	int fd, error;

	fd = syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		return -errno;
	for (i = 0; i <= PORT_TRIES; i++) {
		addr.nl_pid = PORT_FIRST + (i << 22) + (sys_getpid() & 0x3fffff);
		if (i == PORT_TRIES)
			addr.nl_pid = 0; /* taken, perhaps by another PID namespace */
		if (!syscall(SYS_bind, fd, &addr, sizeof(addr)))
			return fd;
	}
	error = errno;
	sys_close(fd);
	return -error;
}

/* Return: the data of the first attribute of @type in @data, @len bytes; NULL: none. */
static const void *attr_find(const void *data, size_t len, int type, size_t *ret_len)
{
	const struct nlattr *attrs = data;

	*ret_len = 0;
	while (len >= sizeof(*attrs) && attrs->nla_len >= sizeof(*attrs) &&
	       attrs->nla_len <= len) {
		if ((int)(attrs->nla_type & NLA_TYPE_MASK) == type) {
			*ret_len = attrs->nla_len - sizeof(*attrs);
			return attrs + 1;
		}
		if (len <= (size_t)NLA_ALIGN(attrs->nla_len))
			break;
		len -= NLA_ALIGN(attrs->nla_len);
		attrs = (const void *)((const char *)attrs + NLA_ALIGN(attrs->nla_len));
	}
	return NULL;
}

/* Return: the events group in CTRL_ATTR_MCAST_GROUPS; 0: none. */
static uint32_t group_find(const void *groups, size_t len)
{
	const void *group, *name, *id;
	size_t group_len, name_len, id_len;
	int i;

	for (i = 1; (group = attr_find(groups, len, i, &group_len)); i++) {
		name = attr_find(group, group_len, CTRL_ATTR_MCAST_GRP_NAME, &name_len);
		id = attr_find(group, group_len, CTRL_ATTR_MCAST_GRP_ID, &id_len);
		if (id_len >= sizeof(uint32_t) &&
		    name_len >= sizeof(MPTCP_PM_EV_GRP_NAME) &&
		    str_equal(name, MPTCP_PM_EV_GRP_NAME))
			return *(const uint32_t *)id;
	}
	return 0;
}

/* The answer to CTRL_CMD_GETFAMILY. */
static int parse_family(const char *answer, size_t len, uint16_t *ret_family_id,
			uint32_t *ret_group)
{
	const struct nlmsghdr *nlh = (const void *)answer;
	const size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	const void *id, *groups;
	size_t id_len, groups_len;

	if (len >= sizeof(*nlh) + sizeof(struct nlmsgerr) &&
	    nlh->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)(nlh + 1))->error ?: -EPROTO;
	if (len < head || nlh->nlmsg_len < head || nlh->nlmsg_len > len)
		return -EPROTO;
	len = nlh->nlmsg_len - head;
	id = attr_find(answer + head, len, CTRL_ATTR_FAMILY_ID, &id_len);
	groups = attr_find(answer + head, len, CTRL_ATTR_MCAST_GROUPS, &groups_len);
	if (id_len < sizeof(uint16_t) || !groups)
		return -EPROTO;
	*ret_family_id = *(const uint16_t *)id;
	*ret_group = group_find(groups, groups_len);
	return *ret_group ? 0 : -ENOENT;
}

static int resolve_family(int fd, uint16_t *ret_family_id, uint32_t *ret_group)
{
	struct request request = {
		.nlh = { .nlmsg_len = sizeof(request),
			 .nlmsg_type = GENL_ID_CTRL,
			 .nlmsg_flags = NLM_F_REQUEST },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attr = { .nla_len = NLA_HDRLEN + sizeof(MPTCP_PM_NAME),
			  .nla_type = CTRL_ATTR_FAMILY_NAME },
		.name = MPTCP_PM_NAME,
	};
	_Alignas(struct nlmsghdr) char answer[4096];
	ssize_t n;

	n = syscall(SYS_sendto, fd, &request, sizeof(request), 0, NULL, 0);
	if (n < 0)
		return -errno;
	n = syscall(SYS_recvfrom, fd, answer, sizeof(answer), MSG_DONTWAIT, NULL, NULL);
	if (n < 0)
		return -errno;
	return parse_family(answer, n, ret_family_id, ret_group);
}

int subscribe_events(int32_t *ret_fd, uint16_t *ret_family_id)
{
	const int bytes = RCVBUF_BYTES;
	uint16_t family_id;
	uint32_t group;
	int fd, r;

	fd = open_bound();
	if (fd < 0)
		return fd;
	r = resolve_family(fd, &family_id, &group);
	if (r < 0)
		goto out;
	if (syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		    sizeof(bytes)) < 0)
		syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (syscall(SYS_setsockopt, fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		    sizeof(group)) < 0) {
		r = -errno;
		goto out;
	}
	*ret_fd = fd;
	*ret_family_id = family_id;
	fd = -1;
out:
	if (fd >= 0)
		sys_close(fd);
	return r;
}
