// SPDX-License-Identifier: MIT
/*
 * event_filter.c - which events wake us: a filter on the event socket, in the kernel
 *
 * Classic BPF on what a netlink socket receives (net/core/filter.c): one event a message,
 * the headers of netlink and generic netlink first, then attributes.
 */
#include "event_filter.h"
#include "mptcpaddr/uapi.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#define CODE_MAX (16 + 2 * EVENT_FILTER_TOKENS_MAX)

struct code {
	unsigned short n;
	struct sock_filter v[CODE_MAX];
};

static void put(struct code *code, struct sock_filter statement)
{
	code->v[code->n++] = statement;
}

#define STMT(code, ...) put(code, (struct sock_filter)BPF_STMT(__VA_ARGS__))
#define JUMP(code, ...) put(code, (struct sock_filter)BPF_JUMP(__VA_ARGS__))

static void drop(struct code *code)
{
	STMT(code, BPF_RET | BPF_K, 0);
}

static void pass(struct code *code)
{
	STMT(code, BPF_RET | BPF_K, UINT32_MAX);
}

static void put_useful(struct code *code)
{
	STMT(code, BPF_LD | BPF_B | BPF_ABS,
	     NLMSG_HDRLEN + offsetof(struct genlmsghdr, cmd));
	JUMP(code, BPF_JMP | BPF_JEQ | BPF_K, MPTCP_EVENT_CREATED, 1, 0);
	JUMP(code, BPF_JMP | BPF_JEQ | BPF_K, MPTCPADDR_EV_LISTENER_CREATED, 0, 1);
	drop(code);
}

/* The place of the token's attribute, or 0, comes from the kernel: SKF_AD_NLATTR. */
static void put_tokens(struct code *code, const uint32_t *tokens, unsigned int n)
{
	unsigned int i;

	STMT(code, BPF_LDX | BPF_W | BPF_IMM, MPTCP_ATTR_TOKEN);
	STMT(code, BPF_LD | BPF_W | BPF_IMM, NLMSG_HDRLEN + GENL_HDRLEN);
	STMT(code, BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_NLATTR);
	JUMP(code, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	drop(code); /* about no connection: a listener's */
	STMT(code, BPF_MISC | BPF_TAX, 0);
	STMT(code, BPF_LD | BPF_W | BPF_IND, NLA_HDRLEN); /* as if in network order */
	for (i = 0; i < n; i++) {
		JUMP(code, BPF_JMP | BPF_JEQ | BPF_K, htonl(tokens[i]), 0, 1);
		pass(code);
	}
	drop(code);
}

static int attach(int fd, struct code *code)
{
	struct sock_fprog program = { code->n, code->v };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
		       ? -errno
		       : 0;
}

void event_filter_set_useful(int fd)
{
	struct code code = { 0 };

	put_useful(&code);
	pass(&code);
	attach(fd, &code); /* without it, more wake-ups */
}

int event_filter_set_tokens(int fd, const uint32_t *tokens, unsigned int n)
{
	struct code code = { 0 };

	if (n > EVENT_FILTER_TOKENS_MAX)
		return -E2BIG;
	put_useful(&code);
	put_tokens(&code, tokens, n);
	return attach(fd, &code);
}

int event_filter_remove(int fd)
{
	const int unused = 0;

	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) < 0
		       ? -errno
		       : 0;
}
