// SPDX-License-Identifier: MIT
/*
 * connects.c - connect() with every wrong argument, and with right ones
 *
 * connects ADDRESS PORT [nonblocking]: each line is a call, its result and errno, and
 * the socket's file status flags.
 */
#include "program.h"

#include <sys/mman.h>
#include <sys/time.h>
#include <sys/un.h>

static bool nonblocking;

static int fresh(int domain)
{
	int fd = socket(domain, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static int call(const char *what, int fd, const void *addr, socklen_t len)
{
	int r, saved;

	errno = PRESET_ERRNO;
	r = connect(fd, addr, len);
	saved = errno;
	printf("%s: %d %s, flags %#x\n", what, r, error_name(saved), fcntl(fd, F_GETFL));
	return r;
}

static void once(const char *what, int domain, const void *addr, socklen_t len)
{
	int fd = fresh(domain);

	call(what, fd, addr, len);
	close(fd);
}

static void bad_pointers(const struct sockaddr_in *good)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (page == MAP_FAILED || mprotect(page + 4096, 4096, PROT_NONE) < 0)
		die("mmap");
	once("NULL", AF_INET, NULL, sizeof(*good));
	once("NULL of no length", AF_INET, NULL, 0);
	once("address 1", AF_INET, (void *)1, sizeof(*good));
	once("no access", AF_INET, page + 4096, sizeof(*good));
	memcpy(page + 4096 - 8, good, 8);
	once("ends at a hole", AF_INET, page + 4096 - 8, sizeof(*good));
	munmap(page, 8192);
}

static void bad_lengths(const struct sockaddr_in *good)
{
	static const socklen_t lengths[] = { 0, 1, 2, 4, 8, 15, 129, 4096, -1, INT_MAX };
	char what[32], big[4096] = { 0 };

	memcpy(big, good, sizeof(*good));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		snprintf(what, sizeof(what), "length %d", (int)lengths[i]);
		once(what, AF_INET, big, lengths[i]);
	}
}

static void bad_families(const struct sockaddr_in *good)
{
	struct sockaddr_in other = *good;
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = good->sin_port };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/nowhere" };

	other.sin_family = AF_UNSPEC;
	once("AF_UNSPEC", AF_INET, &other, sizeof(other));
	once("AF_UNSPEC on v6", AF_INET6, &other, sizeof(other));
	other.sin_family = 999;
	once("family 999", AF_INET, &other, sizeof(other));
	once("family 999 on v6", AF_INET6, &other, sizeof(other));
	once("unix on v4", AF_INET, &un, sizeof(un));
	once("unix on v6", AF_INET6, &un, sizeof(un));
	once("v6 on v4", AF_INET, &v6, sizeof(v6));
	once("v4 on v6", AF_INET6, good, sizeof(*good));
	once("short v6", AF_INET6, &v6, 24);
	once("v4 address as v6", AF_INET6, &v6, sizeof(*good));
}

static void bad_descriptors(const struct sockaddr_in *good)
{
	int pair[2], fd;

	call("no descriptor", -1, good, sizeof(*good));
	call("closed descriptor", 777, good, sizeof(*good));
	if (pipe(pair) < 0)
		die("pipe");
	call("pipe", pair[0], good, sizeof(*good));
	close(pair[0]);
	close(pair[1]);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	call("file", fd, good, sizeof(*good));
	close(fd);
	fd = open("/", O_PATH | O_CLOEXEC);
	call("O_PATH", fd, good, sizeof(*good));
	close(fd);
}

static void bad_targets(const struct sockaddr_in *good)
{
	static const char *const addresses[] = { "255.255.255.255", "10.0.1.255",
						 "203.0.113.1", "0.0.0.0", "127.0.0.1" };
	struct sockaddr_in to = *good;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		to.sin_port = htons(9);
		inet_pton(AF_INET, addresses[i], &to.sin_addr);
		once(addresses[i], AF_INET, &to, sizeof(to));
	}
	to = *good;
	to.sin_port = htons(9);
	once("refused", AF_INET, &to, sizeof(to));
	to.sin_port = 0;
	once("port 0", AF_INET, &to, sizeof(to));
}

static void good_ones(const struct sockaddr_in *good)
{
	struct pollfd pfd = { .events = POLLOUT };
	int fd = fresh(AF_INET), error = -1;
	socklen_t len = sizeof(error);

	if (call("good", fd, good, sizeof(*good)) < 0) {
		pfd.fd = fd;
		printf("poll %d %#x\n", poll(&pfd, 1, 5000), pfd.revents);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
		printf("SO_ERROR %s\n", error_name(error));
	}
	call("connected", fd, good, sizeof(*good));
	close(fd);
}

static void timed_out(const struct sockaddr_in *good)
{
	struct timeval wait = { .tv_usec = 200000 };
	struct sockaddr_in silent = *good;
	int fd = fresh(AF_INET);

	silent.sin_port = htons(7777); /* dropped by the server's firewall */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	call("silent", fd, &silent, sizeof(silent));
	call("silent again", fd, &silent, sizeof(silent));
	close(fd);
}

static void datagrams(const struct sockaddr_in *good)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/nowhere" };
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	call("udp", fd, good, sizeof(*good));
	call("udp again", fd, good, sizeof(*good));
	call("udp disconnect", fd, &none, sizeof(none));
	call("udp short", fd, good, 3);
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	call("unix", fd, &un, sizeof(un));
	close(fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("socketpair");
	call("pair", pair[0], &un, sizeof(un));
	close(pair[0]);
	close(pair[1]);
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage to;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	nonblocking = argc > 3;
	parse(argv[1], argv[2], &to);
	for (int round = 0; round < 2; round++) {
		bad_pointers((void *)&to);
		bad_lengths((void *)&to);
		bad_families((void *)&to);
		bad_descriptors((void *)&to);
		bad_targets((void *)&to);
		good_ones((void *)&to);
		timed_out((void *)&to);
		datagrams((void *)&to);
	}
	return 0;
}
