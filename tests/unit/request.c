// SPDX-License-Identifier: MIT
/*
 * request.c - answers of the kernel that are late, lost, foreign or endless
 *
 * The kernel is the other end of a socket pair, because the real one loses nothing here.
 */
#include "shim/netlink/request.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "until.h"

enum answer {
	NOTHING,
	NO_END,	  /* parts of a dump */
	ENDLESS,  /* the same, for ever */
	FOREIGN,  /* to another request, without a pause */
	EMPTY,	  /* datagrams without a message, without a pause */
	TWICE,	  /* each message */
	LATE_END, /* 50 ms later */
};

struct kernel {
	enum answer answer;
	int ours, its;
	atomic_bool stop;
	pthread_t thread;
};

static void reply(const struct kernel *k, int type, uint32_t seq)
{
	struct {
		struct nlmsghdr nlh;
		int error;
	} msg = { .nlh = { .nlmsg_len = sizeof(msg),
			   .nlmsg_type = type,
			   .nlmsg_flags = NLM_F_MULTI,
			   .nlmsg_seq = seq } };

	send(k->its, &msg, k->answer == EMPTY ? 1 : sizeof(msg), MSG_NOSIGNAL);
	if (k->answer == TWICE)
		send(k->its, &msg, sizeof(msg), MSG_NOSIGNAL);
}

static void *serve_kernel(void *arg)
{
	struct kernel *k = arg;
	struct nlmsghdr request;

	if (recv(k->its, &request, sizeof(request), 0) < (ssize_t)sizeof(request))
		return NULL;
	if (k->answer == NOTHING)
		return NULL;
	do {
		reply(k, RTM_NEWLINK, request.nlmsg_seq + (k->answer == FOREIGN));
		if (k->answer == ENDLESS)
			nap_ms(1);
	} while (!atomic_load(&k->stop) &&
		 (k->answer == ENDLESS || k->answer == FOREIGN || k->answer == EMPTY));
	if (k->answer == LATE_END)
		nap_ms(50);
	if (k->answer == TWICE || k->answer == LATE_END)
		reply(k, NLMSG_DONE, request.nlmsg_seq);
	return NULL;
}

static int count_part(void *ctx, struct nlmsghdr *msg)
{
	cr_expect_eq(msg->nlmsg_type, RTM_NEWLINK);
	++*(unsigned int *)ctx;
	return 0;
}

/* Ask for a dump. Return: of netlink_ask(); *@ret_parts, *@ret_ms: what it took. */
static int ask(enum answer answer, unsigned int *ret_parts, int *ret_ms)
{
	struct nlmsghdr request = { .nlmsg_len = sizeof(request),
				    .nlmsg_type = RTM_GETLINK,
				    .nlmsg_flags = NLM_F_DUMP };
	struct kernel k = { .answer = answer };
	int64_t began;
	int fds[2], r;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	k.ours = fds[0];
	k.its = fds[1];
	cr_assert_eq(pthread_create(&k.thread, NULL, serve_kernel, &k), 0);
	*ret_parts = 0;
	began = now_ms();
	r = netlink_ask(k.ours, &request, count_part, ret_parts);
	*ret_ms = (int)(now_ms() - began);
	atomic_store(&k.stop, true);
	shutdown(k.ours, SHUT_RDWR);
	pthread_join(k.thread, NULL);
	close(k.ours);
	close(k.its);
	return r;
}

#define HANGS .timeout = 60

Test(request, an_answer_that_does_not_come_is_not_waited_for, HANGS)
{
	unsigned int parts;
	int ms;

	cr_expect_eq(ask(NOTHING, &parts, &ms), -ETIMEDOUT);
	cr_expect_lt(ms, 5000, "%d ms", ms);
	cr_expect_eq(ask(NO_END, &parts, &ms), -ETIMEDOUT);
	cr_expect_eq(parts, 1);
	cr_expect_lt(ms, 5000, "%d ms", ms);
}

Test(request, an_answer_without_an_end_is_left, HANGS)
{
	unsigned int parts;
	int ms;

	cr_expect_eq(ask(ENDLESS, &parts, &ms), -ETIMEDOUT);
	cr_expect_gt(parts, 10);
}

Test(request, foreign_answers_without_an_end_are_left, HANGS)
{
	unsigned int parts;
	int ms;

	cr_expect_eq(ask(FOREIGN, &parts, &ms), -ETIMEDOUT);
	cr_expect_lt(ms, 5000, "%d ms", ms);
	cr_expect_eq(parts, 0);
}

Test(request, empty_answers_without_an_end_are_left, HANGS)
{
	unsigned int parts;
	int ms;

	cr_expect_eq(ask(EMPTY, &parts, &ms), -ETIMEDOUT);
	cr_expect_lt(ms, 5000, "%d ms", ms);
}

Test(request, a_late_and_a_repeated_end_are_ends, HANGS)
{
	unsigned int parts;
	int ms;

	/* On a busy machine it may be later than the limit. */
	cr_expect(!ask(LATE_END, &parts, &ms) || !ask(LATE_END, &parts, &ms) ||
		  !ask(LATE_END, &parts, &ms));
	cr_expect_eq(parts, 1);
	cr_expect_eq(ask(TWICE, &parts, &ms), 0);
	cr_expect_eq(parts, 2);
}
