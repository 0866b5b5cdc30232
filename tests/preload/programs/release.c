// SPDX-License-Identifier: MIT
/*
 * release.c - closed pipes, sockets, locks and ports are free at once
 *
 * release ADDRESS PORT FILE
 */
#include "program.h"

#include <sys/file.h>
#include <sys/un.h>

static const char *address, *port, *file;

static const char *eof_on(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char byte;

	if (poll(&pfd, 1, 2000) <= 0)
		return "nothing";
	return read(fd, &byte, 1) == 0 ? "end of file" : "data";
}

static void pipes(void)
{
	int before[2], pair[2], sock, after[2];

	if (pipe(before) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("pipe");
	sock = tcp_to(address, port);
	echo(sock, "pipes");
	if (pipe(after) < 0)
		die("pipe");
	close(before[1]);
	close(pair[1]);
	close(after[1]);
	printf("pipe from before: %s\n", eof_on(before[0]));
	printf("socket from before: %s\n", eof_on(pair[0]));
	printf("pipe from after: %s\n", eof_on(after[0]));
	shutdown(sock, SHUT_WR);
	printf("connection: %s\n", eof_on(sock));
	close(before[0]);
	close(pair[0]);
	close(after[0]);
	close(sock);
}

/* A child that closes its standard output after connecting and lives on. */
static void standard_output(void)
{
	int out[2], err[2];
	pid_t pid;

	fflush(stdout);
	if (pipe(out) < 0 || pipe(err) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		close(out[0]);
		close(err[0]);
		dup2(out[1], 1);
		dup2(err[1], 2);
		close(out[1]);
		close(err[1]);
		tcp_to(address, port);
		close(1);
		close(2);
		pause();
	}
	close(out[1]);
	close(err[1]);
	printf("output of a child: %s\n", eof_on(out[0]));
	printf("errors of a child: %s\n", eof_on(err[0]));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(out[0]);
	close(err[0]);
}

/* Whether another process gets the lock. */
static const char *lock_elsewhere(bool posix)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int status = -1, fd;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fd = open(file, O_RDWR | O_CLOEXEC);
		_exit(posix ? fcntl(fd, F_SETLK, &lock) < 0
			    : flock(fd, LOCK_EX | LOCK_NB) < 0);
	}
	waitpid(pid, &status, 0);
	return status ? "locked" : "free";
}

static void locks(bool posix)
{
	const char *kind = posix ? "fcntl" : "flock";
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600), sock;

	if (fd < 0 || (posix ? fcntl(fd, F_SETLK, &lock) : flock(fd, LOCK_EX)) < 0)
		die("lock");
	printf("%s before connect: %s\n", kind, lock_elsewhere(posix));
	sock = tcp_to(address, port);
	echo(sock, "locks");
	printf("%s after connect: %s\n", kind, lock_elsewhere(posix));
	close(fd);
	printf("%s closed: %s\n", kind, lock_elsewhere(posix));
	close(sock);
}

static void ports(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0release" };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), local, sock;

	local = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0 ||
	    bind(local, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(local, 1) < 0)
		die("listen");
	sock = tcp_to(address, port);
	echo(sock, "ports");
	close(fd);
	close(local);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	printf("port again: %d\n", bind(fd, (struct sockaddr *)&at, sizeof(at)));
	printf("listen again: %d\n", listen(fd, 1));
	local = socket(AF_UNIX, SOCK_STREAM, 0);
	printf("name again: %d\n", bind(local, (struct sockaddr *)&un, sizeof(un)));
	close(fd);
	close(local);
	close(sock);
}

int main(int argc, char *argv[])
{
	if (argc < 4)
		return 2;
	alarm(PROGRAM_SECONDS);
	address = argv[1];
	port = argv[2];
	file = argv[3];
	standard_output();
	for (int round = 0; round < 2; round++) {
		pipes();
		locks(false);
		locks(true);
		ports();
	}
	unlink(file);
	return 0;
}
