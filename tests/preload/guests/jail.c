// SPDX-License-Identifier: MIT
/*
 * jail.c - a connected program forks a child, which puts itself into a user namespace
 *
 * jail ADDRESS PORT. That is refused to a process with a second thread.
 */
#include "guest.h"

#include <sched.h>

int main(int argc, char *argv[])
{
	int sock, status = -1;
	pid_t pid;

	if (argc < 3)
		return 2;
	alarm(GUEST_SECONDS);
	sock = tcp_to(argv[1], argv[2]);
	echo(sock, "hello");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		usleep(50000);
		printf("unshare %d", unshare(CLONE_NEWUSER));
		printf(" %s\n", error_name(errno));
		exit(0);
	}
	waitpid(pid, &status, 0);
	printf("status %d\n", status);
	return 0;
}
