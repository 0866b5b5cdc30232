// SPDX-License-Identifier: MIT
/*
 * crowd.c - a process of many connections, and some more one after another
 *
 *	crowd ADDRESS PORT COUNT tcp|mptcp
 *
 * Opens COUNT connections to an echo server and prints "connected". Then, for each line
 * with a number on its standard input, makes so many further connections, one by one:
 * a byte goes there and back, and the connection is kept until the kernel counts a
 * second subflow. Prints "done". End of file ends it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mptcpaddr/uapi.h"

#define PAUSE_NS    4000000
#define JOIN_PAUSES 250

static struct sockaddr_in to = { .sin_family = AF_INET };
static int protocol;

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

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, protocol);
	char byte = 'x';

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		die("echo");
	return fd;
}

static void join_one(void)
{
	struct mptcpaddr_info info = { 0 };
	int fd = connected();
	socklen_t len;

	for (int i = 0; i < JOIN_PAUSES && !info.subflows; i++) {
		pause_shortly();
		len = sizeof(info);
		if (getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
			die("MPTCP_INFO");
	}
	if (!info.subflows) {
		fputs("no second subflow\n", stderr);
		exit(1);
	}
	close(fd);
	pause_shortly(); /* its FINs are not the next one's */
}

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	struct rlimit files;
	char line[32];

	if (argc != 5)
		return 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	inet_pton(AF_INET, argv[1], &to.sin_addr);
	to.sin_port = htons(atoi(argv[2]));
	protocol = !strcmp(argv[4], "mptcp") ? IPPROTO_MPTCP : 0;
	for (int i = atoi(argv[3]); i > 0; i--)
		connected();
	say("connected");
	while (fgets(line, sizeof(line), stdin)) {
		for (int i = atoi(line); i > 0; i--)
			join_one();
		say("done");
	}
	return 0;
}
