// SPDX-License-Identifier: MIT
/*
 * pm_event.c - read and filter events of generic netlink family mptcp_pm
 * (mptcp_event_*() in net/mptcp/pm_netlink.c), one a datagram
 */
#include "mptcpaddr/netlink.h"
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <string.h>
#include <sys/socket.h>

#define ATTR_MAX      MPTCPADDR_ATTR_SERVER_SIDE
#define DATAGRAM_SIZE 1024 /* an event has less than 200 bytes */

const char *pm_event_name(enum pm_event_type type)
{
	static const char *const names[] = {
		[PM_EVENT_CREATED] = "created",
		[PM_EVENT_ESTABLISHED] = "established",
		[PM_EVENT_CLOSED] = "closed",
		[PM_EVENT_ANNOUNCED] = "announced",
		[PM_EVENT_REMOVED] = "removed",
		[PM_EVENT_SUB_ESTABLISHED] = "sub_established",
		[PM_EVENT_SUB_CLOSED] = "sub_closed",
		[PM_EVENT_SUB_PRIORITY] = "sub_priority",
		[PM_EVENT_LISTENER_CLOSED] = "listener_closed",
	};

	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

#define ATTRS (ATTR_MAX + 1)

/* ANNOUNCED has no family attribute. */
static void get_ip(const struct nlattr *v4, const struct nlattr *v6,
		   struct mpaddr *ret_addr)
{
	if (v4 || v6)
		mpaddr_set(ret_addr, v4 ? AF_INET : AF_INET6, (v4 ?: v6) + 1);
}

static void get_attributes(const struct nlattr *const a[ATTRS], struct pm_event *ev)
{
	ev->token = netlink_number(a[MPTCP_ATTR_TOKEN]);
	ev->family = netlink_number(a[MPTCP_ATTR_FAMILY]);
	get_ip(a[MPTCP_ATTR_SADDR4], a[MPTCP_ATTR_SADDR6], &ev->local);
	get_ip(a[MPTCP_ATTR_DADDR4], a[MPTCP_ATTR_DADDR6], &ev->remote);
	ev->local.port = ntohs(netlink_number(a[MPTCP_ATTR_SPORT]));
	ev->remote.port = ntohs(netlink_number(a[MPTCP_ATTR_DPORT]));
	ev->local_id = netlink_number(a[MPTCP_ATTR_LOC_ID]);
	ev->remote_id = netlink_number(a[MPTCP_ATTR_REM_ID]);
	ev->error = netlink_number(a[MPTCP_ATTR_ERROR]);
	ev->backup = netlink_number(a[MPTCP_ATTR_BACKUP]);
	ev->server_side = netlink_number(a[MPTCPADDR_ATTR_SERVER_SIDE]);
	ev->deny_join_id0 =
		netlink_number(a[MPTCP_ATTR_FLAGS]) & MPTCPADDR_EV_FLAG_DENY_JOIN_ID0;
	ev->reset_reason = netlink_number(a[MPTCP_ATTR_RESET_REASON]);
}

/* Without libnl, since the SYN of a join waits for it. False: an attribute is too short.
 */
static bool find_attributes(const void *data, size_t left,
			    const struct nlattr *ret_attrs[ATTRS])
{
	static const uint8_t min_len[ATTRS] = {
		[MPTCP_ATTR_TOKEN] = 4,		  [MPTCP_ATTR_FAMILY] = 2,
		[MPTCP_ATTR_LOC_ID] = 1,	  [MPTCP_ATTR_REM_ID] = 1,
		[MPTCP_ATTR_SADDR4] = 4,	  [MPTCP_ATTR_SADDR6] = 16,
		[MPTCP_ATTR_DADDR4] = 4,	  [MPTCP_ATTR_DADDR6] = 16,
		[MPTCP_ATTR_SPORT] = 2,		  [MPTCP_ATTR_DPORT] = 2,
		[MPTCP_ATTR_BACKUP] = 1,	  [MPTCP_ATTR_ERROR] = 1,
		[MPTCP_ATTR_FLAGS] = 2,		  [MPTCP_ATTR_RESET_REASON] = 4,
		[MPTCPADDR_ATTR_SERVER_SIDE] = 1,
	};
	const struct nlattr *attr = data;
	unsigned int type;

	while (left >= sizeof(*attr) && attr->nla_len >= sizeof(*attr) &&
	       attr->nla_len <= left) {
		type = attr->nla_type & NLA_TYPE_MASK;
		if (type < ATTRS && attr->nla_len < NLA_HDRLEN + min_len[type])
			return false;
		if (type < ATTRS)
			ret_attrs[type] = attr;
		if ((size_t)NLA_ALIGN(attr->nla_len) >= left)
			break;
		left -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return true;
}

int pm_event_parse(const struct nlmsghdr *nlh, uint16_t family_id,
		   struct pm_event *ret_event)
{
	const size_t head = NLMSG_LENGTH(GENL_HDRLEN);
	const struct nlattr *attrs[ATTRS] = { NULL };
	struct pm_event ev = { 0 };

	if (nlh->nlmsg_type != family_id)
		return -ENOMSG;
	if (nlh->nlmsg_len < head)
		return -EBADMSG;
	ev.type = ((const struct genlmsghdr *)NLMSG_DATA(nlh))->cmd;
	if (!pm_event_name(ev.type))
		return -ENOMSG; /* new listeners, and what newer kernels may add */
	if (!find_attributes((const char *)nlh + head, nlh->nlmsg_len - head, attrs))
		return -EBADMSG;
	if (!attrs[MPTCP_ATTR_TOKEN] && ev.type != PM_EVENT_LISTENER_CLOSED)
		return -EBADMSG;
	get_attributes(attrs, &ev);
	*ret_event = ev;
	return 0;
}

int pm_events_read(int fd, uint16_t family_id, struct pm_event *ret_events,
		   unsigned int *ret_n)
{
	static _Alignas(struct nlmsghdr) char data[PM_EVENTS_BATCH][DATAGRAM_SIZE];
	struct mmsghdr msgs[PM_EVENTS_BATCH] = { 0 };
	struct iovec iov[PM_EVENTS_BATCH];
	unsigned int n = 0;
	int i, got;

	for (i = 0; i < PM_EVENTS_BATCH; i++) {
		iov[i] = (struct iovec){ data[i], sizeof(data[i]) };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	got = recvmmsg(fd, msgs, PM_EVENTS_BATCH, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? (*ret_n = 0, 0) : -errno;
	for (i = 0; i < got; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)data[i];

		if (NLMSG_OK(nlh, msgs[i].msg_len) &&
		    !pm_event_parse(nlh, family_id, &ret_events[n]))
			n++;
	}
	*ret_n = n;
	return got;
}

/*
 * Filters in the kernel: classic BPF on what a netlink socket receives
 * (net/core/filter.c), the headers of netlink and generic netlink first.
 */
#define LOAD(mode, where)	BPF_STMT(BPF_LD | (mode), where)
#define UNLESS_EQUAL(value, by) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, by)
#define IF_EQUAL(value, by)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, by, 0)
#define DROP			BPF_STMT(BPF_RET | BPF_K, 0)
#define PASS			BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)

#define DROP_USELESS                                                            \
	LOAD(BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct genlmsghdr, cmd)), \
		IF_EQUAL(MPTCP_EVENT_CREATED, 1),                               \
		UNLESS_EQUAL(MPTCPADDR_EV_LISTENER_CREATED, 1), DROP

static int set_filter(int fd, int option, struct sock_filter *code, unsigned int n)
{
	const struct sock_fprog program = { n, code };

	return setsockopt(fd, SOL_SOCKET, option, &program, sizeof(program)) ? -errno : 0;
}

/* CREATED comes inside connect(); ESTABLISHED repeats it before any ADD_ADDR. */
void event_filter_set_useful(int fd)
{
	struct sock_filter code[] = { DROP_USELESS, PASS };

	/* A failure costs wake-ups only. */
	set_filter(fd, SO_ATTACH_FILTER, code, sizeof(code) / sizeof(*code));
}

int event_filter_set_tokens(int fd, const uint32_t *tokens, unsigned int n)
{
	static const struct sock_filter head[] = {
		DROP_USELESS,
		/* The kernel finds the token's attribute, or 0: SKF_AD_NLATTR. */
		BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, MPTCP_ATTR_TOKEN),
		LOAD(BPF_W | BPF_IMM, NLMSG_HDRLEN + GENL_HDRLEN),
		LOAD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_NLATTR), UNLESS_EQUAL(0, 1),
		DROP, /* about a listening socket */
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		LOAD(BPF_W | BPF_IND, NLA_HDRLEN), /* as if in network order */
	};
	struct sock_filter
		code[sizeof(head) / sizeof(*head) + 2 * EVENT_FILTER_TOKENS_MAX + 1];
	struct sock_filter *next = code + sizeof(head) / sizeof(*head);
	unsigned int i;

	if (n > EVENT_FILTER_TOKENS_MAX)
		return -E2BIG;
	memcpy(code, head, sizeof(head));
	for (i = 0; i < n; i++) {
		*next++ = (struct sock_filter)UNLESS_EQUAL(htonl(tokens[i]), 1);
		*next++ = (struct sock_filter)PASS;
	}
	*next++ = (struct sock_filter)DROP;
	return set_filter(fd, SO_ATTACH_FILTER, code, next - code);
}

int event_filter_remove(int fd)
{
	return set_filter(fd, SO_DETACH_FILTER, NULL, 0);
}
