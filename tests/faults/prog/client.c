// SPDX-License-Identifier: MIT
/*
 * client.c ADDRESS PORT SEED [hold] - a program that is unaware of the library, with
 * connections to an echo server
 *
 * The seed chooses how many, how they connect, what they send and whether a child goes
 * on. With "hold" there is one, until the end of standard input; its token is printed.
 * Exits with 0 if every byte came back; prints what went wrong.
 */
#include "mptcpaddr/uapi.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX 3
#define PIECE_MAX 30000

static uint64_t state;

static uint32_t draw(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static _Noreturn void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void pause_ms(int ms)
{
	const struct timespec ts = { 0, ms * 1000000L };

	nanosleep(&ts, NULL);
}

static int connect_to(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
	const bool nonblock = draw(2);
	struct pollfd pfd = { fd, POLLOUT, 0 };
	socklen_t len = sizeof(error);

	if (fd < 0)
		die("socket");
	if (nonblock)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (const void *)addr, sizeof(*addr)) < 0 && errno != EINPROGRESS)
		die("connect");
	if (nonblock && (poll(&pfd, 1, -1) != 1 ||
			 getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error))
		errno = error, die("poll after connect");
	fcntl(fd, F_SETFL, 0);
	return fd;
}

/* Send a piece and compare its echo. */
static void echo_once(int fd)
{
	static char out[PIECE_MAX], in[PIECE_MAX];
	const size_t len = 1 + draw(PIECE_MAX);
	size_t i, got = 0, sent = 0;
	ssize_t n;

	for (i = 0; i < len; i++)
		out[i] = (char)draw(256);
	while (sent < len) {
		n = send(fd, out + sent, len - sent, MSG_NOSIGNAL);
		if (n <= 0)
			die("send");
		sent += n;
	}
	while (got < len) {
		n = recv(fd, in + got, len - got, 0);
		if (n < 0)
			die("recv");
		if (n == 0)
			errno = 0, die("early end of file");
		got += n;
	}
	if (memcmp(out, in, len) != 0)
		errno = 0, die("other bytes came back");
}

/* The parent ends first in half of the cases; its status is the child's otherwise. */
static void hand_over_to_child(void)
{
	const bool wait_for_it = draw(2);
	pid_t pid = fork();
	int status = 1;

	if (pid < 0)
		die("fork");
	if (!pid)
		return;
	if (wait_for_it && waitpid(pid, &status, 0) != pid)
		die("waitpid");
	_exit(wait_for_it ? WEXITSTATUS(status) | WTERMSIG(status) : 0);
}

static int hold_one(const struct sockaddr_in *addr)
{
	const int fd = connect_to(addr);
	struct mptcpaddr_info info = { 0 };
	socklen_t len = sizeof(info);

	echo_once(fd);
	if (getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
		die("MPTCP_INFO");
	printf("token 0x%08x\n", info.token);
	fflush(stdout);
	while (getchar() != EOF)
		;
	echo_once(fd);
	return 0;
}

int main(int argc, char *argv[])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fds[CONNS_MAX], n, pieces, i;

	if (argc < 4 || inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1)
		return 2;
	addr.sin_port = htons(atoi(argv[2]));
	state = strtoull(argv[3], NULL, 10) * 2 + 1;
	for (i = 0; i < 8; i++)
		draw(2);
	n = 1 + draw(CONNS_MAX);
	pieces = 1 + draw(6);
	if (argc > 4)
		return hold_one(&addr);
	for (i = 0; i < n; i++) {
		fds[i] = connect_to(&addr);
		echo_once(fds[i]);
	}
	puts("connected");
	fflush(stdout);
	if (!draw(8))
		hand_over_to_child();
	while (pieces--) {
		for (i = 0; i < n; i++)
			echo_once(fds[i]);
		pause_ms(draw(15));
	}
	puts("echoed");
	return fflush(stdout) != 0;
}
