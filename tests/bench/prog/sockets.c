// SPDX-License-Identifier: MIT
/*
 * sockets.c - socket() and close(): once, and then so many times
 *
 * The signals mark the phases for whoever counts (bench.h): between the first two marks
 * there is nothing, then the first pair, then the others.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void pairs(int n)
{
	int fd;

	while (n-- > 0) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || close(fd) < 0)
			exit(1);
	}
}

int main(int argc, char *argv[])
{
	int many = argc > 1 ? atoi(argv[1]) : 0;

	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1); /* its own first call */
	raise(SIGUSR1);
	pairs(0);
	raise(SIGUSR1);
	pairs(1);
	raise(SIGUSR1);
	pairs(many);
	raise(SIGUSR1);
	return 0;
}
