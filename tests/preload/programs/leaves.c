// SPDX-License-Identifier: MIT
/*
 * leaves.c - from where connections leave: leaves ADDRESS PORT COUNT [OPTION [VALUE]]...
 *
 * One connection after the other, a line each: result, local address, milliseconds, and
 * whether anything that the program has set on the socket has changed. Options:
 * nonblock (wait for MS), bind ADDRESS, dev DEVICE, alarm and restart (a signal after MS,
 * without and with SA_RESTART), timeout MS (SO_SNDTIMEO), dup, epoll (another reference
 * to the socket), again (the same socket after a failure), mapped, bad (pointer),
 * fastopen (perhaps with sendmsg), deferred (TCP_FASTOPEN_CONNECT), mptcp (by itself).
 */
#include "program.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static struct options {
	const char *bind, *dev;
	int nonblock, alarm, timeout;
	bool restart, dup, epoll, again, mapped, bad, fastopen, sendmsg, deferred, mptcp;
} opt;

static int other; /* descriptor: of the same socket, or an epoll */

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void on_alarm(int sig)
{
}

static void set_alarm(int ms)
{
	const struct sigaction action = { .sa_handler = on_alarm,
					  .sa_flags = opt.restart ? SA_RESTART : 0 };
	const struct timeval after = { ms / 1000, ms % 1000 * 1000 };
	/* The first one may come before connect(). */
	const struct itimerval timer = { after, after };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* What the program can see of its socket, apart from the connection. */
static void describe(int fd, char *to, size_t size)
{
	int keep = 0, buffer = 0, proto = 0;
	struct timeval timeout = { 0 };
	socklen_t len = sizeof(int), tlen = sizeof(timeout);

	getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keep, &len);
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, &len);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &tlen);
	snprintf(to, size, "%d %d %d %d %ld.%ld %d", fcntl(fd, F_GETFD),
		 fcntl(fd, F_GETFL), keep, buffer > 80000, (long)timeout.tv_sec,
		 (long)timeout.tv_usec, proto);
}

static void prepare(int fd, int family)
{
	const struct timeval timeout = { opt.timeout / 1000, opt.timeout % 1000 * 1000 };
	struct epoll_event event = { .events = EPOLLOUT };
	struct sockaddr_storage from;
	int one = 1, buffer = 100000;
	socklen_t len;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (opt.deferred)
		setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one));
	if (opt.timeout)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (opt.bind) {
		len = parse(opt.bind, "0", &from);
		if (bind(fd, (struct sockaddr *)&from, len) < 0)
			die("bind");
	}
	if (opt.dev &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, opt.dev, strlen(opt.dev)) < 0)
		die("SO_BINDTODEVICE");
	if (opt.nonblock)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (opt.dup)
		other = dup(fd);
	if (opt.epoll) {
		other = epoll_create1(0);
		epoll_ctl(other, EPOLL_CTL_ADD, fd, &event);
	}
}

static int wait_connected(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	socklen_t len = sizeof(int);
	int error = 0;

	if (poll(&p, 1, opt.nonblock) == 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static int send_fast(int fd, const void *to, socklen_t len)
{
	struct iovec v = { "fast", 4 };
	struct msghdr msg = {
		.msg_name = (void *)to, .msg_namelen = len, .msg_iov = &v, .msg_iovlen = 1
	};

	if (opt.sendmsg)
		return sendmsg(fd, &msg, MSG_FASTOPEN) < 0 ? -1 : 0;
	return sendto(fd, "fast", 4, MSG_FASTOPEN, to, len) < 0 ? -1 : 0;
}

static int try_to(int fd, const void *to, socklen_t len)
{
	int r, error = 0;

	if (opt.alarm)
		set_alarm(opt.alarm);
	errno = PRESET_ERRNO;
	r = opt.fastopen ? send_fast(fd, to, len) : connect(fd, to, len);
	if (r < 0)
		error = errno;
	else if (errno != PRESET_ERRNO)
		puts("errno has changed");
	if (error == EINPROGRESS && opt.nonblock)
		error = wait_connected(fd);
	return error;
}

static bool echoes(int fd)
{
	char back[8] = { 0 };

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return (opt.fastopen || write(fd, "hello", 5) == 5) && read(fd, back, 4) > 0 &&
	       !strncmp(back, opt.fastopen ? "fast" : "hell", 4);
}

static void show(int fd, int error, long ms, const char *before)
{
	struct sockaddr_in6 name = { 0 };
	socklen_t len = sizeof(name);
	char after[128], text[64] = "?";

	describe(fd, after, sizeof(after));
	getsockname(fd, (struct sockaddr *)&name, &len);
	if (name.sin6_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&name)->sin_addr, text,
			  sizeof(text));
	else
		inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof(text));
	printf("%s %s %ld%s\n",
	       error	    ? error_name(error)
	       : echoes(fd) ? "ok"
			    : "mute",
	       text, ms, strcmp(before, after) ? " changed" : "");
	fflush(stdout);
}

static void connect_once(const struct sockaddr_storage *to, socklen_t len)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC,
			opt.mptcp ? IPPROTO_MPTCP : 0);
	int error;
	const void *address = opt.bad ? (void *)8 : to;
	char before[128];
	long start;

	if (fd < 0)
		die("socket");
	prepare(fd, to->ss_family);
	describe(fd, before, sizeof(before));
	start = now_ms();
	error = try_to(fd, address, len);
	show(fd, error, now_ms() - start, before);
	if (opt.again && error) {
		start = now_ms();
		error = try_to(fd, address, len);
		show(fd, error, now_ms() - start, before);
	}
	close(fd);
	if (other)
		close(other);
}

static void set_option(const char *name, const char *value)
{
	const int number = value ? atoi(value) : 0;

	opt.bind = !strcmp(name, "bind") ? value : opt.bind;
	opt.dev = !strcmp(name, "dev") ? value : opt.dev;
	opt.nonblock = !strcmp(name, "nonblock") ? number : opt.nonblock;
	opt.restart |= !strcmp(name, "restart");
	opt.alarm =
		!strcmp(name, "alarm") || !strcmp(name, "restart") ? number : opt.alarm;
	opt.timeout = !strcmp(name, "timeout") ? number : opt.timeout;
	opt.dup |= !strcmp(name, "dup");
	opt.epoll |= !strcmp(name, "epoll");
	opt.again |= !strcmp(name, "again");
	opt.mapped |= !strcmp(name, "mapped");
	opt.bad |= !strcmp(name, "bad");
	opt.fastopen |= !strcmp(name, "fastopen");
	opt.sendmsg |= !strcmp(name, "sendmsg");
	opt.deferred |= !strcmp(name, "deferred");
	opt.mptcp |= !strcmp(name, "mptcp");
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage to;
	char mapped[80];
	socklen_t len;
	int i;

	if (argc < 4)
		return 2;
	alarm(PROGRAM_SECONDS);
	for (i = 4; i < argc; i++)
		set_option(argv[i], argv[i + 1]);
	snprintf(mapped, sizeof(mapped), "%s%s", opt.mapped ? "::ffff:" : "", argv[1]);
	len = parse(mapped, argv[2], &to);
	for (i = atoi(argv[3]); i; i--)
		connect_once(&to, len);
	return 0;
}
