// SPDX-License-Identifier: MIT
/*
 * tcpserver.c - an echo server on native MPTCP, for many connections
 *
 * Listens on all addresses of both families, prints "listening", then reads commands from
 * standard input: "count" prints "open N"; "close" closes all accepted connections and
 * prints "closed N"; end of file ends it. -f accepts data in the SYN, -p is plain TCP.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define BUFFER	  65536
#define FILES_MAX 65536

struct client {
	char *held; /* not sent back yet */
	size_t len;
};

static struct client *clients[FILES_MAX]; /* by descriptor */
static int epfd;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tcpserver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (epoll_ctl(epfd, op, fd, &ev) < 0)
		die("epoll_ctl");
}

static int listen_on(int port, bool fastopen, bool plain)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd, one = 1, zero = 0, queue = 256;

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, plain ? 0 : IPPROTO_MPTCP);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0)
		die("IPV6_V6ONLY");
	if (fastopen &&
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)) < 0 &&
	    errno != EOPNOTSUPP &&
	    errno != ENOPROTOOPT) /* Linux 6.1 has none for MPTCP */
		die("TCP_FASTOPEN");
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 4096) < 0)
		die("listen");
	return fd;
}

static void drop(int fd)
{
	free(clients[fd]->held);
	free(clients[fd]);
	clients[fd] = NULL;
	close(fd);
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (fd >= FILES_MAX) {
			close(fd);
			continue;
		}
		clients[fd] = calloc(1, sizeof(struct client));
		if (!clients[fd])
			die("calloc");
		watch(EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

/* Return: false if the connection failed. */
static bool send_back(int fd, const char *data, size_t len)
{
	struct client *c = clients[fd];
	ssize_t n = write(fd, data, len);

	if (n < 0 && errno != EAGAIN)
		return false;
	n = n < 0 ? 0 : n;
	if (n == (ssize_t)len)
		return true;
	c->held = malloc(len - n);
	if (!c->held)
		die("malloc");
	c->len = len - n;
	memcpy(c->held, data + n, c->len);
	watch(EPOLL_CTL_MOD, fd, EPOLLOUT); /* stop reading until it is sent */
	return true;
}

static void serve(int fd)
{
	struct client *c = clients[fd];
	char buf[BUFFER], *held = c->held;
	ssize_t n;
	bool ok;

	if (held) {
		c->held = NULL;
		ok = send_back(fd, held, c->len);
		free(held);
		if (ok && !c->held)
			watch(EPOLL_CTL_MOD, fd, EPOLLIN);
	} else {
		n = read(fd, buf, sizeof(buf));
		ok = n > 0 ? send_back(fd, buf, n) : n < 0 && errno == EAGAIN;
	}
	if (!ok)
		drop(fd);
}

static void obey(void)
{
	char line[64];
	ssize_t n = read(0, line, sizeof(line) - 1);
	int count = 0;

	if (n <= 0)
		exit(0);
	line[n] = '\0';
	for (int fd = 0; fd < FILES_MAX; fd++) {
		count += clients[fd] != NULL;
		if (clients[fd] && !strcmp(line, "close\n"))
			drop(fd);
	}
	printf("%s %d\n", !strcmp(line, "close\n") ? "closed" : "open", count);
}

int main(int argc, char *argv[])
{
	const char *how = argc == 3 && argv[1][0] == '-' ? argv[1] : "";
	bool fastopen = strchr(how, 'f'), plain = strchr(how, 'p');
	struct epoll_event evs[64];
	struct rlimit files;
	int listener, n;

	if (argc != 2 && !fastopen && !plain) {
		fputs("usage: tcpserver [-fp] PORT\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN); /* of a client that has ended */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	epfd = epoll_create1(0);
	listener = listen_on(atoi(argv[argc - 1]), fastopen, plain);
	watch(EPOLL_CTL_ADD, listener, EPOLLIN);
	watch(EPOLL_CTL_ADD, 0, EPOLLIN);
	puts("listening");
	for (;;) {
		n = epoll_wait(epfd, evs, 64, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (evs[i].data.fd == listener)
				accept_all(listener);
			else if (evs[i].data.fd == 0)
				obey();
			else if (clients[evs[i].data.fd])
				serve(evs[i].data.fd);
		}
	}
}
