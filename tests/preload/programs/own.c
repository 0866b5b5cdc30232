// SPDX-License-Identifier: MIT
/*
 * own.c - MPTCP sockets of the program's own, and sockets that they accept: their options
 */
#include "program.h"

#include <netinet/tcp.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static void show(const char *what, int fd)
{
	static const int names[] = { TCP_QUICKACK, TCP_USER_TIMEOUT, TCP_SYNCNT };
	int value = 0, one = 1;
	socklen_t len = sizeof(value);

	for (size_t i = 0; i < 3; i++) {
		printf("%s %d:", what, names[i]);
		if (setsockopt(fd, IPPROTO_TCP, names[i], &one, sizeof(one)) < 0)
			printf(" set %s", error_name(errno));
		if (getsockopt(fd, IPPROTO_TCP, names[i], &value, &len) < 0)
			printf(" get %s", error_name(errno));
		puts("");
	}
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len);
	printf("%s protocol %d\n", what, value);
}

int main(void)
{
	struct sockaddr_storage to;
	socklen_t len = parse("127.0.0.1", "0", &to);
	int listener, client, accepted, moved;
	char c = 'x';

	alarm(PROGRAM_SECONDS);
	listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	show("fresh", listener);
	if (bind(listener, (void *)&to, len) < 0 || listen(listener, 5) < 0 ||
	    getsockname(listener, (void *)&to, &len) < 0)
		die("listen");
	show("listening", listener);
	client = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	if (connect(client, (void *)&to, len) < 0 || write(client, &c, 1) != 1)
		die("connect");
	accepted = accept(listener, NULL, NULL);
	if (accepted < 0 || read(accepted, &c, 1) != 1)
		die("accept");
	show("accepted", accepted);
	moved = dup2(client, 100);
	close(client);
	show("connected", moved);
	return 0;
}
