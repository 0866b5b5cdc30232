// SPDX-License-Identifier: MIT
/*
 * child.c - a program that is run as if by the shell
 *
 * It stays in our process group: what a key of the terminal causes reaches it from the
 * kernel, and is not passed on a second time. Whatever else is sent to us is meant for
 * it.
 */
#include "child.h"

#include "sigs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND  127
#define NOT_TO_RUN 126

static _Noreturn void become(char **argv, const sigset_t *mask, int tell)
{
	int error;

	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	error = errno;
	if (write(tell, &error, sizeof(error)) < 0)
		error = 0; /* nobody is left to be told */
	_exit(NOT_FOUND);
}

/* Return: 0 once it has begun; a positive errno of exec. */
static int wait_for_exec(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

static int start(struct child *ret, char **argv, const sigset_t *mask)
{
	int fds[2], error;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	ret->pid = fork();
	if (ret->pid == 0)
		become(argv, mask, fds[1]);
	error = ret->pid < 0 ? errno : 0;
	close(fds[1]);
	if (ret->pid > 0)
		error = wait_for_exec(fds[0]);
	close(fds[0]);
	if (error && ret->pid > 0)
		waitpid(ret->pid, NULL, 0);
	return -error;
}

int child_start(struct child *ret, char **argv)
{
	static const int signals[] = { SIGCHLD, SIGINT,	 SIGQUIT, SIGTERM,
				       SIGHUP,	SIGUSR1, SIGUSR2, 0 };
	sigset_t before;
	int r;

	*ret = (struct child){ .status = NOT_TO_RUN };
	/* Whose parent has ended becomes our child, and is known to be of the tree. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* Ignored, it would take the exit status from us. */
	signal(SIGCHLD, SIG_DFL);
	ret->sigfd = sigs_open(signals, &before);
	r = ret->sigfd < 0 ? ret->sigfd : start(ret, argv, &before);
	if (r < 0) {
		ret->status = r == -ENOENT ? NOT_FOUND : NOT_TO_RUN;
		fprintf(stderr, "mptcpinfo: %s: %s\n", argv[0], strerror(-r));
	}
	return r;
}

/* Its orphans are ours to bury, too. */
static void take_status(struct child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		child->ended = true;
		child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						    : WEXITSTATUS(status);
	}
}

void child_signals(struct child *child)
{
	struct signalfd_siginfo info;

	while (read(child->sigfd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		/* From the kernel: a key, or the terminal has gone; it has got it, too.
		 */
		if (info.ssi_code > 0 || (pid_t)info.ssi_pid == child->pid)
			continue;
		take_status(child);
		if (!child->ended)
			kill(child->pid, info.ssi_signo);
	}
	take_status(child);
}
