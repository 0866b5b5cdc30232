// SPDX-License-Identifier: MIT
/*
 * holder.c - a hostile neighbour: holds local sockets
 *
 * holder [-b] [-f] [-n N] NAME: bind the abstract NAME and listen, or with -b only bind;
 * -f fills its queue. With -n, N names: each '%' in NAME is replaced by a number.
 * holder -c N NAME: open N connections to NAME and send nothing, again if they end.
 * holder -w PREFIX: fill the queue of each name that begins with PREFIX, and bind it when
 * its owner ends.
 * It prints "ready", and keeps all until it is killed.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 65536

static int fds[FDS_MAX], n_fds;

static socklen_t address(struct sockaddr_un *addr, const char *name, int number)
{
	char text[sizeof(addr->sun_path) - 1];
	const char *mark = strchr(name, '%');
	int len = mark ? snprintf(text, sizeof(text), "%.*s%d%s", (int)(mark - name),
				  name, number, mark + 1)
		       : snprintf(text, sizeof(text), "%s", name);

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(addr->sun_path + 1, text, len);
	return offsetof(struct sockaddr_un, sun_path) + 1 + len;
}

static int open_socket(int flags)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	if (fd < 0 || n_fds == FDS_MAX) {
		perror("holder: socket");
		exit(1);
	}
	return fds[n_fds++] = fd;
}

static void hold(const char *name, int number, bool only_bind, bool fill)
{
	struct sockaddr_un addr;
	const socklen_t len = address(&addr, name, number);
	const int fd = open_socket(0);

	if (bind(fd, (struct sockaddr *)&addr, len) < 0 ||
	    (!only_bind && listen(fd, 1) < 0)) {
		perror("holder: bind");
		exit(1);
	}
	while (fill &&
	       !connect(open_socket(SOCK_NONBLOCK), (struct sockaddr *)&addr, len))
		;
}

static void connect_silently(const char *name, int n)
{
	struct sockaddr_un addr;
	const socklen_t len = address(&addr, name, 0);

	while (n--)
		if (connect(open_socket(0), (struct sockaddr *)&addr, len) < 0) {
			perror("holder: connect");
			exit(1);
		}
}

/* Those that were disconnected, in their old places. */
static void connect_again(const char *name)
{
	static struct pollfd polls[FDS_MAX];
	const int n = n_fds;
	int i;

	for (i = 0; i < n; i++)
		polls[i] = (struct pollfd){ fds[i], 0, 0 };
	poll(polls, n, -1);
	for (i = 0; i < n; i++) {
		if (!polls[i].revents)
			continue;
		close(fds[i]);
		connect_silently(name, 1);
		fds[i] = fds[--n_fds];
	}
}

static void take_over(const char *name)
{
	struct sockaddr_un addr;
	const socklen_t len = address(&addr, name, 0);

	while (!connect(open_socket(SOCK_NONBLOCK), (struct sockaddr *)&addr, len))
		;
	while (bind(open_socket(0), (struct sockaddr *)&addr, len) < 0)
		close(fds[--n_fds]);
	listen(fds[n_fds - 1], 1);
}

static void watch_names(const char *prefix)
{
	char line[256], *name;
	FILE *f;

	for (;;) {
		f = fopen("/proc/net/unix", "re");
		while (f && fgets(line, sizeof(line), f)) {
			name = strchr(line, '@');
			line[strcspn(line, "\n")] = '\0';
			if (name && !strncmp(name + 1, prefix, strlen(prefix)))
				take_over(name + 1);
		}
		if (f)
			fclose(f);
		usleep(1000);
	}
}

int main(int argc, char *argv[])
{
	const struct rlimit limit = { FDS_MAX, FDS_MAX };
	bool only_bind = false, fill = false, watch = false;
	int names = 1, silent = 0, c, i;

	while ((c = getopt(argc, argv, "bfwn:c:")) != -1) {
		only_bind |= c == 'b';
		fill |= c == 'f';
		watch |= c == 'w';
		if (c == 'n')
			names = atoi(optarg);
		if (c == 'c')
			silent = atoi(optarg);
	}
	if (optind != argc - 1)
		return 2;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (silent)
		connect_silently(argv[optind], silent);
	for (i = 0; i < names && !silent && !watch; i++)
		hold(argv[optind], i, only_bind, fill);
	puts("ready");
	fflush(stdout);
	if (watch)
		watch_names(argv[optind]);
	for (;;) {
		if (silent)
			connect_again(argv[optind]);
		else
			pause();
	}
}
