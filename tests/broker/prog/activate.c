// SPDX-License-Identifier: MIT
/*
 * activate.c - start a program with an MPTCP listening socket as descriptor 3, as systemd
 * does, or with a connection; be such a program
 *
 *	activate PORT UID LIBRARY once|each	start "activate serve"
 *	activate serve once|each		accept connections and keep them
 *
 * "once": the program gets the listening socket. "each": one program for each connection,
 * which calls none of the library's functions.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET 3

static int serve(bool each)
{
	while (!each && accept(SOCKET, NULL, NULL) >= 0)
		;
	pause();
	return 0;
}

static int start(char *argv[], int fd)
{
	if (dup2(fd, SOCKET) < 0 || setgid(atoi(argv[2])) || setuid(atoi(argv[2])))
		return 1;
	setenv("LISTEN_FDS", "1", 1);
	setenv("LD_PRELOAD", argv[3], 1);
	execl(argv[0], argv[0], "serve", argv[4], NULL);
	return 1;
}

int main(int argc, char *argv[])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd, conn;

	if (argc == 3)
		return serve(!strcmp(argv[2], "each"));
	if (argc != 5)
		return 2;
	addr.sin_port = htons(atoi(argv[1]));
	fd = socket(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 64) < 0)
		return 1;
	if (strcmp(argv[4], "each"))
		return start(argv, fd);
	while ((conn = accept(fd, NULL, NULL)) >= 0) {
		if (!fork())
			return start(argv, conn);
		close(conn);
	}
	return 1;
}
