// SPDX-License-Identifier: MIT
/*
 * spaces.c - connect, then enter a user namespace: spaces HOW ADDRESS PORT
 */
#include "program.h"

#include <sched.h>

static pid_t owner; /* of another user namespace */

static void make_space(void)
{
	int fds[2];
	char byte;

	if (pipe(fds) < 0)
		die("pipe");
	owner = fork();
	if (owner == 0) {
		close(fds[0]);
		if (unshare(CLONE_NEWUSER) < 0 || write(fds[1], "", 1) < 0)
			_exit(1);
		close(fds[1]);
		pause();
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		die("child");
	close(fds[0]);
}

static int enter(const char *how)
{
	char path[64];
	int fd;

	if (!strcmp(how, "unshare"))
		return unshare(CLONE_NEWUSER);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)owner);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return setns(fd, strcmp(how, "setns-any") ? CLONE_NEWUSER : 0);
}

int main(int argc, char *argv[])
{
	int fd, r;

	if (argc < 4)
		return 2;
	alarm(PROGRAM_SECONDS);
	make_space();
	fd = tcp_to(argv[2], argv[3]);
	echo(fd, "before");
	errno = PRESET_ERRNO;
	r = enter(argv[1]);
	printf("%s: %d %s\n", argv[1], r, error_name(errno));
	printf("threads %d, user %d\n", threads(), (int)getuid());
	echo(fd, "after");
	close(fd);
	echo(tcp_to(argv[2], argv[3]), "again");
	/* A second time fails or succeeds as natively, too. */
	r = unshare(CLONE_NEWUSER);
	printf("unshare: %d\n", r);
	kill(owner, SIGKILL);
	return 0;
}
