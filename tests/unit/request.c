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
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "until.h"

enum answer {
	NOTHING,
	NO_END,	   /* parts of a dump */
	ENDLESS,   /* the same, for ever */
	FOREIGN,   /* to another request, without a pause */
	EMPTY,	   /* datagrams without a message, without a pause */
	TWICE,	   /* each message */
	LATE_END,  /* 50 ms later */
	READ_LATE, /* in time, but the reader does not run then */
};

#define STARVED_MS 400 /* more than netlink_ask() waits for a part */
#define IN_TIME_MS 150 /* less than that */

struct kernel {
	enum answer answer;
	int ours, its;
	atomic_bool stop;
	int64_t took_ms; /* to the end */
	pthread_t thread, reader;
};

static int64_t end_took_ms; /* of the last ask() */

static void starve(int number)
{
	(void)number;
	nap_ms(STARVED_MS);
}

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
	int64_t began;

	if (recv(k->its, &request, sizeof(request), 0) < (ssize_t)sizeof(request))
		return NULL;
	if (k->answer == NOTHING)
		return NULL;
	began = now_ms();
	do {
		reply(k, RTM_NEWLINK, request.nlmsg_seq + (k->answer == FOREIGN));
		if (k->answer == ENDLESS)
			nap_ms(1);
	} while (!atomic_load(&k->stop) &&
		 (k->answer == ENDLESS || k->answer == FOREIGN || k->answer == EMPTY));
	if (k->answer == LATE_END || k->answer == READ_LATE)
		nap_ms(50);
	if (k->answer == READ_LATE)
		pthread_kill(k->reader, SIGUSR1);
	if (k->answer == TWICE || k->answer == LATE_END || k->answer == READ_LATE)
		reply(k, NLMSG_DONE, request.nlmsg_seq);
	k->took_ms = now_ms() - began;
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
	const struct sigaction action = { .sa_handler = starve };
	struct kernel k = { .answer = answer, .reader = pthread_self() };
	int64_t began;
	int fds[2], r;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	k.ours = fds[0];
	k.its = fds[1];
	sigaction(SIGUSR1, &action, NULL);
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
	end_took_ms = k.took_ms;
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

/* Again if the machine is so busy that the end was not sent in time. */
static int ask_in_time(enum answer answer, unsigned int *ret_parts)
{
	int i, r, ms;

	for (i = 0; i < 50; i++) {
		r = ask(answer, ret_parts, &ms);
		if (r == 0 || end_took_ms < IN_TIME_MS)
			break;
	}
	return r;
}

Test(request, a_late_and_a_repeated_end_are_ends, HANGS)
{
	unsigned int parts;

	cr_expect_eq(ask_in_time(LATE_END, &parts), 0);
	cr_expect_eq(parts, 1);
	cr_expect_eq(ask_in_time(TWICE, &parts), 0);
	cr_expect_eq(parts, 2);
}

Test(request, an_answer_that_came_in_time_may_be_read_late, HANGS)
{
	unsigned int parts;

	cr_expect_eq(ask_in_time(READ_LATE, &parts), 0);
	cr_expect_eq(parts, 1);
}
