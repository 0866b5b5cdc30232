// SPDX-License-Identifier: MIT
/*
 * children.c - descriptors in the children of a connected program: children ADDRESS PORT
 */
#include "program.h"

#include <spawn.h>

#define LIST "ls", "-go", "--time-style=+", "/proc/self/fd"

static void await(pid_t pid)
{
	int status = -1;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("child");
	printf("status %d\n", status);
}

static void by_exec(void)
{
	pid_t pid;

	printf("fork and exec\n");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execlp("ls", LIST, (char *)NULL);
		_exit(127);
	}
	await(pid);
}

static void by_spawn(void)
{
	char *const argv[] = { LIST, NULL };
	pid_t pid = -1;

	printf("posix_spawn\n");
	fflush(stdout);
	if (posix_spawnp(&pid, "ls", NULL, NULL, argv, environ))
		die("posix_spawnp");
	await(pid);
}

static void by_fork(void)
{
	pid_t pid;

	printf("fork\n");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		show_fds("child");
		exit(0);
	}
	await(pid);
}

static void by_shell(void)
{
	char line[256];
	FILE *f;

	printf("system\n");
	fflush(stdout);
	printf("status %d\n", system("ls -go --time-style=+ /proc/self/fd"));
	f = popen("ls -go --time-style=+ /proc/self/fd", "r");
	if (!f)
		die("popen");
	while (fgets(line, sizeof(line), f))
		printf("popen: %s", line);
	printf("status %d\n", pclose(f));
}

int main(int argc, char *argv[])
{
	int sock;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	sock = tcp_to(argv[1], argv[2]);
	echo(sock, "hello");
	by_exec();
	by_spawn();
	by_fork();
	by_shell();
	echo(sock, "bye");
	return 0;
}
