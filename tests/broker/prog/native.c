// SPDX-License-Identifier: MIT
/*
 * native.c - a static program with MPTCP sockets, without the preload library
 *
 * native ADDRESS PORT: connects, prints "connected", exits at the end of its input.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char data[16];
	int fd;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1)
		return 2;
	addr.sin_port = htons(atoi(argv[2]));
	fd = socket(AF_INET, SOCK_STREAM, 262);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    write(fd, "hello", 5) != 5 || read(fd, data, 5) <= 0) {
		perror("native");
		return 1;
	}
	puts("connected");
	fflush(stdout);
	while (read(STDIN_FILENO, data, sizeof(data)) > 0)
		;
	return 0;
}
