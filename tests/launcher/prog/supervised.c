// SPDX-License-Identifier: MIT
/*
 * supervised.c - a static program that shows what a supervisor may disturb
 *
 *	facts		descriptors, children, pending signals: as without a supervisor
 *	errors		results and errno of calls that fail
 *	options		that MPTCP refuses; "own": with MPTCP sockets of its own
 *	swap		what a socket has after such an option that is not harmless
 *	protocol	of its socket
 *	flood T N	T threads open N sockets each
 *	storm N		N sockets while a timer interrupts, without SA_RESTART
 *	alarm A		a blocking connect() to @A, where nobody answers, and an alarm
 *	tick		a socket for each line of standard input
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int own; /* protocol */

static int open_tcp(int flags)
{
	return socket(AF_INET, SOCK_STREAM | flags, own);
}

static int protocol_of(int fd)
{
	socklen_t len = sizeof(int);
	int protocol = -1;

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	return protocol;
}

static int show_facts(void)
{
	sigset_t pending, blocked;
	DIR *dir = opendir("/proc/self/fd");
	int i, n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	sigpending(&pending);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	printf("files %d\n", n);
	for (i = 1; i < 65; i++)
		if (sigismember(&pending, i) > 0 || sigismember(&blocked, i) > 0)
			printf("signal %d\n", i);
	n = waitpid(-1, NULL, __WALL);
	printf("child %d %d\n", n, errno);
	printf("socket %d\n", open_tcp(0));
	return 0;
}

static void show(const char *what, int r)
{
	printf("%s %d %d\n", what, r, r < 0 ? errno : 0);
}

static void show_option(int level, int name, const void *value, int len)
{
	const int v4 = open_tcp(0);
	const int v6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, own);

	printf("option %d %d\n", level, name);
	show("v4", setsockopt(v4, level, name, value, len));
	show("v6", setsockopt(v6, level, name, value, len));
	close(v4);
	close(v6);
}

/* Some that MPTCP refuses, with values that TCP takes and that it does not. */
static int show_options(void)
{
	static const int values[] = { -1, 1, 20, 300, 100000 };
	static const struct {
		int level, name;
	} options[] = {
		{ IPPROTO_TCP, TCP_USER_TIMEOUT }, { IPPROTO_TCP, TCP_SYNCNT },
		{ IPPROTO_TCP, TCP_LINGER2 },	   { IPPROTO_TCP, TCP_QUICKACK },
		{ IPPROTO_TCP, TCP_NODELAY },	   { IPPROTO_IP, IP_TTL },
		{ IPPROTO_IP, IP_MTU_DISCOVER },   { IPPROTO_IPV6, IPV6_TCLASS },
		{ SOL_SOCKET, SO_OOBINLINE },	   { SOL_SOCKET, SO_KEEPALIVE },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		for (size_t k = 0; k < sizeof(values) / sizeof(*values); k++)
			show_option(options[i].level, options[i].name, &values[k], 4);
		show_option(options[i].level, options[i].name, (void *)1, 4);
		show_option(options[i].level, options[i].name, &values[1], 1);
	}
	return 0;
}

/* All that fits into an int, but for what differs from socket to socket. */
static void show_all_options(int fd)
{
	static const int levels[] = { SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6 };

	for (int i = 0; i < 4; i++)
		for (int name = 0; name < 128; name++) {
			socklen_t len = sizeof(int);
			int value = 0;

			if (!getsockopt(fd, levels[i], name, &value, &len) && len == 4 &&
			    (levels[i] != SOL_SOCKET || name != SO_INCOMING_CPU) &&
			    (levels[i] != IPPROTO_TCP || name != TCP_TIMESTAMP))
				printf("option %d %d: %d\n", levels[i], name, value);
		}
}

static int show_swap(void)
{
	const struct epoll_event event = { .events = EPOLLIN };
	const int ms = 20000, low = 5000, on = 1;

	for (int i = 0; i < 4; i++) {
		const int fd =
			socket(i == 3 ? AF_INET6 : AF_INET,
			       SOCK_STREAM | (i ? SOCK_CLOEXEC : SOCK_NONBLOCK), 0);
		const int other = i == 1 ? dup(fd) : i == 2 ? epoll_create1(0) : -1;

		if (i == 2)
			epoll_ctl(other, EPOLL_CTL_ADD, fd, (void *)&event);
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &low, sizeof(low));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		show("set", setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, 4));
		if (i == 1 || i == 2) {
			fprintf(stderr, "shared: protocol %d\n", protocol_of(fd));
			continue;
		}
		printf("flags %x %x\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
		show_all_options(fd);
	}
	return 0;
}

