/* SPDX-License-Identifier: MIT */
/*
 * program.h - helpers of the programs, which know nothing of the library
 *
 * A program prints all that it can see of itself. The tests compare its output with and
 * without the library.
 */
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM_SECONDS 30 /* no program lives longer */
#define PRESET_ERRNO	1234

static inline _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

static inline const char *error_name(int error)
{
	static char number[16];
	const char *name = strerrorname_np(error);

	if (name)
		return name;
	snprintf(number, sizeof(number), "%d", error);
	return number;
}

static inline socklen_t parse(const char *address, const char *port,
			      struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(atoi(port));
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1) {
		errno = EINVAL;
		die(address);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(atoi(port));
	return sizeof(*v6);
}

/* Return: a connected blocking socket. */
static inline int tcp_to(const char *address, const char *port)
{
	struct sockaddr_storage to;
	socklen_t len = parse(address, port, &to);
	int fd = socket(to.ss_family, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&to, len) < 0)
		die("connect");
	return fd;
}

/* Send @text to the echo server and print the reply. */
static inline void echo(int fd, const char *text)
{
	char back[256];
	size_t len = strlen(text), got = 0;
	ssize_t n;

	if (write(fd, text, len) != (ssize_t)len)
		die("write");
	while (got < len) {
		n = read(fd, back + got, len - got);
		if (n <= 0)
			die("read");
		got += n;
	}
	printf("echoed %.*s\n", (int)got, back);
}

static inline void show_fds(const char *when)
{
	char name[32], target[PATH_MAX];
	ssize_t n;

	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		n = readlink(name, target, sizeof(target));
		printf("%s: fd %d %.*s flags %d\n", when, fd, (int)(n > 0 ? n : 0),
		       target, fcntl(fd, F_GETFD));
	}
}

static inline int threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int count = 0;

	if (!d)
		die("/proc/self/task");
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

/* Report progress to the test by a file, which needs no open descriptor. */
static inline void mark(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	close(fd);
}
