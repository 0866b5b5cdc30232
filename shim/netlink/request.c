// SPDX-License-Identifier: MIT
/*
 * request.c - netlink sockets, and requests that the kernel answers at once
 *
 * libnl's sockets are not used: they map errno to numbers of their own, and would cost
 * the broker more than the 4 us of one request.
 */
#include "request.h"

#include <errno.h>
#include <netlink/msg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SLOTS_TRIED 16
#define ENTRIES_MAX (1 << 20)
/* The kernel fills messages of a dump up to the size of the reader's buffer. */
#define BUFFER_SIZE (32 * 1024)

int netlink_open(int protocol, unsigned int slot, uint32_t groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = groups };
	/* The answer is queued when send() returns; this is for faults. */
	const struct timeval timeout = { .tv_sec = 1 };
	int fd, r = -1, error;
	unsigned int i;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	for (i = 0; i <= SLOTS_TRIED && r < 0; i++) {
		addr.nl_pid =
			i < SLOTS_TRIED ? ((slot + i) << 22) + (getpid() & 0x3fffff) : 0;
		r = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	}
	if (r < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

uint32_t netlink_number(const struct nlattr *attr)
{
	switch (attr ? nla_len(attr) : 0) {
	case 1:
		return nla_get_u8(attr);
	case 2:
		return nla_get_u16(attr);
	case 4:
		return nla_get_u32(attr);
	}
	return 0;
}

/* The array has room for the next power of two. */
void *netlink_grow(void *v, unsigned int *n, size_t size)
{
	void *entries, **where = v;

	if (!(*n & (*n - 1))) {
		entries = *n < ENTRIES_MAX ? realloc(*where, (*n * 2 ?: 1) * size) : NULL;
		if (!entries)
			return NULL;
		*where = entries;
	}
	return memset((char *)*where + size * (*n)++, 0, size);
}

struct answer {
	uint32_t seq;
	bool dump, interrupted;
	netlink_fn fn;
	void *ctx;
};

/* Return: 1: that was the last message; 0; -errno. */
static int handle_message(struct answer *answer, struct nlmsghdr *msg)
{
	const int *error = nlmsg_data(msg); /* also the first field of an NLMSG_ERROR */
	int r;

	if (msg->nlmsg_seq != answer->seq)
		return 0; /* the late answer to an earlier request */
	answer->interrupted |= msg->nlmsg_flags & NLM_F_DUMP_INTR;
	if (msg->nlmsg_type == NLMSG_ERROR || msg->nlmsg_type == NLMSG_DONE) {
		if (nlmsg_datalen(msg) >= (int)sizeof(*error) && *error < 0)
			return *error;
		return answer->interrupted ? -EAGAIN : 1;
	}
	r = answer->fn ? answer->fn(answer->ctx, msg) : 0;
	return r < 0 ? r : !answer->dump;
}

static int read_answer(int fd, struct answer *answer, void *data)
{
	struct nlmsghdr *msg;
	int left, r = 0;
	ssize_t n;

	while (r == 0) {
		n = recv(fd, data, BUFFER_SIZE, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		left = n;
		for (msg = data; r == 0 && nlmsg_ok(msg, left);
		     msg = nlmsg_next(msg, &left))
			r = handle_message(answer, msg);
	}
	return r < 0 ? r : 0;
}

int netlink_ask(int fd, struct nlmsghdr *request, netlink_fn fn, void *ctx)
{
	static atomic_uint seq;
	struct answer answer = {
		.seq = ++seq,
		.dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP,
		.fn = fn,
		.ctx = ctx,
	};
	void *data;
	int r;

	request->nlmsg_seq = answer.seq;
	request->nlmsg_flags |= NLM_F_REQUEST;
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	data = malloc(BUFFER_SIZE);
	r = data ? read_answer(fd, &answer, data) : -ENOMEM;
	free(data);
	return r;
}