static int show_errors(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct rlimit files = { 3, 3 };
	int fd;

	inet_aton("127.0.0.1", &to.sin_addr);
	fd = open_tcp(SOCK_NONBLOCK | SOCK_CLOEXEC);
	show("flags", fcntl(fd, F_GETFL) & O_NONBLOCK);
	show("descriptor flags", fcntl(fd, F_GETFD));
	show("number", fd);
	show("refused later", connect(fd, (void *)&to, sizeof(to)));
	show("blocking", fcntl(open_tcp(0), F_GETFL) & O_NONBLOCK);
	show("refused", connect(open_tcp(0), (void *)&to, sizeof(to)));
	inet_aton("224.0.0.1", &to.sin_addr);
	show("multicast", connect(open_tcp(0), (void *)&to, sizeof(to)));
	show("bad address", connect(open_tcp(0), (void *)1, sizeof(to)));
	show("short address", connect(open_tcp(0), (void *)&to, 1));
	show("no socket", connect(0, (void *)&to, sizeof(to)));
	show("no file", connect(1000, (void *)&to, sizeof(to)));
	show("listen", listen(open_tcp(0), 5));
	show("no listener", listen(1000, 5));
	show("family", socket(77, SOCK_STREAM, 0));
	show("type", socket(AF_INET, 77, 0));
	show("protocol", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	show("datagram", protocol_of(socket(AF_INET, SOCK_DGRAM, 0)));
	show("local", protocol_of(socket(AF_UNIX, SOCK_STREAM, 0)));
	setrlimit(RLIMIT_NOFILE, &files);
	show("full", open_tcp(0));
	return 0;
}

static int flood_count;
static _Atomic int plain;

static void *flood_thread(void *arg)
{
	long bad = 0;
	int i, fd;

	for (i = 0; i < flood_count; i++) {
		fd = open_tcp(0);
		bad += fd < 0;
		if (protocol_of(fd) != 262)
			plain++;
		close(fd);
	}
	return (void *)bad;
}

static int flood(int threads)
{
	struct timespec from, to;
	pthread_t thread[64];
	long bad = 0;
	void *more;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, flood_thread, NULL);
	for (i = 0; i < threads; i++) {
		pthread_join(thread[i], &more);
		bad += (long)more;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("failed %ld plain %d\nrate %.0f\n", bad, plain,
	       threads * flood_count /
		       (to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9));
	return 0;
}

static volatile int signals;

static void on_signal(int sig)
{
	signals++;
}

static int storm(int count)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	const struct sigaction act = { .sa_handler = on_signal };
	int i, fd, interrupted = 0, bad = 0;

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < count; i++) {
		fd = open_tcp(0);
		interrupted += fd < 0 && errno == EINTR;
		bad += fd < 0 && errno != EINTR;
		close(fd);
	}
	printf("interrupted %d bad %d signals %s\n", interrupted, bad,
	       signals ? "some" : "none");
	return 0;
}

static int alarm_connect(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	const struct sigaction act = { .sa_handler = on_signal };
	int r;

	inet_aton(address, &to.sin_addr);
	sigaction(SIGALRM, &act, NULL);
	alarm(1);
	r = connect(open_tcp(0), (void *)&to, sizeof(to));
	show("connect", r);
	return 0;
}

static int tick(void)
{
	char line[64];
	int fd;

	while (fgets(line, sizeof(line), stdin)) {
		fd = open_tcp(0);
		printf("protocol %d\n", fd < 0 ? -errno : protocol_of(fd));
		fflush(stdout);
		close(fd);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";

	own = argc > 2 && !strcmp(argv[2], "own") ? IPPROTO_MPTCP : 0;
	flood_count = argc > 3 ? atoi(argv[3]) : 0;
	if (!strcmp(what, "facts"))
		return show_facts();
	if (!strcmp(what, "errors"))
		return show_errors();
	if (!strcmp(what, "options"))
		return show_options();
	if (!strcmp(what, "swap"))
		return show_swap();
	if (!strcmp(what, "flood"))
		return flood(atoi(argv[2]));
	if (!strcmp(what, "storm"))
		return storm(atoi(argv[2]));
	if (!strcmp(what, "alarm"))
		return alarm_connect(argv[2]);
	if (!strcmp(what, "tick"))
		return tick();
	printf("protocol %d new privileges %s\n", protocol_of(open_tcp(0)),
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ? "no" : "yes");
	return 0;
}
