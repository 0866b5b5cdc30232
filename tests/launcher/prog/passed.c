// SPDX-License-Identifier: MIT
/*
 * passed.c - a program that connects a socket which another one has opened
 *
 * give COMMAND...: open a TCP socket, send it to COMMAND by descriptor 3
 * take ADDRESS PORT: receive it there, connect it, echo a line, print "connected 1"
 * and its protocol, end at the end of standard input
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHANNEL 3

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static int give(char *argv[])
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &data,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd, pair[2];

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("socket");
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	if (sendmsg(pair[0], &msg, 0) != 1)
		die("sendmsg");
	close(fd); /* only the message has it now */
	if (dup2(pair[1], CHANNEL) < 0)
		die("dup2");
	execvp(argv[0], argv);
	die(argv[0]);
}

static int receive(void)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &data,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(CHANNEL, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static int take(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	const int fd = receive();
	socklen_t len = sizeof(int);
	int protocol = 0;
	char text[64] = "";

	inet_aton(address, &to.sin_addr);
	if (connect(fd, (void *)&to, sizeof(to)) < 0)
		die("connect");
	if (write(fd, "hello", 5) != 5 || read(fd, text, 5) != 5 || strcmp(text, "hello"))
		die("echo");
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	printf("connected 1\nprotocol %d\n", protocol);
	fflush(stdout);
	return fgets(text, sizeof(text), stdin) ? 1 : 0;
}

int main(int argc, char *argv[])
{
	if (argc > 2 && !strcmp(argv[1], "give"))
		return give(argv + 2);
	return argc == 4 ? take(argv[2], argv[3]) : 2;
}
