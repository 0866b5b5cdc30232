// SPDX-License-Identifier: MIT
/*
 * replaced.c - all that a socket has before an option, and after it
 *
 * replaced HOW ADDRESS PORT: sets options and flags, then one that MPTCP lacks, prints
 * all, connects and echoes. HOW: plain, dup, epoll, bound, thread, fork,
 * child (sets them and connects; the parent echoes).
 */
#include "program.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/time.h>

static const struct {
	int level, name, value;
} set[] = {
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },   { SOL_SOCKET, SO_REUSEADDR, 1 },
	{ SOL_SOCKET, SO_RCVBUF, 70000 },  { SOL_SOCKET, SO_SNDBUFFORCE, 80000 },
	{ SOL_SOCKET, SO_PRIORITY, 3 },	   { SOL_SOCKET, SO_RCVLOWAT, 1 },
	{ SOL_SOCKET, SO_OOBINLINE, 1 },   { IPPROTO_TCP, TCP_NODELAY, 1 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, 77 }, { IPPROTO_TCP, TCP_KEEPINTVL, 7 },
	{ IPPROTO_TCP, TCP_KEEPCNT, 5 },   { IPPROTO_TCP, TCP_QUICKACK, 1 },
	{ IPPROTO_TCP, TCP_LINGER2, 9 },   { IPPROTO_TCP, TCP_NOTSENT_LOWAT, 90 },
	{ IPPROTO_IP, IP_TOS, 0x10 },	   { IPPROTO_IP, IP_FREEBIND, 1 },
	{ IPPROTO_IPV6, IPV6_V6ONLY, 1 },
};

static void show(int fd, const char *when)
{
	struct timeval timeout = { 0 };
	struct f_owner_ex owner = { 0 };
	struct linger linger = { 0 };
	char name[32] = "";
	socklen_t len;
	int value;

	printf("%s: flags %x cloexec %d signal %d\n", when, fcntl(fd, F_GETFL),
	       fcntl(fd, F_GETFD), fcntl(fd, F_GETSIG));
	fcntl(fd, F_GETOWN_EX, &owner);
	printf("owner %d %s\n", owner.type, owner.pid == getpid() ? "this" : "none");
	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++) {
		len = sizeof(value);
		if (getsockopt(fd, set[i].level, set[i].name, &value, &len) < 0)
			value = -1;
		printf("%d/%d %d\n", set[i].level, set[i].name, value);
	}
	len = sizeof(timeout);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &len);
	len = sizeof(linger);
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	len = sizeof(name);
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len);
	len = sizeof(value);
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len);
	printf("send buffer %d\n", value);
	printf("timeout %ld.%06ld linger %d %d congestion %s\n", (long)timeout.tv_sec,
	       (long)timeout.tv_usec, linger.l_onoff, linger.l_linger, name);
}

static void prepare(int fd)
{
	const struct timeval timeout = { 8, 500000 };
	const struct f_owner_ex owner = { F_OWNER_PID, getpid() };
	const struct linger linger = { 1, 12 };

	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++)
		if (setsockopt(fd, set[i].level, set[i].name, &set[i].value,
			       sizeof(int)) < 0)
			printf("%d/%d %s\n", set[i].level, set[i].name,
			       error_name(errno));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	fcntl(fd, F_SETOWN_EX, &owner);
	fcntl(fd, F_SETSIG, SIGUSR1);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* The option that MPTCP lacks. */
static void *refuse(void *arg)
{
	const int fd = *(int *)arg, limit = 5000, wrong = -1;
	socklen_t len = sizeof(limit);
	int value = 0;

	errno = PRESET_ERRNO;
	printf("set %d", setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, len));
	printf(" errno %d\n", errno);
	printf("set %d", setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &wrong, len));
	printf(" %s\n", error_name(errno));
	getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len);
	printf("get %d\n", value);
	return NULL;
}

static void run(const char *how, int fd)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct epoll_event event = { EPOLLIN | EPOLLET, { .u64 = 0x1122334455667788 } };
	pthread_t thread;

	if (!strcmp(how, "dup") && dup(fd) < 0)
		die("dup");
	if (!strcmp(how, "bound") && bind(fd, (void *)&any, sizeof(any)) < 0)
		die("bind");
	if (!strcmp(how, "epoll") &&
	    epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
	if (strcmp(how, "thread")) {
		refuse(&fd);
		return;
	}
	if (pthread_create(&thread, NULL, refuse, &fd) || pthread_join(thread, NULL))
		die("thread");
}

/* The epoll was the next descriptor. */
static void wait_for_epoll(int epoll, int fd)
{
	struct epoll_event event = { 0 };
	int n;

	if (write(fd, "x", 1) != 1)
		die("write");
	n = epoll_wait(epoll, &event, 1, 5000);
	printf("epoll %d %x %llx\n", n, event.events, (unsigned long long)event.data.u64);
	if (read(fd, &event, 1) != 1)
		die("read");
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage to;
	int fd, other, mss = 600;
	socklen_t len;

	alarm(PROGRAM_SECONDS);
	if (argc != 4)
		return 2;
	len = parse(argv[2], argv[3], &to);
	other = socket(to.ss_family, SOCK_STREAM, 0);
	setsockopt(other, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
	close(other); /* its options are no concern of this one's */
	fd = socket(to.ss_family, SOCK_STREAM, 0);
	prepare(fd);
	if (!strcmp(argv[1], "child") && fork()) {
		if (wait(NULL) < 0)
			die("wait");
		echo(fd, "parent");
		return 0;
	}
	show(fd, "before");
	run(argv[1], fd);
	show(fd, "after");
	show_fds("after");
	if (!strcmp(argv[1], "fork") && fork())
		return wait(NULL) < 0;
	if (connect(fd, (struct sockaddr *)&to, len) < 0)
		die("connect");
	if (!strcmp(argv[1], "epoll"))
		wait_for_epoll(fd + 1, fd);
	echo(fd, "hello");
	len = sizeof(mss);
	getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len);
	printf("segments of %d\n", mss > 1000);
	return 0;
}
