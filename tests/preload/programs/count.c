// SPDX-License-Identifier: MIT
/*
 * count.c - count the threads of a program: count HOW [ADDRESS PORT]
 *
 * HOW: nothing, socket (never connected), listen (accepts from a child), udp, unix,
 * connect.
 */
#include "program.h"

#include <sys/un.h>

static void accept_one(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), sock, status = -1;
	char byte = 0;
	pid_t pid;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		die("listen");
	pid = fork();
	if (pid == 0) {
		sock = socket(AF_INET, SOCK_STREAM, 0);
		_exit(connect(sock, (struct sockaddr *)&at, len) < 0 ||
		      write(sock, "x", 1) != 1 || read(sock, &byte, 1) != 1);
	}
	sock = accept(fd, NULL, NULL);
	if (sock < 0 || read(sock, &byte, 1) != 1 || send(sock, &byte, 1, 0) != 1)
		die("accept");
	waitpid(pid, &status, 0);
	printf("accepted '%c', child %d\n", byte, status);
}

static void datagrams(const char *address, const char *port)
{
	struct sockaddr_storage to;
	socklen_t len = parse(address, port, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM, 0);

	printf("udp %d\n", connect(fd, (struct sockaddr *)&to, len));
	printf("sent %zd\n", send(fd, "x", 1, 0));
}

static void local(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "\0count" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 1) < 0)
		die("listen");
	printf("unix %d\n", connect(fd, (struct sockaddr *)&at, sizeof(at)));
}

int main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "";

	alarm(PROGRAM_SECONDS);
	if (!strcmp(how, "socket"))
		printf("socket %d\n", socket(AF_INET, SOCK_STREAM, 0));
	if (!strcmp(how, "listen"))
		accept_one();
	if (!strcmp(how, "udp") && argc > 3)
		datagrams(argv[2], argv[3]);
	if (!strcmp(how, "unix"))
		local();
	if (!strcmp(how, "connect") && argc > 3)
		echo(tcp_to(argv[2], argv[3]), "hello");
	usleep(100000);
	printf("%s: threads %d\n", how, threads());
	show_fds(how);
	return 0;
}
