// SPDX-License-Identifier: MIT
/*
 * again.c - an ordinary program that connects once more for every line of its input
 *
 * again ADDRESS PORT: prints "connected N", and keeps all connections.
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
	int fd, n;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1)
		return 2;
	addr.sin_port = htons(atoi(argv[2]));
	for (n = 1; fgets(data, sizeof(data), stdin); n++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		    write(fd, "hello", 5) != 5 || read(fd, data, 5) <= 0) {
			perror("again");
			return 1;
		}
		printf("connected %d\n", n);
		fflush(stdout);
	}
	return 0;
}
