// SPDX-License-Identifier: MIT
/*
 * protocol.c - print the protocol of an ordinary TCP socket, and the size of a pointer
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), protocol = -1;
	socklen_t len = sizeof(protocol);

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	printf("%zu bits: protocol %d\n", 8 * sizeof(void *), protocol);
	return 0;
}
