// SPDX-License-Identifier: MIT
/*
 * tcpclient.c - an ordinary TCP program for the library
 *
 * It knows nothing of MPTCP; -m opens native MPTCP sockets instead. It opens its
 * connections, sends a few bytes on each (with -w after a line on standard input, with -q
 * none), waits for the echo and prints "connected N". Then it reads commands from
 * standard input: "echo BYTES" sends that many on each connection and checks the reply;
 * "connect" opens another, "burst N" opens N at once, each in a thread; "close" closes
 * all and prints "closed"; end of file ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define HELLO	   "hello"
#define TIMEOUT_MS 60000
#define CHUNK	   16384

enum opening {
	BY_CONNECT,
	BY_SENDTO,
	BY_SENDMSG,
	BY_SENDMMSG,
	BY_FIRST_WRITE
};

static struct options {
	const char *address;
	int port;
	int count;
	bool v6only;
	bool native;
	bool nonblocking;
	bool thread;
	bool may_fail;
	bool wait, quiet;
	enum opening opening;
} opt = { .count = 1 };

static int *socks;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tcpclient: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t target(struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, opt.address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(opt.port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, opt.address, &v6->sin6_addr) != 1) {
		errno = EINVAL;
		die(opt.address);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(opt.port);
	return sizeof(*v6);
}

static void wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&pfd, 1, TIMEOUT_MS);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		die("poll");
}

/* Connect and send HELLO in one call, by MSG_FASTOPEN. */
static ssize_t open_with_data(int fd, struct sockaddr_storage *to, socklen_t len)
{
	struct iovec iov = { HELLO, strlen(HELLO) };
	struct mmsghdr m = { .msg_hdr = { .msg_name = to,
					  .msg_namelen = len,
					  .msg_iov = &iov,
					  .msg_iovlen = 1 } };

	switch (opt.opening) {
	case BY_SENDTO:
		return sendto(fd, HELLO, strlen(HELLO), MSG_FASTOPEN,
			      (struct sockaddr *)to, len);
	case BY_SENDMSG:
		return sendmsg(fd, &m.msg_hdr, MSG_FASTOPEN);
	case BY_SENDMMSG:
		return sendmmsg(fd, &m, 1, MSG_FASTOPEN) == 1 ? (ssize_t)m.msg_len : -1;
	case BY_CONNECT:
	case BY_FIRST_WRITE: /* TCP_FASTOPEN_CONNECT: sends nothing yet */
		break;
	}
	return connect(fd, (struct sockaddr *)to, len);
}

/* Return: false after an expected failure, with errno. */
static bool finish_connect(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	wait_for(fd, POLLOUT);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		die("SO_ERROR");
	errno = error;
	if (error && !opt.may_fail)
		die("connect");
	return !error;
}

/* Send nothing before a line on standard input. */
static void wait_for_word(void)
{
	char line[64];

	puts("waiting");
	if (!fgets(line, sizeof(line), stdin))
		die("standard input");
}

/* Return: the descriptor; -1 after an expected failure. */
static int open_one(void)
{
	struct sockaddr_storage to;
	socklen_t len = target(&to);
	int fd, one = 1;
	ssize_t sent;

	fd = socket(to.ss_family, SOCK_STREAM | (opt.nonblocking ? SOCK_NONBLOCK : 0),
		    opt.native ? IPPROTO_MPTCP : 0);
	if (fd < 0)
		die("socket");
	if (opt.v6only &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		die("IPV6_V6ONLY");
	if (opt.opening == BY_FIRST_WRITE &&
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)) < 0)
		die("TCP_FASTOPEN_CONNECT");
	sent = open_with_data(fd, &to, len);
	if (sent < 0 && opt.nonblocking && errno == EINPROGRESS) {
		sent = finish_connect(fd) ? 0 : -1;
	}
	if (sent < 0 && opt.may_fail) {
		close(fd);
		return -1;
	}
	if (sent < 0)
		die("connect");
	if (opt.wait)
		wait_for_word();
	if (!opt.quiet && sent < (ssize_t)strlen(HELLO) &&
	    write(fd, HELLO + sent, strlen(HELLO) - sent) < 0)
		die("write");
	return fd;
}

static void read_fully(int fd, char *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		wait_for(fd, POLLIN);
		n = read(fd, buf + got, len - got);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			die("read");
		got += n;
	}
}

/* The same, and read the reply. */
static int greet_one(void)
{
	char buf[sizeof(HELLO)];
	int fd = open_one();

	if (fd < 0 || opt.quiet)
		return fd;
	read_fully(fd, buf, strlen(HELLO));
	if (memcmp(buf, HELLO, strlen(HELLO))) {
		errno = EBADMSG;
		die("hello");
	}
	return fd;
}

