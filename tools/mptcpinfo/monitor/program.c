// SPDX-License-Identifier: MIT
/*
 * program.c - run a program as if by the shell, and find its descendants
 *
 * The program stays in our process group: signals caused by keys of the terminal reach
 * it from the kernel and are not forwarded. All others sent to us are.
 */
#include "monitor.h"
#include "tools/common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND  127
#define NOT_TO_RUN 126

/* Does not return in the child. Return: 0 or -errno, also of exec. */
static int child_spawn(struct child *child, char **argv, const sigset_t *mask)
{
	int fds[2], error = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execvp(argv[0], argv);
		error = errno;
		if (write(fds[1], &error, sizeof(error)) < 0)
			error = 0; /* the parent has gone */
		_exit(NOT_FOUND);
	}
	if (child->pid < 0)
		error = errno;
	close(fds[1]);
	/* End of file: exec has closed the pipe. */
	if (read(fds[0], &error, sizeof(error)) < 0)
		error = errno;
	close(fds[0]);
	if (error && child->pid > 0)
		waitpid(child->pid, NULL, 0);
	return -error;
}

int child_start(struct child *ret, char **argv)
{
	static const int signals[] = { SIGCHLD, SIGINT,	 SIGQUIT, SIGTERM,
				       SIGHUP,	SIGUSR1, SIGUSR2, 0 };
	sigset_t before;
	int r;

	*ret = (struct child){ .status = NOT_TO_RUN };
	/* Orphans become our children, so we stay their ancestor. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* If ignored, the exit status would be lost. */
	signal(SIGCHLD, SIG_DFL);
	ret->sigfd = signals_open(signals, &before);
	r = ret->sigfd < 0 ? ret->sigfd : child_spawn(ret, argv, &before);
	if (r < 0) {
		ret->status = r == -ENOENT ? NOT_FOUND : NOT_TO_RUN;
		fprintf(stderr, "mptcpinfo: %s: %s\n", argv[0], strerror(-r));
	}
	return r;
}

/* Also reaps orphans. */
static void child_reap(struct child *child)
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

void child_handle_signals(struct child *child)
{
	struct signalfd_siginfo info;

	while (read(child->sigfd, &info, sizeof(info)) == sizeof(info)) {
		child_reap(child);
		/* From the kernel: a key or a hangup, which the child gets, too. */
		if (info.ssi_signo != SIGCHLD && info.ssi_code <= 0 &&
		    (pid_t)info.ssi_pid != child->pid && !child->ended)
			kill(child->pid, info.ssi_signo);
	}
}

/* The name, in brackets, may contain brackets. Return: 0: unknown. */
static pid_t read_parent(pid_t pid)
{
	char path[64], text[512], *end;
	pid_t parent;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	end = strrchr(text, ')');
	return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

bool program_has_process(pid_t pid)
{
	while (pid > 1 && pid != getpid())
		pid = read_parent(pid);
	return pid == getpid();
}
