// SPDX-License-Identifier: MIT
/*
 * hygiene.c - show umask, directory, signals, stdio and descriptors before and after each
 * way to connect: hygiene ADDRESS PORT
 */
#include "program.h"

#include <pthread.h>

enum opening {
	BY_CONNECT,
	BY_SENDTO,
	BY_SENDMSG,
	BY_SENDMMSG,
	OPENINGS,
};

static void on_signal(int sig)
{
}

static void set_up(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t set;

	umask(027);
	if (chdir("/proc") < 0)
		die("chdir");
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void show_signals(void)
{
	struct sigaction sa;
	sigset_t mask, pending;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	sigpending(&pending);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (sigaction(sig, NULL, &sa) < 0)
			continue;
		printf("signal %d: %s flags %#x usr2 %d blocked %d pending %d\n", sig,
		       sa.sa_handler == SIG_DFL	    ? "default"
		       : sa.sa_handler == SIG_IGN   ? "ignored"
		       : sa.sa_handler == on_signal ? "ours"
						    : "another",
		       (unsigned int)sa.sa_flags, sigismember(&sa.sa_mask, SIGUSR2),
		       sigismember(&mask, sig), sigismember(&pending, sig));
	}
}

static void show(const char *when)
{
	char cwd[PATH_MAX] = "";
	mode_t mask = umask(0);

	umask(mask);
	printf("%s: umask %03o cwd %s\n", when, (unsigned int)mask,
	       getcwd(cwd, sizeof(cwd)));
	show_signals();
	show_fds(when);
}

static ssize_t open_by(enum opening how, int fd, struct sockaddr_storage *to,
		       socklen_t len)
{
	struct iovec iov = { .iov_base = (char *)"hello", .iov_len = 5 };
	struct msghdr msg = {
		.msg_name = to, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1
	};
	struct mmsghdr many = { .msg_hdr = msg };

	switch (how) {
	case BY_CONNECT:
		return connect(fd, (struct sockaddr *)to, len);
	case BY_SENDTO:
		return sendto(fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)to, len);
	case BY_SENDMSG:
		return sendmsg(fd, &msg, MSG_FASTOPEN);
	case BY_SENDMMSG:
		return sendmmsg(fd, &many, 1, MSG_FASTOPEN);
	case OPENINGS:
		break;
	}
	return -1;
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage to;
	socklen_t len;
	ssize_t r;
	int fd, saved;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	len = parse(argv[1], argv[2], &to);
	set_up();
	show("before");
	for (int how = 0; how < OPENINGS; how++) {
		printf("half a line, ");
		fprintf(stderr, "half an error, ");
		errno = PRESET_ERRNO;
		fd = socket(to.ss_family, SOCK_STREAM, 0);
		saved = errno;
		printf("socket %d errno %s, ", fd, error_name(saved));
		errno = PRESET_ERRNO;
		r = open_by(how, fd, &to, len);
		saved = errno;
		printf("opened by %d: %zd errno %s\n", how, r, error_name(saved));
		fprintf(stderr, "and the rest\n");
		show("after");
		close(fd);
	}
	return 0;
}
