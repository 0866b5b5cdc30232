// SPDX-License-Identifier: MIT
/*
 * sends.c - sendto(), sendmsg() and sendmmsg(), with and without MSG_FASTOPEN, with wrong
 * and right arguments: sends ADDRESS PORT
 */
#include "program.h"

#define BAD ((void *)1)

static int kind = SOCK_STREAM;
static int flags;

static int fresh(void)
{
	int fd = socket(AF_INET, kind, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void show(const char *what, ssize_t r, int fd)
{
	int saved = errno;

	printf("%s kind %d flags %#x: %zd %s\n", what, kind, (unsigned int)flags, r,
	       error_name(saved));
	close(fd);
	errno = PRESET_ERRNO;
}

static void by_sendto(const struct sockaddr *to, socklen_t len)
{
	int fd;

	errno = PRESET_ERRNO;
	fd = fresh();
	show("sendto", sendto(fd, "hello", 5, flags, to, len), fd);
	fd = fresh();
	show("sendto nowhere", sendto(fd, "hello", 5, flags, NULL, 0), fd);
	fd = fresh();
	show("sendto a bad address", sendto(fd, "hello", 5, flags, BAD, len), fd);
	fd = fresh();
	show("sendto a short address", sendto(fd, "hello", 5, flags, to, 3), fd);
	fd = fresh();
	show("sendto an endless address", sendto(fd, "hello", 5, flags, to, -1), fd);
	show("sendto a bad descriptor", sendto(-1, "hello", 5, flags, to, len), -1);
}

static void by_sendmsg(struct sockaddr *to, socklen_t len)
{
	struct iovec iov = { .iov_base = (char *)"hello", .iov_len = 5 };
	struct msghdr msg = {
		.msg_name = to, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1
	};
	struct mmsghdr many[2] = { { .msg_hdr = msg }, { .msg_hdr = msg } };
	int fd;

	fd = fresh();
	show("sendmsg", sendmsg(fd, &msg, flags), fd);
	fd = fresh();
	show("sendmsg of nothing", sendmsg(fd, NULL, flags), fd);
	fd = fresh();
	show("sendmsg of a bad message", sendmsg(fd, BAD, flags), fd);
	fd = fresh();
	show("sendmmsg", sendmmsg(fd, many, 1, flags), fd);
	fd = fresh();
	show("sendmmsg of nothing", sendmmsg(fd, NULL, 1, flags), fd);
	fd = fresh();
	show("sendmmsg of none", sendmmsg(fd, many, 0, flags), fd);
	msg.msg_iov = BAD;
	fd = fresh();
	show("sendmsg of bad parts", sendmsg(fd, &msg, flags), fd);
}

/* Like programs that call it until it succeeds. */
static void repeatedly(const struct sockaddr *to, socklen_t len)
{
	const int fd = fresh();
	struct pollfd p = { fd, POLLOUT, 0 };

	fcntl(fd, F_SETFL, O_NONBLOCK);
	show("sendto", sendto(fd, "hello", 5, flags, to, len), -1);
	poll(&p, 1, -1);
	show("sendto again", sendto(fd, "hello", 5, flags, to, len), -1);
	show("sendto a third time", sendto(fd, "hello", 5, flags, to, len), -1);
	show("sendto the peer", sendto(fd, "hello", 5, flags, NULL, 0), fd);
}

int main(int argc, char *argv[])
{
	static const int all[] = { 0, MSG_NOSIGNAL, MSG_FASTOPEN | MSG_NOSIGNAL,
				   MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL };
	struct sockaddr_storage to;
	socklen_t len;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	len = parse(argv[1], argv[2], &to);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		flags = all[i];
		for (kind = SOCK_STREAM; kind <= SOCK_DGRAM; kind++) {
			by_sendto((struct sockaddr *)&to, len);
			by_sendmsg((struct sockaddr *)&to, len);
			repeatedly((struct sockaddr *)&to, len);
		}
	}
	return 0;
}
