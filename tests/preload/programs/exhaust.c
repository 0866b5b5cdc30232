// SPDX-License-Identifier: MIT
/*
 * exhaust.c - a program at its descriptor limit: exhaust LIMIT ADDRESS PORT
 */
#include "program.h"

#include <netinet/tcp.h>
#include <sys/resource.h>

int main(int argc, char *argv[])
{
	struct sockaddr_storage to;
	struct rlimit limit;
	socklen_t len;
	int fd, count = 0, limit_ms = 5000;

	if (argc < 4)
		return 2;
	alarm(PROGRAM_SECONDS);
	len = parse(argv[2], argv[3], &to);
	limit.rlim_cur = limit.rlim_max = atoi(argv[1]);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
	while (dup(0) >= 0)
		count++;
	printf("filled %d\n", count);
	for (int i = 0; i < 3; i++) {
		errno = PRESET_ERRNO;
		fd = socket(AF_INET, SOCK_STREAM, 0);
		printf("socket %d %s\n", fd, error_name(errno));
	}
	close(3);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	printf("socket %d\n", fd);
	errno = PRESET_ERRNO;
	printf("option %d", setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, 4));
	printf(" %s\n", error_name(errno));
	printf("connect %d", connect(fd, (struct sockaddr *)&to, len));
	printf(" %s\n", error_name(errno));
	echo(fd, "through the last descriptor");
	printf("dup %d %s\n", dup(0), error_name(errno));
	return 0;
}
