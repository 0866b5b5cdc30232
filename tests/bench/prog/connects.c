// SPDX-License-Identifier: MIT
/*
 * connects.c - connections one after another to an echo server, connect() timed
 *
 *	connects tcp|mptcp ADDRESS PORT COUNT [join]
 *
 * A byte goes there and back on each connection before it is closed. With "join" it is
 * kept until the kernel counts a second subflow. Prints the ns of each connect(); what
 * is measured elsewhere must not be disturbed, so that happens at the end. With
 * CONNECTS_CLOCK=cpu in the environment: the ns that the calling thread was running. With
 * CONNECTS_CLOCK=marks, signals mark the begin and the end of each connect() (bench.h).
 * With CONNECTS_CLOCK=begin: when it began, by CLOCK_REALTIME as packets are stamped.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mptcpaddr/uapi.h"

#define COUNT_MAX   1000
#define PAUSE_NS    2000000
#define JOIN_PAUSES 500

static struct sockaddr_in to = { .sin_family = AF_INET };

static clockid_t clock_id = CLOCK_MONOTONIC;
static bool marks, begin_only;

static long now_ns(void)
{
	struct timespec ts;

	if (marks)
		raise(SIGUSR1);
	clock_gettime(clock_id, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Asleep nearly all the time: the processors are for what is being measured. */
static void pause_shortly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

static void wait_joined(int fd)
{
	struct mptcpaddr_info info;
	socklen_t len;

	for (int i = 0; i < JOIN_PAUSES; i++) {
		pause_shortly();
		len = sizeof(info);
		if (getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
			die("MPTCP_INFO");
		if (info.subflows)
			return;
	}
	fputs("no second subflow\n", stderr);
	exit(1);
}

static long connect_once(int protocol, bool join)
{
	int fd = socket(AF_INET, SOCK_STREAM, protocol);
	char byte = 'x';
	long took;

	if (fd < 0)
		die("socket");
	took = now_ns();
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	if (!begin_only)
		took = now_ns() - took;
	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		die("echo");
	if (join)
		wait_joined(fd);
	close(fd);
	pause_shortly(); /* its FINs are not the next one's */
	return took;
}

int main(int argc, char *argv[])
{
	static long took[COUNT_MAX];
	const char *clock;
	int protocol, count;

	if (argc < 5)
		return 2;
	protocol = !strcmp(argv[1], "mptcp") ? IPPROTO_MPTCP : 0;
	inet_pton(AF_INET, argv[2], &to.sin_addr);
	to.sin_port = htons(atoi(argv[3]));
	count = atoi(argv[4]);
	clock = getenv("CONNECTS_CLOCK");
	marks = clock && !strcmp(clock, "marks");
	begin_only = clock && !strcmp(clock, "begin");
	if (begin_only)
		clock_id = CLOCK_REALTIME;
	else if (clock && !marks)
		clock_id = CLOCK_THREAD_CPUTIME_ID;
	signal(SIGUSR1, SIG_IGN);
	if (count < 1 || count > COUNT_MAX)
		return 2;
	for (int i = 0; i < count; i++)
		took[i] = connect_once(protocol, argc > 5);
	for (int i = 0; i < count; i++)
		printf("%ld\n", took[i]);
	return 0;
}
