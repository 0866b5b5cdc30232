// SPDX-License-Identifier: MIT
/*
 * event_filter.c - a filter on the event socket, in the kernel
 *
 * Classic BPF on what a netlink socket receives (net/core/filter.c): one event a message,
 * the headers of netlink and generic netlink first, then attributes.
 */
#include "mptcpaddr/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

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
