// SPDX-License-Identifier: MIT
/*
 * transfer.c - one transfer over IPv4, and the longest time in which nothing arrived
 *
 * "serve PORT" prints "listening" and serves one connection; "get" or "put HOST PORT
 * BYTES [mptcp]" is its client, which waits for a line on standard input first. The
 * receiver prints, in ms, the longest time between two reads, when that began
 * (CLOCK_MONOTONIC), and how long it all took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct request {
	uint64_t size;
	uint64_t put;
};

static char buf[1 << 18];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "transfer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void receive(int fd, uint64_t size)
{
	const double start = now();
	double last = start, t, stall = 0, began = start;
	ssize_t n;

	for (uint64_t got = 0; got < size; got += n) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			die("read");
		t = now();
		if (t - last > stall) {
			stall = t - last;
			began = last;
		}
		last = t;
	}
	printf("received %.1f %.1f %.1f\n", stall, began, last - start);
}

/* Ends when the peer has received everything. */
static void send_all(int fd, uint64_t size)
{
	ssize_t n;

	for (uint64_t sent = 0; sent < size; sent += n) {
		n = write(fd, buf, size - sent < sizeof(buf) ? size - sent : sizeof(buf));
		if (n <= 0)
			die("write");
	}
	if (read(fd, buf, 1) < 0)
		die("read");
}

static int serve(const struct sockaddr_in *addr)
{
	struct request req;
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
	    listen(fd, 1) < 0)
		die("listen");
	puts("listening");
	fd = accept(fd, NULL, NULL);
	if (fd < 0 || read(fd, &req, sizeof(req)) != sizeof(req))
		die("accept");
	if (req.put)
		receive(fd, req.size);
	else
		send_all(fd, req.size);
	return 0;
}

static int fetch(const struct sockaddr_in *addr, const struct request *req, int protocol)
{
	int fd = socket(AF_INET, SOCK_STREAM, protocol);

	if (getchar() == EOF || fd < 0 ||
	    connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
	    write(fd, req, sizeof(*req)) != sizeof(*req))
		die("connect");
	if (req->put)
		send_all(fd, req->size);
	else
		receive(fd, req->size);
	return 0;
}

int main(int argc, char *argv[])
{
	const bool serves = argc == 3 && !strcmp(argv[1], "serve");
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct request req;

	if (!serves && argc != 5 && argc != 6) {
		fputs("usage: transfer serve PORT | {get | put} HOST PORT BYTES "
		      "[mptcp]\n",
		      stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	addr.sin_port = htons(atoi(argv[serves ? 2 : 3]));
	if (serves)
		return serve(&addr);
	inet_pton(AF_INET, argv[2], &addr.sin_addr);
	req = (struct request){ strtoull(argv[4], NULL, 10), !strcmp(argv[1], "put") };
	return fetch(&addr, &req, argc == 6 ? IPPROTO_MPTCP : 0);
}
