// SPDX-License-Identifier: MIT
/*
 * ask.c - requests of 100 bytes to an echo server, one after the other
 *
 * "ask HOST PORT PAUSE-MS" prints the milliseconds that each answer took, a line each,
 * until the end of standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buf[100];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "ask: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void ask(int fd)
{
	ssize_t n;

	if (write(fd, buf, sizeof(buf)) != sizeof(buf))
		die("write");
	for (size_t got = 0; got < sizeof(buf); got += n) {
		n = read(fd, buf, sizeof(buf) - got);
		if (n <= 0)
			die("read");
	}
}

int main(int argc, char *argv[])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct pollfd end = { .fd = 0, .events = POLLIN };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double start;

	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	inet_pton(AF_INET, argv[1], &addr.sin_addr);
	addr.sin_port = htons(atoi(argv[2]));
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("connect");
	do {
		start = now();
		ask(fd);
		printf("%.1f\n", now() - start);
	} while (poll(&end, 1, atoi(argv[3])) == 0);
	return 0;
}
