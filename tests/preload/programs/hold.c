// SPDX-License-Identifier: MIT
/*
 * hold.c - connect, change descriptors, threads or processes, and keep the connection:
 * hold HOW ADDRESS PORT MARKER
 *
 * Creates the file MARKER after the change, and ends when the peer closes.
 */
#include "program.h"

#include <pthread.h>
#include <sched.h>

#define FDS_MAX 1024 /* or the limit, less one for mark() */

static const char *address, *port;

/* Like on a small machine: other processes run only when this one waits. */
static void on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static int keep_as_is(int sock)
{
	return sock;
}

static int close_all(int sock)
{
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (fd != sock)
			close(fd);
	return sock;
}

static int close_from(int sock)
{
	dup2(sock, 0);
	closefrom(1);
	return 0;
}

static int close_range_all(int sock)
{
	close_range(0, sock - 1, 0);
	close_range(sock + 1, ~0U, 0);
	return sock;
}

static int dup2_over_all(int sock)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < FDS_MAX && fd < getdtablesize() - 1; fd++)
		if (fd != sock && fd != null)
			dup2(null, fd);
	return sock;
}

static int daemonise(int sock)
{
	if (daemon(0, 0) < 0)
		_exit(1);
	return sock;
}

/* Both processes keep the connection. */
static int fork_child(int sock)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	return sock;
}

/* Only the child keeps it. */
static int orphan(int sock)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	if (pid > 0)
		exit(0);
	return sock;
}

/* The classic daemon: fork twice, close all but the connection. */
static int double_fork(int sock)
{
	on_one_cpu();
	orphan(sock);
	setsid();
	orphan(sock);
	return close_all(sock);
}

/* The same, slowly. */
static int slow_double_fork(int sock)
{
	orphan(sock);
	setsid();
	usleep(100000);
	orphan(sock);
	usleep(100000);
	return sock;
}

/* Only the child keeps it, and the parent ends by SIGKILL. */
static int orphan_of_killed(int sock)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	if (pid > 0) {
		usleep(20000);
		kill(getpid(), SIGKILL);
	}
	while (getppid() != 1) /* of the tests' PID namespace */
		usleep(1000);
	return sock;
}

/* Five children keep it, without their parent. */
static int orphans(int sock)
{
	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			return sock;
	exit(0);
}

/* A child opens a connection of its own. */
static int child_connects(int sock)
{
	pid_t pid;

	on_one_cpu();
	pid = fork();
	if (pid < 0)
		_exit(1);
	if (pid > 0) {
		waitpid(pid, NULL, 0);
		return sock;
	}
	echo(tcp_to(address, port), "the child");
	return sock;
}

/* The parent lives on, but without its socket. */
static int child_keeps(int sock)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		_exit(1);
	if (pid > 0) {
		null = open("/dev/null", O_RDONLY);
		dup2(null, sock);
		pause();
	}
	return sock;
}

/* The parent lives on as another program, which has no manager. */
static int parent_execs(int sock)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	if (pid > 0) {
		close(sock);
		execlp("sleep", "sleep", "30", (char *)NULL);
		_exit(127);
	}
	usleep(100000);
	return sock;
}

/* Its thread IDs are not those of its parent. */
static int orphan_elsewhere(int sock)
{
	if (unshare(CLONE_NEWPID) < 0)
		_exit(1);
	return orphan(sock);
}

static int move_down(int sock)
{
	if (dup2(sock, 0) < 0)
		_exit(1);
	return 0;
}

static int run_others(int sock)
{
	pid_t pid;

	if (system("true; true"))
		_exit(1);
	pid = fork();
	if (pid == 0) {
		execlp("true", "true", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	return sock;
}

static int vfork_child(int sock)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return sock;
}

static void *connect_here(void *arg)
{
	int *sock = arg;

	*sock = tcp_to(address, port);
	return NULL;
}

static int by_thread(void)
{
	pthread_t thread;
	int sock = -1;

	if (pthread_create(&thread, NULL, connect_here, &sock))
		_exit(1);
	pthread_join(thread, NULL);
	return sock;
}

/* Become process 1 of a new PID namespace; the parent waits. */
static void become_child(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0)
		_exit(1);
	pid = fork();
	if (pid < 0)
		_exit(1);
	if (pid) {
		waitpid(pid, NULL, 0);
		_exit(0);
	}
}

/* Connect in a process with its parent's process ID, whose parent had a manager. */
static int same_number(int sock)
{
	close(sock);
	become_child();
	sock = tcp_to(address, port);
	echo(sock, "hello");
	close(sock);
	usleep(100000); /* let its manager see the end */
	become_child();
	sock = tcp_to(address, port);
	echo(sock, "hello");
	return sock;
}

static const struct how {
	const char *name;
	int (*act)(int sock); /* Return: the socket's new descriptor */
} hows[] = {
	{ "nothing", keep_as_is },
	{ "closeall", close_all },
	{ "closefrom", close_from },
	{ "close_range", close_range_all },
	{ "dup2", dup2_over_all },
	{ "daemon", daemonise },
	{ "fork", fork_child },
	{ "orphan", orphan },
	{ "thread", keep_as_is },
	{ "vfork", vfork_child },
	{ "system", run_others },
	{ "move", move_down },
	{ "doublefork", double_fork },
	{ "slowdoublefork", slow_double_fork },
	{ "killed", orphan_of_killed },
	{ "orphans", orphans },
	{ "hasty", orphan },
	{ "childconnects", child_connects },
	{ "childkeeps", child_keeps },
	{ "parentexecs", parent_execs },
	{ "elsewhere", orphan_elsewhere },
	{ "samenumber", same_number },
};

static void hold(int sock)
{
	char byte;
	ssize_t n;

	do
		n = read(sock, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
}

int main(int argc, char *argv[])
{
	int sock;

	if (argc < 5)
		return 2;
	alarm(PROGRAM_SECONDS);
	if (!strcmp(argv[1], "hasty"))
		on_one_cpu();
	address = argv[2];
	port = argv[3];
	sock = strcmp(argv[1], "thread") ? tcp_to(address, port) : by_thread();
	if (strcmp(argv[1], "hasty")) /* which forks first */
		echo(sock, "hello");
	fflush(stdout);
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		if (strcmp(hows[i].name, argv[1]))
			continue;
		sock = hows[i].act(sock);
		alarm(PROGRAM_SECONDS); /* a child has none */
		if (!strcmp(argv[1], "hasty"))
			echo(sock, "hello"); /* makes the connection fully established */
		mark(argv[4]);
		hold(sock);
		return 0;
	}
	return 2;
}