static void *open_all(void *unused)
{
	int connected = 0;

	for (int i = 0; i < opt.count; i++) {
		socks[i] = greet_one();
		connected += socks[i] >= 0;
	}
	printf("connected %d\n", connected);
	return NULL;
}

static void open_another(void)
{
	socks = realloc(socks, (opt.count + 1) * sizeof(*socks));
	if (!socks)
		die("realloc");
	socks[opt.count++] = greet_one();
	printf("connected %d\n", opt.count);
}

static pthread_barrier_t start;

static void *open_at_start(void *ret_fd)
{
	pthread_barrier_wait(&start);
	*(int *)ret_fd = greet_one();
	return NULL;
}

static void open_at_once(int count)
{
	pthread_t *threads = calloc(count, sizeof(*threads));

	socks = realloc(socks, (opt.count + count) * sizeof(*socks));
	if (!socks || !threads)
		die("realloc");
	pthread_barrier_init(&start, NULL, count);
	for (int i = 0; i < count; i++) {
		errno = pthread_create(&threads[i], NULL, open_at_start,
				       &socks[opt.count + i]);
		if (errno)
			die("pthread_create");
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	opt.count += count;
	printf("connected %d\n", opt.count);
}

static void echo_chunk(int fd, size_t len)
{
	char sent[CHUNK] = { 0 }, got[CHUNK];
	size_t done = 0;
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		sent[i] = rand();
	while (done < len) {
		wait_for(fd, POLLOUT);
		n = write(fd, sent + done, len - done);
		if (n < 0 && errno != EAGAIN)
			die("write");
		done += n > 0 ? n : 0;
	}
	read_fully(fd, got, len);
	if (memcmp(sent, got, len)) {
		errno = EBADMSG;
		die("echo");
	}
}

static void echo(size_t bytes)
{
	size_t left, len;

	for (int i = 0; i < opt.count; i++) {
		for (left = bytes; left; left -= len) {
			len = left < CHUNK ? left : CHUNK;
			echo_chunk(socks[i], len);
		}
	}
	printf("echoed %zu\n", bytes);
}

static void obey(void)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "echo ", 5)) {
			echo(strtoul(line + 5, NULL, 10));
		} else if (!strcmp(line, "connect\n")) {
			open_another();
		} else if (!strncmp(line, "burst ", 6) && atoi(line + 6) > 0) {
			open_at_once(atoi(line + 6));
		} else if (!strcmp(line, "close\n")) {
			for (int i = 0; i < opt.count; i++)
				close(socks[i]);
			opt.count = 0;
			puts("closed");
		} else {
			errno = EINVAL;
			die(line);
		}
	}
}

static void parse(int argc, char *argv[])
{
	static const char *const openings[] = { "connect", "sendto", "sendmsg",
						"sendmmsg", "firstwrite" };
	int c;

	while ((c = getopt(argc, argv, "6mbtwxqN:o:")) != -1) {
		switch (c) {
		case '6':
			opt.v6only = true;
			break;
		case 'm':
			opt.native = true;
			break;
		case 'b':
			opt.nonblocking = true;
			break;
		case 't':
			opt.thread = true;
			break;
		case 'w':
			opt.wait = true;
			break;
		case 'q':
			opt.quiet = true;
			break;
		case 'x':
			opt.may_fail = true;
			break;
		case 'N':
			opt.count = atoi(optarg);
			break;
		case 'o':
			for (int i = 0; i < 5; i++)
				if (!strcmp(optarg, openings[i]))
					opt.opening = i;
			break;
		default:
			optind = argc;
		}
	}
	if (argc - optind != 2 || opt.count < 0) {
		fputs("usage: tcpclient [-6 v6 only] [-m MPTCP] [-b non-blocking] "
		      "[-t from a thread] [-w wait for a line] [-x may fail]\n"
		      "       [-q send nothing] [-N COUNT] [-o "
		      "connect|sendto|sendmsg|sendmmsg|firstwrite] ADDRESS PORT\n",
		      stderr);
		exit(2);
	}
	opt.address = argv[optind];
	opt.port = atoi(argv[optind + 1]);
}

int main(int argc, char *argv[])
{
	struct rlimit files;
	pthread_t thread;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	socks = calloc(opt.count + 1, sizeof(*socks));
	if (!socks)
		die("calloc");
	if (opt.thread) {
		errno = pthread_create(&thread, NULL, open_all, NULL);
		if (errno)
			die("pthread_create");
		pthread_join(thread, NULL);
	} else {
		open_all(NULL);
	}
	obey();
	return 0;
}
